"""The clocks of the house: UTC milliseconds since 1970.

Only the log stamps with a clock; the engine has none (SEMANTICS). Host clocks may be set wrong, or right, while
Livepost runs: processes tell the time by a `SteadyClock`, which does not follow such steps. A `ScaledClock` lets the
demo shop live 70 days in half a minute: it is one anchor file that every process reads, so that all agree.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

STEP_MS = MINUTE_MS
"""How far a host's clock may step against its monotonic clock between two looks at it and still be followed."""


class Clock(Protocol):
    """Anything that tells the time of the workspace."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970-01-01."""
        ...


class WallClock:
    """The host's clock."""

    def now_ms(self) -> int:
        """Return the host's UTC time in milliseconds."""
        return time.time_ns() // 1_000_000


class SimulatedClock:
    """A clock that moves only when told to, for rehearsals and tests."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """Return the simulated time in milliseconds."""
        return self._now_ms

    def advance(self, by_ms: int) -> None:
        """Move the clock forward by `by_ms` milliseconds; it never goes back."""
        if by_ms < 0:
            raise ValueError(f"a clock only moves forward, got {by_ms} ms")
        self._now_ms += by_ms


class ScaledClock:
    """Host time stretched by `speed` from an anchor: `anchor_ms + (host - host_ms) * speed`.

    `host_ms` is the host's time at which the clock showed `anchor_ms`; the same if not given.
    """

    def __init__(self, anchor_ms: int, speed: float, host_ms: int | None = None) -> None:
        self.anchor_ms = anchor_ms
        self.speed = speed
        self.host_ms = anchor_ms if host_ms is None else host_ms

    def now_ms(self) -> int:
        """Return the scaled time in milliseconds."""
        host_ms = time.time_ns() / 1_000_000
        return int(self.anchor_ms + (host_ms - self.host_ms) * self.speed)


class SteadyClock:
    """A clock that follows another one, but not its steps of over `step_ms` (ms), ahead or back.

    A step is one against `steady_ms`, a time that never jumps, in the clock's own pace. During it this clock goes on
    with that time: nothing comes early, nothing late, and `trouble` says so. Small steps are followed: the host's time
    service makes them, and it knows better. What the clock shows when this one is made is taken as right.
    """

    def __init__(self, clock: Clock, steady_ms: Callable[[], float], step_ms: float = STEP_MS) -> None:
        self._clock = clock
        self._steady_ms = steady_ms
        self._step_ms = step_ms
        self._anchor = clock.now_ms() - steady_ms()

    def now_ms(self) -> int:
        """Return the time (ms): the clock's, or, during a step, what it was and what has passed since."""
        now = self._clock.now_ms()
        step = self._step(now)
        if abs(step) > self._step_ms:
            return int(now - step)
        self._anchor += step
        return now

    @property
    def trouble(self) -> str | None:
        """What is wrong with the clock and what to do about it, in a sentence; None if nothing is."""
        step = self._step(self._clock.now_ms())
        if abs(step) <= self._step_ms:
            return None
        way = "ahead of" if step > 0 else "behind"
        return (
            f"the host's clock stepped {abs(step) / SECOND_MS:.0f} s {way} its monotonic clock, stamps go on without "
            "the step; set the clock right, or restart Livepost if it is right now"
        )

    def _step(self, now: int) -> float:
        return now - self._steady_ms() - self._anchor


def steady(clock: Clock) -> Clock:
    """Return a clock that does not follow the host's steps; one that moves only when told to, or is steady, itself.

    Make one a process, at its start, and tell the time by it everywhere: each takes the time of its making as right.
    """
    if isinstance(clock, WallClock):
        return SteadyClock(clock, _monotonic_ms)
    if isinstance(clock, ScaledClock):
        speed = clock.speed
        return SteadyClock(clock, lambda: _monotonic_ms() * speed, STEP_MS * speed)
    return clock


def workspace_clock(data: Path) -> WallClock | ScaledClock:
    """Return the clock of a data folder: scaled if it holds an anchor (`clock.json`), else the host's."""
    anchor = data / "clock.json"
    if not anchor.exists():
        return WallClock()
    told = json.loads(anchor.read_text())
    return ScaledClock(told["anchor_ms"], told["speed"], told["host_ms"])


def anchor_clock(data: Path, speed: float, anchor_ms: int | None = None) -> ScaledClock:
    """Have a data folder's clock go at `speed` from now on, showing `anchor_ms` now (the host's time if not given).

    Only for when no process of the folder runs: each reads the anchor at its start.
    """
    host_ms = WallClock().now_ms()
    shown_ms = host_ms if anchor_ms is None else anchor_ms
    (data / "clock.json").write_text(json.dumps({"anchor_ms": shown_ms, "host_ms": host_ms, "speed": speed}))
    return ScaledClock(shown_ms, speed, host_ms)


def _monotonic_ms() -> float:
    """Return monotonic time that also counts while a laptop sleeps, so that waking up is no step."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) / 1_000_000


def moment(ms: int) -> str:
    """Return a time (UTC ms) to the second.

    >>> moment(1_767_603_600_000)
    '2026-01-05 09:00:00 UTC'
    """
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):  # a client's clock may say anything
        return f"{ms:,} ms since 1970"


def day(ms: int) -> str:
    """Return the day of a time (UTC ms).

    >>> day(1_767_603_600_000)
    '2026-01-05'
    """
    return moment(ms)[:10]
