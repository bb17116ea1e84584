"""Which event ids were seen: runs of 64-bit hashes in order, over numpy (SPEED, 7).

An entry is (hash of the event id, 32 bits of the hash of its content, day of first acceptance): 14 bytes, and nothing
stands empty between them. What a step brings is a run, ordered by hash. A run is merged with the one before it once
that is less than FANOUT times as long, so there are few, and an id is moved a few times in its life (a log-structured
merge tree: O'Neil and others, 1996). Two ids that share a hash differ in content, so a collision ends in the dead
letters as an id conflict, where it can be replayed: nothing is lost silently (that takes 96 equal bits).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

REMEMBERED_DAYS = 30
DAY_MS = 86_400_000

FANOUT = 4
"""So many times as long as the run behind it a run is at least: more runs take longer to find in, fewer to merge."""

RUN_MAX = 2_000_000
"""Ids in a run at most, but for what one call brings: merging never takes longer than for so many (some 0.1 s)."""

STALE = 4
"""Of the days that a run spans one in so many may be forgotten before it is made anew without them."""

_LAST_DAY = 65_535
"""The last that 16 bits can say, in 2149."""

Hashes = npt.NDArray[np.uint64]
Contents = npt.NDArray[np.uint32]
Days = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]


def day_of(stamp: int) -> int:
    """Return the day number (since 1970, UTC) of a stamp in ms."""
    return stamp // DAY_MS


@dataclass(frozen=True, eq=False)
class _Run:
    """Entries in the order of their keys; `oldest` and `newest` are the days that they span."""

    keys: Hashes
    contents: Contents
    days: Days
    oldest: int
    newest: int

    def __len__(self) -> int:
        return len(self.keys)

    def forgotten(self, day: int) -> bool:
        """Whether so much of it is forgotten on a day that it is better made anew."""
        return STALE * (day - REMEMBERED_DAYS - self.oldest) > self.newest - self.oldest + 1

    def remembered(self, day: int) -> _Run:
        """Return it without what is forgotten on a day."""
        if day - self.oldest <= REMEMBERED_DAYS:
            return self
        alive = day - self.days.astype(np.int64) <= REMEMBERED_DAYS
        return _run(self.keys[alive], self.contents[alive], self.days[alive])

    def merged(self, other: _Run) -> _Run:
        """Return the entries of both."""
        at = np.searchsorted(self.keys, other.keys)
        return _Run(
            np.insert(self.keys, at, other.keys),
            np.insert(self.contents, at, other.contents),
            np.insert(self.days, at, other.days),
            min(self.oldest, other.oldest),
            max(self.newest, other.newest),
        )


class Seen:
    """The ids. `find` answers, `remember` adds; both take arrays and are exact for any batch size."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    @property
    def nbytes(self) -> int:
        """Memory of the entries in bytes."""
        return sum(run.keys.nbytes + run.contents.nbytes + run.days.nbytes for run in self._runs)

    def find(self, keys: Hashes, contents: Hashes, days: Days) -> tuple[Flags, Flags]:
        """Return, for each key at its day, whether it is still remembered, and whether with this content."""
        order = np.argsort(keys)  # keys that are close to each other are looked for in memory that is close
        asked = keys[order]
        found, same = np.zeros(len(keys), bool), np.zeros(len(keys), bool)
        for run in self._runs:
            slots = np.searchsorted(run.keys, asked)
            slots[slots == len(run.keys)] = 0
            hits = np.flatnonzero(run.keys[slots] == asked)
            if len(hits):
                places, slots = order[hits], slots[hits]
                alive = days[places] - run.days[slots] <= REMEMBERED_DAYS
                places, slots = places[alive], slots[alive]
                found[places] = True
                same[places] = run.contents[slots] == contents[places].astype(np.uint32)
        return found, same

    def remember(self, keys: Hashes, contents: Hashes, days: Days) -> None:
        """Add keys (each at most once in the call, none that is remembered); a forgotten key is taken anew."""
        if not len(keys):
            return
        order = np.argsort(keys)
        new = _run(keys[order], contents[order].astype(np.uint32), days[order])
        today = new.newest
        runs = [run.remembered(today) if run.forgotten(today) else run for run in self._runs]
        self._runs = [*filter(len, runs), new]
        while self._unbalanced():
            *runs, before, last = self._runs
            self._runs = [*runs, before.remembered(today).merged(last.remembered(today))]

    def _unbalanced(self) -> bool:
        """Whether the last two runs are to become one."""
        if len(self._runs) < 2:
            return False
        before, last = map(len, self._runs[-2:])
        return before < FANOUT * last and before + last <= RUN_MAX


def hashes(ids: bytes) -> Hashes:
    """Return the first 8 bytes of each 16-byte id as an unsigned integer."""
    return np.frombuffer(ids, "<u8")[::2]


def _run(keys: Hashes, contents: Contents, days: Days) -> _Run:
    """Return entries, which are in the order of their keys, as a run."""
    return _Run(keys, contents, days, int(days.min(initial=_LAST_DAY)), int(days.max(initial=0)))
