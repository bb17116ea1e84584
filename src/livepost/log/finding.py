"""Finding the records of a few subjects in blocks' bodies.

In: bodies as they stand on disk. Out: records. Promises: of a block in which none of the subjects stands, only the part
up to its column of subjects is decompressed, and nothing is decoded (nor looked at for damage); of another one, only
the records asked for are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias

import msgspec
import zstandard

from livepost.errors import StoreError
from livepost.log.base import Found, Position
from livepost.log.body import BODY_FORMAT, DAMAGED, plain_of
from livepost.model.block import Block, FixedColumns
from livepost.model.piece import WIDTHS
from livepost.model.record import Record

HEAD_BYTES = 128
"""What stands before the columns and between them, at most: numbers, and the columns' lengths."""

_BEFORE = ("effective", "kind", "origin", "key", "verdict", "known", "subject")
_RECORD_BYTES = sum(WIDTHS[name] for name in _BEFORE)
"""Bytes of a record in the columns up to that of the subjects."""


BlockBody: TypeAlias = "tuple[int, int, int, bytes]"
"""A block's first and last seq, its stamp (ms) and its body."""


class _Undecoded(FixedColumns):
    """A block's columns; of those that differ in width each item is msgpack."""

    message_id: list[msgspec.Raw]
    times: list[msgspec.Raw]
    properties: list[msgspec.Raw]
    sealed: list[msgspec.Raw]
    facets: dict[int, msgspec.Raw]
    context: dict[int, msgspec.Raw]
    mentions: dict[int, msgspec.Raw]
    reason: dict[int, msgspec.Raw]
    control: dict[int, msgspec.Raw]


_LISTS = ("message_id", "times", "properties", "sealed")
_RARE = ("facets", "context", "mentions", "reason", "control")
_DECODER = msgspec.msgpack.Decoder(_Undecoded)
_BLOCK = msgspec.msgpack.Decoder(Block)
_ENCODER = msgspec.msgpack.Encoder()


def found_in(blocks: Iterable[BlockBody], subjects: Collection[bytes], before: int, scan: int) -> Found:
    """Return the records of these subjects with seq < `before`, from the first blocks that have `scan` such records.

    Raises ValueError unless at least one record is to be looked at.
    """
    if scan < 1:
        raise ValueError(f"expected to look at 1 record at least, got {scan}")
    finder = _Finder(subjects)
    found = Found([], Position(before, 0))
    looked = 0
    for first, last, stamp, body in blocks:
        found = Found(found.records + finder.find(body, last - first + 1, before), Position(first, stamp))
        looked += min(last + 1, before) - first
        if looked >= scan:
            break
    return found


class _Finder:
    """Finds the records of some subjects (16 bytes each); for one thread."""

    def __init__(self, subjects: Collection[bytes]) -> None:
        self._subjects = frozenset(subjects)
        self._decompressor = zstandard.ZstdDecompressor()

    def find(self, body: bytes, count: int, before: int) -> list[Record]:
        """Return the subjects' records with seq < `before` in the body of a block of `count`, the newest first.

        Raises StoreError if a body that may hold some is damaged or of another format.
        """
        if not self._may_hold(body, count):
            return []
        block = _undecoded(body)
        subjects = (block.subject[at : at + 16] for at in range(0, len(block.subject), 16))
        places = [place for place, subject in enumerate(subjects) if subject in self._subjects]
        return [_record(block, place) for place in reversed(places) if block.first + place < before]

    def _may_hold(self, body: bytes, count: int) -> bool:
        if body[:1] != BODY_FORMAT:
            return True  # whoever decodes it says what is wrong
        frame = memoryview(body)[1:]
        try:
            wanted = min(HEAD_BYTES + _RECORD_BYTES * count, zstandard.frame_content_size(frame))
            with self._decompressor.stream_reader(frame) as reader:
                head = reader.read(wanted)
        except zstandard.ZstdError as error:
            raise StoreError(DAMAGED.format(error)) from error
        return len(head) < wanted or any(subject in head for subject in self._subjects)


def _undecoded(body: bytes) -> _Undecoded:
    try:
        return _DECODER.decode(plain_of(body))
    except ValueError as error:
        raise StoreError(DAMAGED.format(error)) from error


def _record(block: _Undecoded, place: int) -> Record:
    fixed = {name: getattr(block, name)[width * place : width * (place + 1)] for name, width in WIDTHS.items()}
    lists = {name: getattr(block, name)[place : place + 1] for name in _LISTS}
    rare = {name: {0: getattr(block, name)[place]} if place in getattr(block, name) else {} for name in _RARE}
    one = msgspec.structs.replace(block, first=block.first + place, count=1, **fixed, **lists, **rare)
    return _BLOCK.decode(_ENCODER.encode(one)).record(0)
