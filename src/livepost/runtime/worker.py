"""The engine's worker: reads the log, steps, commits, takes over; answers what the engine knows.

In: the log. Out: one state transaction a step. Promised: memory is what the store has committed; after a crash it goes
on from there and makes the same transitions, decisions and ids. What it computes with comes from the log, is kept in
the state, and changes where the log says so (docs/reference/semantics.md, "Changes").
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from livepost.clock import HOUR_MS, Clock
from livepost.decide.stage import Campaigns
from livepost.engine.program import Program
from livepost.engine.seen import DAY_MS, REMEMBERED_DAYS, day_of
from livepost.errors import StoreError
from livepost.log.base import LogReader
from livepost.model.block import Block
from livepost.model.change import Definitions, Seed
from livepost.model.compiled import Compiled
from livepost.model.decision import OutboxItem, Transition
from livepost.model.letter import LETTERS_MAX, Letter
from livepost.model.moment import NO_DUE
from livepost.model.outbox import OutboxPage
from livepost.model.person import PersonView
from livepost.model.told import Member, SegmentCount, SegmentHistory, SegmentPoint, Status, TransitionPage
from livepost.observe.latencies import Latencies
from livepost.process.changing import Kept, begun, changed, control_of, first_project, kept_of, seed_of
from livepost.process.people import Delta, People
from livepost.process.stage import WAVE, step
from livepost.process.timeline import empty_timeline
from livepost.process.view import view_of
from livepost.state.base import Commit, Loaded, StateStore, TransitionRow

STEP_RECORDS = 5_000
"""Records a step takes, about: whole blocks."""

TRANSITIONS_MAX = 10_000
"""Transitions one question gets."""

MEMBERS_MAX = 10_000
"""People one question for a segment's members gets."""

TRANSITIONS = "transitions"
"""The name under which the store counts them, beside the fates of events."""

TRANSITIONS_KEPT_MS = 90 * DAY_MS
"""How long transitions and the counts of ended hours are kept, in stamps."""

_items = msgspec.msgpack.Decoder(OutboxItem)
_transitions = msgspec.msgpack.Decoder(Transition)
_counts = msgspec.msgpack.Decoder(dict[int, int])


