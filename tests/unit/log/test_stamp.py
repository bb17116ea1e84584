from __future__ import annotations

from livepost.clock import DAY_MS, HOUR_MS, SimulatedClock, SteadyClock
from livepost.log.stamp import Stamper
from tests.unit.host import NOON, Host


def stamper_on(host: Host, last: int = 0) -> Stamper:
    return Stamper(SteadyClock(host, host.steady_ms), last)


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


def test_stamps_go_on_while_the_hosts_clock_is_anywhere_and_trouble_says_so() -> None:
    host = Host()
    stamper = stamper_on(host)
    stamps = []
    for host.set_by_ms, host.passed_ms in ((0, 1), (7 * DAY_MS, 2), (7 * DAY_MS, 3), (-7 * DAY_MS, 4), (0, 5)):
        stamps.append(stamper.next())
        assert (stamper.trouble is None) == (host.set_by_ms == 0)
    assert stamps == [NOON + passed for passed in (1, 2, 3, 4, 5)]


def test_a_log_from_the_future_is_trouble_at_the_start_and_stands_still() -> None:
    stamper = stamper_on(Host(), last=NOON + HOUR_MS)
    assert "3600 s behind the log" in (stamper.trouble or "")
    assert stamper.next() == NOON + HOUR_MS


def test_a_simulated_clock_may_go_ahead_as_far_as_it_is_told() -> None:
    clock = SimulatedClock(NOON)
    stamper = Stamper(clock, 0)
    clock.advance(70 * DAY_MS)
    assert (stamper.next(), stamper.trouble) == (NOON + 70 * DAY_MS, None)
