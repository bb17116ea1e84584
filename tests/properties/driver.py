"""Runs the real engine over a log, cut as told, without stores: what R5 compares with the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from livepost.decide.stage import Campaigns
from livepost.engine.program import Program
from livepost.engine.seen import DAY_MS
from livepost.model.block import Block, block_of
from livepost.model.compiled import Compiled
from livepost.model.decision import OutboxItem, Transition
from livepost.model.letter import Letter
from livepost.model.record import Record
from livepost.process.people import People
from livepost.process.stage import step
from livepost.process.timeline import empty_timeline

WORKSPACE = "test"


@dataclass
class Run:
    """What came out, and the people at the end."""

    people: People
    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)
    dead: list[Letter] = field(default_factory=list)


def fold(compiled: Compiled, records: Sequence[Record], sizes: Sequence[int], wave: int = 2000) -> Run:
    """Fold records in blocks and steps whose sizes go round through `sizes`; serve what is due to the end."""
    run = Run(People(Program(compiled)))
    campaigns = Campaigns(compiled, WORKSPACE)
    timeline = empty_timeline()
    blocks = _blocks(records, sizes)
    for some in [*_batches(blocks, sizes), []]:
        timeline = timeline.extended(some, keep_from=run.people.complete_to + 1)
        while True:
            delta = step(run.people, some, campaigns, timeline, WORKSPACE, wave)
            run.people.apply(delta)
            run.transitions += delta.transitions
            run.outbox += delta.outbox
            run.dead += delta.dead
            if some or delta.complete_to == delta.position:
                break
    return run


def _blocks(records: Sequence[Record], sizes: Sequence[int]) -> list[Block]:
    blocks: list[Block] = []
    at = 0
    while at < len(records):
        size = sizes[len(blocks) % len(sizes)]
        some = [r for r in records[at : at + size] if r.stamp == records[at].stamp]
        blocks.append(block_of(some, some[0].seq, some[0].stamp))
        at += len(some)
    return blocks


def _batches(blocks: list[Block], sizes: Sequence[int]) -> list[list[Block]]:
    batches: list[list[Block]] = []
    at = 0
    while at < len(blocks):
        size = sizes[-1 - len(batches) % len(sizes)]
        some = [b for b in blocks[at : at + size] if b.stamp - blocks[at].stamp <= DAY_MS]
        batches.append(some)
        at += len(some)
    return batches
