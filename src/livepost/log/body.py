"""A block's body: what stands on disk for it. In: records, or pieces of them. Out: a format byte and zstd (level 1)
of msgpack(Block).

Promises: what `pack` took, `unpack` gives back equal; a body with a flipped bit is refused (zstd checksum).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import zstandard

from livepost.errors import StoreError
from livepost.model.block import Block, Columns, FixedColumns, block_of_columns, columns_of
from livepost.model.piece import NO_STAMP, Piece, joined
from livepost.model.record import Kind, Record

MAX_BLOCK_RECORDS = 20_000
"""Records in one block at most; who has more splits them (names are indexed in 16 bits)."""

MAX_BLOCK_BYTES = 256 * 1024 * 1024
"""Bytes of one block before compression at most."""

BODY_FORMAT = b"\x01"
DAMAGED = "a block of the log is damaged ({}); restore the log from its backup"

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Block)


def new_block(records: Sequence[Record], first: int, stamp: int) -> Block:
    """Return the records as a block, seq from `first` on, all with `stamp` (ms).

    Raises ValueError if there are none or more than MAX_BLOCK_RECORDS, or an id is not 16 bytes.
    """
    _require_fitting(len(records))
    return _block(columns_of(records), first, stamp)


def packed_piece(records: Columns) -> bytes:
    """Return records, told by field, as `read_piece` reads them; raise what `new_block` does."""
    _require_fitting(len(records["message_id"]))
    return _ENCODER.encode(_block(records, 0, NO_STAMP))


def joined_block(pieces: Sequence[Piece], first: int, stamp: int) -> Piece:
    """Return the pieces as one block, as `new_block` would make it of all their records, ready for `pack`.

    Raises ValueError if they hold no records or more than MAX_BLOCK_RECORDS together.
    """
    _require_fitting(sum(len(piece) for piece in pieces))
    return joined(pieces, first, stamp)


def events_in(block: FixedColumns) -> int:
    """Return how many of the block's records are events."""
    return block.kind.count(Kind.EVENT)


def pack(block: Block | Piece) -> bytes:
    """Return the body of a block, new or joined; raise ValueError if it is over MAX_BLOCK_BYTES before compression."""
    plain = _ENCODER.encode(block)
    if len(plain) > MAX_BLOCK_BYTES:
        raise ValueError(f"expected a block of at most {MAX_BLOCK_BYTES} bytes, got {len(plain)}; split its records")
    return BODY_FORMAT + zstandard.ZstdCompressor(level=1, write_checksum=True).compress(plain)


def unpack(body: bytes) -> Block:
    """Return the block of a body; raise StoreError if it is damaged or of another format."""
    try:
        return _DECODER.decode(plain_of(body))
    except ValueError as error:
        raise StoreError(DAMAGED.format(error)) from error


def plain_of(body: bytes) -> bytes:
    """Return the msgpack of a body; raise StoreError if it is damaged or of another format."""
    if body[:1] != BODY_FORMAT:
        raise StoreError(
            f"expected a block of format {BODY_FORMAT[0]}, got {body[:1].hex() or 'nothing'}; "
            "read this log with the Livepost that wrote it"
        )
    try:
        if zstandard.frame_content_size(body[1:]) > MAX_BLOCK_BYTES:
            raise StoreError(f"a block of the log is damaged: expected at most {MAX_BLOCK_BYTES} bytes, got more")
        return zstandard.ZstdDecompressor().decompress(body[1:])
    except zstandard.ZstdError as error:
        raise StoreError(DAMAGED.format(error)) from error


def _block(told: Columns, first: int, stamp: int) -> Block:
    lengths = {*map(len, told["subject"]), *map(len, told["content_hash"])}
    if not lengths <= {0, 16}:
        raise ValueError("expected subjects and content hashes of 16 bytes or none, got another length")
    return block_of_columns(told, first, stamp)


def _require_fitting(records: int) -> None:
    if not 1 <= records <= MAX_BLOCK_RECORDS:
        raise ValueError(
            f"expected 1 to {MAX_BLOCK_RECORDS} records for one block, got {records}; split them over several appends"
        )
