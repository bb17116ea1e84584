"""The engine's worker: reads the log, steps, commits, takes over; answers what the engine knows.

In: the log. Out: one state transaction a step. Promised: memory is what the store has committed; after a crash it goes
on from there and makes the same transitions, decisions and ids. A project that was changed is replayed from the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec

from livepost.clock import HOUR_MS, Clock
from livepost.decide.stage import Campaigns
from livepost.engine.program import Program
from livepost.engine.seen import DAY_MS, REMEMBERED_DAYS, day_of
from livepost.errors import StoreError
from livepost.log.base import LogReader
from livepost.model.block import Block
from livepost.model.change import Definitions
from livepost.model.compiled import Compiled
from livepost.model.decision import OutboxItem, Transition
from livepost.model.lateness import lateness_of
from livepost.model.letter import LETTERS_MAX, Letter
from livepost.model.moment import NO_DUE
from livepost.model.outbox import OutboxPage
from livepost.model.person import PersonView
from livepost.model.record import Kind
from livepost.model.told import Member, SegmentCount, SegmentHistory, SegmentPoint, Status, TransitionPage
from livepost.observe.latencies import Latencies
from livepost.process.people import Delta, People
from livepost.process.stage import WAVE, step
from livepost.process.timeline import empty_timeline
from livepost.process.view import view_of
from livepost.runtime.attempts import Attempts
from livepost.runtime.committing import TRANSITIONS, commit_of, seen_of
from livepost.runtime.recovery import Recovery, first_records, set_place, timeline_of
from livepost.runtime.sweep import Pace, Sweep, taken_out
from livepost.state.base import Loaded, StateStore
from livepost.state.image import Images

STEP_RECORDS = 5_000
"""Records a step takes, about: whole blocks."""

TRANSITIONS_MAX = 10_000
"""Transitions one question gets."""

MEMBERS_MAX = 10_000
"""People one question for a segment's members gets."""

TRANSITIONS_KEPT_MS = 90 * DAY_MS
"""How long transitions and the counts of ended hours are kept, in stamps."""

_items = msgspec.msgpack.Decoder(OutboxItem)
_transitions = msgspec.msgpack.Decoder(Transition)
_counts = msgspec.msgpack.Decoder(list[int])


