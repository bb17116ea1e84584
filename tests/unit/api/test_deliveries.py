from __future__ import annotations

from tests.unit.api.house import START, Asked


def test_deliveries_are_told_with_their_state_and_reason(asked: Asked) -> None:
    [one] = asked.ask("/api/deliveries").json()["deliveries"]
    assert (one["campaign"], one["state"], one["reason"], one["decided_at"]) == ("nudge", "sent", "", START)
    assert (one["person"], one["cause"]) == (asked.house.subject("ada").hex(), "entered Visitor.keen")


def test_deliveries_are_found_by_person_campaign_and_state(asked: Asked) -> None:
    for query, found in (
        ("person=ada", 1),
        ("person=ada%40example.com", 0),
        ("person=bob", 0),
        ("campaign=nudge&state=sent", 1),
        ("campaign=other", 0),
        ("state=skipped", 0),
    ):
        reply = asked.ask(f"/api/deliveries?{query}")
        if reply.status_code == 200:
            assert len(reply.json()["deliveries"]) == found, query
        else:
            assert (reply.status_code, query) == (404, "person=ada%40example.com")  # this house finds by user id only
