"""A bucket of tokens by an injected clock."""

from __future__ import annotations

from livepost.clock import SimulatedClock
from livepost.sync.pace import Pace


def test_a_burst_is_free_and_then_it_is_waited_for() -> None:
    clock = SimulatedClock(1_000)
    pace = Pace(2.0, 3, clock)
    for _ in range(3):
        assert pace.wait_s() == 0.0
        pace.take()
    assert pace.wait_s() == 0.5
    clock.advance(400)
    assert round(pace.wait_s(), 6) == 0.1
    clock.advance(100)
    assert pace.wait_s() == 0.0


def test_a_long_rest_gives_no_more_than_a_burst() -> None:
    clock = SimulatedClock(1_000)
    pace = Pace(2.0, 3, clock)
    clock.advance(3_600_000)
    pace.take(3)
    assert pace.wait_s(2) == 1.0
