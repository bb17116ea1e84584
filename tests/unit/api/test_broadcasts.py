"""Broadcasts over HTTP: begun, waiting for approval, approved; a key brings one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from livepost.clock import DAY_MS
from tests.unit.api.house import PAGE, Asked

LETTER = """
from livepost import broadcast

@broadcast(audience=Visitor.keen, class_="transactional")
def letter(visitor):
    return Email("note", subject="A letter")
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Asked]:
    """A house that knows four people, of whom ada and bob are keen; broadcasts to more than two wait for approval."""
    made = Asked(tmp_path, PAGE + LETTER)
    for name in ("ada", "bob", "cy", "dan"):
        made.knows(name)
    for name in ("ada", "bob"):
        made.views(name, "tea", "pot")
    yield made
    made.house.close()


def broadcast(shop: Asked, campaign: str = "letter", key: str = "k1") -> httpx.Response:
    reply = shop.act("/api/broadcasts", {"campaign": campaign}, key)
    shop.house.advance(1_000)
    return reply


def letters(shop: Asked) -> int:
    return len(shop.house.ledger.deliveries(campaign="letter", state="sent"))


def test_a_campaign_is_broadcast_to_who_is_in_its_audience_and_once_a_key(shop: Asked) -> None:
    first, again = broadcast(shop), broadcast(shop)
    told: dict[str, Any] = first.json()
    assert (first.status_code, told["state"], told["people"], told["asked_by"]) == (202, "begun", 2, "server")
    assert (again.status_code, again.json()) == (200, told)
    assert letters(shop) == 2
    broadcast(shop, key="k2")
    assert letters(shop) == 4


def test_one_to_many_waits_until_it_is_approved(shop: Asked) -> None:
    shop.views("cy", "tea", "pot")
    told = broadcast(shop).json()
    assert (told["state"], told["people"], told["position"]) == ("waiting", 3, -1)
    assert letters(shop) == 0
    approved = shop.act("/api/approvals", {"broadcast": told["id"]}, "a1")
    shop.house.advance(1_000)
    assert (approved.status_code, approved.json()["state"], approved.json()["approved_by"]) == (202, "begun", "server")
    assert letters(shop) == 3
    assert shop.act("/api/approvals", {"broadcast": told["id"]}, "a2").status_code == 200
    shop.house.advance(1_000)
    assert letters(shop) == 3
    [listed] = shop.ask("/api/broadcasts").json()["broadcasts"]
    counts = listed.pop("counts")
    assert listed == approved.json()
    assert (counts["decided"], counts["sent"], counts["by_state"]) == (3, 3, {"sent": 3})


def test_each_broadcast_is_counted_by_itself(shop: Asked) -> None:
    first, then = broadcast(shop).json(), None
    shop.house.ledger.kill("letter", True, shop.clock.now_ms())
    then = broadcast(shop, key="k2").json()
    told = {one["id"]: one["counts"] for one in shop.ask("/api/broadcasts").json()["broadcasts"]}
    assert (told[first["id"]]["sent"], told[first["id"]]["by_reason"]) == (2, {})
    assert (told[then["id"]]["sent"], told[then["id"]]["by_reason"]) == (0, {"kill": 2})


def test_an_approval_comes_within_a_day(shop: Asked) -> None:
    shop.views("cy", "tea", "pot")
    told = broadcast(shop).json()
    shop.house.advance(25 * 3_600_000)
    late = shop.act("/api/approvals", {"broadcast": told["id"]}, "a1")
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert letters(shop) == 0


def test_a_campaign_that_is_none_or_starts_by_itself_is_refused(shop: Asked) -> None:
    for name in ("nudge", "nobodys"):
        reply = broadcast(shop, name)
        assert (reply.status_code, reply.json()["code"]) == (404, "no_campaign")
        assert "(letter)" in reply.json()["detail"]
    reply = shop.act("/api/approvals", {"broadcast": "0" * 32}, "a1")
    assert (reply.status_code, reply.json()["code"]) == (404, "no_broadcast")


def test_one_that_was_not_approved_within_a_day_has_lapsed_and_is_asked_for_anew(shop: Asked) -> None:
    shop.views("cy", "tea", "pot")
    told = broadcast(shop).json()

    def state() -> str:
        return str(shop.ask("/api/broadcasts").json()["broadcasts"][0]["state"])

    shop.house.advance(DAY_MS - 60_000)
    assert state() == "waiting"
    shop.house.advance(60_001)
    assert state() == "lapsed"
    assert broadcast(shop).json()["state"] == "lapsed"
    assert shop.act("/api/approvals", {"broadcast": told["id"]}, "a1").status_code == 409
    anew = broadcast(shop, key="k2").json()
    assert (anew["state"], anew["id"] != told["id"]) == ("waiting", True)
    assert shop.act("/api/approvals", {"broadcast": anew["id"]}, "a2").json()["state"] == "begun"
