"""A person's row: a fixed part (numpy record), tiles (packed), picks and journal (msgpack), subjects.

In memory the fixed parts of all people stand in one array and the rest of each is one piece of bytes: a head with the
lengths of the parts, then the parts, little-endian. As it is kept, the fixed part follows. What a step brings to picks
and tiles is put between the others (engine.rows), so the order of parts is by how often they change: subjects, journal,
picks, what waits for them, tiles. The fixed part begins with the number of the layout (engine.layout) that wrote it;
`converted` brings it under a later one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import accumulate, pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from livepost.engine.layout import Layout
from livepost.engine.picks import put_together, taken_apart
from livepost.engine.program import Program
from livepost.model.moment import NO_DUE

NEVER = -(1 << 62)
"""A `last` that never happened, in ms: so long ago that no difference overflows."""

TILE = np.dtype([("slot", "u1"), ("start", "<u4"), ("value", "<i8")])
"""One tile: slot, start in seconds since 1970, partial sum."""

_TILE = struct.Struct("<BIq")
HEADS = np.dtype(
    [("subjects", "<u2"), ("waiting", "<u2"), ("journal", "<u4"), ("folded", "<u4"), ("came", "<u4"), ("tiles", "<u4")]
)
"""Heads of rows: how many subjects and how many records wait for picks; the lengths of journal, picks as they are
folded, what waits, and tiles.
"""

_HEAD = struct.Struct("<HHIIII")

COPIED_AT_ONCE = 2_048
"""Fixed parts that are brought under another layout at once: so many stay in the processor's cache meanwhile."""

Fixed = npt.NDArray[np.void]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def fixed_dtype(layout: Layout) -> np.dtype[np.void]:
    """Return the fixed part under a layout.

    layout   its number
    due      next time (ms) at which a segment can flip; `journey` the earliest due time of a waiting journey
    settling whether the next evaluation is the one at which another project begins to serve
    asked    the number of the last broadcast that the person was asked about
    inside, unknown, numbers, changed   per segment: membership, whether its condition is unknown just now (so the
        membership is of before), transition number, time of the last transition (ms)
    """
    segments = max(len(layout.segments), 1)
    return np.dtype(
        [
            ("layout", "<u2"),
            ("due", "<i8"),
            ("journey", "<i8"),
            ("known", "?"),
            ("settling", "?"),
            ("asked", "<u4"),
            ("inside", "?", (segments,)),
            ("unknown", "?", (segments,)),
            ("numbers", "<u4", (segments,)),
            ("changed", "<i8", (segments,)),
            ("sums", "<i8", (max(len(layout.sums), 1),)),
            ("lasts", "<i8", (max(len(layout.lasts), 1),)),
        ]
    )


def blank(program: Program, count: int) -> Fixed:
    """Return `count` fixed parts of people nothing is known of."""
    rows = np.zeros(count, fixed_dtype(program.layout))
    rows["layout"] = program.layout.number
    rows["due"] = NO_DUE
    rows["journey"] = NO_DUE
    rows["lasts"] = NEVER
    _raise_numbers(rows, program.layout)
    return rows


def converted(fixed: Fixed, before: Layout, program: Program, since: Iterable[Layout]) -> Fixed:
    """Return fixed parts that were written under the layout `before` as the program has them.

    `since` are the layouts behind it, the program's among them: where a project became ready under one of them, these
    people are due at that, for all that was due before was served.
    """
    rows = blank(program, len(fixed))
    for begin in range(0, len(fixed), COPIED_AT_ONCE):
        some = slice(begin, begin + COPIED_AT_ONCE)
        _carry(fixed[some], before, rows[some], program.layout)
    _raise_numbers(rows, program.layout)
    ready = max((layout.ready for layout in since if layout.number > before.number), default=-1)
    if ready >= 0:
        rows["due"] = ready
        rows["settling"] = True
    return rows


def _raise_numbers(rows: Fixed, layout: Layout) -> None:
    """Let nobody's transition numbers be below their segments' floors."""
    for place, name in enumerate(layout.segments):
        if floor := layout.floors.get(name):
            rows["numbers"][:, place] = np.maximum(rows["numbers"][:, place], floor)


