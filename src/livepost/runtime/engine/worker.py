"""The engine's worker: reads the log, steps, commits, takes over; answers what the engine knows.

In: the log. Out: one state transaction a step. Promised: memory is what the store has committed; after a crash it goes
on from there and makes the same transitions, decisions and ids. What it computes with comes from the log, is kept in
the state, and changes where the log says so (docs/reference/semantics.md, "Changes").
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from livepost.clock import HOUR_MS, Clock
from livepost.engine.seen import DAY_MS, REMEMBERED_DAYS, day_of
from livepost.errors import StoreError
from livepost.log.base import LogReader
from livepost.model.block import Block
from livepost.model.change import Definitions
from livepost.model.compiled import Compiled
from livepost.model.decision import Decision, OutboxItem, Transition
from livepost.model.lateness import lateness_of
from livepost.model.letter import LETTERS_MAX, Letter
from livepost.model.moment import NO_DUE
from livepost.model.outbox import OutboxPage, Urgent, UrgentAsked
from livepost.model.person import PersonView
from livepost.model.record import Kind
from livepost.model.told import Member, SegmentCount, SegmentHistory, SegmentPoint, Status, TransitionPage
from livepost.model.unlink import Apart
from livepost.observe.latencies import Latencies
from livepost.process.changing import first_project, kept_of
from livepost.process.people import People
from livepost.process.stage import WAVE
from livepost.process.urgent import UrgentItems
from livepost.process.view import view_of
from livepost.runtime.engine.attempts import Attempts
from livepost.runtime.engine.committing import TRANSITIONS, commit_of, seen_of
from livepost.runtime.engine.recovery import recover, set_place, timeline_of
from livepost.runtime.engine.stepping import Given, Made, Stepper, begin, first_step
from livepost.runtime.engine.sweep import Pace, Sweep, taken_out
from livepost.runtime.engine.waves import Waves
from livepost.state.base import Loaded, StateStore, new_epoch
from livepost.state.image import Images

STEP_RECORDS = 5_000
"""Records a step takes, about: whole blocks."""

URGENT_MAX = 100
"""Urgent decisions that the courier is told at a time."""

TRANSITIONS_MAX = 10_000
"""Transitions one question gets."""

MEMBERS_MAX = 10_000
"""People one question for a segment's members gets."""

TRANSITIONS_KEPT_MS = 90 * DAY_MS
"""How long transitions and the counts of ended hours are kept, in stamps."""

