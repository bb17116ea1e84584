"""R13's negative controls, as far as it is pure: with a fault put into the protocol, the comparison of test_shards.py
finds differences, or a shard that waits for ever.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from livepost.clock import HOUR_MS
from livepost.ids import digest, shard_of
from livepost.model.compiled import Compiled, FeatureSpec, SegmentSpec
from livepost.model.record import Kind, Mention, Record
from livepost.process.sharded import shard as shards
from livepost.process.sharded.home import Home, Links, Told
from livepost.process.sharded.parked import Parked
from livepost.process.sharded.shard import Done, Shard
from livepost.process.sharded.sieve import Sieve, Sieved
from livepost.process.sharded.told import Meeting, Message, Transfer
from tests.properties.generators import START, Case, Seeded, any_project, compare, node
from tests.properties.shards import Simulation, Weather, crowded
from tests.properties.test_shards import compare_with_one

CASES = 25
"""Drawn by seeds, always the same ones, for all controls."""

Fault = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Case, Weather]]:
    """Return cases with the weather they are run in."""
    return [case_of(seed) for seed in range(CASES)]


def case_of(seed: int) -> tuple[Case, Weather]:
    dice = Seeded(seed)
    case = crowded(dice, any_project(dice))
    cuts = dice.pick(((1,), (3, 1), (10,), (100,), (100, 2)))
    return case, Weather(shards=dice.pick((2, 3, 5, 8)), cuts=cuts, seed=seed, duplicate=30)


def differs(case: Case, weather: Weather) -> bool:
    """Say whether the shards say anything else than one engine, or fail, or wait for ever."""
    try:
        compare_with_one(case, weather)
    except (AssertionError, KeyError, ValueError, IndexError):
        return True
    return False


def nobody_is_parked(patch: pytest.MonkeyPatch) -> None:
    """Fold everything as it comes, whoever is to come from elsewhere."""

    def nobody(
        meetings: Sequence[Meeting], parked: Mapping[bytes, Parked], is_mine: Callable[[bytes], bool]
    ) -> set[bytes]:
        return set()

    patch.setattr(shards, "set_apart", nobody)


def parked_people_are_due_with_the_others(patch: pytest.MonkeyPatch) -> None:
    """Serve what is due up to the shard's last stamp before the records for which somebody is waited."""
    go_on = Shard._go_on

    def early(self: Shard, names: Sequence[bytes], done: Done) -> None:
        for name in names:
            parked = self._parked[name]
            parked.row = self._served(name, parked.row, int(self._timeline.stamps[-1]), done)
        go_on(self, names, done)

    patch.setattr(Shard, "_go_on", early)


def nobody_is_forwarded(patch: pytest.MonkeyPatch) -> None:
    """Take each record for one of the person who is called as its subject, but where people meet."""

    def deaf(self: Home, subjects: Iterable[bytes], name: bytes) -> None:
        return None

    patch.setattr(Home, "rename", deaf)


def a_transfer_is_lost(patch: pytest.MonkeyPatch) -> None:
    """Let no transfer arrive the first time, and send none again."""
    do = Simulation.do

    def lossy(self: Simulation, number: int, what: Callable[[Shard], Done]) -> bool:
        is_done = do(self, number, what)
        self.network = [message for message in self.network if not isinstance(message, Transfer)]
        return is_done

    patch.setattr(Simulation, "do", lossy)
    patch.setattr(Simulation, "resend", lambda self, number: None)
    patch.setattr("tests.properties.shards.TURNS_MAX", 500)


def a_transfer_counts_twice(patch: pytest.MonkeyPatch) -> None:
    """Let in whoever comes, also one who came before."""
    hear = Shard.hear

    def credulous(self: Shard, messages: Iterable[Message]) -> Done:
        known = list(messages)
        again = [m for m in known if isinstance(m, Transfer) and m.position <= self.position and not self._awaits(m)]
        done = hear(self, known)
        for transfer in again:
            if transfer.row is not None:
                self._admit([(len(self.people.rows), transfer.row)], done)
        return done

    patch.setattr(Shard, "hear", credulous)


def parked_people_hold_no_fence(patch: pytest.MonkeyPatch) -> None:
    """Say that all is served while people are parked."""
    patch.setattr(Shard, "complete_to", property(lambda self: self.people.complete_to))


