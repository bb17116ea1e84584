"""Validate: each event by the verdict it brought, and too late ones to the dead letters."""

from __future__ import annotations

import pytest

from livepost.model.record import Origin, Verdict
from livepost.process.batch import batch_of
from livepost.process.validate import LATENESS_MS, validate
from tests.unit.process.records import DAY, NOW, aside, block, event, fates


@pytest.mark.parametrize(
    ("verdict", "fate"),
    [(Verdict.FILTERED, "filtered"), (Verdict.QUARANTINED, "quarantined"), (Verdict.DEAD, "dead_lettered")],
)
def test_a_verdict_says_where_an_event_ends(verdict: Verdict, fate: str) -> None:
    batch = batch_of([block(3, NOW, event("a", "m1", verdict=verdict, reason="why"), event("a", "m2"))])
    validate(batch)
    assert (batch.alive.tolist(), fates(batch)) == ([False, True], {fate: 1})
    told = [(letter.position, letter.fate, letter.reason) for letter in batch.dead]
    assert told == ([] if verdict == Verdict.FILTERED else [(3, fate, "why")])


@pytest.mark.parametrize(("age", "alive"), [(30 * DAY, True), (30 * DAY + 1, False)])
def test_a_live_event_may_come_thirty_days_late_and_not_a_millisecond_more(age: int, alive: bool) -> None:
    batch = batch_of([block(3, NOW, event("a", "m1", effective_ts=NOW - age))])
    validate(batch)
    assert batch.alive.tolist() == [alive]
    assert LATENESS_MS == 30 * DAY
    if not alive:
        assert aside(batch) == [(3, "late: happened over 30 days before it came; load it as an import")]


@pytest.mark.parametrize("origin", [Origin.IMPORT, Origin.BACKFILL])
def test_history_that_is_loaded_may_be_of_any_age(origin: Origin) -> None:
    batch = batch_of([block(0, NOW, event("a", "m1", effective_ts=NOW - 900 * DAY, origin=origin))])
    validate(batch)
    assert batch.alive.all()


def test_a_filtered_event_that_is_late_too_is_filtered_only() -> None:
    late = event("a", "m1", effective_ts=NOW - 31 * DAY, verdict=Verdict.FILTERED)
    batch = batch_of([block(0, NOW, late)])
    validate(batch)
    assert (fates(batch), batch.dead) == ({"filtered": 1}, [])
