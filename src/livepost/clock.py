"""The clocks of the house: UTC milliseconds since 1970.

Only the log stamps with a clock; the engine has none (SEMANTICS). A `ScaledClock` lets the demo shop live
70 days in half a minute: it is one anchor file that every process reads, so that all agree.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Protocol

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


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
