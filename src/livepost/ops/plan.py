"""What a change would do: who enters and leaves which segment, what is to be read, and how long that takes.

In: two projects and their diff, the people as they are live, the log. Out: a `Plan`. Promised: nothing is changed; the
people are counted by DuckDB over the log (`ops.parity`), apart from the engine; how long it takes is an estimate, made
of a sample that is read for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from livepost.errors import StoreError
from livepost.expr import Expr, Feature, Segment, walk
from livepost.log.base import Position
from livepost.model.block import Block
from livepost.model.change import SEED_PEOPLE_MAX
from livepost.model.compiled import Compiled, SegmentSpec
from livepost.model.person import PersonView
from livepost.ops.parity.recompute import Recomputed, recompute
from livepost.ops.seeds import Seeds
from livepost.project.diff import Change, Diff

SAMPLE_RECORDS = 20_000
"""Records that are read to find out how long all of them take."""

SEED_S = 0.04
"""How long a seed takes until it is folded in beside live records, about."""

MEMORY_MB = 2_048

Blocks: TypeAlias = Callable[[], Iterable[Block]]
"""Gives a log's blocks, from the oldest on, each time it is asked."""


class Moves(msgspec.Struct, frozen=True, kw_only=True):
    """How many people would enter a segment, and leave it; a segment by its coming name, one that goes by its own."""

    segment: str
    enter: int
    leave: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do.

    people     how many were looked at, and `moves` what becomes of them; None and () where it cannot be said: `unsaid`
    records    of the log that are to be read for the history of new features; `seconds` that takes with the rest, about
    """

    diff: Diff
    people: int | None = None
    moves: tuple[Moves, ...] = ()
    unsaid: str = ""
    records: int = 0
    seconds: float = 0.0


def plan(
    difference: Diff,
    coming: Compiled,
    people: Sequence[PersonView],
    blocks: Blocks,
    *,
    kept: int,
    now: Callable[[], float] = time.perf_counter,
) -> Plan:
    """Return what a change would do.

    people   everybody, at one position
    blocks   gives the log from its oldest record each time it is asked; `kept` is how many records there are
    now      a clock in seconds, for the estimate
    """
    told = Plan(diff=difference)
    if difference.history:
        told = _with_history(told, coming, len(people), blocks, kept, now)
    segments = _segments_that_move(difference)
    if not people or not segments:
        return msgspec.structs.replace(told, people=len(people))
    try:
        moves = tuple(_moves(segments, coming, people, blocks()))
    except StoreError as error:
        return msgspec.structs.replace(told, unsaid=str(error))
    return msgspec.structs.replace(told, people=len(people), moves=moves)


def _with_history(
    told: Plan,
    coming: Compiled,
    people: int,
    blocks: Callable[[], Iterable[Block]],
    kept: int,
    now: Callable[[], float],
) -> Plan:
    features = told.diff.history
    seeds = -(-people // SEED_PEOPLE_MAX) * len(features)
    sample = list(_first(blocks(), SAMPLE_RECORDS))
    if not sample:
        return told
    last = sample[-1]
    began = now()
    with Seeds(sample, coming, features, Position(last.first + last.count - 1, last.stamp)) as read:
        read.count()
        seconds = (now() - began) * kept / max(read.records, 1) + seeds * SEED_S
    return msgspec.structs.replace(told, records=kept, seconds=seconds)


def _first(blocks: Iterable[Block], records: int) -> Iterator[Block]:
    """Yield the blocks in which the first so many records are."""
    start: int | None = None
    for block in blocks:
        start = block.first if start is None else start
        if block.first - start >= records:
            return
        yield block


def _segments_that_move(difference: Diff) -> list[Change]:
    """Return the segments that anybody may enter or leave by the change."""
    segments = [change for change in difference.changes if change.kind == "segment"]
    return [change for change in segments if change.what != "renamed" or change.notes]


def _moves(
    segments: Sequence[Change], coming: Compiled, people: Sequence[PersonView], blocks: Iterable[Block]
) -> Iterator[Moves]:
    needed = _only(coming, {change.name for change in segments if change.what != "removed"})
    at = Position(people[0].position, people[0].as_of)
    found = recompute(blocks, needed, [view.subjects for view in people], at, MEMORY_MB).recomputed
    for change in segments:
        enter = leave = 0
        for view in people:
            before = _is_in(view, change.before or change.name)
            after = _will_be(found.get(view.person), change, before)
            enter += after and not before
            leave += before and not after
        yield Moves(segment=change.name, enter=enter, leave=leave)


def _will_be(recomputed: Recomputed | None, change: Change, before: bool) -> bool:
    """Say whether a person would be in a segment: whoever cannot be told of, or for whom it is unknown, stays."""
    if change.what == "removed":
        return False
    inside = None if recomputed is None else recomputed.segments.get(change.name)
    return before if inside is None else inside


def _only(compiled: Compiled, names: set[str]) -> Compiled:
    """Return a project with some segments alone, and what their conditions look at."""
    by_name = {segment.name: segment for segment in compiled.segments}
    segments: dict[str, SegmentSpec] = {}
    features: set[str] = set()
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name in segments:
            continue
        segments[name] = by_name[name]
        nodes = list(walk(_tree(by_name[name])))
        features |= {node.name for node in nodes if isinstance(node, Feature)}
        waiting += [node.name for node in nodes if isinstance(node, Segment)]
    return msgspec.structs.replace(
        compiled,
        features=tuple(one for one in compiled.features if one.name in features),
        segments=tuple(one for one in compiled.segments if one.name in segments),
        campaigns=(),
    )


def _tree(segment: SegmentSpec) -> Expr:
    tree: Expr = msgspec.convert(segment.condition, Expr)
    return tree


def _is_in(view: PersonView, segment: str) -> bool:
    return any(one.inside for one in view.memberships if one.segment == segment)
