"""How many a second, second by second: totals in, rates between them out; bounded memory.

Promised: no gap between two points; a total that goes back (its counter began anew) is a rate of 0, never below it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

KEPT = 60
"""Points of each series, a second each."""

DIGITS = 1


class Series:
    """Rates of several counters, told together; for one thread at a time."""

    def __init__(self) -> None:
        self._last: tuple[float, Mapping[str, int]] | None = None
        self._points: dict[str, deque[float]] = {}

    def add(self, at_s: float, totals: Mapping[str, int]) -> None:
        """Take the totals at a time (s, of a clock that only goes forward).

        Over KEPT seconds after the ones before, all begins anew; after some seconds, each gets the same share.
        """
        before, self._last = self._last, (at_s, totals)
        if before is None or at_s - before[0] > KEPT:
            self._points.clear()
            return
        seconds = at_s - before[0]
        if seconds <= 0:
            return
        for name, total in totals.items():
            rate = round(max(total - before[1].get(name, total), 0) / seconds, DIGITS)
            self._points.setdefault(name, deque(maxlen=KEPT)).extend([rate] * max(round(seconds), 1))

    def points(self) -> dict[str, list[float]]:
        """Return each counter's rates (a second), the newest last; none before all were told twice."""
        return {name: list(points) for name, points in self._points.items()}
