"""Items as blocks."""

from __future__ import annotations

import msgspec

from livepost.process.sharded.items import blocks_of, days_of
from livepost.process.sharded.told import Item
from tests.unit.process.records import DAY, NOW, event


def item(seq: int, stamp: int) -> Item:
    return Item(msgspec.structs.replace(event("a", f"m{seq}"), seq=seq, stamp=stamp), b"a" * 16)


def test_a_block_has_what_follows_each_other_at_one_stamp() -> None:
    blocks = blocks_of([item(3, NOW), item(4, NOW), item(6, NOW), item(7, NOW + 1)])
    assert [(block.first, block.count, block.stamp) for block in blocks] == [(3, 2, NOW), (6, 1, NOW), (7, 1, NOW + 1)]
    assert [record.seq for block in blocks for record in block.records()] == [3, 4, 6, 7]


def test_parts_span_a_day_at_most_and_of_nothing_there_is_one_that_is_empty() -> None:
    items = [item(0, NOW), item(1, NOW + DAY), item(2, NOW + DAY + 1), item(3, NOW + 2 * DAY)]
    assert [[one.position for one in part] for part in days_of(items)] == [[0, 1], [2, 3]]
    assert days_of([]) == [[]]
