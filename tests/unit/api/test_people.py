from __future__ import annotations

from pathlib import Path

import pytest

from livepost.model.record import Kind, Record
from tests.unit.api.house import START, Asked


def test_a_person_is_told_with_features_segments_and_consents_and_nothing_personal(asked: Asked) -> None:
    told = asked.ask("/api/people/ada").json()
    assert told["features"] == {"last_product": "pot", "views_7d": 2}
    assert told["personal"] == ["first_name"]
    assert told["segments"] == [
        {"segment": "keen", "inside": True, "since": START},
        {"segment": "idle", "inside": False, "since": START},
    ]
    assert told["consents"] == {"marketing": True}
    assert told["person"] in told["subjects"]
    for personal in ("Ada", "ada@example.com"):
        assert personal not in asked.ask("/api/people/ada").text


@pytest.mark.parametrize("path", ["/api/people/nobody", "/api/people/nobody/why", "/api/deliveries?person=nobody"])
def test_somebody_who_is_not_known_is_not_found(asked: Asked, path: str) -> None:
    reply = asked.ask(path)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    assert "nobody is known by this id" in reply.json()["detail"]


def test_whoever_asks_to_wait_reads_their_own_write_or_is_told_to_ask_again(asked: Asked) -> None:
    last = asked.house.log.last().seq
    assert asked.ask(f"/api/people/ada?wait={last}").json()["position"] >= last
    asked.house.log.append([Record(kind=Kind.TICK)])
    early = asked.ask(f"/api/people/ada?wait={last + 1}")
    assert (early.status_code, early.headers["retry-after"]) == (503, "1")
    assert f"asked for {last + 1}" in early.json()["detail"]


def test_waiting_for_a_position_that_nobody_was_given_is_refused(asked: Asked) -> None:
    reply = asked.ask(f"/api/people/ada?wait={asked.house.log.last().seq + 1}")
    assert (reply.status_code, reply.json()["code"]) == (409, "position")


def test_why_says_all_reasons_or_those_for_one_name(asked: Asked) -> None:
    told = asked.ask("/api/people/ada/why").json()
    assert [one["segment"] for one in told["segments"]] == ["keen", "idle"]
    assert [(one["campaign"], one["state"]) for one in told["campaigns"]] == [("nudge", "sent")]
    one = asked.ask("/api/people/ada/why?campaign=nudge").json()
    assert (one["segments"], one["campaigns"]) == ([], told["campaigns"])
    one = asked.ask("/api/people/bob/why?segment=keen").json()
    assert (len(one["segments"]), one["campaigns"]) == (1, [])
    assert one["segments"][0]["text"].startswith("not in keen")


def test_why_tells_the_records_behind_unless_told_not_to(asked: Asked) -> None:
    [segment] = asked.ask("/api/people/ada/why?segment=keen").json()["segments"]
    assert segment["reach"] == "the whole log was searched"
    [behind] = segment["terms"][0]["behind"]
    assert behind["more"] == 0
    assert [(one["event"], sorted(one)) for one in behind["records"]] == [
        ("Viewed", ["at", "event", "origin", "position", "sealed", "stamp", "values"])
    ] * len(behind["records"])
    assert len(behind["records"]) == next(iter(segment["terms"][0]["values"].values())) > 0
    [silent] = asked.ask("/api/people/ada/why?segment=keen&records=false").json()["segments"]
    assert (silent["reach"], silent["terms"][0]["behind"]) == ("", [])
    assert silent["text"] == segment["text"]


def test_why_refuses_a_name_that_the_project_does_not_have(asked: Asked) -> None:
    reply = asked.ask("/api/people/ada/why?campaign=nudges")
    assert reply.status_code == 404
    assert "expected a campaign of this project (nudge)" in reply.json()["detail"]


def test_what_a_person_said_is_told_with_its_proof(asked: Asked) -> None:
    ada = asked.house.subject("ada")
    assert ada is not None
    asked.house.ledger.choose(ada, {"topic:tea": False}, START, "preferences", "d" * 32, '{"language": "de"}')
    told = asked.ask("/api/people/ada/consents").json()
    newest, *earlier = told["said"]
    assert (newest["purpose"], newest["allowed"], newest["how"], newest["source"]) == (
        "topic:tea",
        False,
        "preferences",
        "d" * 32,
    )
    assert (newest["channel"], newest["words"]) == ("email", {"language": "de"})
    assert [(one["purpose"], one["how"], one["words"]) for one in earlier] == [("marketing", "event", None)]
    assert earlier[0]["message_id"]
    assert len(asked.ask("/api/people/ada/consents?limit=1").json()["said"]) == 1
    assert asked.ask("/api/people/nobody/consents").status_code == 404


POLICY = """
[controller]
name = "A shop"
contact = "a@shop.example"

[purposes.marketing]
text = "Letters"
basis = "consent"
retention = "365d"

[purposes.shop]
text = "Selling"
basis = "contract"
retention = "365d"

[fields]
"Identified.first_name" = { purposes = ["shop"] }

[events]
Viewed = { purposes = ["marketing"] }
"""


def promising(folder: Path) -> Asked:
    """Return a house with a policy, that knows ada, who looked at two products."""
    made = Asked(folder, also={"../policy.toml": POLICY})
    made.knows("ada")
    made.views("ada", "tea", "pot")
    return made


def test_for_a_purpose_only_what_reaches_it_is_told_and_nothing_of_who_does_not_allow_it(tmp_path: Path) -> None:
    asked = promising(tmp_path)
    told = asked.ask("/api/people/ada?purpose=marketing").json()
    assert (told["features"], told["personal"]) == ({"last_product": "pot", "views_7d": 2}, [])
    assert [one["segment"] for one in told["segments"]] == ["keen", "idle"]
    told = asked.ask("/api/people/ada?purpose=shop").json()
    assert (told["features"], told["personal"], told["segments"]) == ({}, ["first_name"], [])
    ada = bytes.fromhex(told["person"])
    asked.house.withdraw(ada, "marketing")
    told = asked.ask("/api/people/ada?purpose=marketing").json()
    assert (told["features"], told["personal"], told["segments"], told["journeys"]) == ({}, [], [], [])
    assert asked.ask("/api/people/ada").json()["features"], "without a purpose all is told, as before"


def test_a_purpose_that_nothing_is_promised_of_is_refused(tmp_path: Path, asked: Asked) -> None:
    reply = asked.ask("/api/people/ada?purpose=marketing")
    assert (reply.status_code, reply.json()["code"]) == (409, "no_policy")
    (tmp_path / "other").mkdir()
    reply = promising(tmp_path / "other").ask("/api/people/ada?purpose=letters")
    assert (reply.status_code, reply.json()["code"]) == (404, "no_purpose")


def test_what_is_held_is_for_those_who_may_export_and_is_noted(asked: Asked) -> None:
    assert asked.ask("/api/people/ada/held").status_code == 403
    told = asked.ask("/api/people/ada/held", key=None, Cookie="session=holds").json()
    assert (told["lines"][0]["what"], told["lines"][0]["goes"]) == ("event", [2, 3])
    assert [one["at"] for one in told["accesses"]] == [2, 1], "the newest first"
    assert [deed.did for _, deed in asked.noted][-1] == "holdings.read"
    assert asked.ask("/api/people/nobody/held", key=None, Cookie="session=holds").status_code == 404
