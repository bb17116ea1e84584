"""The people of a shard in memory: fixed parts as one numpy array, the rest as bytes, by person number.

A number is given at first sight and kept; a merged person's number is left empty. `Delta` is what a step changes; it
is applied only after the store committed it, so a failed commit leaves the people as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from livepost.engine.program import Program
from livepost.engine.row import Fixed, Ints, Row, blank, fixed_dtype
from livepost.engine.seen import Days, Hashes, Seen
from livepost.model.decision import OutboxItem, Transition
from livepost.model.moment import NO_DUE

FATES: tuple[str, ...] = ("processed", "duplicate", "filtered", "quarantined", "dead_lettered")
"""Where an accepted event ends (conservation); `in flight` is counted by the log."""


@dataclass
class Delta:
    """What one step changes. `rows` are whole rows by number, None where a person was merged away."""

    position: int
    as_of: int
    complete_to: int
    rows: dict[int, Row | None] = field(default_factory=dict)
    keys: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    contents: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    days: Days = field(default_factory=lambda: np.zeros(0, np.uint16))
    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)
    dead: list[tuple[int, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


class People:
    """A shard's state. `position` and `as_of` are the seq and stamp (ms) up to which it is folded."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.dtype = fixed_dtype(program)
        self.fixed: Fixed = blank(program, 1024)
        self.rows: list[Row | None] = []
        self.number: dict[bytes, int] = {}
        self.seen = Seen()
        self.position = -1
        self.as_of = 0
        self.complete_to = -1
        self.counts = dict.fromkeys(FATES, 0)

    def __len__(self) -> int:
        return sum(row is not None for row in self.rows)

    def load(self, rows: Iterable[tuple[int, Row | None]]) -> None:
        """Take over whole rows by number; None empties a number whose person was merged away."""
        for some in _chunks(rows, 4096):
            self._take([number for number, _ in some], [row for _, row in some])

    def apply(self, delta: Delta) -> None:
        """Take over what a step changed; call it after the store has it."""
        self.load(delta.rows.items())
        self.seen.remember(delta.keys, delta.contents, delta.days)
        self.position, self.as_of, self.complete_to = delta.position, delta.as_of, delta.complete_to
        for fate, count in delta.counts.items():
            self.counts[fate] += count

    def due(self, at: int, limit: int) -> Ints:
        """Return the numbers of up to `limit` people due by `at` (ms), the longest due first."""
        times = self._due_times()
        waiting = np.flatnonzero(times <= at)
        if len(waiting) > limit:
            waiting = waiting[np.argpartition(times[waiting], limit)[:limit]]
        return waiting

    def next_due(self) -> int:
        """Return the earliest due time of anybody (ms); NO_DUE if there is none."""
        times = self._due_times()
        return int(times.min()) if len(times) else NO_DUE

    def fixed_of(self, numbers: Sequence[int]) -> Fixed:
        """Return copies of the fixed parts; numbers not yet given get blank ones."""
        asked = np.asarray(numbers, np.int64)
        old = asked < len(self.rows)
        fixed = blank(self.program, len(asked))
        fixed[old] = self.fixed[asked[old]]
        return fixed

    def _due_times(self) -> Ints:
        count = len(self.rows)
        return np.minimum(self.fixed["due"][:count], self.fixed["journey"][:count])

    def _take(self, numbers: list[int], rows: list[Row | None]) -> None:
        most = max(numbers, default=-1)
        self.rows.extend([None] * (most + 1 - len(self.rows)))
        while most >= len(self.fixed):
            self.fixed = np.concatenate([self.fixed, blank(self.program, len(self.fixed))])
        self.fixed[[n for n, row in zip(numbers, rows, strict=True) if row is None]] = blank(self.program, 1)
        kept = [n for n, row in zip(numbers, rows, strict=True) if row is not None]
        self.fixed[kept] = np.frombuffer(b"".join([row.fixed for row in rows if row is not None]), self.dtype)
        for number, row in zip(numbers, rows, strict=True):
            before, self.rows[number] = self.rows[number], row
            if row is not None:
                row.fixed = b""  # it lives in the array from here on
                if before is None or before.subjects != row.subjects:
                    self.number.update(dict.fromkeys(row.subjects, number))


def _chunks(rows: Iterable[tuple[int, Row | None]], size: int) -> Iterator[list[tuple[int, Row | None]]]:
    walking = iter(rows)
    while some := list(islice(walking, size)):
        yield some
