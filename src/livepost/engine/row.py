"""A person's row: a fixed part (numpy record), tiles (packed), picks and journal (msgpack), subjects.

In memory the fixed parts of all people stand in one array and the rest in a `Row` each; the state store has a person
packed, as one piece of bytes: length-prefixed parts, little-endian. The fixed part's layout follows the program: a row
is read only by the program (hash) that wrote it.
"""

from __future__ import annotations

import struct
from itertools import accumulate, pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from livepost.engine.program import Program
from livepost.model.moment import NO_DUE

NEVER = -(1 << 62)
"""A `last` that never happened, in ms: so long ago that no difference overflows."""

TILE = np.dtype([("slot", "u1"), ("start", "<u4"), ("value", "<i8")])
"""One tile: slot, start in seconds since 1970, partial sum."""

_HEAD = struct.Struct("<HHIII")
"""How many subjects, and the lengths of the parts behind them."""

Fixed = npt.NDArray[np.void]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def fixed_dtype(program: Program) -> np.dtype[np.void]:
    """Return the layout of the fixed part for a program.

    due      next time (ms) at which a segment can flip; `journey` the earliest due time of a waiting journey
    inside, unknown, numbers, changed   per segment: membership, whether its condition is unknown just now (so the
        membership is of before), transition number, time of the last transition (ms)
    """
    segments = max(len(program.rules), 1)
    return np.dtype(
        [
            ("due", "<i8"),
            ("journey", "<i8"),
            ("known", "?"),
            ("inside", "?", (segments,)),
            ("unknown", "?", (segments,)),
            ("numbers", "<u4", (segments,)),
            ("changed", "<i8", (segments,)),
            ("sums", "<i8", (max(program.sums, 1),)),
            ("lasts", "<i8", (max(program.lasts, 1),)),
        ]
    )


def blank(program: Program, count: int) -> Fixed:
    """Return `count` fixed parts of people nothing is known of."""
    rows = np.zeros(count, fixed_dtype(program))
    rows["due"] = NO_DUE
    rows["journey"] = NO_DUE
    rows["lasts"] = NEVER
    return rows


class Row(msgspec.Struct, gc=False, array_like=True):
    """A person without the fixed part. `picks` and `journal` are msgpack, b"" where there is nothing.

    `subjects` is never changed in place: copies of a row share it, and who has another one has other subjects.
    """

    subjects: tuple[bytes, ...]
    tiles: bytes = b""
    picks: bytes = b""
    journal: bytes = b""

    @property
    def name(self) -> bytes:
        """The subject id that names the person."""
        return self.subjects[0]

    @property
    def nbytes(self) -> int:
        """How many bytes its parts have."""
        return 16 * len(self.subjects) + len(self.tiles) + len(self.picks) + len(self.journal)


def pack(row: Row, fixed: bytes) -> bytes:
    """Return the person as the bytes that are kept."""
    subjects, tiles, picks, journal = row.subjects, row.tiles, row.picks, row.journal
    head = _HEAD.pack(len(subjects), len(fixed), len(tiles), len(picks), len(journal))
    return b"".join((head, *subjects, fixed, tiles, picks, journal))


def unpack(raw: bytes) -> tuple[Row, bytes]:
    """Return a packed person: the row, and the fixed part."""
    count, *lengths = _HEAD.unpack_from(raw)
    ends = [*accumulate([_HEAD.size + 16 * count, *lengths])]
    fixed, tiles, picks, journal = [raw[begin:end] for begin, end in pairwise(ends)]
    subjects = tuple([raw[at : at + 16] for at in range(_HEAD.size, ends[0], 16)])
    return Row(subjects, tiles, picks, journal), fixed
