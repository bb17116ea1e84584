"""A day without the engine, worked off afterwards: everything at its own time, in log order, as if it had been there.

Two logs of one day hold the same records at the same stamps: one is that of a house that was there and let time pass by
a tick a minute, the other that of a house whose engine was down, with no tick at all, and nobody came for eight hours.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.ids import digest
from livepost.log.memory import MemoryLog
from livepost.model.compiled import CampaignSpec, Compiled, FeatureSpec, SegmentSpec
from livepost.model.decision import Decision, Transition
from livepost.model.record import Kind, Record
from livepost.runtime.engine.worker import Worker
from livepost.state.memory import MemoryState
from tests.oracle.naive import OracleResult, essences
from tests.oracle.naive import run as naive_run
from tests.properties.driver import WORKSPACE, fold
from tests.properties.generators import DAY, HOUR, MINUTE, SECOND, START, compare, node
from tests.properties.test_controls import due_times_between_records_ignored

PEOPLE = 400
BURSTS = 700
BURST = 3
SILENT = (8 * HOUR, 16 * HOUR)
"""From when to when (ms after START) nobody came."""

FRESH = HOUR
SHOP = Compiled(
    features=(
        FeatureSpec(name="views", kind="count", event="Viewed", over_ms=HOUR, grid_ms=SECOND),
        FeatureSpec(name="viewed", kind="since", event="Viewed"),
    ),
    segments=(
        SegmentSpec(name="keen", condition=compare(node("feature", "views"), ">=", node("const", 2)), version="1"),
        SegmentSpec(
            name="quiet", condition=compare(node("feature", "viewed"), ">=", node("const", 3 * HOUR)), version="1"
        ),
    ),
    campaigns=(
        CampaignSpec(name="remind", audience="keen", wait_ms=30 * MINUTE, exit=False, class_="transactional"),
        CampaignSpec(name="return", audience="quiet", wait_ms=HOUR, class_="transactional"),
        CampaignSpec(name="thank", on="Ordered", class_="transactional"),
    ),
)


def happened() -> list[Record]:
    """Return the day's events in order of their stamps."""
    dice = random.Random(20_261_122)
    hours = [*range(8), *range(16, 24)]
    begins = [START + dice.choice(hours) * HOUR + dice.randrange(HOUR - BURST * MINUTE) for _ in range(BURSTS)]
    people = [digest("person", dice.randrange(PEOPLE)) for _ in begins]
    came = [(begin + n * MINUTE, who) for begin, who in zip(begins, people, strict=True) for n in range(BURST)]
    return [event(number, stamp, who, dice) for number, (stamp, who) in enumerate(sorted(came))]


def event(number: int, stamp: int, who: bytes, dice: random.Random) -> Record:
    late = dice.choice((0, 0, 0, 0, dice.randrange(2 * HOUR)))
    return Record(
        source="web",
        subject=who,
        message_id=f"{number:06}",
        name=dice.choice(("Viewed", "Viewed", "Viewed", "Ordered")),
        effective_ts=stamp - late,
        content_hash=digest("content", number),
        stamp=stamp,
    )


def tick(stamp: int) -> Record:
    return Record(kind=Kind.TICK, effective_ts=stamp, stamp=stamp)


def log_of(*parts: Sequence[Record]) -> list[Record]:
    """Return records as a log: by stamp, an event before a tick, one behind the other."""
    ordered = sorted((record for part in parts for record in part), key=lambda record: (record.stamp, record.kind))
    return [msgspec.structs.replace(record, seq=seq) for seq, record in enumerate(ordered)]


UP = log_of(happened(), [tick(START + minute * MINUTE) for minute in range(1, 24 * 60 + 1)])
DOWN = log_of(happened(), [tick(START + DAY)])


@pytest.fixture(scope="module")
def up() -> OracleResult:
    """Return what the day means where the house was there."""
    return naive_run(SHOP, UP, WORKSPACE)


