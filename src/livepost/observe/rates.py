"""How many a second: counts in, rates over the last seconds out; bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

KEPT_S = 60
"""How far back rates reach (s)."""


class Rates:
    """Counts by second of a clock that only goes forward (`monotonic`, in s); for one thread at a time."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._counts: deque[tuple[int, int]] = deque()

    def add(self, count: int) -> None:
        """Count something that happened now."""
        second = int(self._clock())
        if self._counts and self._counts[-1][0] == second:
            count += self._counts.pop()[1]
        self._counts.append((second, count))
        self._forget(second)

    def per_s(self, over_s: int) -> float:
        """Return how many there were a second in the last `over_s` whole seconds, at most KEPT_S; this one is open."""
        if not 1 <= over_s <= KEPT_S:
            raise ValueError(f"expected 1 to {KEPT_S} seconds, got {over_s}")
        now = int(self._clock())
        return sum(count for second, count in self._counts if now - over_s <= second < now) / over_s

    def _forget(self, now: int) -> None:
        while self._counts[0][0] < now - KEPT_S:
            self._counts.popleft()
