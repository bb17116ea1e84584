"""How many people whose due times have come one step takes beside its records: so many that live records wait little.

In: how long steps take that serve a part of a wave. Out: how many the next one may take. What a step makes does not
depend on it; a step that is done again takes as many as it took (`sweep.Taken`).
"""

from __future__ import annotations

STEP_MS = 20
"""How long a step with a part of a wave may take, about: a live record that just missed it waits so long more."""

LEAST = 100
"""A wave ends however slow the machine is, and whatever comes live beside it: a step has milliseconds of its own."""

URGENT = 10
URGENT_ALONE = 30
"""People whom a step serves beside records and without any while a courier is told of transactional mails: a receipt
waits for the step before it and for its own.
"""

URGENT_FOR_MS = 1_000
"""How long after one was told of the next transactional mail is expected."""

BEHIND_MS = 5_000
"""An engine that is so far behind (a start, a replay) catches up first: small parts would hold up everything."""

SETTLING = 25
SETTLING_ALONE = 100
"""People whom a step evaluates when another project has begun to serve, beside records and without any: nobody waits
for them as for due times, and live records wait for all of them.
"""


class Waves:
    """The size of one engine's next part of a wave, in people."""

    def __init__(self, most: int) -> None:
        """Begin with `most`, which is never exceeded; where it is under LEAST nothing changes it."""
        self._most = most
        self._size = most
        self._urgent_until = 0

    def size(self, now_ms: int, *, settling: bool, records: bool) -> int:
        """Return how many people the next step may take; `settling`: they wait since another project serves; `records`:
        it has some.
        """
        if settling:
            return min(self._size, SETTLING if records else SETTLING_ALONE)
        if 0 < self._urgent_until - now_ms <= URGENT_FOR_MS:  # a clock that was set back slows nothing down
            return min(self._size, URGENT if records else URGENT_ALONE)
        return self._size

    def hurry(self, now_ms: int, as_of: int) -> None:
        """Note that a courier was told of a transactional mail by an engine that has come as far as `as_of` (ms)."""
        if now_ms - as_of < BEHIND_MS:
            self._urgent_until = now_ms + URGENT_FOR_MS

    def note(self, people: int, took_ms: int) -> None:
        """Note how long a step took that left people waiting: at most twice or half as many come next. What a small
        part took says nothing of a large one.
        """
        if people < self._size:
            return
        fitting = self._size * STEP_MS // max(took_ms, 1)
        near = min(max(fitting, self._size // 2), 2 * self._size)
        self._size = min(max(near, LEAST), self._most)