class Worker:
    """One engine over one state store."""

    def __init__(
        self, compiled: Compiled, store: StateStore, log: LogReader, clock: Clock, workspace: str, wave: int = WAVE
    ) -> None:
        """Load the state. `compiled` serves where neither state nor log name a project.

        Raises StoreError if the state has seen more than the log holds: they are not of one house.

        `clock` is the host's, for freshness; `wave` is `process.stage.WAVE`.
        """
        self.freshness = Latencies()
        self.transition_count = 0
        self.decided = 0
        self._store = store
        self._log = log
        self._clock = clock
        self._workspace = workspace
        self._wave = wave
        self._timeline = empty_timeline()
        self.shard: People
        self._kept: Kept
        self._is_new = self._is_unnamed = False
        loaded = store.loaded()
        if loaded is None:
            named = _first_project(log)
            self._is_new, self._is_unnamed = True, named is None
            self._begin(named or compiled)
        else:
            self._load(loaded)

    @property
    def definitions(self) -> Definitions:
        """What the engine computes with."""
        return self._kept.definitions

    def turn(self) -> bool:
        """Do one step if there is anything to do; say whether there was."""
        blocks = _first_step(self._log.read(self.shard.position, STEP_RECORDS))
        if not blocks and self.shard.complete_to == self.shard.position:
            return False
        if self._is_new:
            self._begin_with(blocks)
        control = control_of(blocks[0]) if blocks else None
        if control is None:
            self._step(blocks)
        elif (seed := seed_of(self._kept, control)) is not None:
            self._step(blocks, *seed)
        elif (after := changed(self._kept, control)) is None:
            self._step(blocks)
        elif self._is_drained(control.stamp):
            self._change(blocks, *after)
        else:
            self._drain(blocks, control.stamp)
        return True

    def _step(self, blocks: list[Block], kept: Kept | None = None, seed: Seed | None = None) -> None:
        """Fold blocks and serve what is due; with a `seed`, fold that, too, and keep what is computed with then."""
        self._timeline = self._timeline.extended(blocks, keep_from=self.shard.complete_to + 1)
        delta = step(self.shard, blocks, self._campaigns, self._timeline, self._workspace, self._wave, seed=seed)
        self._take(delta, kept)
        self._note_freshness(blocks)

    def _drain(self, blocks: list[Block], until: int) -> None:
        """Serve what is due up to a stamp (ms), before the record that is stamped so changes what serves."""
        timeline = self._timeline.extended(blocks, keep_from=self.shard.complete_to + 1)
        self._take(step(self.shard, [], self._campaigns, timeline, self._workspace, self._wave, until=until))

    def _is_drained(self, stamp: int) -> bool:
        return self.shard.complete_to == self.shard.position and self.shard.next_due() > stamp

    def _change(self, blocks: list[Block], kept: Kept, program: Program) -> None:
        """Go on with other definitions, at a record that is alone in its block."""
        self._timeline = self._timeline.extended(blocks, keep_from=self.shard.complete_to + 1)
        position, stamp = blocks[0].first, blocks[0].stamp
        self._take(Delta(position=position, as_of=stamp, complete_to=self.shard.complete_to), kept, program.hash)
        self.shard.adopt(program, kept.switch.position if kept.switch else -1)
        self._campaigns = Campaigns(kept.definitions.serving, self._workspace, kept.switch)

    def _take(self, delta: Delta, kept: Kept | None = None, program: str = "") -> None:
        """Commit what a step changed, and only then take it over."""
        day = day_of(self.shard.as_of)
        named = kept or (self._kept if self._is_new else None)
        hash_ = program or self.shard.program.hash
        self._store.commit(commit_of(delta, hash_, self._hours_ended(delta.as_of), named.packed() if named else b""))
        self._is_new = False
        self._kept = kept or self._kept
        self.shard.apply(delta)
        if day_of(delta.as_of) != day:
            self._forget(delta.as_of)
        self.transition_count += len(delta.transitions)
        self.decided += len(delta.outbox)

    def next_due(self) -> int | None:
        """Return when (ms) the next due time is, None if there is none."""
        due = self.shard.next_due()
        return None if due >= NO_DUE else due

    def decisions(self, after: int, limit: int) -> OutboxPage:
        """Return outbox items with position > `after`; with `more` set, ask again from the last position on."""
        rows = self._store.outbox(after, limit)
        items = [_items.decode(body) for _, body in rows]
        more = bool(rows) and bool(self._store.outbox(rows[-1][0], 1))
        complete_to = min(self.shard.complete_to, rows[-1][0]) if more else self.shard.complete_to
        return OutboxPage(complete_to=complete_to, as_of=self.shard.as_of, items=items, more=more)

    def people(self, ids: Sequence[bytes], at_least: int = -1) -> dict[bytes, PersonView]:
        """Return persons by any of their subjects, as of position `at_least` or later; unknown ones are left out.

        Raises StoreError if the engine is not that far yet.
        """
        self._require(at_least)
        numbers = {subject: self.shard.number.get(subject) for subject in ids}
        return {subject: view_of(self.shard, n) for subject, n in numbers.items() if n is not None}

    def everybody(self, limit: int) -> list[PersonView]:
        """Return up to `limit` persons, in the order they were first seen."""
        numbers = (number for number, row in enumerate(self.shard.rows) if row is not None)
        return [view_of(self.shard, number) for number, _ in zip(numbers, range(limit), strict=False)]

    def segments(self) -> list[SegmentCount]:
        """Return how many people are in each segment, in the project's order."""
        return [
            SegmentCount(rule.name, count)
            for rule, count in zip(self.shard.program.rules, self.shard.inside(), strict=True)
        ]

    def segment_history(self, since_ms: int) -> list[SegmentHistory]:
        """Return how many people were in each segment at the ends of hours, in the project's order.

        From `since_ms` on, and what held then: the last hour kept before it, if there is one. A segment keeps its
        history through a rename.
        """
        hours = [(end, _counts.decode(body)) for end, body in self._store.hours(since_ms)]
        return [
            SegmentHistory(name, [SegmentPoint(end, people[column]) for end, people in hours if column in people])
            for name, column in self.shard.program.layout.segments.items()
        ]

    def under_way(self) -> dict[str, int]:
        """Return how many people are under way in each campaign in which anybody is."""
        return self.shard.under_way()

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return up to `limit` people of a segment with number > `after`, by number; nobody if there is no such one."""
        names = [rule.name for rule in self.shard.program.rules]
        if segment not in names:
            return []
        place = names.index(segment)
        numbers = self.shard.members(place, after, min(limit, MEMBERS_MAX))
        since = self.shard.fixed["changed"][numbers, place].tolist()
        return [
            Member(number, self.shard.row(number).name, at) for number, at in zip(numbers.tolist(), since, strict=True)
        ]

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[Transition]:
        """Return transitions, newest first."""
        bodies = self._store.transitions(person, segment, min(limit, TRANSITIONS_MAX))
        return [_transitions.decode(body) for body in bodies]

    def transitions_after(self, number: int, limit: int) -> TransitionPage:
        """Return transitions with a number > `number`, in the order of their commits."""
        kept = self._store.numbering()
        rows = self._store.transitions_after(number, min(limit, TRANSITIONS_MAX))
        items = [(n, _transitions.decode(body)) for n, body in rows]
        return TransitionPage(epoch=kept.epoch, first=kept.first, last=kept.last, items=items)

    def dead(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters with seq > `after`, those that the log still has."""
        return self._store.dead(max(after, self._log.first() - 1), min(limit, LETTERS_MAX))

    def letter(self, position: int, at_least: int = -1) -> Letter | None:
        """Return the dead letter at a position as of position `at_least` or later; None if there is none, or the log
        has it no more. Raises StoreError if the engine is not that far yet.
        """
        self._require(at_least)
        return next((one for one in self.dead(position - 1, 1) if one.position == position), None)

    def served(self, upto: int) -> None:
        """Forget outbox items with position <= `upto`: the ledger has them."""
        self._store.prune_outbox(upto)

    def status(self) -> Status:
        """Return where the engine stands."""
        shard = self.shard
        return Status(
            position=shard.position,
            as_of=shard.as_of,
            complete_to=shard.complete_to,
            next_due=self.next_due(),
            people=len(shard),
            transitions=self.transition_count,
            program=shard.program.hash,
            counts=dict(shard.counts),
            freshness=self.freshness.counts,
            refused=self._kept.refused,
        )

    def _require(self, at_least: int) -> None:
        if self.shard.position < at_least:
            raise StoreError(f"the engine is at position {self.shard.position}, asked for {at_least}; ask again")

    def _begin(self, serving: Compiled) -> None:
        """Begin where the log does: what retention dropped is not replayed."""
        self._kept, program = begun(serving)
        self._campaigns = Campaigns(serving, self._workspace)
        self.shard = People(program)
        self.shard.position = self.shard.complete_to = self._log.first() - 1

    def _begin_with(self, blocks: list[Block]) -> None:
        """Begin with the project that the log names, if it named none when the engine was opened."""
        named = next(filter(None, map(first_project, blocks)), None)
        if named is not None and self._is_unnamed:
            self._begin(named)

    def _load(self, loaded: Loaded) -> None:
        end = self._log.last().seq
        if loaded.position > end:
            raise StoreError(
                f"the state has seen position {loaded.position}, the log ends at {end}; restore both from one backup"
            )
        self._kept = kept_of(loaded.definitions)
        self._campaigns = Campaigns(self._kept.definitions.serving, self._workspace, self._kept.switch)
        shard = self.shard = People(self._kept.program(), self._kept.layouts)
        shard.ready_at = self._kept.switch.position if self._kept.switch else -1
        shard.load(self._store.rows())
        for blob in self._store.seen():
            shard.seen.remember(*_seen_of(blob))
        shard.position, shard.as_of, shard.complete_to = loaded.position, loaded.as_of, loaded.complete_to
        counts = dict(loaded.counts)
        self.transition_count = counts.pop(TRANSITIONS, 0)
        shard.counts.update(counts)
        after = loaded.complete_to
        while after < loaded.position:
            blocks = self._log.read(after, STEP_RECORDS)
            self._timeline = self._timeline.extended(blocks, keep_from=0)
            after = blocks[-1].first + blocks[-1].count - 1

    def _forget(self, as_of: int) -> None:
        """Drop what is past its time, once a day of stamps."""
        self._store.forget_seen(day_of(as_of) - REMEMBERED_DAYS)
        self._store.forget_transitions(as_of - TRANSITIONS_KEPT_MS)
        self._store.forget_hours(as_of - TRANSITIONS_KEPT_MS)

    def _hours_ended(self, as_of: int) -> list[tuple[int, bytes]]:
        """Return the end of the hour in which the last commit was, with its counts, if `as_of` (ms) is not in it."""
        hour = self.shard.as_of // HOUR_MS
        if self.shard.as_of == 0 or as_of // HOUR_MS == hour:
            return []
        counts = dict(zip(self.shard.program.layout.segments.values(), self.shard.inside(), strict=True))
        return [((hour + 1) * HOUR_MS, msgspec.msgpack.encode(counts))]

    def _note_freshness(self, blocks: Sequence[Block]) -> None:
        now_ms = self._clock.now_ms()
        for block in blocks:
            self.freshness.add(now_ms - self._log.committed_ms(block.first), block.count)


