"""A pack: the rows of many people put together as two blobs.

In: (person number, row), no number twice. Out: the head, which has all their numbers and then the lengths of their rows
(-1 for a person who is deleted), and the body, which has the rows one after the other. Little-endian; no disk here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

HEAD_BYTES = 12
"""Bytes of the head a person."""

Numbers: TypeAlias = "npt.NDArray[np.int64]"
Lengths: TypeAlias = "npt.NDArray[np.int32]"
Chosen: TypeAlias = "npt.NDArray[np.bool_]"

_DELETED = -1


@dataclass(frozen=True, eq=False)
class Pack:
    """People by `numbers`, the `lengths` of their rows (-1: deleted), and the rows joined."""

    numbers: Numbers
    lengths: Lengths
    body: bytes

    @property
    def head(self) -> bytes:
        """All but the rows, as bytes."""
        return self.numbers.astype("<i8", copy=False).tobytes() + self.lengths.astype("<i4", copy=False).tobytes()

    def __len__(self) -> int:
        """Return of how many people it is."""
        return len(self.numbers)

    @property
    def nbytes(self) -> int:
        """Bytes of head and body."""
        return HEAD_BYTES * len(self.numbers) + len(self.body)

    def everybody(self) -> Iterator[tuple[int, bytes | None]]:
        """Go through (number, row) of all people; None for who is deleted."""
        begin, body = 0, self.body
        for number, length in zip(self.numbers.tolist(), self.lengths.tolist(), strict=True):
            yield number, None if length == _DELETED else body[begin : begin + length]
            begin += max(length, 0)

    def rows(self, chosen: Chosen) -> list[tuple[int, bytes]]:
        """Return (number, row) of the people chosen, none of whom is deleted here."""
        places = zip(self.numbers[chosen].tolist(), *self._places(chosen), strict=True)
        return [(number, self.body[begin:end]) for number, begin, end in places]

    def only(self, chosen: Chosen) -> Pack:
        """Return a pack of the people chosen alone."""
        body = memoryview(self.body)
        rows = [body[begin:end] for begin, end in zip(*self._places(chosen), strict=True)]
        return Pack(self.numbers[chosen], self.lengths[chosen], b"".join(rows))

    def _places(self, chosen: Chosen) -> tuple[list[int], list[int]]:
        """Return where in the body the rows of the people chosen begin and end."""
        lengths = np.maximum(self.lengths, 0)
        ends = np.cumsum(lengths, dtype=np.int64)
        return (ends - lengths)[chosen].tolist(), ends[chosen].tolist()


NO_ROWS = Pack(np.zeros(0, np.int64), np.zeros(0, np.int32), b"")


def pack_of(rows: Iterable[tuple[int, bytes | None]]) -> Pack:
    """Return a pack of rows by person number; None deletes. Of a number given twice the last counts."""
    newest = dict(rows)
    lengths = [_DELETED if row is None else len(row) for row in newest.values()]
    numbers = np.fromiter(newest, np.int64, len(newest))
    return Pack(numbers, np.array(lengths, np.int32), b"".join(filter(None, newest.values())))


def full_packs(pack: Pack, full_bytes: int) -> Iterator[Pack]:
    """Cut a pack into those of `full_bytes`, and what a row has beyond; the last one is shorter."""
    ends = np.cumsum(np.maximum(pack.lengths, 0), dtype=np.int64)
    full = (ends + HEAD_BYTES * np.arange(1, len(ends) + 1)) // full_bytes
    cuts = [0, *(np.flatnonzero(full[1:] != full[:-1]) + 1).tolist(), len(ends)]
    places = np.concatenate([[0], ends])[cuts].tolist()
    for some, (begin, end) in zip(pairwise(cuts), pairwise(places), strict=True):
        if some[0] < some[1]:
            yield Pack(pack.numbers[slice(*some)], pack.lengths[slice(*some)], pack.body[begin:end])


def merged(packs: Iterable[Pack], full_bytes: int) -> Iterator[Pack]:
    """Put packs that follow one another together, up to `full_bytes`."""
    together: list[Pack] = []
    length = 0
    for pack in packs:
        if together and length + pack.nbytes > full_bytes:
            yield _joined(together)
            together, length = [], 0
        together.append(pack)
        length += pack.nbytes
    if together:
        yield _joined(together)


def _joined(packs: list[Pack]) -> Pack:
    if len(packs) == 1:
        return packs[0]
    return Pack(
        np.concatenate([pack.numbers for pack in packs]),
        np.concatenate([pack.lengths for pack in packs]),
        b"".join([pack.body for pack in packs]),
    )


def unpacked(head: bytes, body: bytes) -> Pack:
    """Return the pack that these were."""
    count = len(head) // HEAD_BYTES
    return Pack(np.frombuffer(head, "<i8", count), np.frombuffer(head, "<i4", count, 8 * count), body)
