"""A host whose clocks a test sets: what time-telling is tried on."""

from __future__ import annotations

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
