"""Rights requests over HTTP: entered once, done at once where that can be, never erased by a call."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.ledger.base import Permit
from livepost.settings.policy import load_policy
from tests.unit.api.house import Asked
from tests.unit.api.test_consents import POLICY, allows, says


def enters(asked: Asked, kind: str, key: str = "k", **also: Any) -> tuple[int, dict[str, Any]]:
    wish = {"person": "ada", "kind": kind, "verified": "by a call back", **also}
    reply = asked.act("/api/requests", wish, key)
    return reply.status_code, reply.json()


def waiting(asked: Asked, query: str = "") -> dict[str, Any]:
    """Return what somebody sees who is logged in: a key of a program may hand requests in, and not read them."""
    assert asked.ask("/api/requests").status_code == 403
    told: dict[str, Any] = asked.ask("/api/requests" + query, key=None, Cookie="session=holds").json()
    return told


def with_policy(asked: Asked) -> None:
    project = asked.house.project
    (project.folder / "policy.toml").write_text(POLICY)
    asked.house.project = msgspec.structs.replace(project, policy=load_policy(project.folder))


def test_a_request_is_entered_once_by_its_key_and_waits_with_its_day(asked: Asked) -> None:
    status, one = enters(asked, "erasure")
    assert (status, one["state"], one["way"], one["due_at"] > one["received_at"]) == (202, "pending", "api", True)
    assert enters(asked, "erasure") == (200, one)
    assert enters(asked, "access")[0] == 409, "the key stands for another request"
    told = waiting(asked)
    assert ([each["id"] for each in told["requests"]], told["open"], told["overdue"]) == ([one["id"]], 1, 0)
    assert asked.house.subject("ada") is not None, "nobody is erased by a call"
    assert enters(asked, "access", "other", person="nobody")[0] == 404
    assert "ada" not in str(told["requests"][0]["people"])


def test_a_rectification_with_its_values_is_done_and_one_without_waits(asked: Asked) -> None:
    assert enters(asked, "rectification")[1]["state"] == "pending"
    status, one = enters(asked, "rectification", traits={"email": "right@example.com"})
    assert (status, one["state"], one["answer"]) == (200, "completed", "set right: email")
    assert enters(asked, "erasure", "e", traits={"email": "right@example.com"})[0] == 409
    assert enters(asked, "rectification", "f", traits={"shoe": 1})[0] == 400
    assert len(waiting(asked)["requests"]) == 1, "what did not fit waits with its day"


def test_an_opt_out_of_sale_holds_before_the_reply_and_has_its_proof(asked: Asked) -> None:
    with_policy(asked)
    says(asked, True, shown="May we share?")
    assert allows(asked)
    _, one = enters(asked, "opt_out_of_sale", regulation="ccpa")
    assert (one["state"], one["answer"]) == ("completed", "opted out from now on: ads")
    assert not allows(asked)
    person = asked.house.subject("ada")
    assert person is not None
    proof = asked.house.ledger.proofs(person)[0]
    assert (proof.purpose, proof.allowed, proof.how, proof.source) == ("ads", False, "request", one["id"])
    assert waiting(asked)["requests"] == []
    assert len(waiting(asked, "?waiting=false")["requests"]) == 1


def test_without_a_policy_an_opt_out_waits_for_somebody(asked: Asked) -> None:
    assert enters(asked, "opt_out_of_sale")[1]["state"] == "pending"


def test_restriction_and_objection_hold_at_once(asked: Asked) -> None:
    assert enters(asked, "objection", "o", purpose="ads")[1]["state"] == "completed"
    assert enters(asked, "restriction", "r", purpose="ads")[0] == 409, "a restriction is for all purposes"
    assert enters(asked, "restriction", "r")[1]["state"] == "completed"
    person = asked.house.subject("ada")
    assert person is not None
    assert [(one.kind, one.purpose) for one in asked.house.ledger.limits(person)] == [
        ("objected", "ads"),
        ("restricted", "*"),
    ]
    assert asked.house.ledger.refusals([Permit(person=person, purpose="ads")]) == ["restricted"]
