"""A piece: a block without a place in the log yet, of which nobody looks into the columns that differ in width.

In: the msgpack of a block. Out: a piece, and one block of many pieces. Promises: what is joined of pieces is, byte for
byte, the msgpack of `block_of` all their records; a piece whose columns are not of one length is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate

import msgspec

from livepost.model.block import FixedColumns
from livepost.model.record import RECORD_FORMAT

NO_STAMP = 2**63 - 1
"""The stamp of a block that is to be a piece: nothing is clamped to it."""

WIDTHS = {
    "effective": 8,
    **dict.fromkeys(("kind", "origin", "key", "verdict", "known"), 1),
    **dict.fromkeys(("subject", "event", "content"), 16),
    **dict.fromkeys(("name", "source"), 2),
}
"""Bytes of a record in each column that is as wide for every record."""

_ARRAYS = ("message_id", "times", "properties", "sealed")
_SHORT_ARRAY = 15


class Piece(FixedColumns):
    """The columns of a block; those that differ in width are msgpack: arrays of an item a record, and what is rare."""

    message_id: msgspec.Raw
    times: msgspec.Raw
    properties: msgspec.Raw
    sealed: msgspec.Raw
    facets: dict[int, msgspec.Raw]
    context: dict[int, msgspec.Raw]
    mentions: dict[int, msgspec.Raw]
    reason: dict[int, msgspec.Raw]
    control: dict[int, msgspec.Raw]

    def __len__(self) -> int:
        """Return how many records it holds."""
        return self.count


_DECODER = msgspec.msgpack.Decoder(Piece)


def read_piece(told: bytes) -> Piece:
    """Return the piece in the msgpack of a block made with NO_STAMP.

    Raises ValueError if it is none, or a column has not as many values as the block has records.
    """
    piece = _DECODER.decode(told)
    head = _array_head(piece.count)
    wrong = [name for name, width in WIDTHS.items() if len(getattr(piece, name)) != width * piece.count]
    wrong += [name for name in _ARRAYS if bytes(memoryview(getattr(piece, name))[: len(head)]) != head]
    if wrong:
        raise ValueError(f"expected {piece.count} records in each column, got others in {', '.join(wrong)}")
    return piece


def joined(pieces: Sequence[Piece], first: int, stamp: int) -> Piece:
    """Return the pieces as one block, as `block_of` makes it of all their records; they have up to 65,535 together."""
    names: dict[str, int] = {}
    sources: dict[str, int] = {}
    *starts, count = accumulate([piece.count for piece in pieces], initial=0)
    return Piece(
        format=RECORD_FORMAT,
        first=first,
        count=count,
        stamp=stamp,
        effective=b"".join([_clamped(piece.effective, stamp) for piece in pieces]),
        kind=b"".join([piece.kind for piece in pieces]),
        origin=b"".join([piece.origin for piece in pieces]),
        key=b"".join([piece.key for piece in pieces]),
        verdict=b"".join([piece.verdict for piece in pieces]),
        known=b"".join([piece.known for piece in pieces]),
        subject=b"".join([piece.subject for piece in pieces]),
        event=b"".join([piece.event for piece in pieces]),
        content=b"".join([piece.content for piece in pieces]),
        name=b"".join([_renumbered(piece.name, piece.names, names) for piece in pieces]),
        names=list(names),
        source=b"".join([_renumbered(piece.source, piece.sources, sources) for piece in pieces]),
        sources=list(sources),
        message_id=_one_array(count, [_items(piece.message_id, piece.count) for piece in pieces]),
        times=_one_array(count, [_items(piece.times, piece.count) for piece in pieces]),
        properties=_one_array(count, [_items(piece.properties, piece.count) for piece in pieces]),
        sealed=_one_array(count, [_items(piece.sealed, piece.count) for piece in pieces]),
        facets=_one_dict(starts, [piece.facets for piece in pieces]),
        context=_one_dict(starts, [piece.context for piece in pieces]),
        mentions=_one_dict(starts, [piece.mentions for piece in pieces]),
        reason=_one_dict(starts, [piece.reason for piece in pieces]),
        control=_one_dict(starts, [piece.control for piece in pieces]),
    )


def _clamped(effective: bytes, stamp: int) -> bytes:
    """Return the times with none after `stamp`."""
    form = f"<{len(effective) // 8}q"
    times = struct.unpack(form, effective)
    if max(times, default=stamp) <= stamp:
        return effective
    return struct.pack(form, *[min(time, stamp) for time in times])


def _renumbered(column: bytes, words: list[str], numbers: dict[str, int]) -> bytes:
    """Return indices into `words` as the words' `numbers`, which a new word gets here."""
    table = [numbers.setdefault(word, len(numbers)) for word in words]
    if table == list(range(len(words))):
        return column
    form = f"<{len(column) // 2}H"
    return struct.pack(form, *[table[index] for index in struct.unpack(form, column)])


def _array_head(count: int) -> bytes:
    """Return how msgpack begins an array of up to 65,535 items."""
    return bytes([0x90 + count]) if count <= _SHORT_ARRAY else struct.pack(">BH", 0xDC, count)


def _items(array: msgspec.Raw, count: int) -> memoryview:
    return memoryview(array)[len(_array_head(count)) :]


def _one_array(count: int, items: list[memoryview]) -> msgspec.Raw:
    return msgspec.Raw(b"".join([_array_head(count), *items]))


def _one_dict(starts: list[int], dicts: list[dict[int, msgspec.Raw]]) -> dict[int, msgspec.Raw]:
    """Return what is rare of all pieces, by its place in the whole."""
    return {start + place: rare for start, dict_ in zip(starts, dicts, strict=True) for place, rare in dict_.items()}
