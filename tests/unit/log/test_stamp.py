from __future__ import annotations

import time

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, ScaledClock, SimulatedClock, WallClock
from livepost.log.stamp import Stamper, stamper_for

NOON = 1_700_000_000_000


class Host:
    """A host: a wall clock that may be set and a monotonic one that may not."""

    def __init__(self) -> None:
        self.set_by_ms = 0
        self.passed_ms = 0

    def now_ms(self) -> int:
        return NOON + self.passed_ms + self.set_by_ms

    def steady_ms(self) -> float:
        return 5_000.0 + self.passed_ms


def stamper_on(host: Host, last: int = 0) -> Stamper:
    return Stamper(host, last, steady_ms=host.steady_ms)


def test_a_stamp_is_the_clock_when_all_is_well() -> None:
    host = Host()
    stamper = stamper_on(host)
    host.passed_ms = 7 * DAY_MS
    assert (stamper.next(), stamper.trouble) == (NOON + 7 * DAY_MS, None)


def test_a_stamp_never_lies_before_the_last_one() -> None:
    host = Host()
    stamper = stamper_on(host, last=NOON + 9)
    assert stamper.next() == NOON + 9
    host.passed_ms = 10
    assert stamper.next() == NOON + 10


def test_a_jump_of_60_s_ahead_is_followed_and_one_of_a_ms_more_is_not() -> None:
    host = Host()
    stamper = stamper_on(host)
    host.set_by_ms = MINUTE_MS
    assert (stamper.next(), stamper.trouble) == (NOON + MINUTE_MS, None)
    host.set_by_ms = 2 * MINUTE_MS + 1
    assert stamper.next() == NOON + MINUTE_MS
    assert "60 s ahead" in (stamper.trouble or "")


def test_stamps_go_on_with_steady_time_during_a_jump_and_follow_the_clock_once_it_is_right() -> None:
    host = Host()
    stamper = stamper_on(host)
    host.set_by_ms = 7 * DAY_MS
    for host.passed_ms in (1, 20, 300):
        assert stamper.next() == NOON + host.passed_ms
        assert stamper.trouble is not None
    host.set_by_ms = 5
    assert (stamper.trouble, stamper.next()) == (None, NOON + 305)


def test_stamps_stand_still_while_the_clock_is_behind_and_trouble_says_so() -> None:
    host = Host()
    stamper = stamper_on(host)
    stamper.next()
    host.set_by_ms, host.passed_ms = -HOUR_MS, 1_000
    assert stamper.next() == NOON
    assert "behind the log" in (stamper.trouble or "")
    host.set_by_ms = 0
    assert (stamper.next(), stamper.trouble) == (NOON + 1_000, None)


def test_a_log_from_the_future_is_trouble_at_the_start() -> None:
    assert "3600 s behind" in (stamper_on(Host(), last=NOON + HOUR_MS).trouble or "")


def test_trouble_is_seen_without_a_new_stamp() -> None:
    host = Host()
    stamper = stamper_on(host)
    host.set_by_ms = DAY_MS
    assert stamper.trouble is not None
    host.set_by_ms = 0
    assert stamper.trouble is None


def test_a_simulated_clock_may_go_ahead_as_far_as_it_is_told() -> None:
    clock = SimulatedClock(NOON)
    stamper = stamper_for(clock, 0)
    clock.advance(70 * DAY_MS)
    assert (stamper.next(), stamper.trouble) == (NOON + 70 * DAY_MS, None)


def test_a_scaled_clock_is_compared_at_its_speed() -> None:
    clock = ScaledClock(WallClock().now_ms(), 200_000)
    stamper = stamper_for(clock, 0)
    first = stamper.next()
    deadline = time.monotonic() + 5
    while clock.now_ms() < first + HOUR_MS and time.monotonic() < deadline:
        pass
    assert stamper.next() >= first + HOUR_MS
    assert stamper.trouble is None


def test_the_hosts_clock_is_compared_with_the_monotonic_one() -> None:
    stamper = stamper_for(WallClock(), 0)
    assert abs(stamper.next() - WallClock().now_ms()) < MINUTE_MS
    assert stamper.trouble is None