@pytest.fixture(scope="module")
def down() -> OracleResult:
    """Return what it means where nothing let time pass."""
    return naive_run(SHOP, DOWN, WORKSPACE)


def crossings(transitions: Sequence[Transition]) -> list[tuple[Any, ...]]:
    """Return transitions without their position."""
    return sorted((t.id, t.person, t.segment, t.entered, t.at, t.number, t.origin) for t in transitions)


def decisions(outbox: Sequence[object]) -> dict[bytes, Decision]:
    return {item.id: item for item in outbox if isinstance(item, Decision)}


def test_the_day_has_thousands_of_due_times_and_some_in_the_silence(up: OracleResult) -> None:
    changes = [*up.transitions, *decisions(up.outbox).values()]
    at_due_times = [change.at for change in changes if UP[change.position].stamp != change.at]
    assert len(at_due_times) > 1_500
    assert sum(SILENT[0] <= at - START < SILENT[1] for at in at_due_times) > 200


@pytest.mark.parametrize("sizes", [[1_000], [7, 400], [50]])
def test_the_engine_works_the_day_off_as_the_oracle_says(sizes: list[int], down: OracleResult) -> None:
    run = fold(SHOP, DOWN, sizes, wave=100)
    assert essences(run.transitions) == essences(down.transitions)
    assert essences(run.outbox) == essences(down.outbox)


def test_a_fault_in_the_order_of_due_times_and_records_would_be_found(
    down: OracleResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: due times that fall between two waiting records of a person are passed over."""
    due_times_between_records_ignored(monkeypatch)
    assert essences(fold(SHOP, DOWN, [1_000]).transitions) != essences(down.transitions)


def test_transitions_are_those_of_a_house_that_was_there_but_for_their_position(
    up: OracleResult, down: OracleResult
) -> None:
    assert crossings(fold(SHOP, DOWN, [1_000]).transitions) == crossings(fold(SHOP, UP, [1_000]).transitions)
    assert crossings(down.transitions) == crossings(up.transitions)
    assert essences(down.transitions) != essences(up.transitions)


def test_decisions_have_the_same_ids_and_times_and_only_what_came_too_late_is_stale(
    up: OracleResult, down: OracleResult
) -> None:
    there, away = decisions(up.outbox), decisions(down.outbox)
    assert there.keys() == away.keys()
    assert {one.at for one in there.values()} == {one.at for one in away.values()}
    stale = {id for id, one in away.items() if one.skip == "stale"}
    late = {id for id, one in away.items() if DOWN[one.position].stamp - one.at > FRESH}
    assert stale == late
    assert len(stale) > 20
    assert "stale" not in {one.skip for one in there.values()}
    assert all(away[id].skip == there[id].skip for id in there.keys() - stale)


def appended(log: MemoryLog, clock: SimulatedClock, records: Sequence[Record]) -> None:
    """Append records to a log, each at its own stamp."""
    for record in records:
        clock.advance(record.stamp - clock.now_ms())
        log.append([record])


@pytest.mark.parametrize("before", [0, 700])
def test_a_worker_that_was_down_for_the_day_goes_on_from_its_state_in_log_order(
    before: int, down: OracleResult
) -> None:
    clock = SimulatedClock(START)
    log, store = MemoryLog(clock, host=clock), MemoryState()
    appended(log, clock, DOWN[:before])
    worker = Worker(SHOP, store, log, clock, WORKSPACE, wave=100)
    while worker.turn():
        pass
    appended(log, clock, DOWN[before:])
    anew = Worker(SHOP, store, log, clock, WORKSPACE, wave=100)
    while anew.turn():
        pass
    told = anew.transitions(None, None, 10_000)
    assert essences(told) == essences(down.transitions)
    assert essences(anew.decisions(-1, 10_000).items) == essences(down.outbox)
    positions = [item.position for item in anew.decisions(-1, 10_000).items]
    assert positions == sorted(positions)
    assert anew.status().complete_to == DOWN[-1].seq
