"""A person's row: a fixed part (numpy record), tiles (packed), picks and journal (msgpack), subjects.

The row is what the state store keeps: length-prefixed parts, little-endian. The fixed part's layout follows the
program: a row is read only by the program (hash) that wrote it.
"""

from __future__ import annotations

import struct

import msgspec
import numpy as np
import numpy.typing as npt

from livepost.engine.program import Program
from livepost.model.moment import NO_DUE

NEVER = -(1 << 62)
"""A `last` that never happened, in ms: so long ago that no difference overflows."""

TILE = np.dtype([("slot", "u1"), ("start", "<u4"), ("value", "<i8")])
"""One tile: slot, start in seconds since 1970, partial sum."""

Fixed = npt.NDArray[np.void]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def fixed_dtype(program: Program) -> np.dtype[np.void]:
    """Return the layout of the fixed part for a program.

    due      next time (ms) at which a segment can flip; `journey` the earliest due time of a waiting journey
    inside, numbers, changed   per segment: membership, transition number, time of the last transition (ms)
    """
    segments = max(len(program.rules), 1)
    return np.dtype(
        [
            ("due", "<i8"),
            ("journey", "<i8"),
            ("known", "?"),
            ("inside", "?", (segments,)),
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


class Row(msgspec.Struct, gc=False):
    """A person in parts: bytes only, so the garbage collector need not walk a hundred thousand of them.

    `picks` and `journal` are msgpack, b"" where there is nothing; `name` is subjects[0]."""

    subjects: tuple[bytes, ...]
    fixed: bytes
    tiles: bytes = b""
    picks: bytes = b""
    journal: bytes = b""

    @property
    def name(self) -> bytes:
        """The subject id that names the person."""
        return self.subjects[0]


def pack(row: Row) -> bytes:
    """Return the row as the bytes a store keeps."""
    head = struct.pack("<HHIII", len(row.subjects), len(row.fixed), len(row.tiles), len(row.picks), len(row.journal))
    return b"".join((head, *row.subjects, row.fixed, row.tiles, row.picks, row.journal))


def unpack(raw: bytes) -> Row:
    """Return the parts of a stored row."""
    subjects, fixed, tiles, picks, journal = struct.unpack_from("<HHIII", raw)
    at = 16
    names = tuple(raw[at + 16 * i : at + 16 * i + 16] for i in range(subjects))
    parts = []
    at += 16 * subjects
    for length in (fixed, tiles, picks, journal):
        parts.append(raw[at : at + length])
        at += length
    return Row(names, *parts)
