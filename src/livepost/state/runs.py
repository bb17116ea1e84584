"""Runs: an index over numbers by key, kept in sorted runs in the state file.

In: (key, number) entries, with numbers that only grow. Out: the numbers of a key, the largest first. An index that
SQLite keeps is hit all over: 1,000 keys of 1,000 people are 500 pages in a commit. Here a commit appends its entries as
one run, sorted by key, together with the newest runs before it that are not much longer (O'Neil et al., "The
Log-Structured Merge-Tree", 1996). A run is kept in pieces, so that a key is found by reading one piece of each run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from livepost.state.file import StateFile

FANOUT = 2
"""A run is put together with the one before it, unless that one has so many times its entries."""

RUN_MAX = 65_536
"""Entries of a run that is put together with no other; a commit writes no more than that beyond its own."""

PIECE = 512
"""Entries of a piece."""

MANY = 2**63 - 1
"""More than any key or number."""

Keys: TypeAlias = "npt.NDArray[np.int64]"

_ENTRY = np.dtype([("key", "<i8"), ("number", "<i8")])
_LOWER = (
    "SELECT key, number, entries FROM pieces WHERE run = ? AND (key, number) < (?, ?)"
    " ORDER BY key DESC, number DESC LIMIT 1"
)


class Run(NamedTuple):
    """A run by its `first` number, up to the `last`; `entries` is how many it has."""

    first: int
    last: int
    entries: int


class Runs:
    """The tables `runs` and `pieces` of a state file."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self.load()

    def load(self) -> None:
        """Begin with what the file has."""
        self._runs = [Run(*row) for row in self._file.select("SELECT first, last, entries FROM runs ORDER BY first")]

    def write(self, keys: Keys, numbers: Keys) -> list[Run]:
        """Write entries within the commit's transaction; return the runs there are then, for `apply`.

        `numbers` ascend for each key, and are above all that were written before.
        """
        entries = np.empty(len(keys), _ENTRY)
        entries["key"], entries["number"] = keys, numbers
        runs, parts, size = [*self._runs], [entries], len(entries)
        while runs and runs[-1].entries < FANOUT * size and runs[-1].entries + size <= RUN_MAX:
            run = runs.pop()
            parts.append(self._entries(run))
            size += run.entries
            self._drop(run)
        together = np.concatenate(parts[::-1])
        new = Run(int(together["number"].min()), int(together["number"].max()), size)
        self._put(new, together[np.argsort(together["key"], kind="stable")])
        return [*runs, new]

    def apply(self, runs: list[Run]) -> None:
        """Take over what `write` returned, once it is committed."""
        self._runs = runs

    def numbers(self, key: int) -> Iterator[int]:
        """Yield the numbers of a key, the largest first."""
        for run in reversed(self._runs):
            yield from self._numbers_in(run, key)

    def forget(self, before: int) -> None:
        """Drop the runs of nothing but numbers before one, within a transaction; `load` takes over what it left."""
        for run in self._runs:
            if run.last < before:
                self._drop(run)

    def _numbers_in(self, run: Run, key: int) -> Iterator[int]:
        least, number = key, MANY
        while found := self._file.select(_LOWER, (run.first, least, number)):
            [(least, number, raw)] = found
            entries = np.frombuffer(raw, _ENTRY)
            yield from entries["number"][entries["key"] == key][::-1].tolist()
            if least < key:
                return

    def _entries(self, run: Run) -> npt.NDArray[np.void]:
        rows = self._file.select("SELECT entries FROM pieces WHERE run = ? ORDER BY key, number", (run.first,))
        return np.frombuffer(b"".join(raw for (raw,) in rows), _ENTRY)

    def _put(self, run: Run, entries: npt.NDArray[np.void]) -> None:
        begins = range(0, len(entries), PIECE)
        pieces = [(run.first, *entries[at].tolist(), entries[at : at + PIECE].tobytes()) for at in begins]
        self._file.change("INSERT INTO runs VALUES (?, ?, ?)", [run])
        self._file.change("INSERT INTO pieces VALUES (?, ?, ?, ?)", pieces)

    def _drop(self, run: Run) -> None:
        self._file.change("DELETE FROM pieces WHERE run = ?", [(run.first,)])
        self._file.change("DELETE FROM runs WHERE first = ?", [(run.first,)])
