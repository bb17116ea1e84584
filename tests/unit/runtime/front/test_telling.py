"""The stream tells of somebody what the policy names, while they allow it and nothing is restricted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, cast

import pytest

from livepost.api.feed import Feed
from livepost.api.happening import DecisionTold, Place, TransitionTold
from livepost.errors import RejectedError
from livepost.ledger.base import Ledger, Permit
from livepost.model.person import PersonView
from livepost.project.gate import Gate
from livepost.runtime.front.telling import FRESH_MS, Telling
from livepost.settings.policy import STREAM
from tests.unit.api.happenings import Stores
from tests.unit.project.test_gate import BASES, MADE_OF, NAMED, SAID, STATES, policy, project, subsets, view

ADA = b"a" * 16


class Hand:
    """A clock that stands until it is put on."""

    def __init__(self) -> None:
        self.at = 1_000_000

    def now_ms(self) -> int:
        return self.at


class House:
    """Engine and ledger as far as they are asked of one person."""

    def __init__(self, **consents: bool) -> None:
        self.views: dict[bytes, PersonView] = {ADA: view(**consents)}
        self.withdrawn: set[str] = set()
        self.kept_only: set[bytes] = set()
        self.looked = 0

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        return {id: self.views[id] for id in ids if id in self.views}

    def refusals(self, asked: Sequence[Permit], now_ms: int) -> list[str]:
        return ["consent" if one.purpose in self.withdrawn else "" for one in asked]

    def restricted(self, persons: Sequence[bytes]) -> set[bytes]:
        self.looked += 1
        return self.kept_only & {*persons}


def gate(purposes: Sequence[str], fields: Sequence[str]) -> Gate:
    return Gate(policy({STREAM: {"purposes": purposes, "fields": fields}}), project())


def telling(house: House, found: Gate | None, clock: Hand | None = None, kind: type[Telling] = Telling) -> Telling:
    clock = clock or Hand()
    return kind(lambda: found, house, cast(Ledger, house), clock, clock)


def transition(segment: str) -> TransitionTold:
    return TransitionTold(id="t", person=ADA.hex(), segment=segment, state="entered", at=1, position=1)


def message(field: str) -> TransitionTold | DecisionTold:
    """Return what is told of a segment or a campaign, by the policy's name."""
    if field.startswith("campaign."):
        told: dict[str, Any] = {"reason": "", "detail": "", "at": 1, "position": 1, "state": "pending"}
        return DecisionTold(id="d", person=ADA.hex(), campaign=field.removeprefix("campaign."), **told)
    return transition(field.removeprefix("P."))


def wrong(asked: type[Telling]) -> list[str]:
    """Return what is answered otherwise than by a person who reads the policy, over all combinations."""
    found = []
    for purposes, field in product(subsets(BASES), [one for one in NAMED if one.startswith(("P.", "campaign."))]):
        for consents in product(STATES, repeat=len(BASES)):
            said = dict(zip(BASES, consents, strict=True))
            house = House(**{name: word for name, word in said.items() if word is not None})
            told = asyncio.run(telling(house, gate(purposes, NAMED), kind=asked).may(message(field)))
            if told != may(purposes, field, said):
                found.append(f"{field} for {purposes} with {said}")
    return found


def may(purposes: Sequence[str], field: str, said: Mapping[str, bool | None]) -> bool:
    parts = MADE_OF[field]
    reaches = bool(purposes and parts) and all({*purposes} <= SAID[part] for part in parts)
    return reaches and all(said[one] is True for one in purposes if BASES[one] == "consent")


class Careless(Telling):
    """Asks the policy and forgets the person."""

    def _look(self, gate: Gate | None, persons: Sequence[str]) -> None:
        self._known.update(dict.fromkeys(persons, (self._host.now_ms(), True)))


def test_every_combination_of_purposes_fields_and_consents() -> None:
    assert wrong(Telling) == []
    assert wrong(Careless), "the same check finds one that forgets consents"


def test_what_is_withdrawn_or_restricted_is_not_told_a_moment_later_and_a_look_serves_many() -> None:
    house, clock = House(letters=True), Hand()
    asks = telling(house, gate(["letters"], ["P.both"]), clock)
    both = transition("both")

    async def story() -> None:
        asks.look([both])
        assert [await asks.may(both) for _ in range(3)] == [True] * 3
        assert house.looked == 1
        house.withdrawn.add("letters")
        clock.at += FRESH_MS + 1
        assert not await asks.may(both), "the ledger heard it first"
        house.withdrawn.clear()
        house.kept_only = {ADA}
        clock.at += FRESH_MS + 1
        assert not await asks.may(both)
        house.kept_only = set()
        clock.at += FRESH_MS + 1
        assert await asks.may(both)

    asyncio.run(story())
    assert FRESH_MS < 1_000, "P3: within a second of the withdrawal"


def test_a_policy_without_the_stream_refuses_who_listens_and_no_policy_lets_all_but_the_restricted_pass() -> None:
    house = House()
    silent = telling(house, Gate(policy({}), project()))
    with pytest.raises(RejectedError, match=r"no \[destinations.stream\]"):
        silent.require()
    assert not asyncio.run(silent.may(transition("both")))
    free, clock = telling(house, None), Hand()
    free.require()
    assert asyncio.run(free.may(transition("both")))
    house.kept_only = {ADA}
    clock.at += FRESH_MS + 1
    assert not asyncio.run(telling(house, None, clock).may(transition("both")))


def test_who_listens_hears_nothing_of_the_restricted_and_goes_on_behind_them() -> None:
    stores, house = Stores(), House()
    stores.enter(ADA.hex(), (b"b" * 16).hex(), ADA.hex())
    house.kept_only = {ADA}

    async def story() -> None:
        feed = Feed(stores, telling(house, None), poll_s=0.001)
        listener = await feed.join()
        async with asyncio.timeout(5):
            place, first = await anext(feed.follow(listener, Place("one", 0, 0)))
        assert (place, first.id) == (Place("one", 2, 0), (b"b" * 16).hex())

    asyncio.run(story())
