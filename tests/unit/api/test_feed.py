"""Listening, against stores in memory: once each, in order, bounded, and nothing asked when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest

from livepost.api.feed import Feed, Listener
from livepost.api.happening import NOWHERE, GapTold, Place
from livepost.errors import OverloadedError, StoreError
from tests.unit.api.happenings import Stores

QUICK_S = 0.001


def feed_of(stores: Stores, **bounds: int) -> Feed:
    return Feed(stores, poll_s=QUICK_S, **bounds)


async def told(feed: Feed, listener: Listener, after: Place | None, count: int) -> list[tuple[str, Place]]:
    """Return the ids of the next so many messages ("gap" for one) with the places."""
    found = []
    async with asyncio.timeout(5), aclosing(feed.follow(listener, after)) as news:
        async for place, message in news:
            found.append(("gap" if isinstance(message, GapTold) else message.id, place))
            if len(found) == count:
                break
    return found


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())


def names(found: list[tuple[str, Place]]) -> list[str]:
    return [name for name, _ in found]


def test_without_a_cursor_one_hears_of_what_happens_from_now_on() -> None:
    stores = Stores()
    stores.enter("before")

    async def story() -> None:
        feed = feed_of(stores)
        listener = await feed.join()
        stores.enter(*"abcde")
        stores.decide(*"xyzuv")
        assert names(await told(feed, listener, None, 10)) == list("abcdexyzuv")

    run(story)


def test_with_each_message_s_cursor_one_goes_on_after_it() -> None:
    stores = Stores()
    stores.enter(*"abcde")
    stores.decide(*"xyzuv")

    async def story() -> None:
        feed = feed_of(stores)
        whole = await told(feed, await feed.join(), Place("one", 0, 0), 10)
        for upto in range(1, 10):
            assert await told(feed, await feed.join(), whole[upto - 1][1], 10 - upto) == whole[upto:]

    run(story)


def test_what_happens_while_one_catches_up_comes_once() -> None:
    stores = Stores(page=2)
    stores.enter(*"abcdefg")

    async def story() -> None:
        feed = feed_of(stores)
        listener = await feed.join()
        found = []
        async with asyncio.timeout(5), aclosing(feed.follow(listener, Place("one", 0, 0))) as news:
            async for place, message in news:
                found.append((message.id, place))
                if len(found) in (1, 4, 8, 9):
                    stores.enter(f"new{len(found)}")
                    await asyncio.sleep(5 * QUICK_S)
                if len(found) == 11:
                    break
        assert names(found) == [*"abcdefg", "new1", "new4", "new8", "new9"]

    run(story)


def test_a_place_that_is_not_known_is_a_gap_and_then_all_there_is() -> None:
    stores = Stores()
    stores.enter("a", "b")

    async def story() -> None:
        feed = feed_of(stores)
        assert names(await told(feed, await feed.join(), NOWHERE, 3)) == ["gap", "a", "b"]

    run(story)


@pytest.mark.parametrize("after", [None, Place("one", 1, 0)])
def test_a_replay_while_one_listens_is_told_as_a_gap_once_and_then_all_there_is(after: Place | None) -> None:
    stores = Stores()
    stores.enter("a")

    async def story() -> None:
        feed = feed_of(stores)
        listener = await feed.join()
        stores.replay()
        stores.enter("b")
        stores.decide("x")
        assert names(await told(feed, listener, after, 4)) == ["gap", "a", "b", "x"]
        stores.enter("c")
        assert names(await told(feed, listener, listener.place, 1)) == ["c"]

    run(story)


def test_a_store_that_is_away_for_a_moment_loses_nothing() -> None:
    stores = Stores()

    async def story() -> None:
        feed = feed_of(stores)
        listener = await feed.join()
        stores.away = True
        stores.enter("a")
        await asyncio.sleep(5 * QUICK_S)
        stores.away = False
        assert names(await told(feed, listener, None, 1)) == ["a"]

    run(story)


def test_where_a_store_is_away_nobody_joins_and_nobody_catches_up() -> None:
    stores = Stores()

    async def story() -> None:
        feed = feed_of(stores)
        listener = await feed.join()
        stores.away = True
        with pytest.raises(StoreError):
            await told(feed, listener, Place("one", 0, 0), 1)
        with pytest.raises(StoreError):
            await feed_of(stores).join()

    run(story)


def test_listeners_are_bounded_and_one_who_leaves_makes_room() -> None:
    async def story() -> None:
        feed = feed_of(Stores(), max_listeners=2)
        first, _ = await feed.join(), await feed.join()
        with pytest.raises(OverloadedError):
            await feed.join()
        feed.leave(first)
        await feed.join()

    run(story)


def test_who_is_too_slow_is_sent_away_at_the_bound_and_the_others_go_on() -> None:
    stores = Stores()

    async def story() -> None:
        feed = feed_of(stores, max_waiting=5)
        slow, quick = await feed.join(), await feed.join()
        stores.enter(*"abcde")
        await asyncio.sleep(20 * QUICK_S)
        assert not slow.sent_away.is_set()
        found = await told(feed, quick, None, 5)
        stores.enter("f")
        async with asyncio.timeout(5):
            await slow.sent_away.wait()
        assert names(found) == list("abcde")
        assert not quick.sent_away.is_set()
        again = await feed.join()
        assert names(await told(feed, again, Place("one", 0, 0), 6)) == list("abcdef")

    run(story)


def test_nobody_listens_nothing_is_asked() -> None:
    stores = Stores()

    async def story() -> None:
        feed = feed_of(stores)
        await asyncio.sleep(5 * QUICK_S)
        assert stores.asked == 0
        listener = await feed.join()
        await asyncio.sleep(5 * QUICK_S)
        feed.leave(listener)
        await asyncio.sleep(5 * QUICK_S)
        asked = stores.asked
        await asyncio.sleep(20 * QUICK_S)
        assert stores.asked == asked > 1

    run(story)


def test_a_feed_that_breaks_sends_its_listeners_away(caplog: pytest.LogCaptureFixture) -> None:
    stores = Stores()

    async def story() -> None:
        feed = feed_of(stores)
        listener = await feed.join()
        stores.transitions = None  # type: ignore[assignment]
        async with asyncio.timeout(5):
            await listener.sent_away.wait()

    run(story)
