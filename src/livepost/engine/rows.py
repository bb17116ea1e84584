"""Rows of many people as one piece: opened for a step, and put together after it.

A step touches thousands of people, each of whom lies somewhere else in memory; what it costs is how often it goes
there. So their rows are joined once, read from there, and what leaves the step is made in one piece, of which the store
keeps the whole and memory each one's part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livepost.engine.row import HEADS, Fixed, Ints, Row, pack, plain
from livepost.ids import SUBJECT_BYTES

NOBODY = -1
"""The length of a row that is not there."""

_HEAD_BYTES = HEADS.itemsize


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of many people as they are kept, one behind the other: `lengths` are their bytes, NOBODY where nobody is, of
    which so many are a fixed part.
    """

    lengths: Ints
    joined: bytes
    fixed_bytes: int

    def kept(self) -> list[bytes | None]:
        """Return each row as it is kept; None where nobody is."""
        return self._cut(0)

    def in_memory(self) -> list[bytes | None]:
        """Return each row as it is in memory; None where nobody is."""
        return self._cut(self.fixed_bytes)

    def without(self, nobody: Collection[int]) -> Rows:
        """Return the rows without some places at which nobody is."""
        there = np.ones(len(self.lengths), np.bool_)
        there[[*nobody]] = False
        return Rows(self.lengths[there], self.joined, self.fixed_bytes)

    def _cut(self, less: int) -> list[bytes | None]:
        joined, sizes = self.joined, np.maximum(self.lengths, 0)
        ends = np.cumsum(sizes)
        rows: list[bytes | None] = [*_slices(joined, ends - sizes, ends - less)]
        for nobody in np.flatnonzero(self.lengths == NOBODY).tolist():
            rows[nobody] = None
        return rows


NO_ROWS = Rows(np.zeros(0, np.int64), b"", 0)


class Opened:
    """Rows as they are in memory, opened."""

    def __init__(self, rows: Sequence[bytes]) -> None:
        """Join the rows, and find their parts."""
        self._joined = b"".join(rows)
        self._ends = np.cumsum(_lengths(rows))
        begins = np.concatenate([np.zeros(1, np.int64), self._ends])[: len(rows)]
        raw = np.frombuffer(self._joined or bytes(_HEAD_BYTES), np.uint8)
        self._heads = raw[begins[:, None] + np.arange(_HEAD_BYTES)].view(HEADS)[:, 0]
        self._firsts = begins + _HEAD_BYTES
        self._tiles = self._ends - self._heads["tiles"]

    def tiles(self) -> list[bytes]:
        """Return the tiles of each."""
        return _slices(self._joined, self._tiles, self._ends)

    def waiting(self) -> tuple[Ints, Ints, Ints]:
        """Return how many records wait for the picks of each, in how many bytes, and how many these have folded."""
        waiting, came, folded = (self._heads[name].astype(np.int64) for name in ("waiting", "came", "folded"))
        return waiting, came, folded

    def closed(
        self,
        tiles: list[bytes],
        came: list[bytes],
        counts: Ints,
        fixed: Fixed,
        journals: Mapping[int, bytes],
        others: Mapping[int, Row | None],
    ) -> Rows:
        """Return the rows with `tiles`, with what `came` to wait for picks, of so many records, and with fixed parts.

        By place: `journals` in place of those opened, and `others` in place of whole rows; None: nobody.
        """
        heads = self._heads.copy()
        between = _slices(self._joined, self._firsts, self._tiles)
        if journals:
            places = np.fromiter(journals, np.int64, len(journals))
            for place, told in zip(journals, self._with_journals(places, journals.values()), strict=True):
                between[place] = told
            heads["journal"][places] = _lengths(journals.values())
        heads["tiles"] = _lengths(tiles)
        heads["waiting"] += counts.astype(np.uint16)
        heads["came"] += _lengths(came).astype(np.uint32)
        columns = [plain(heads).tolist(), between, [*came], [*tiles], plain(fixed).tolist()]
        for place, row in others.items():
            whole = b"" if row is None else pack(row, columns[-1][place])
            for column, part in zip(columns, (whole, b"", b"", b"", b""), strict=True):
                column[place] = part
        lengths = np.sum([_lengths(column) for column in columns], axis=0)
        lengths[[place for place, row in others.items() if row is None]] = NOBODY
        return Rows(lengths, _interleaved(columns), fixed.dtype.itemsize)

    def _with_journals(self, places: Ints, journals: Iterable[bytes]) -> list[bytes]:
        """Return what is between head and tiles of rows, each with another journal."""
        joined, heads, firsts = self._joined, self._heads[places], self._firsts[places]
        begins = firsts + SUBJECT_BYTES * heads["subjects"].astype(np.int64)
        ends = begins + heads["journal"]
        parts = zip(
            firsts.tolist(), begins.tolist(), journals, ends.tolist(), self._tiles[places].tolist(), strict=True
        )
        return [joined[first:begin] + journal + joined[end:tiles] for first, begin, journal, end, tiles in parts]


def _interleaved(columns: Sequence[list[bytes]]) -> bytes:
    """Return the first of each column, then the second of each, and so on, as one piece."""
    every: list[bytes] = [b""] * (len(columns) * len(columns[0]))
    for place, column in enumerate(columns):
        every[place :: len(columns)] = column
    return b"".join(every)


def _slices(raw: bytes, begins: Ints, ends: Ints) -> list[bytes]:
    return [raw[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]


def _lengths(parts: Collection[bytes]) -> Ints:
    return np.fromiter(map(len, parts), np.int64, len(parts))


NOTHING_OPENED = Opened([])
"""Before anybody is there."""
