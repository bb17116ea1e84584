from __future__ import annotations

import struct

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from livepost.ids import digest, event_id
from livepost.model.block import Block, block_of, rest_after
from livepost.model.record import Kind, Mention, Record, Verdict

RECORDS = st.builds(
    Record,
    kind=st.sampled_from(Kind),
    source=st.sampled_from(["", "web", "shop"]),
    subject=st.sampled_from([b"", b"s" * 16, bytes(15) + b"\x01"]),
    known=st.booleans(),
    mentions=st.sampled_from([(), (Mention(b"m" * 16, True),)]),
    message_id=st.text(max_size=3),
    name=st.sampled_from(["Product Viewed", "$identify", "Größe 👟"]),
    timestamp=st.none() | st.integers(0, 10**13),
    effective_ts=st.integers(-(10**6), 10**6),
    verdict=st.sampled_from(Verdict),
    reason=st.sampled_from(["", "too late"]),
    properties=st.dictionaries(st.text(max_size=2), st.integers(-(2**63), 2**64 - 1) | st.none(), max_size=2),
    context=st.sampled_from([{}, {"locale": "en"}]),
    facets=st.sampled_from([{}, {"device": "tv"}]),
    sealed=st.sampled_from([{}, {"email": b"\x00"}]),
    content_hash=st.sampled_from([b"", b"h" * 16]),
    control=st.sampled_from([{}, {"run": 1}]),
)


def whole(records: list[Record], first: int, stamp: int) -> list[Record]:
    """Return the records as the log gives them back."""
    return [
        msgspec.structs.replace(r, seq=first + n, stamp=stamp, effective_ts=min(r.effective_ts, stamp))
        for n, r in enumerate(records)
    ]


@given(st.lists(RECORDS, max_size=6), st.integers(0, 2**40), st.integers(0, 10**6))
def test_records_come_back_whole_with_seq_and_stamp_and_clamped(records: list[Record], first: int, stamp: int) -> None:
    assert block_of(records, first, stamp).records() == whole(records, first, stamp)


@given(st.lists(RECORDS, max_size=6), st.integers(0, 10**6))
def test_each_column_is_that_of_the_records_one_after_the_other(records: list[Record], stamp: int) -> None:
    block = block_of(records, 0, stamp)
    assert block.effective == b"".join(struct.pack("<q", min(record.effective_ts, stamp)) for record in records)
    assert block.kind == bytes(record.kind for record in records)
    assert block.verdict == bytes(record.verdict for record in records)
    assert block.known == bytes(record.known for record in records)
    assert block.subject == b"".join(record.subject or bytes(16) for record in records)
    assert block.content == b"".join(record.content_hash or bytes(16) for record in records)
    assert block.event == b"".join(digest(record.source, record.message_id) for record in records)
    assert block.names == list(dict.fromkeys(record.name for record in records))
    assert block.name == b"".join(struct.pack("<H", block.names.index(record.name)) for record in records)
    assert bytes(block.sealed) == msgspec.msgpack.encode([record.sealed for record in records])
    assert bytes(block.times) == msgspec.msgpack.encode([(r.timestamp, r.sent_at, r.received_at) for r in records])
    assert list(block.context.items()) == [(n, r.context) for n, r in enumerate(records) if r.context]


@given(st.lists(RECORDS, max_size=6), st.integers(0, 100), st.integers(-3, 9))
def test_the_rest_after_a_seq_is_a_block_of_the_later_records(records: list[Record], first: int, back: int) -> None:
    block = block_of(records, first, 5)
    rest = rest_after(block, first + back)
    assert rest.records() == [record for record in block.records() if record.seq > first + back]
    assert rest.count == len(rest.kind) == len(rest.effective) // 8 == len(rest.event) // 16


def test_a_block_that_is_not_cut_is_itself() -> None:
    block = block_of([Record(), Record()], 7, 1)
    assert rest_after(block, 6) is block
    assert rest_after(block, -1) is block
    assert rest_after(block, 8).count == 0


def test_the_columns_are_little_endian_and_as_wide_as_told() -> None:
    block = block_of([Record(effective_ts=2, name="a"), Record(effective_ts=9, name="b", source="web")], 0, 3)
    assert struct.unpack("<2q", block.effective) == (2, 3)
    assert struct.unpack("<2H", block.name) == (0, 1)
    assert (block.names, block.sources) == (["a", "b"], ["", "web"])
    assert block.event[16:] == event_id("web", "")
    assert block.subject == bytes(32)


def test_times_and_sealed_fields_stay_unread_until_they_are_asked_for() -> None:
    records = [Record(timestamp=3, sealed={"ip": b"x"}), Record()]
    block = msgspec.msgpack.decode(msgspec.msgpack.encode(block_of(records, 0, 1)), type=Block)
    assert isinstance(block.times, msgspec.Raw) and isinstance(block.sealed, msgspec.Raw)
    assert (block.record_times, block.sealed_fields) == ([(3, None, 0), (None, None, 0)], [{"ip": b"x"}, {}])


def test_a_block_survives_msgpack() -> None:
    block = block_of([Record(), Record(facets={"device": "tv"}, mentions=(Mention(b"m" * 16, True),))], 0, 1)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(block), type=Block) == block