class Worker:
    """One engine over one state store."""

    def __init__(
        self,
        compiled: Compiled,
        store: StateStore,
        log: LogReader,
        clock: Clock,
        workspace: str,
        wave: int = WAVE,
        attempts: Attempts | None = None,
        images: Images | None = None,
        pace: Pace | None = None,
        row_bytes: int = 0,
    ) -> None:
        """Load the state. A state of another project (hash) is emptied, to be replayed by `turn`.

        Raises StoreError if the state has seen more than the log holds: they are not of one house.

        `clock` is the host's, for freshness; `wave` is `process.stage.WAVE`; `attempts` are those of the process that
        died before, where they are kept. With `images` of people, these may have been swept, and with a `pace` are from
        now on; without a pace each step's commit has the rows it changed, and `row_bytes` bounds the rows in memory
        (`People.keep_at_most`; 0: all).
        """
        self.shard = People(Program(compiled))
        self.freshness = Latencies()
        self.transition_count = 0
        self.decided = 0
        self.definitions = Definitions(serving=compiled)
        self._campaigns = Campaigns(compiled, workspace)
        self._store = store
        self._log = log
        self._clock = clock
        self._workspace = workspace
        self._wave = wave
        self._attempts = attempts or Attempts(STEP_RECORDS)
        self._timeline = empty_timeline()
        self._images = images
        self._next_step = 0
        self._row_bytes = 0 if pace else row_bytes
        loaded = store.loaded()
        if loaded is not None and loaded.program != self.shard.program.hash:
            store.reset()
            loaded = None
        if loaded is None:
            self.shard.position = self.shard.complete_to = log.first() - 1  # what retention dropped is not replayed
        else:
            self._load(loaded)
        self._attempts.resume(self.shard.position)
        self._prepared = False
        self._sweep = Sweep(self.shard, store, images, self._next_step, pace) if images and pace else None

    @property
    def log_needed_after(self) -> int:
        """The position after which the log is needed by a start: what lies before may be dropped."""
        complete_to = self.shard.complete_to
        return min(complete_to, self._sweep.needed_after) if self._sweep else complete_to

    def turn(self) -> bool:
        """Do one step if there is anything to do; say whether there was.

        A step that fails is tried again with fewer records (`Attempts`); what it raises comes out only where no record
        is to blame.
        """
        self._prepare()
        blocks = _within_a_day(self._log.read(self.shard.position, STEP_RECORDS))
        if self._attempts.at_most < STEP_RECORDS:
            blocks = first_records(blocks, self._attempts.at_most)
        if not blocks and self.shard.complete_to == self.shard.position:
            return self._sweep is not None and self._sweep.rest()
        timeline = self._timeline.extended(blocks, keep_from=self.shard.complete_to + 1)
        failing = self._attempts.begin(self.shard.position, sum(block.count for block in blocks))
        try:
            delta = step(self.shard, blocks, self._campaigns, timeline, self._workspace, self._wave, failing)
        except MemoryError:
            raise  # not the records' fault alone: the next process counts it as a death
        except Exception as error:
            self._attempts.fail(error)
        else:
            self._take(delta, blocks, failing)
            self._timeline = timeline
            self._attempts.succeed()
        return True

    def _take(self, delta: Delta, blocks: Sequence[Block], failing: Mapping[int, str]) -> None:
        """Commit what a step changes, then take it over."""
        day = day_of(self.shard.as_of)
        hours = self._hours_ended(delta.as_of)
        commit = commit_of(delta, self.shard.program.hash, hours, rows=self._sweep is None)
        if self._sweep is not None:
            commit = self._sweep.joined(commit, delta, self._wave, failing)
        self._store.commit(commit)
        self.shard.apply(delta)
        if self._sweep is not None:
            self._sweep.applied(commit, sum(block.count for block in blocks))
        if day_of(delta.as_of) != day:
            self._forget(delta.as_of)
        self.transition_count += len(delta.transitions)
        self.decided += len(delta.outbox)
        self._note_freshness(blocks)

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
        self.shard.warm(number for number in numbers.values() if number is not None)
        return {subject: view_of(self.shard, n) for subject, n in numbers.items() if n is not None}

    def everybody(self, limit: int) -> list[PersonView]:
        """Return up to `limit` persons, in the order they were first seen."""
        there = (number for number, row in enumerate(self.shard.rows) if row is not None)
        numbers = list(islice(there, limit))
        self.shard.warm(numbers)
        return [view_of(self.shard, number) for number in numbers]

    def segments(self) -> list[SegmentCount]:
        """Return how many people are in each segment, in the project's order."""
        return [
            SegmentCount(rule.name, count)
            for rule, count in zip(self.shard.program.rules, self.shard.inside(), strict=True)
        ]

    def segment_history(self, since_ms: int) -> list[SegmentHistory]:
        """Return how many people were in each segment at the ends of hours, in the project's order.

        From `since_ms` on, and what held then: the last hour kept before it, if there is one.
        """
        hours = [(end, _counts.decode(body)) for end, body in self._store.hours(since_ms)]
        return [
            SegmentHistory(rule.name, [SegmentPoint(end, people[place]) for end, people in hours])
            for place, rule in enumerate(self.shard.program.rules)
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
        self.shard.warm(numbers.tolist())
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

    def settle(self) -> None:
        """Before a stop: leave nothing that the next start would have to do again."""
        if self._sweep is not None:
            self._sweep.settle()

    def close(self) -> None:
        """Release what the engine itself has open; store and log are whoever's gave them."""
        if self._sweep is not None:
            self._sweep.close()

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
            lateness=lateness_of(shard.lateness),
            freshness=self.freshness.counts,
        )

    def _require(self, at_least: int) -> None:
        if self.shard.position < at_least:
            raise StoreError(f"the engine is at position {self.shard.position}, asked for {at_least}; ask again")

    def _load(self, loaded: Loaded) -> None:
        end = self._log.last().seq
        if loaded.position > end:
            raise StoreError(
                f"the state has seen position {loaded.position}, the log ends at {end}; restore both from one backup"
            )
        if loaded.image:
            recovery = Recovery(self._campaigns, self._workspace, self._log)
            self._timeline, self._next_step = recovery.recover(self.shard, self._store, self._swept(), loaded)
        else:
            self.shard.keep_at_most(self._row_bytes, self._store.rows_of)
            self.shard.load(self._store.rows())
            for blob in self._store.seen():
                self.shard.seen.remember(*seen_of(blob))
            self._timeline = timeline_of(self._log, loaded.complete_to, loaded.position)
        set_place(self.shard, loaded)
        self.transition_count = loaded.counts.get(TRANSITIONS, 0)

    def _swept(self) -> Images:
        if self._images is None:
            raise StoreError("the state's people are in images, and nobody said where; name their folder")
        return self._images

    def _prepare(self) -> None:
        """Before the first step, let the store have people as they are to be kept from now on."""
        if not self._prepared:
            if self._sweep is not None:
                self._sweep.prepare()
            else:
                taken_out(self.shard, self._store)
                self.shard.keep_at_most(self._row_bytes, self._store.rows_of)
            self._prepared = True

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
        return [((hour + 1) * HOUR_MS, msgspec.msgpack.encode(self.shard.inside()))]

    def _note_freshness(self, blocks: Sequence[Block]) -> None:
        now_ms = self._clock.now_ms()
        for block in blocks:
            if Kind(block.kind[0]) is Kind.SEED:
                continue  # history, which takes its time: it is alone in its block
            self.freshness.add(now_ms - self._log.committed_ms(block.first), block.count)


def _within_a_day(blocks: list[Block]) -> list[Block]:
    """Return the first blocks that together span at most a day of stamps, as a step wants them."""
    return [block for block in blocks if block.stamp - blocks[0].stamp <= DAY_MS]
