from __future__ import annotations

import time

import pytest

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, ScaledClock, SimulatedClock, SteadyClock, WallClock, steady
from tests.unit.host import NOON, Host


def clock_on(host: Host) -> SteadyClock:
    return SteadyClock(host, host.steady_ms)


def test_it_is_the_hosts_time_when_all_is_well() -> None:
    host = Host()
    clock = clock_on(host)
    host.passed_ms = 7 * DAY_MS
    assert (clock.now_ms(), clock.trouble) == (NOON + 7 * DAY_MS, None)


@pytest.mark.parametrize("way", [1, -1])
def test_a_step_of_60_s_is_followed_and_one_of_a_ms_more_is_not(way: int) -> None:
    host = Host()
    clock = clock_on(host)
    host.set_by_ms = way * MINUTE_MS
    assert (clock.now_ms(), clock.trouble) == (NOON + way * MINUTE_MS, None)
    host.set_by_ms += way * (MINUTE_MS + 1)
    assert clock.now_ms() == NOON + way * MINUTE_MS
    assert "stepped 60 s" in (clock.trouble or "")


@pytest.mark.parametrize("days", [7, -7])
def test_during_a_step_steady_time_goes_on_and_the_clock_is_followed_once_it_is_right(days: int) -> None:
    host = Host()
    clock = clock_on(host)
    host.set_by_ms = days * DAY_MS
    for host.passed_ms in (1, 20, 300):
        assert clock.now_ms() == NOON + host.passed_ms
        assert ("ahead" if days > 0 else "behind") in (clock.trouble or "")
    host.set_by_ms = 5
    assert (clock.trouble, clock.now_ms()) == (None, NOON + 305)


def test_trouble_is_seen_without_asking_for_the_time() -> None:
    host = Host()
    clock = clock_on(host)
    host.set_by_ms = DAY_MS
    assert clock.trouble is not None
    host.set_by_ms = 0
    assert clock.trouble is None


def test_a_clock_that_moves_when_told_needs_no_other_and_a_steady_one_neither() -> None:
    told, kept = SimulatedClock(NOON), clock_on(Host())
    assert (steady(told), steady(kept)) == (told, kept)


def test_a_scaled_clock_is_compared_at_its_speed() -> None:
    clock = steady(ScaledClock(WallClock().now_ms(), 200_000))
    first = clock.now_ms()
    deadline = time.monotonic() + 5
    while clock.now_ms() < first + HOUR_MS and time.monotonic() < deadline:
        pass
    assert clock.now_ms() >= first + HOUR_MS
    assert isinstance(clock, SteadyClock)
    assert clock.trouble is None


def test_the_hosts_clock_is_compared_with_the_monotonic_one() -> None:
    clock = steady(WallClock())
    assert abs(clock.now_ms() - WallClock().now_ms()) < MINUTE_MS
    assert isinstance(clock, SteadyClock)
    assert clock.trouble is None
