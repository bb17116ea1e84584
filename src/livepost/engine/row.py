"""A person's row: a fixed part (numpy record), tiles (packed), picks and journal (msgpack), subjects.

Packed it is one piece of bytes, in memory as in the state store: length-prefixed parts, little-endian. The fixed
part's layout follows the program: a row is read only by the program (hash) that wrote it.
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

_HEAD = struct.Struct("<HHIII")
"""How many subjects, and the lengths of the parts behind them."""

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
    """A person in parts. `picks` and `journal` are msgpack, b"" where there is nothing; `name` is subjects[0]."""

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
    """Return the row as the bytes that are kept."""
    subjects, fixed, tiles, picks, journal = row.subjects, row.fixed, row.tiles, row.picks, row.journal
    head = _HEAD.pack(len(subjects), len(fixed), len(tiles), len(picks), len(journal))
    return b"".join((head, *subjects, fixed, tiles, picks, journal))


def unpack(raw: bytes) -> Row:
    """Return the parts of a packed row."""
    count, fixed, tiles, picks, _ = _HEAD.unpack_from(raw)
    begin = _HEAD.size + 16 * count
    tiles_at = begin + fixed
    picks_at = tiles_at + tiles
    journal_at = picks_at + picks
    return Row(
        subjects_of(raw),
        raw[begin:tiles_at],
        raw[tiles_at:picks_at],
        raw[picks_at:journal_at],
        raw[journal_at:],
    )


def subjects_of(raw: bytes) -> tuple[bytes, ...]:
    """Return the subjects of a packed row."""
    count = raw[0] | raw[1] << 8
    if count == 1:
        return (raw[16:32],)
    return tuple([raw[at : at + 16] for at in range(_HEAD.size, _HEAD.size + 16 * count, 16)])


def fixed_of(raw: bytes) -> bytes:
    """Return the fixed part of a packed row."""
    begin = _HEAD.size + 16 * (raw[0] | raw[1] << 8)
    return raw[begin : begin + (raw[2] | raw[3] << 8)]
