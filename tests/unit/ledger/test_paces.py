"""A pace's due time against a list of send times, kept apart and counted one by one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import DAY_MS
from livepost.ledger.paces import Paces
from livepost.ledger.routing import Pace
from livepost.ledger.sqlite import SqliteStore

START_MS = 1_700_000_000_000
"""Host time at which a test begins."""

PACES = st.builds(Pace, st.integers(1, 200), st.sampled_from((100, 1_000, 60_000, 3_600_000)))
LOOKS = st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 300)), min_size=1, max_size=40)


@given(PACES, LOOKS)
@settings(deadline=None)
def test_no_window_has_more_mails_than_the_pace_says(pace: Pace, looks: list[tuple[int, int]]) -> None:
    store = SqliteStore(":memory:")
    times: list[int] = []
    now_ms = START_MS
    for after_ms, wanted in looks:
        now_ms += after_ms
        with store.transaction():
            paces = Paces(store, ["k"], now_ms)
            free = paces.free("k", pace)
            for _ in range(min(wanted, free)):
                paces.take("k", pace)
            left = paces.free("k", pace)
            paces.save()
        assert left == free - min(wanted, free)
        times += [now_ms] * min(wanted, free)
    for begin in times:
        assert sum(begin <= at < begin + pace.per_ms for at in times) <= pace.times + pace.burst


@pytest.mark.parametrize("pace", [Pace(100, 1_000), Pace(9, 1_000), Pace(180, 60_000)])
def test_who_looks_twice_a_second_can_use_all_of_a_pace(pace: Pace) -> None:
    store = SqliteStore(":memory:")
    sent = 0
    for now_ms in range(START_MS, START_MS + pace.per_ms, 500):
        with store.transaction():
            paces = Paces(store, ["k"], now_ms)
            while paces.free("k", pace):
                paces.take("k", pace)
                sent += 1
            paces.save()
    assert pace.times <= sent <= pace.times + pace.burst


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    store = SqliteStore(":memory:")
    pace = Pace(1, 1_000)
    for now_ms in (START_MS + 7 * DAY_MS, START_MS):
        with store.transaction():
            paces = Paces(store, Paces.keys_of("k"), now_ms)
            assert paces.free("k", pace) == 1
            paces.take("k", pace)
            assert paces.queue("k", "bulk", pace) <= now_ms + 1_000
            paces.save()


def test_each_lane_has_a_queue_of_its_own() -> None:
    store = SqliteStore(":memory:")
    pace = Pace(1, 1_000)
    with store.transaction():
        paces = Paces(store, Paces.keys_of("k"), START_MS)
        paces.take("k", pace)
        bulk = [paces.queue("k", "bulk", pace) - START_MS for _ in range(3)]
        assert bulk == [1_000, 2_000, 3_000]
        assert paces.queue("k", "transactional", pace) - START_MS == 1_000
        assert [paces.queued("k", lane) for lane in ("bulk", "triggered")] == [True, False]
