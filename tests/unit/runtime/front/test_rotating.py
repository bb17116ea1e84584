from __future__ import annotations

import asyncio

import msgspec
import pytest

from livepost.errors import SettingsError, StoreError
from livepost.runtime.front import rotating
from livepost.runtime.front.rotating import Move, Rotating
from livepost.vault.kek import rotation
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.kek.rotation import START


class Vaults:
    """A vault of 250 keys, whose step fails so many times."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.steps = 0

    def wrap_anew(self, after: int = START, limit: int = 100) -> int | None:
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        self.steps += 1
        last = max(after, 0) + limit
        return last if last <= 250 else None


def unmoved(place: str) -> MemoryKeks:
    raise AssertionError(place)


async def ended(one: Rotating) -> rotating.Rotation:
    async with asyncio.timeout(5):
        while one.told().running:
            await asyncio.sleep(0)
    return one.told()


def test_a_rotation_goes_on_beside_other_work_and_ends() -> None:
    async def run() -> None:
        store, vault = MemoryKeks(), Vaults()
        one = Rotating(lambda: store, lambda: vault, unmoved)
        assert not one.told().running
        told = await one.begin()
        assert told.running
        assert rotation.is_under_way(store)
        assert await ended(one) == rotating.Rotation(keys=200)
        assert (len(store.read()), rotation.is_under_way(store), vault.steps) == (2, False, 3)

    asyncio.run(run())


def test_who_asks_twice_gets_one_rotation() -> None:
    async def run() -> None:
        store = MemoryKeks()
        one = Rotating(lambda: store, Vaults, unmoved)
        await one.begin()
        await one.begin()
        await ended(one)
        assert len(store.read()) == 2

    asyncio.run(run())


def test_a_rotation_that_a_crash_left_is_gone_on_with_and_no_other_is_begun() -> None:
    async def run() -> None:
        store, vault = MemoryKeks(), Vaults()
        await Rotating(lambda: store, lambda: vault, unmoved).resume()
        assert (vault.steps, len(store.read())) == (0, 1)
        rotation.begin(store)
        one = Rotating(lambda: store, lambda: vault, unmoved)
        await one.resume()
        await ended(one)
        assert (len(store.read()), rotation.is_under_way(store)) == (2, False)

    asyncio.run(run())


def test_a_step_that_fails_is_told_and_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "RETRY_S", 0.0)

    async def run() -> None:
        store, vault = MemoryKeks(), Vaults(failures=2)
        one = Rotating(lambda: store, lambda: vault, unmoved)
        await one.begin()
        while not one.told().trouble:
            await asyncio.sleep(0)
        assert one.told().trouble == "the disk is full"
        assert await ended(one) == rotating.Rotation(keys=200)
        assert not rotation.is_under_way(store)

    asyncio.run(run())


def test_a_move_is_a_rotation_whose_key_is_made_elsewhere() -> None:
    async def run() -> None:
        store, vault = MemoryKeks(), Vaults()
        places: list[str] = []

        def moved(place: str) -> MemoryKeks:
            places.append(place)
            rotation.begin(store)
            return store

        one = Rotating(lambda: store, lambda: vault, moved)
        asked = msgspec.Raw(msgspec.msgpack.encode(Move("transit:shop")))
        assert (await one.move(asked)).running
        with pytest.raises(SettingsError, match="under way; wait"):
            await one.move(asked)
        assert await ended(one) == rotating.Rotation(keys=200)
        assert (places, len(store.read()), rotation.is_under_way(store)) == (["transit:shop"], 2, False)

    asyncio.run(run())


def test_a_move_that_cannot_begin_begins_nothing() -> None:
    async def run() -> None:
        store, vault = MemoryKeks(), Vaults()

        def refused(place: str) -> MemoryKeks:
            raise SettingsError("no key is given")

        one = Rotating(lambda: store, lambda: vault, refused)
        with pytest.raises(SettingsError, match="no key is given"):
            await one.move(msgspec.Raw(msgspec.msgpack.encode(Move("transit:shop"))))
        assert (one.told().running, vault.steps) == (False, 0)

    asyncio.run(run())


def test_a_front_that_ends_leaves_the_rotation_to_the_next() -> None:
    async def run() -> None:
        store, vault = MemoryKeks(), Vaults()
        one = Rotating(lambda: store, lambda: vault, unmoved)
        await one.begin()
        one.close()
        await asyncio.sleep(0)
        assert rotation.is_under_way(store)

    asyncio.run(run())
