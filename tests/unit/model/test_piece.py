"""Pieces: joined they are the block of all their records, to the byte; what lost a part is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.model.block import Block, FixedColumns, block_of
from livepost.model.piece import NO_STAMP, Piece, joined, read_piece
from livepost.model.record import Mention, Record
from tests.unit.model.test_block import RECORDS

COLUMNS = ["effective", "kind", "origin", "key", "verdict", "known", "subject", "event", "content", "name", "source"]
COLUMNS += ["message_id", "times", "properties", "sealed"]
TWO = [Record(name="a", effective_ts=7, message_id="1"), Record(name="b", source="web", context={"locale": "en"})]


def told(records: Sequence[Record], **changed: Any) -> bytes:
    """Return what a recorder gives back of the records, with some columns `changed`."""
    return msgspec.msgpack.encode(msgspec.structs.replace(block_of(records, 0, NO_STAMP), **changed))


def packed(batches: Sequence[Sequence[Record]], first: int, stamp: int) -> bytes:
    """Return the msgpack of the block that is joined of a piece a batch."""
    return msgspec.msgpack.encode(joined([read_piece(told(batch)) for batch in batches], first, stamp))


@given(st.lists(st.lists(RECORDS, max_size=20), max_size=5), st.integers(0, 2**40), st.integers(0, 10**6))
def test_joined_pieces_are_to_the_byte_the_block_of_all_their_records(
    batches: list[list[Record]], first: int, stamp: int
) -> None:
    records = [record for batch in batches for record in batch]
    assert packed(batches, first, stamp) == msgspec.msgpack.encode(block_of(records, first, stamp))


@pytest.mark.parametrize("lost", ["names", "sources", "facets", "context", "mentions", "reason", "control"])
def test_a_join_that_forgot_a_column_would_be_told_from_the_block(lost: str) -> None:
    batch = [Record(name="a"), Record(name="b", source="web", facets={"zone": "UTC"}, context={"locale": "en"})]
    batch += [Record(reason="too late", control={"run": 1}, mentions=(Mention(b"m" * 16, True),))]
    whole = joined([read_piece(told(TWO[1:])), read_piece(told(batch))], 0, 9)
    broken = msgspec.structs.replace(whole, **{lost: type(getattr(whole, lost))()})
    assert msgspec.msgpack.encode(whole) == msgspec.msgpack.encode(block_of([*TWO[1:], *batch], 0, 9))
    assert msgspec.msgpack.encode(broken) != msgspec.msgpack.encode(block_of([*TWO[1:], *batch], 0, 9))


@pytest.mark.parametrize("sizes", [(15,), (16,), (7, 8), (8, 8), (65_519, 16)])
def test_arrays_have_heads_as_short_as_their_length_allows(sizes: tuple[int, ...]) -> None:
    whole = packed([[Record()] * size for size in sizes], 0, 1)
    assert whole == msgspec.msgpack.encode(block_of([Record()] * sum(sizes), 0, 1))


def test_what_comes_of_it_is_read_as_a_block() -> None:
    block = msgspec.msgpack.decode(packed([TWO, TWO], 5, 3), type=Block)
    assert [(r.seq, r.name, r.source, r.effective_ts) for r in block.records()] == [
        (5, "a", "", 3),
        (6, "b", "web", 0),
        (7, "a", "", 3),
        (8, "b", "web", 0),
    ]


def test_a_piece_is_as_long_as_it_has_records() -> None:
    assert (len(read_piece(told(TWO))), len(read_piece(told([])))) == (2, 0)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_piece_that_lost_a_value_of_a_column_is_refused(column: str) -> None:
    whole = getattr(block_of(TWO, 0, NO_STAMP), column)
    whole = msgspec.msgpack.decode(whole) if isinstance(whole, msgspec.Raw) else whole
    with pytest.raises(ValueError, match=f"expected 2 records in each column, got others in {column}$"):
        read_piece(told(TWO, **{column: whole[:-1]}))


def test_a_piece_and_a_block_have_the_same_columns_in_the_same_order() -> None:
    assert Piece.__struct_fields__ == Block.__struct_fields__
    assert FixedColumns.__struct_fields__ == Block.__struct_fields__[: len(FixedColumns.__struct_fields__)]
