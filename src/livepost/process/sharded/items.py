"""Items as the step takes records: in blocks, of at most a day."""

from __future__ import annotations

from collections.abc import Sequence

from livepost.engine.seen import DAY_MS
from livepost.model.block import Block, block_of
from livepost.process.sharded.told import Item


def days_of(items: Sequence[Item]) -> list[list[Item]]:
    """Return items in parts that span at most a day of stamps each; one empty part if there are none."""
    parts: list[list[Item]] = [[]]
    for item in items:
        if parts[-1] and item.record.stamp - parts[-1][0].record.stamp > DAY_MS:
            parts.append([])
        parts[-1].append(item)
    return parts


def blocks_of(items: Sequence[Item]) -> list[Block]:
    """Return items as blocks: a new one wherever the log has others between."""
    runs: list[list[Item]] = []
    for item in items:
        if runs and _follows(item, runs[-1][-1]):
            runs[-1].append(item)
        else:
            runs.append([item])
    return [block_of([item.record for item in run], run[0].position, run[0].record.stamp) for run in runs]


def _follows(item: Item, before: Item) -> bool:
    return item.position == before.position + 1 and item.record.stamp == before.record.stamp
