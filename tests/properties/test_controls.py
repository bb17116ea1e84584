"""R5's negative controls: with a fault put into the engine, the comparison of test_engine.py finds differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from livepost.engine.row import Bools, Ints
from livepost.engine.seen import Days, Hashes, Seen
from livepost.engine.window import Runs
from livepost.ids import digest
from livepost.model.compiled import Compiled, FeatureSpec, SegmentSpec
from livepost.model.decision import Merge
from livepost.model.record import Record
from livepost.process import stage
from livepost.process.batch import Batch
from livepost.process.identify import Level, identify
from livepost.process.people import People
from livepost.process.round import Round
from livepost.process.working import Working
from tests.oracle.naive import OracleResult, essences
from tests.oracle.naive import run as naive_run
from tests.properties.drawn import Drawn, drawn_from
from tests.properties.driver import WORKSPACE, fold
from tests.properties.generators import HOUR, MINUTE, SECOND, START, Case, cases, compare, node
from tests.properties.test_engine import oracle_people, people_of

CASES = 30
"""Drawn once, always the same ones, for all controls."""

Fault = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Return the cases, each with what the oracle says."""
    return drawn_from(cases(), CASES, naive_run)


def differs(case: Case, expected: OracleResult) -> bool:
    """Say whether the engine, given the log in as few batches as it may, says anything else than the oracle."""
    run = fold(case.compiled, case.records, [100])
    return (
        essences(run.transitions) != essences(expected.transitions)
        or essences(run.outbox) != essences(expected.outbox)
        or people_of(run) != oracle_people(expected)
    )


def due_times_between_records_ignored(patch: pytest.MonkeyPatch) -> None:
    """Serve what falls due behind a person's last record of a batch only."""
    gaps = Round.gaps

    def behind_the_last(a_round: Round, due: Ints) -> Ints:
        found = gaps(a_round, due)
        return found[np.isin(found, a_round.moments.end - 1)]

    patch.setattr(Round, "gaps", behind_the_last)


def late_records_taken_for_punctual(patch: pytest.MonkeyPatch) -> None:
    """Count a late record's tile as if it had been there since its time."""

    def never(runs: Runs) -> Bools:
        return np.zeros(len(runs._key), bool)

    patch.setattr(Runs, "_late", property(never))


def people_merged_at_the_start_of_a_batch(patch: pytest.MonkeyPatch) -> None:
    """Give all records of a batch to whom they belong in the end."""

    def flat(batch: Batch, people: People, work: Working) -> tuple[list[Level], list[Merge]]:
        levels, merges = identify(batch, people, work)
        joinings = [joining for level in levels for joining in level.joinings]
        into = {joining.loser: joining.winner for joining in joinings}
        whose = {place: owner for level in levels for owner, place in zip(level.owners, level.places, strict=True)}
        for place, first in whose.items():
            last = first
            while last in into:
                last = into[last]
            whose[place] = last
        places = sorted(whose)
        merging = [Level(joinings=level.joinings) for level in levels]
        return [*merging, Level([whose[place] for place in places], places)], merges

    patch.setattr(stage, "identify", flat)


def nothing_deduped(patch: pytest.MonkeyPatch) -> None:
    """Take every event for a new one."""

    def none_again(batch: Batch, seen: Seen) -> tuple[Hashes, Hashes, Days]:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint16)

    patch.setattr(stage, "dedupe", none_again)


def test_without_a_fault_no_case_differs(drawn: Drawn) -> None:
    assert len(drawn) == CASES
    assert [number for number, (case, expected) in enumerate(drawn) if differs(case, expected)] == []


@pytest.mark.parametrize(
    "fault",
    [
        due_times_between_records_ignored,
        people_merged_at_the_start_of_a_batch,
        nothing_deduped,
    ],
)
def test_a_fault_is_found_in_some_case(fault: Fault, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert any(differs(case, expected) for case, expected in drawn)


def late_case() -> tuple[Case, OracleResult]:
    """Return a case in which a record comes late, just after the person left for want of it.

    Two views within the hour keep a person keen. Of those at 0 and 10 minutes the first leaves the window after 60
    minutes; at 65 minutes one comes that happened at 8. Dice hardly ever fall so.
    """
    views = FeatureSpec(name="views", kind="count", event="Viewed", over_ms=HOUR, grid_ms=SECOND)
    keen = SegmentSpec(name="keen", condition=compare(node("feature", "views"), ">=", node("const", 2)), version="1")
    compiled = Compiled(features=(views,), segments=(keen,))
    log = [
        Record(
            subject=b"s" * 16,
            source="web",
            message_id=f"m{seq}",
            name="Viewed",
            effective_ts=START + happened * MINUTE,
            content_hash=digest("content", seq),
            seq=seq,
            stamp=START + came * MINUTE,
        )
        for seq, (came, happened) in enumerate([(0, 0), (10, 10), (65, 8)])
    ]
    return Case(compiled, [[record] for record in log]), naive_run(compiled, log, WORKSPACE)


def test_a_late_record_taken_for_punctual_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    case, expected = late_case()
    assert len(expected.transitions) == 3  # in at 10 minutes, out at 60, in at 65
    assert not differs(case, expected)
    late_records_taken_for_punctual(monkeypatch)
    assert differs(case, expected)
