"""How fast a vendor is asked: a bucket of tokens, one a request.

In: how many a second, how many at once. Out: how long to wait. Promised: never more than `burst` at once, nor more
than `per_s` in the long run, by the clock it is given.
"""

from __future__ import annotations

from livepost.clock import SECOND_MS, Clock


class Pace:
    """A bucket that is full at first."""

    def __init__(self, per_s: float, burst: int, clock: Clock) -> None:
        """Take the vendor's pace; `clock` is the host's, steady."""
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock.now_ms()

    def wait_s(self, tokens: int = 1) -> float:
        """Return how long (s) until so many tokens are there; 0.0 if they are."""
        self._fill()
        return max(0.0, (tokens - self._tokens) / self._per_s)

    def take(self, tokens: int = 1) -> None:
        """Take tokens, be they there or not."""
        self._fill()
        self._tokens -= tokens

    def _fill(self) -> None:
        now_ms = self._clock.now_ms()
        self._tokens = min(float(self._burst), self._tokens + max(0, now_ms - self._at) / SECOND_MS * self._per_s)
        self._at = now_ms
