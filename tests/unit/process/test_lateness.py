"""How late events came: each of those that count in one band, by origin."""

from __future__ import annotations

import pytest

from livepost.model.lateness import EDGES_MS, TOO_LATE, band_key
from livepost.model.record import Kind, Origin, Record, Verdict
from livepost.process.batch import batch_of
from livepost.process.decode import decode
from livepost.process.lateness import count_lateness
from livepost.process.validate import LATENESS_MS, validate
from tests.unit.process.records import DAY, HOUR, NOW, block, event


@pytest.mark.parametrize(("band", "edge"), list(enumerate(EDGES_MS)))
def test_an_event_at_a_bands_edge_is_within_it_and_a_millisecond_later_in_the_next(band: int, edge: int) -> None:
    at, behind = (event("a", f"m{age}", effective_ts=NOW - age, origin=Origin.IMPORT) for age in (edge, edge + 1))
    assert count_lateness(batch_of([block(0, NOW, at)])) == {band_key(band, live=False): 1}
    assert count_lateness(batch_of([block(0, NOW, behind)])) == {band_key(band + 1, live=False): 1}


def test_live_and_loaded_events_are_counted_apart_and_only_those_that_count() -> None:
    batch = batch_of(
        [
            block(
                0,
                NOW,
                event("a", "1"),
                event("a", "2", effective_ts=NOW - HOUR),
                event("a", "3", effective_ts=NOW - HOUR, origin=Origin.IMPORT),
                event("a", "4", effective_ts=NOW - HOUR, origin=Origin.BACKFILL),
                event("a", "5", effective_ts=NOW - HOUR, verdict=Verdict.FILTERED),
                event("a", "6", effective_ts=NOW - 31 * DAY),
                Record(kind=Kind.TICK, effective_ts=NOW),
            )
        ]
    )
    decode(batch)
    validate(batch)
    assert count_lateness(batch) == {
        band_key(0, live=True): 1,
        band_key(2, live=True): 1,
        band_key(2, live=False): 2,
    }
    assert batch.too_late == 1
    assert TOO_LATE not in count_lateness(batch)


def test_the_last_edge_is_accepted_lateness_so_that_no_live_event_is_behind_it() -> None:
    assert EDGES_MS[-1] == LATENESS_MS


def test_nobody_is_late_where_nothing_came() -> None:
    assert count_lateness(batch_of([])) == {}
