"""Test sends over HTTP."""

from __future__ import annotations

from typing import Any

from tests.unit.api.house import Asked

WISH = {"campaign": "nudge", "person": "ada", "to": "grace@example.com"}


def tried(asked: Asked, key: str = "k", **changes: Any) -> tuple[int, dict[str, Any]]:
    reply = asked.act("/api/test-send", {**WISH, **changes}, key)
    return reply.status_code, reply.json()


def test_a_test_is_a_delivery_of_its_own_and_a_key_brings_one(asked: Asked) -> None:
    status, told = tried(asked)
    assert (status, told["state"]) == (202, "pending")
    assert tried(asked) == (200, told)
    assert tried(asked, "another")[1]["id"] != told["id"]
    assert len(asked.house.ledger.deliveries(campaign="$test")) == 2


def test_a_known_key_with_another_body_is_refused_and_sends_nothing(asked: Asked) -> None:
    _, told = tried(asked)
    for changes in ({"to": "eve@example.com"}, {"person": "bob"}):
        status, refused = tried(asked, **changes)
        assert (status, refused["code"]) == (409, "key_used")
        assert "send a new key with it" in refused["detail"]
    assert tried(asked, to="Grace@example.com") == (200, told)  # an address is the same in any case
    assert len(asked.house.ledger.deliveries(campaign="$test")) == 1


def test_what_cannot_be_done_is_refused_and_leaves_nothing(asked: Asked) -> None:
    assert (tried(asked, person="cyd")[0], tried(asked, campaign="nugde")[0]) == (404, 404)
    assert (tried(asked, to="no address")[1]["code"], tried(asked, to="a@b")[0]) == ("unfit", 422)
    assert asked.house.ledger.deliveries(campaign="$test") == []