def who_leaves_is_not_served_first(patch: pytest.MonkeyPatch) -> None:
    """Send people away with what is due before they meet, to shards whose timelines need not reach back to it."""

    def unserved(self: Shard, name: bytes, row: bytes | None, until: int, done: Done) -> bytes | None:
        return row

    patch.setattr(Shard, "_served", unserved)


def sieves_forget(patch: pytest.MonkeyPatch) -> None:
    """Remember no id from one block to the next."""
    sieve = Sieve.sieve

    def forgetful(self: Sieve, blocks: Any) -> Sieved:
        self.seen = type(self.seen)()
        return sieve(self, blocks)

    patch.setattr(Sieve, "sieve", forgetful)


def nobody_is_sighted(patch: pytest.MonkeyPatch) -> None:
    """Forget who was mentioned and merges with nobody."""
    take = Links.take

    def blind(self: Links, record: Any) -> Told:
        return Told(take(self, record).meeting, list[Mention]())

    patch.setattr(Links, "take", blind)


def test_without_a_fault_no_case_differs(drawn: list[tuple[Case, Weather]]) -> None:
    assert [number for number, (case, weather) in enumerate(drawn) if differs(case, weather)] == []


@pytest.mark.parametrize(
    "fault",
    [
        nobody_is_parked,
        parked_people_are_due_with_the_others,
        nobody_is_forwarded,
        a_transfer_is_lost,
        a_transfer_counts_twice,
        parked_people_hold_no_fence,
        sieves_forget,
    ],
)
def test_a_fault_is_found_in_some_case(
    fault: Fault, drawn: list[tuple[Case, Weather]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    assert any(differs(case, weather) for case, weather in drawn)


def leaving_case() -> Case:
    """Return a case in which somebody who is due leaves one shard, which takes the log at once, for another, which
    knows no more of it than its last part.

    A view at 0 makes a person quiet at 1 hour, which falls on the record at 2 hours; at 5 hours they become one with
    somebody of the other shard. Dice hardly ever fall so.
    """
    views = FeatureSpec(name="viewed", kind="since", event="Viewed")
    quiet = SegmentSpec(
        name="quiet", condition=compare(node("feature", "viewed"), ">=", node("const", HOUR_MS)), version="1"
    )
    winner, loser = pair_of(1), pair_of(0)
    said: list[tuple[int, bytes, tuple[Mention, ...]]] = [
        (0, loser, ()),
        (2, winner, ()),
        (3, winner, ()),
        (5, winner, (Mention(loser, known=False),)),
    ]
    return Case(Compiled(features=(views,), segments=(quiet,)), log_of(said, known=winner))


def sighted_case() -> Case:
    """Return a case in which one known person mentions another, who never does anything."""
    said = [(0, pair_of(1), (Mention(pair_of(0), known=True),))]
    return Case(Compiled(), log_of(said, known=pair_of(1)))


def log_of(said: list[tuple[int, bytes, tuple[Mention, ...]]], known: bytes) -> list[list[Record]]:
    """Return a log of (hour, subject, mentions), a block each; only one subject is known, and only it looks."""
    log = [
        Record(
            kind=Kind.EVENT,
            subject=subject,
            known=subject == known,
            mentions=mentions,
            source="web",
            message_id=f"m{seq}",
            name="Looked" if subject == known else "Viewed",
            effective_ts=START + hours * HOUR_MS,
            content_hash=digest("content", seq),
            seq=seq,
            stamp=START + hours * HOUR_MS,
        )
        for seq, (hours, subject, mentions) in enumerate(said)
    ]
    return [[record] for record in log]


def pair_of(shard: int) -> bytes:
    """Return a subject of one of two shards."""
    return next(one for one in map(digest, itertools.count()) if shard_of(one) % 2 == shard)


def test_who_leaves_without_being_served_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    case, weather = leaving_case(), Weather(shards=2, cuts=(100, 3))
    assert not differs(case, weather)
    who_leaves_is_not_served_first(monkeypatch)
    assert differs(case, weather)


def test_who_is_only_mentioned_and_forgotten_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    case, weather = sighted_case(), Weather(shards=2, cuts=(1,))
    assert not differs(case, weather)
    nobody_is_sighted(monkeypatch)
    assert differs(case, weather)
