from __future__ import annotations

import pytest
import zstandard

from livepost.errors import StoreError
from livepost.log import body as bodies
from livepost.log.body import events_in, new_block, pack, unpack
from livepost.model.record import Kind, Record


def test_a_block_comes_back_equal() -> None:
    block = new_block([Record(properties={"a": [1, "USD"]}, facets={"device": "tv"}), Record()], 7, 99)
    assert unpack(pack(block)) == block


def test_a_body_begins_with_its_format_and_another_one_is_refused() -> None:
    body = pack(new_block([Record()], 0, 1))
    assert body[0] == 1
    with pytest.raises(StoreError, match="format 1, got 02"):
        unpack(b"\x02" + body[1:])
    with pytest.raises(StoreError, match="got nothing"):
        unpack(b"")


@pytest.mark.parametrize("place", [5, -20, -1])
def test_a_flipped_bit_is_found(place: int) -> None:
    body = bytearray(pack(new_block([Record(name="Product Viewed", message_id=str(n)) for n in range(20)], 0, 1)))
    assert unpack(bytes(body)).count == 20
    body[place] ^= 1
    with pytest.raises(StoreError, match="damaged"):
        unpack(bytes(body))


def test_what_is_no_block_is_refused() -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(b"\x01" + zstandard.compress(b"\x90"))


def test_a_block_over_the_bound_of_bytes_is_refused_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    block = new_block([Record(properties={"text": "x" * 5_000})], 0, 1)
    body = pack(block)
    monkeypatch.setattr(bodies, "MAX_BLOCK_BYTES", 4_000)
    with pytest.raises(ValueError, match="at most 4000 bytes"):
        pack(block)
    with pytest.raises(StoreError, match="damaged"):
        unpack(body)


def test_events_are_told_from_other_kinds() -> None:
    assert events_in(new_block([Record(kind=kind) for kind in Kind], 0, 1)) == 1