def _first_step(blocks: list[Block]) -> list[Block]:
    """Return the first blocks that make one step: they span at most a day of stamps, and a change is alone."""
    near = [block for block in blocks if block.stamp - blocks[0].stamp <= DAY_MS]
    change = next((place for place, block in enumerate(near) if control_of(block) is not None), len(near))
    return near[: max(change, 1)]


def _first_project(log: LogReader) -> Compiled | None:
    """Return the project that a log names first; None if it names none."""
    read = log.first() - 1
    while blocks := log.read(read, STEP_RECORDS):
        for named in filter(None, map(first_project, blocks)):
            return named
        read = blocks[-1].first + blocks[-1].count - 1
    return None


def commit_of(delta: Delta, program: str, hours: Sequence[tuple[int, bytes]] = (), definitions: bytes = b"") -> Commit:
    """Return what a step changed as the state store keeps it, with the `hours` that ended before it, and the
    `definitions` where they are others from it on.
    """
    return Commit(
        position=delta.position,
        as_of=delta.as_of,
        complete_to=delta.complete_to,
        program=program,
        rows=list(delta.rows.items()),
        seen=delta.keys.tobytes() + delta.contents.tobytes() + delta.days.tobytes(),
        seen_day=day_of(delta.as_of),
        outbox=[(item.position, msgspec.msgpack.encode(item)) for item in delta.outbox],
        transitions=[_transition_row(transition) for transition in delta.transitions],
        dead=delta.dead,
        replayed=delta.replayed,
        hours=list(hours),
        counts={**delta.counts, TRANSITIONS: len(delta.transitions)},
        definitions=definitions,
    )


def _transition_row(transition: Transition) -> TransitionRow:
    return TransitionRow(
        id=transition.id,
        person=transition.person,
        segment=transition.segment,
        position=transition.position,
        at=transition.at,
        body=msgspec.msgpack.encode(transition),
    )


def _seen_of(blob: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = len(blob) // 18
    keys = np.frombuffer(blob, "<u8", count)
    contents = np.frombuffer(blob, "<u8", count, 8 * count)
    return keys, contents, np.frombuffer(blob, "<u2", count, 16 * count)
