"""Stamps: the log's time of its records. In: a clock that may err. Out: milliseconds that never go back.

A host clock that runs ahead of the monotonic clock by over 60 s is not followed (FORMATS, "Stamp"): one
record from the future would serve every due time up to it. One that steps back is waited for: stamps stand
still.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from livepost.clock import MINUTE_MS, SECOND_MS, Clock, ScaledClock, WallClock

AHEAD_MS = MINUTE_MS
"""How far a host clock may step against the monotonic clock between two stamps."""


class Stamper:
    """Gives stamps: `max(last stamp, clock)`, held back while the clock is ahead of steady time.

    `last` is the last stamp given so far (ms). `steady_ms` tells a time that never jumps, in the clock's own
    pace; None if there is nothing to compare the clock with (a simulated clock moves only when told).
    """

    def __init__(
        self,
        clock: Clock,
        last: int = 0,
        *,
        steady_ms: Callable[[], float] | None = None,
        ahead_ms: float = AHEAD_MS,
    ) -> None:
        self._clock = clock
        self._last = last
        self._steady_ms = steady_ms
        self._ahead_ms = ahead_ms
        self._anchor = clock.now_ms() - steady_ms() if steady_ms else 0.0

    def next(self) -> int:
        """Return the stamp (ms) for the next block."""
        self._last = max(self._last, self._trusted_ms())
        return self._last

    @property
    def trouble(self) -> str | None:
        """What is wrong with the clock and what to do about it, in a sentence; None if nothing is."""
        ahead = self._jump_ms(self._clock.now_ms())
        if ahead > self._ahead_ms:
            return (
                f"the host's clock jumped {ahead / SECOND_MS:.0f} s ahead of its monotonic clock, stamps "
                "go on without the jump; set the clock right, or restart Livepost if it is right now"
            )
        behind = max(self._last - self._clock.now_ms(), -ahead)
        if behind > self._ahead_ms:
            return (
                f"the host's clock is {behind / SECOND_MS:.0f} s behind the log, stamps stand still "
                "until it has caught up; set the clock right, or restart Livepost if it is right now"
            )
        return None

    def _trusted_ms(self) -> int:
        now = self._clock.now_ms()
        jump = self._jump_ms(now)
        if jump > self._ahead_ms:
            return int(now - jump)
        if self._steady_ms and jump >= -self._ahead_ms:
            # Small steps are followed: the host's time service makes them, and it knows better.
            self._anchor += jump
        return now

    def _jump_ms(self, now: int) -> float:
        """Return how far the clock is ahead of steady time since the last stamp that was trusted."""
        return now - self._steady_ms() - self._anchor if self._steady_ms else 0.0


def stamper_for(clock: Clock, last: int) -> Stamper:
    """Return a stamper that compares host clocks, scaled ones at their speed, with the monotonic clock."""
    if isinstance(clock, WallClock):
        return Stamper(clock, last, steady_ms=_monotonic_ms)
    if isinstance(clock, ScaledClock):
        speed = clock.speed
        return Stamper(clock, last, steady_ms=lambda: _monotonic_ms() * speed, ahead_ms=AHEAD_MS * speed)
    return Stamper(clock, last)


def _monotonic_ms() -> float:
    """Return monotonic time that also counts while a laptop sleeps, so that waking up is no jump."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) / 1_000_000
