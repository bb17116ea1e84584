"""A person's word on a purpose over HTTP, and their consent records."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livepost.ledger.base import Permit
from livepost.settings.policy import load_policy
from tests.unit.api.house import Asked

POLICY = """
[controller]
name = "The corner shop"
contact = "privacy@shop.example"
[purposes.ads]
text = "Share my data with advertisers"
basis = "consent"
retention = "30d"
sale = true
valid = "365d"
"""


def says(asked: Asked, allowed: bool, **also: Any) -> tuple[int, dict[str, Any]]:
    wish = {"person": "ada", "purpose": "ads", "allowed": allowed, **also}
    reply = asked.act("/api/consents", wish, f"k{allowed}")
    return reply.status_code, reply.json()


def allows(asked: Asked) -> bool:
    person = asked.house.subject("ada")
    assert person is not None
    return asked.house.ledger.refusals([Permit(person=person, purpose="ads")]) == [""]


def test_a_yes_and_a_no_are_written_down_and_count(asked: Asked) -> None:
    assert not allows(asked), "unknown is no"
    status, answer = says(asked, True, shown="May we share?")
    assert (status, answer["allowed"], answer["news"]) == (202, True, True)
    assert allows(asked)
    assert says(asked, False)[1]["news"] is True
    assert not allows(asked)
    assert says(asked, False)[0] == 200, "the same again is no news"


def test_a_persons_records_have_the_names_of_the_standard(asked: Asked) -> None:
    project = asked.house.project
    (project.folder / "policy.toml").write_text(POLICY)
    asked.house.project = msgspec.structs.replace(project, policy=load_policy(project.folder))
    says(asked, True, shown="May we share?")
    told = asked.ask("/api/people/ada/consents").json()
    [record] = [one for one in told["consent_records"] if one["purpose"] == "ads"]
    assert (record["state"], record["lawful_basis"], record["retention_period"]) == ("given", "consent", "P30D")
    assert record["pii_principal_id"] == told["person"] and record["purpose_description"].startswith("Share")
    assert record["pii_controllers"][0]["party_name"] == "The corner shop"
    [page] = [one for one in record["events"] if one["evidence"]["how"] == "api"]
    assert (page["event_state"], page["entity_id"], page["validity_duration"]) == ("given", "server", "P365D")
    [notice] = told["privacy_notices"]
    assert notice["notice_id"] == page["privacy_notice"] and notice["notice_text"]["text"] == "May we share?"
    asked.house.advance(366 * 86_400_000)
    told = asked.ask("/api/people/ada/consents").json()
    assert {one["purpose"]: one["state"] for one in told["consent_records"]}["ads"] == "expired"


@pytest.mark.parametrize("purpose", ["gpc:ads", "tcf:00:ads"])
def test_a_signals_name_is_no_purpose(asked: Asked, purpose: str) -> None:
    assert says(asked, True, purpose=purpose)[0] == 400


def test_who_is_not_known_has_no_word(asked: Asked) -> None:
    assert says(asked, True, person="eve")[0] == 404
