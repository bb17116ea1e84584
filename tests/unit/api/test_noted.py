"""What the audit is told of the API: before an answer about people leaves, before an action does anything."""

from __future__ import annotations

import pytest

from livepost.api.app import ACTIONS, OPERATIONS
from livepost.ops.audit_trail import EntryLine
from tests.unit.api.house import SESSION, START, Asked

READ = {
    "/api/people/{id}": ("/api/people/ada", "person.read"),
    "/api/people/{id}/consents": ("/api/people/ada/consents", "consents.read"),
    "/api/people/{id}/why": ("/api/people/ada/why", "reasons.read"),
    "/api/people/{id}/preview": ("/api/people/ada/preview", "preview.read"),
    "/api/segments/{name}/people": ("/api/segments/keen/people", "members.read"),
    "/api/deliveries": ("/api/deliveries?person=ada", "mails.read"),
}


def subjects_of(asked: Asked, name: str) -> list[str]:
    """Return all that a person is called; what the audit is told of the question is forgotten."""
    told: list[str] = asked.ask(f"/api/people/{name}").json()["subjects"]
    asked.noted.pop()
    return told


def test_every_operation_about_people_is_tried_here() -> None:
    about_people = {one.path for one in OPERATIONS if one.shows is not None}
    assert about_people == {
        *READ,
        *("/api/audit", "/api/requests"),  # which name people by ids of subjects only
        "/api/receipts/{id}",  # which names nobody
        "/api/people/{id}/held",  # which no key of a developer may ask: see test_people
    }


def test_whose_entries_of_the_audit_were_read_is_noted_too(asked: Asked) -> None:
    ada = subjects_of(asked, "ada")[0]
    asked.entries = [EntryLine(number=1, at=START, by="key:crm", did="person.read", about="", people=[ada])]
    session = {"key": None, "Cookie": "session=holds"}
    assert asked.ask(f"/api/audit?person={ada}", **session).json()["entries"][0]["by"] == "key:crm"
    assert asked.ask("/api/audit?person=ada@example.com", **session).status_code == 400
    assert asked.ask("/api/audit").status_code == 403  # a program without a role for it
    assert [(deed.did, deed.people) for _, deed in asked.noted] == [("audit.read", (bytes.fromhex(ada),))]


@pytest.mark.parametrize("path", READ)
def test_what_is_read_of_people_is_noted_with_whom_and_by_whom(asked: Asked, path: str) -> None:
    url, did = READ[path]
    assert asked.ask(url).status_code == 200
    [(by, deed)] = asked.noted
    assert (by, deed.did) == ("key:server", did)
    ada, bob = (set(bytes.fromhex(one) for one in subjects_of(asked, name)) for name in ("ada", "bob"))
    assert set(deed.people) <= (ada | bob if did == "members.read" else ada)
    assert deed.people


def test_a_session_is_named_by_its_id(asked: Asked) -> None:
    asked.ask("/api/people/ada", key=None, cookie="session=holds")
    assert asked.noted[0][0] == f"session:{SESSION}"


@pytest.mark.parametrize("path", READ)
def test_what_the_audit_cannot_take_is_not_answered(asked: Asked, path: str) -> None:
    asked.audit_fails = True
    answer = asked.ask(READ[path][0])
    assert answer.status_code == 503
    assert asked.house.subject("ada").hex() not in answer.text


def test_what_is_about_nobody_needs_no_audit(asked: Asked) -> None:
    asked.audit_fails = True
    assert asked.ask("/api/segments").status_code == 200


def test_who_is_refused_reads_nothing_and_is_not_noted(asked: Asked) -> None:
    assert asked.ask("/api/people/ada", key=None).status_code == 401
    assert asked.ask("/api/people/nobody").status_code == 404
    assert asked.noted == []


@pytest.mark.parametrize("stopped", [True, False])
def test_an_action_is_noted_before_it_is_done_and_not_done_without(asked: Asked, stopped: bool) -> None:
    wish = {"campaign": "nudge", "stopped": stopped}
    asked.audit_fails = True
    assert asked.act("/api/kills", wish, "k").status_code == 503
    assert asked.house.ledger.kills() == []
    asked.audit_fails = False
    assert asked.act("/api/kills", wish, "k").status_code in (200, 202)
    [(by, deed)] = asked.noted
    assert (by, deed.did, deed.about) == (
        "key:server",
        "campaign.stopped" if stopped else "campaign.resumed",
        "nudge",
    )


def test_what_a_person_typed_in_place_of_a_name_stays_out(asked: Asked) -> None:
    asked.act("/api/kills", {"campaign": "ada@example.com", "stopped": True}, "k")
    assert asked.noted[0][1].about == ""


def test_only_sends_are_left_to_the_ledger() -> None:
    assert [one.name for one in ACTIONS if one.does is None] == ["send"]
