"""The people of a shard in memory: packed rows by person number, and their fixed parts once more as one numpy array.

A number is given at first sight and kept; a merged person's number is left empty. `Delta` is what a step changes; it
is applied only after the store committed it, so a failed commit leaves the people as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from livepost.engine.program import Program
from livepost.engine.row import Fixed, Ints, Row, blank, fixed_dtype, fixed_of, subjects_of, unpack
from livepost.engine.seen import Days, Hashes, Seen
from livepost.model.decision import OutboxItem, Transition
from livepost.model.moment import NO_DUE

FATES: tuple[str, ...] = ("processed", "duplicate", "filtered", "quarantined", "dead_lettered")
"""Where an accepted event ends (conservation); `in flight` is counted by the log."""


@dataclass
class Delta:
    """What one step changes. `rows` are packed rows by number, None where a person was merged away."""

    position: int
    as_of: int
    complete_to: int
    rows: dict[int, bytes | None] = field(default_factory=dict)
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
        self.rows: list[bytes | None] = []
        self.number: dict[bytes, int] = {}
        self.seen = Seen()
        self.position = -1
        self.as_of = 0
        self.complete_to = -1
        self.counts = dict.fromkeys(FATES, 0)

    def __len__(self) -> int:
        return sum(row is not None for row in self.rows)

    def load(self, rows: Iterable[tuple[int, bytes | None]]) -> None:
        """Take over packed rows by number; None empties a number whose person was merged away."""
        for some in _chunks(rows, 4096):
            self._take(some)

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

    def row(self, number: int) -> Row:
        """Return the row of the person with this number, who must be there."""
        raw = self.rows[number]
        if raw is None:
            raise KeyError(f"there is no person {number}: merged into another")
        return unpack(raw)

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

    def _take(self, rows: list[tuple[int, bytes | None]]) -> None:
        self._make_room(max((number for number, _ in rows), default=-1) + 1)
        kept = [(number, raw) for number, raw in rows if raw is not None]
        self.fixed[[number for number, raw in rows if raw is None]] = blank(self.program, 1)
        self.fixed[[number for number, _ in kept]] = np.frombuffer(
            b"".join([fixed_of(raw) for _, raw in kept]), self.dtype
        )
        for number, raw in kept:
            before = self.rows[number]
            if before is None or before[:2] != raw[:2]:  # a person's subjects only grow in number
                self.number.update(dict.fromkeys(subjects_of(raw), number))
        for number, new in rows:
            self.rows[number] = new

    def _make_room(self, count: int) -> None:
        self.rows.extend([None] * (count - len(self.rows)))
        while count > len(self.fixed):
            self.fixed = np.concatenate([self.fixed, blank(self.program, len(self.fixed))])


def _chunks(rows: Iterable[tuple[int, bytes | None]], size: int) -> Iterator[list[tuple[int, bytes | None]]]:
    walking = iter(rows)
    while some := list(islice(walking, size)):
        yield some
