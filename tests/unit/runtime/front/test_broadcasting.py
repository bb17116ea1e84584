"""The front's part in broadcasts: what goes into the log, what waits, what a crash leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from livepost.errors import RejectedError, StoreError
from livepost.ledger.base import AskedBroadcast
from livepost.model.record import Kind
from livepost.runtime.front.broadcasting import Approval, Asked, Broadcasting
from tests.unit.api.house import Asked as Shop
from tests.unit.api.house import broadcasting_of
from tests.unit.api.test_broadcasts import LETTER, PAGE

HOUR_MS = 3_600_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A house in which three people are in the audience of `letter`."""
    made = Shop(tmp_path, PAGE + LETTER)
    for name in ("ada", "bob", "cy"):
        made.knows(name)
        made.views(name, "tea", "pot")
    yield made
    made.house.close()


def ask(broadcasting: Broadcasting, message_id: str = "m1") -> AskedBroadcast:
    wish = msgspec.msgpack.encode(Asked(campaign="letter", message_id=message_id, by="ada"))
    return asyncio.run(broadcasting.handle(msgspec.Raw(wish)))


def approve(broadcasting: Broadcasting, id_: bytes) -> AskedBroadcast:
    wish = msgspec.msgpack.encode(Approval(id=id_, by="bob"))
    return asyncio.run(broadcasting.handle_approval(msgspec.Raw(wish)))


def in_log(shop: Shop) -> list[int]:
    blocks = shop.house.log.read(-1, 1_000)
    return [block.first for block in blocks if block.kind[0] == Kind.BROADCAST]


def test_a_small_one_goes_into_the_log_alone_in_its_block_and_once(shop: Shop) -> None:
    broadcasting = broadcasting_of(shop.house, approve_above=3)
    first, again = ask(broadcasting), ask(broadcasting)
    assert in_log(shop) == [first.position]
    assert (first.new, again.new, again.position, again.approved_by) == (True, False, first.position, "ada")


def test_without_a_bound_none_waits(shop: Shop) -> None:
    assert ask(broadcasting_of(shop.house, approve_above=0)).position >= 0


def test_one_message_id_is_of_one_campaign(shop: Shop) -> None:
    broadcasting = broadcasting_of(shop.house)
    ask(broadcasting)
    with pytest.raises(RejectedError, match="expected the campaign of this message id, letter, got letter2"):
        asyncio.run(broadcasting.ask("letter2", "m1", "ada"))


def test_an_audience_that_grew_much_is_approved_anew(shop: Shop) -> None:
    members = {"keen": 3}
    broadcasting = broadcasting_of(shop.house, approve_above=2)
    broadcasting._members = lambda: members
    waits = ask(broadcasting)
    shop.house.ledger.approve_broadcast(waits.id, 3, "bob", shop.clock.now_ms())
    members["keen"] = 4
    with pytest.raises(RejectedError, match="expected about the 3 people that were approved, got 4 by now"):
        ask(broadcasting)
    assert in_log(shop) == []
    members["keen"] = 3
    assert ask(broadcasting).position >= 0


def test_what_a_crash_kept_from_the_log_is_begun_soon_after_and_not_days_later(shop: Shop) -> None:
    broadcasting = broadcasting_of(shop.house)
    waits = [ask(broadcasting, f"m{number}") for number in range(3)]
    shop.house.ledger.approve_broadcast(waits[0].id, 3, "bob", shop.clock.now_ms())
    shop.clock.advance(2 * HOUR_MS)
    shop.house.ledger.approve_broadcast(waits[1].id, 3, "bob", shop.clock.now_ms())
    assert asyncio.run(broadcasting.resume())
    [position] = in_log(shop)
    found = {one.message_id: one.position for one in shop.house.ledger.broadcasts()}
    assert found == {"m0": -1, "m1": position, "m2": -1}


def test_nothing_is_resumed_while_the_engine_is_away(shop: Shop) -> None:
    broadcasting = broadcasting_of(shop.house)
    waits = ask(broadcasting)
    shop.house.ledger.approve_broadcast(waits.id, 3, "bob", shop.clock.now_ms())

    def away() -> dict[str, int]:
        raise StoreError("no answer from engine")

    broadcasting._members = away
    assert not asyncio.run(broadcasting.resume())
    assert in_log(shop) == []


def test_an_approval_names_who_gave_it(shop: Shop) -> None:
    broadcasting = broadcasting_of(shop.house)
    waits = ask(broadcasting)
    assert (waits.position, in_log(shop)) == (-1, [])
    begun = approve(broadcasting, waits.id)
    assert (begun.approved_by, [begun.position]) == ("bob", in_log(shop))


def waiting(shop: Shop, users: int, alone: list[tuple[str, bytes]]) -> tuple[Broadcasting, AskedBroadcast]:
    """Return who broadcasts in a house of so many users, and a broadcast that waits for approval."""

    async def noted(by: str, id_: bytes) -> None:
        alone.append((by, id_))

    broadcasting = broadcasting_of(shop.house, users=lambda: users, alone=noted)
    waits = asyncio.run(broadcasting.ask("letter", "m1", "user:1"))
    assert not waits.approved_at
    return broadcasting, waits


@pytest.mark.parametrize("by", ["user:1", "server", "key:server", "command:root", "console"])
def test_where_there_are_others_only_another_user_approves(shop: Shop, by: str) -> None:
    alone: list[tuple[str, bytes]] = []
    broadcasting, waits = waiting(shop, 2, alone)
    with pytest.raises(RejectedError, match="expected another user than who asked") as refused:
        asyncio.run(broadcasting.approve(waits.id, by))
    assert (refused.value.code, refused.value.status) == ("four_eyes", 403)
    known = shop.house.ledger.broadcast(waits.id)
    assert known is not None and not known.approved_at and known.position < 0
    assert asyncio.run(broadcasting.approve(waits.id, "user:2")).position >= 0
    assert alone == []


def test_in_a_house_of_one_who_asked_approves_and_that_is_noted(shop: Shop) -> None:
    alone: list[tuple[str, bytes]] = []
    broadcasting, waits = waiting(shop, 1, alone)
    assert asyncio.run(broadcasting.approve(waits.id, "user:1")).position >= 0
    assert alone == [("user:1", waits.id)]
