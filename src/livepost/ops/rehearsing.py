"""What a project would have decided over past events: the log folded once more, in memory, from its beginning.

In: a compiled project, be it one that never served, and the log's blocks. Out: its decisions, in order. Promised: these
are the rooms that run live, so the answer is that of an engine for which the project had served all along; nothing is
written, and no seal is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from livepost.clock import DAY_MS
from livepost.decide.stage import Campaigns
from livepost.engine.program import Program
from livepost.model.block import Block
from livepost.model.compiled import Compiled
from livepost.model.decision import Decision
from livepost.process.people import People
from livepost.process.stage import step
from livepost.process.timeline import Timeline, empty_timeline

STEP_RECORDS = 5_000
WAVE = 5_000
"""People whose due times one step serves: nobody waits for a rehearsal's live events."""


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that would have gone, or not: `skip` is the reason, "" for none; `at` (ms) when it was decided."""

    person: str
    at: int
    step: int
    cause: str
    skip: str
    detail: str


def rehearse(
    compiled: Compiled, blocks: Iterable[Block], workspace: str, campaign: str, since: int, until: int
) -> Iterator[Rehearsed]:
    """Yield what a campaign decides at `since` (ms) or later, before `until`, in the order of the log.

    `blocks` are those of a log from its beginning; all other campaigns are decided too, for caps and priorities.
    """
    for decision in decisions(compiled, blocks, workspace):
        if decision.campaign == campaign and since <= decision.at < until:
            yield Rehearsed(
                person=decision.person.hex(),
                at=decision.at,
                step=decision.step,
                cause=decision.cause_text,
                skip=decision.skip,
                detail=decision.detail,
            )


def decisions(compiled: Compiled, blocks: Iterable[Block], workspace: str) -> Iterator[Decision]:
    """Yield every decision of a project over a log."""
    people, campaigns = People(Program(compiled)), Campaigns(compiled, workspace)
    timeline = empty_timeline()
    for batch in batches(blocks):
        timeline = timeline.extended(batch, keep_from=people.complete_to + 1)
        yield from _stepped(people, batch, campaigns, timeline, workspace)
        while people.complete_to < people.position:
            yield from _stepped(people, (), campaigns, timeline, workspace)


def batches(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Yield blocks as a step takes them: at most a day of stamps, and about STEP_RECORDS records."""
    batch: list[Block] = []
    records = 0
    for block in blocks:
        if batch and (records >= STEP_RECORDS or block.stamp - batch[0].stamp > DAY_MS):
            yield batch
            batch, records = [], 0
        batch.append(block)
        records += block.count
    if batch:
        yield batch


def _stepped(
    people: People, batch: Sequence[Block], campaigns: Campaigns, timeline: Timeline, workspace: str
) -> list[Decision]:
    delta = step(people, batch, campaigns, timeline, workspace, WAVE)
    people.apply(delta)
    return [item for item in delta.outbox if isinstance(item, Decision)]
