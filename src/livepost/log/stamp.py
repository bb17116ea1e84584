"""Stamps: the log's time of its records. In: a clock that may err. Out: milliseconds that never go back.

A host clock that steps by over 60 s is not followed, ahead or back (`clock.SteadyClock`): one record from the future
would serve every due time up to it, and stamps that stand still would serve none. Only a log that is ahead of the clock
from the start on, from a time at which the clock was wrong, waits until the clock has caught up.
"""

from __future__ import annotations

from livepost.clock import SECOND_MS, STEP_MS, Clock, SteadyClock, steady


class Stamper:
    """Gives stamps: `max(last stamp, clock)`; `last` is the last one given so far (ms)."""

    def __init__(self, clock: Clock, last: int = 0) -> None:
        self._clock = steady(clock)
        self._last = last

    def next(self) -> int:
        """Return the stamp (ms) for the next block."""
        self._last = max(self._last, self._clock.now_ms())
        return self._last

    @property
    def trouble(self) -> str | None:
        """What is wrong with the clock and what to do about it, in a sentence; None if nothing is."""
        if isinstance(self._clock, SteadyClock) and (stepped := self._clock.trouble):
            return stepped
        behind = self._last - self._clock.now_ms()
        if behind > STEP_MS:
            return (
                f"the host's clock is {behind / SECOND_MS:.0f} s behind the log, stamps stand still until it has "
                "caught up; set the clock right"
            )
        return None