_items = msgspec.msgpack.Decoder(OutboxItem)
_transitions = msgspec.msgpack.Decoder(Transition)
_counts = msgspec.msgpack.Decoder(dict[int, int])


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
        """Load the state. `compiled` serves where neither state nor log name a project.

        Raises StoreError if the state has seen more than the log holds: they are not of one house.

        `clock` is the host's, for freshness and how long steps take; `wave` is `process.stage.WAVE`; `attempts` are
        those of the process that died before, where they are kept. With `images` of people, these may have been swept,
        and with a `pace` are from now on; without a pace each step's commit has the rows it changed, and `row_bytes`
        bounds the rows in memory (`People.keep_at_most`; 0: all).
        """
        self.freshness = Latencies()
        self.transition_count = 0
        self.decided = 0
        self._epoch = new_epoch()
        self._store = store
        self._log = log
        self._clock = clock
        self._workspace = workspace
        self._waves = Waves(wave)
        self._attempts = attempts or Attempts(STEP_RECORDS)
        self._images = images
        self._pace = pace
        self._row_bytes = 0 if pace else row_bytes
        self._sweep: Sweep | None = None
        self._next_step = 0
        self._prepared = False
        self._is_new = self._is_unnamed = False
        loaded = store.loaded()
        self._stepper = self._begun(compiled) if loaded is None else self._loaded(loaded)
        self._urgent = UrgentItems()
        self._note_waiting()
        self._attempts.resume(self.shard.position)

    @property
    def shard(self) -> People:
        """The people."""
        return self._stepper.people

    @property
    def settling(self) -> bool:
        """Whether people wait to be evaluated since another project serves."""
        return self.shard.complete_to < self.shard.ready_at

    @property
    def log_needed_after(self) -> int:
        """The position after which the log is needed by a start: what lies before may be dropped."""
        complete_to = self.shard.complete_to
        if self._images is None or self._pace is None:
            return complete_to
        return min(complete_to, self._sweep.needed_after) if self._sweep else -1

    @property
    def definitions(self) -> Definitions:
        """What the engine computes with."""
        return self._stepper.definitions

    def turn(self) -> bool:
        """Do one step if there is anything to do; say whether there was.

        A step that fails is tried again with fewer records (`Attempts`); what it raises comes out only where no record
        is to blame.
        """
        ahead = self._blocks_ahead()
        self._prepare(ahead)
        if not ahead and self._stepper.is_complete():
            return self._sweep is not None and self._sweep.rest()
        until = self._stepper.to_serve_before(ahead)
        blocks = ahead if until is None else []
        failing = self._attempts.begin(self.shard.position, sum(block.count for block in blocks))
        began_ms = self._clock.now_ms()
        given = Given(self._waves.size(began_ms, settling=self.settling, records=bool(blocks)), failing, until)
        try:
            made = self._stepper.step(ahead, given)
        except MemoryError:
            raise  # not the records' fault alone: the next process counts it as a death
        except Exception as error:
            self._attempts.fail(error)
        else:
            self._take(made, given, blocks)
            self._attempts.succeed()
            if not self._stepper.is_complete():
                self._waves.note(given.wave, self._clock.now_ms() - began_ms)
        return True

    def _note_waiting(self) -> None:
        """Find what is urgent of what the outbox has already."""
        after = 0
        while rows := self._store.outbox_after(after, STEP_RECORDS):
            for number, body in rows:
                self._urgent.note(number, (_items.decode(body),))
            after = rows[-1][0]

    def _blocks_ahead(self) -> list[Block]:
        at_most = self._attempts.at_most
        blocks = self._log.read(self.shard.position, STEP_RECORDS)
        return first_step(blocks, at_most if at_most < STEP_RECORDS else None)

    def _take(self, made: Made, given: Given, blocks: Sequence[Block]) -> None:
        """Commit what a step makes, and only then take it over."""
        delta, day = made.delta, day_of(self.shard.as_of)
        program = (made.program or self.shard.program).hash
        commit = commit_of(delta, program, self._hours_ended(delta.as_of), rows=self._sweep is None)
        kept = made.kept or (self._stepper.kept if self._is_new else None)
        if kept is not None:
            commit = msgspec.structs.replace(commit, definitions=kept.packed())
        if self._sweep is not None:
            commit = self._sweep.joined(commit, made, given)
        self._store.commit(commit)
        self._is_new = False
        self._stepper.take(made)
        if self._sweep is not None:
            self._sweep.applied(commit, sum(block.count for block in blocks))
        if day_of(delta.as_of) != day:
            self._forget(delta.as_of)
        self.transition_count += len(delta.transitions)
        self.decided += len(delta.outbox)
        self._urgent.note(self._store.newest_item() - len(delta.outbox) + 1, delta.outbox)
        self._note_freshness(blocks)

    def next_due(self) -> int | None:
        """Return when (ms) the next due time is, None if there is none."""
        due = self.shard.next_due()
        return None if due >= NO_DUE else due

    def decisions(self, after: int, limit: int) -> OutboxPage:
        """Return outbox items with a number > `after`, at most `limit`; with `more` set, ask again from `last` on."""
        self._urgent.read(after)
        rows = self._store.outbox_after(after, limit + 1)
        more = len(rows) > limit
        rows = rows[:limit]
        return OutboxPage(
            complete_to=-1 if more else self.shard.complete_to,
            as_of=self.shard.as_of,
            items=[_items.decode(body) for _, body in rows],
            more=more,
            last=rows[-1][0] if rows else max(after, 0),
            epoch=self._epoch,
        )

    def urgent(self, asked: UrgentAsked) -> Urgent | None:
        """Return what is urgent among outbox items with a number > `asked.after`, with its people; None for nothing.

        Where the engine is not behind, waves give way to what comes next.
        """
        found = self._urgent.after(asked.after, asked.read, URGENT_MAX) if asked.epoch == self._epoch else []
        if not found:
            return None
        self._waves.hurry(self._clock.now_ms(), self.shard.as_of)
        items = [item for _, item in found]
        page = OutboxPage(complete_to=-1, as_of=self.shard.as_of, items=items, last=found[-1][0], epoch=self._epoch)
        return Urgent(page=page, people=self.people([item.person for item in items if isinstance(item, Decision)]))

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
        self._urgent.served(upto)
        self._store.prune_outbox(upto)

    def apart(self) -> list[Apart]:
        """Return the merges that were undone, in log order."""
        return list(self._stepper.kept.apart)

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
            refused=self._stepper.kept.refused,
        )

    def _require(self, at_least: int) -> None:
        if self.shard.position < at_least:
            raise StoreError(f"the engine is at position {self.shard.position}, asked for {at_least}; ask again")

    def _begun(self, compiled: Compiled) -> Stepper:
        """Begin where the log does, with the project that it names first, or else `compiled`."""
        named = _first_project(self._log)
        self._is_new, self._is_unnamed = True, named is None
        return self._at_first(named or compiled)

    def _at_first(self, serving: Compiled) -> Stepper:
        """Return nobody, before the log's first record: what retention dropped is not replayed."""
        stepper = begin(serving, self._workspace)
        stepper.people.position = stepper.people.complete_to = self._log.first() - 1
        return stepper

    def _loaded(self, loaded: Loaded) -> Stepper:
        end = self._log.last().seq
        if loaded.position > end:
            raise StoreError(
                f"the state has seen position {loaded.position}, the log ends at {end}; restore both from one backup"
            )
        self.transition_count = loaded.counts.get(TRANSITIONS, 0)
        if loaded.image:
            stepper, self._next_step = recover(self._workspace, self._store, self._swept(), self._log, loaded)
        else:
            stepper = self._with_rows(loaded)
        set_place(stepper.people, loaded)
        return stepper

    def _with_rows(self, loaded: Loaded) -> Stepper:
        stepper = Stepper(kept_of(loaded.definitions), self._workspace)
        stepper.people.keep_at_most(self._row_bytes, self._store.rows_of)
        stepper.people.load(self._store.rows())
        stepper.people.hear(stepper.kept.broadcast)
        for blob in self._store.seen():
            stepper.people.seen.remember(*seen_of(blob))
        stepper.timeline = timeline_of(self._log, loaded.complete_to, loaded.position)
        return stepper

    def _swept(self) -> Images:
        if self._images is None:
            raise StoreError("the state's people are in images, and nobody said where; name their folder")
        return self._images

    def _prepare(self, ahead: Sequence[Block]) -> None:
        """Before the first step, let the store have people as they are to be kept from now on, and let a project serve
        that the log has named since the engine was opened.
        """
        if self._prepared or (self._is_new and not ahead):
            return
        named = next(filter(None, map(first_project, ahead)), None)
        if self._is_unnamed and named is not None:
            self._stepper = self._at_first(named)
        if self._images is not None and self._pace is not None:
            self._sweep = Sweep(self._stepper, self._store, self._images, self._next_step, self._pace)
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
        counts = dict(zip(self.shard.program.layout.segments.values(), self.shard.inside(), strict=True))
        return [((hour + 1) * HOUR_MS, msgspec.msgpack.encode(counts))]

    def _note_freshness(self, blocks: Sequence[Block]) -> None:
        now_ms = self._clock.now_ms()
        for block in blocks:
            if Kind(block.kind[0]) is Kind.SEED:
                continue  # history, which takes its time: it is alone in its block
            self.freshness.add(now_ms - self._log.committed_ms(block.first), block.count)


def _first_project(log: LogReader) -> Compiled | None:
    """Return the project that a log names first; None if it names none."""
    read = log.first() - 1
    while blocks := log.read(read, STEP_RECORDS):
        for named in filter(None, map(first_project, blocks)):
            return named
        read = blocks[-1].first + blocks[-1].count - 1
    return None