def _carry(source: Fixed, before: Layout, target: Fixed, after: Layout) -> None:
    """Copy what both layouts have."""
    _copy(source, target, "due", "journey", "known", "settling", "asked")
    _copy(source, target, "sums", many=len(before.sums))
    _copy(source, target, "lasts", many=len(before.lasts))
    columns = {number: place for place, number in enumerate(before.segments.values())}
    for place, number in enumerate(after.segments.values()):
        if number in columns:
            _copy(source, target, "inside", "unknown", "numbers", "changed", begin=columns[number], to=place)


def _copy(source: Fixed, target: Fixed, *names: str, begin: int = 0, to: int = 0, many: int = 1) -> None:
    """Copy `many` values of each field, from place `begin` to place `to`: as bytes, for they are not aligned."""
    from_, into = (array.view(np.uint8).reshape(len(array), -1) for array in (source, target))
    for name in names:
        width = source.dtype[name].base.itemsize
        here, there = (_offset(array, name) for array in (source, target))
        here, there, size = here + begin * width, there + to * width, many * width
        into[:, there : there + size] = from_[:, here : here + size]


def _offset(fixed: Fixed, name: str) -> int:
    assert fixed.dtype.fields is not None
    return fixed.dtype.fields[name][1]


def layout_of(fixed: bytes) -> int:
    """Return the number of the layout that wrote a fixed part."""
    return int.from_bytes(fixed[:2], "little")


def packed_tiles(tiles: Iterable[tuple[int, int, int]]) -> bytes:
    """Return a few tiles (slot, start, value) as TILE has them: for few, plain Python is quicker than numpy."""
    return b"".join([_TILE.pack(*tile) for tile in tiles])


class Row(msgspec.Struct, gc=False, array_like=True):
    """A person without the fixed part. `picks` and `journal` are msgpack, b"" where there is nothing."""

    subjects: tuple[bytes, ...]
    tiles: bytes = b""
    picks: bytes = b""
    journal: bytes = b""

    @property
    def name(self) -> bytes:
        """The subject id that names the person."""
        return self.subjects[0]


def pack(row: Row, fixed: bytes = b"") -> bytes:
    """Return the person as the bytes that are kept; without a fixed part, as in memory."""
    folded, waiting, came = taken_apart(row.picks)
    head = _HEAD.pack(len(row.subjects), waiting, len(row.journal), len(folded), len(came), len(row.tiles))
    return b"".join((head, *row.subjects, row.journal, folded, came, row.tiles, fixed))


def put(fixed: Fixed, places: Ints, parts: Fixed) -> None:
    """Put parts into an array of them: as plain bytes, for numpy copies structures field by field (four times as long).

    What takes them out is `np.take`, for the same reason.
    """
    plain(fixed)[places] = plain(parts)


def unpack(raw: bytes) -> tuple[Row, bytes]:
    """Return a person, kept or in memory: the row, and the fixed part, b"" in memory."""
    count, waiting, *lengths = _HEAD.unpack_from(raw)
    ends = [*accumulate([_HEAD.size + 16 * count, *lengths])]
    journal, folded, came, tiles = [raw[begin:end] for begin, end in pairwise(ends)]
    return Row(subjects_of(raw), tiles, put_together(folded, waiting, came), journal), raw[ends[-1] :]


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Return a kept person's row as it is in memory, and the fixed part."""
    count, _, *lengths = _HEAD.unpack_from(raw)
    end = _HEAD.size + 16 * count + sum(lengths)
    return raw[:end], raw[end:]


def naming_subject(raw: bytes) -> bytes:
    """Return the subject that names the person of a row."""
    return raw[_HEAD.size : _HEAD.size + 16]


def subjects_of(raw: bytes) -> tuple[bytes, ...]:
    """Return the subjects of a row."""
    end = _HEAD.size + 16 * int.from_bytes(raw[:2], "little")
    return tuple([raw[at : at + 16] for at in range(_HEAD.size, end, 16)])


def journal_of(raw: bytes) -> bytes:
    """Return the journal of a row."""
    count, _, length, *_ = _HEAD.unpack_from(raw)
    begin = _HEAD.size + 16 * count
    return raw[begin : begin + length]


def plain(array: Fixed) -> Fixed:
    """Return a view of structures as plain bytes each."""
    return array.view(f"V{array.dtype.itemsize}")
