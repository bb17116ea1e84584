"""Rounds: each person's items in order, many people at once, exactly as if one by one.

A person's items are their due times and records. A round takes a *chunk* of each person's next items, guesses that no
due time falls between them, evaluates all at once, and accepts each person's items up to the first after which a due
time does come before the next: that due time then opens the person's next round. A chunk also ends before a record that
is late (happened before something already folded), so that windows stay prefixes of runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from livepost.engine.row import NEVER, Fixed, Ints
from livepost.engine.window import Moments
from livepost.ids import transition_id
from livepost.model.decision import OutboxItem, Transition
from livepost.model.moment import Decided, Moment
from livepost.model.record import Origin
from livepost.process.batch import Batch
from livepost.process.deciding import Decider
from livepost.process.features import Feeds, fold_picks, read_values
from livepost.process.segments import Memberships, changes, memberships, settle
from livepost.process.timeline import Timeline
from livepost.process.working import Working

CHUNK = 256
"""Most records of one person in the first round; fewer later on, when due times cut chunks short."""

_LATER_CHUNK = 32
_TIME_BITS = 43
"""Enough for milliseconds of 278 years, beside 2^20 people, in one sortable integer."""


@dataclass
class Queue:
    """People (local numbers, ascending) and their records not yet served: `places[begin[p]:end[p]]`, in log order.

    until   how far (ms) due times are served for who has no record left; -1: not at all
    """

    people: Ints
    places: Ints
    begin: Ints
    end: Ints
    until: Ints


@dataclass(frozen=True)
class Round:
    """Chunks of the items of `people`: `places` in the batch, -1 at a due time; `which`: their places in the queue."""

    which: Ints
    people: Ints
    moments: Moments
    places: Ints

    @property
    def offsets(self) -> Ints:
        """Each item's offset among its person's."""
        return np.arange(len(self.places)) - self.moments.begin[self.moments.person]

    @property
    def lengths(self) -> Ints:
        """How many items each person has."""
        return np.diff(np.append(self.moments.begin, len(self.places)))

    def shortened(self, lengths: Ints) -> Round:
        """Return the round with only the first `lengths[p]` (>= 1) items of each person."""
        kept = self.offsets < lengths[self.moments.person]
        person = self.moments.person[kept]
        moments = Moments(person, self.moments.at[kept], np.searchsorted(person, np.arange(len(self.people))))
        return Round(self.which, self.people, moments, self.places[kept])


@dataclass
class Made:
    """What the rounds of a step made so far."""

    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)


class Rounds:
    """Works people's items off. One instance serves a whole step: its levels, merges, and the wave behind them."""

    def __init__(
        self, work: Working, batch: Batch, feeds: Feeds, decider: Decider, timeline: Timeline, workspace: str
    ) -> None:
        self.made = Made()
        self._work = work
        self._batch = batch
        self._feeds = feeds
        self._decider = decider
        self._timeline = timeline
        self._workspace = workspace
        named = np.array([name in decider.names for name in batch.names], bool)
        self._interesting = np.append(named[batch.name], False)
        self._interesting[list(batch.consents)] = True

    def note(self, place: int) -> None:
        """Show the campaigns this record whatever it is: people were merged at it."""
        self._interesting[place] = True

    def records(self, owners: Sequence[int], places: Sequence[int]) -> None:
        """Serve records (in log order, with whose they are), and before each every due time up to its stamp."""
        if len(owners):
            owner = np.asarray(owners, np.int64)
            order = np.argsort(owner, kind="stable")
            people, begin, count = np.unique(owner[order], return_index=True, return_counts=True)
            nothing = np.full(len(people), -1)
            self._serve(Queue(people, np.asarray(places)[order], begin, begin + count, nothing))

    def due_times(self, people: Sequence[int], until: Sequence[int]) -> None:
        """Serve each person's due times up to `until[p]` (ms)."""
        if len(people):
            person, first = np.unique(np.asarray(people, np.int64), return_index=True)
            none = np.zeros(len(person), np.int64)
            self._serve(Queue(person, np.zeros(0, np.int64), none, none, np.asarray(until)[first]))

    def _serve(self, queue: Queue) -> None:
        size = CHUNK
        while (a_round := self._next(queue, size)) is not None:
            self._play(queue, a_round)
            size = _LATER_CHUNK

    def _next(self, queue: Queue, size: int) -> Round | None:
        """Return the next chunks: per person a due time, if one comes first, then records."""
        fixed = self._work.fixed[queue.people]
        due = np.minimum(fixed["due"], fixed["journey"])
        left = queue.end - queue.begin
        upcoming = queue.until.copy()
        waiting = np.flatnonzero(left)
        upcoming[waiting] = self._batch.stamp[queue.places[queue.begin[waiting]]]
        due_first = due <= upcoming
        which = np.flatnonzero(due_first | (left > 0))
        if not len(which):
            return None
        length = due_first[which] + np.minimum(left[which], size)
        a_round = self._lay_out(queue, which, due_first[which], length, due[which])
        return a_round.shortened(self._until_late(a_round, fixed["high"][which]))

    def _lay_out(self, queue: Queue, which: Ints, due_first: Ints, length: Ints, due: Ints) -> Round:
        person = np.repeat(np.arange(len(which)), length)
        begin = np.cumsum(length) - length
        offset = np.arange(len(person)) - begin[person]
        is_due = due_first[person] & (offset == 0)
        places = np.full(len(person), -1)
        recorded = np.flatnonzero(~is_due)
        mine = person[recorded]
        places[recorded] = queue.places[queue.begin[which][mine] + offset[recorded] - due_first[mine]]
        at = due[person]
        at[recorded] = self._batch.stamp[places[recorded]]
        return Round(which, queue.people[which], Moments(person, at, begin), places)

    def _until_late(self, a_round: Round, high: Ints) -> Ints:
        """Return how many items come before each person's first late one, the first item not counting as late."""
        begin, person = a_round.moments.begin, a_round.moments.person
        happened = np.where(a_round.places >= 0, self._feeds.effective[a_round.places], NEVER)
        happened[begin] = np.maximum(happened[begin], high)
        base = max(int(happened.max()) - (1 << _TIME_BITS) + 2, NEVER)
        key = (person << _TIME_BITS) | (np.maximum(happened - base, 0))
        newest = np.maximum.accumulate(key) & ((1 << _TIME_BITS) - 1)
        late = np.flatnonzero(
            (a_round.places[1:] >= 0) & (happened[1:] - base < newest[:-1]) & (person[1:] == person[:-1])
        )
        lengths = a_round.lengths
        np.minimum.at(lengths, person[late + 1], a_round.offsets[late + 1])
        return lengths

    def _play(self, queue: Queue, a_round: Round) -> None:
        """Evaluate a round, accept what is exact, fold it, and move the queue on."""
        work, moments = self._work, a_round.moments
        fixed = work.fixed[a_round.people]
        people = a_round.people.tolist()
        held = {pick: [work.picks(p)[pick] for p in people] for pick in self._feeds.compared}
        values = read_values(self._feeds, a_round, fixed, [work.tiles[p] for p in people], held)
        found = memberships(values, moments, fixed)
        lengths = self._before_due(a_round, found, fixed)
        lengths = self._decide(a_round, found, fixed, lengths)
        last = moments.begin + lengths - 1
        settle(fixed, found, moments, last)
        for slot, column in enumerate(values.sums):
            fixed["sums"][:, slot] = column[last]
        for slot, column in enumerate(values.lasts):
            fixed["lasts"][:, slot] = column[last]
        if values.runs is not None:
            for p, tiles in zip(people, values.runs.fold(last), strict=True):
                work.tiles[p] = tiles
        self._fold_rest(a_round, fixed, lengths)
        work.fixed[a_round.people] = fixed
        recorded = np.bincount(moments.person, (a_round.places >= 0) & (a_round.offsets < lengths[moments.person]))
        queue.begin[a_round.which] += recorded.astype(np.int64)

    def _before_due(self, a_round: Round, found: Memberships, fixed: Fixed) -> Ints:
        """Return how many items each person has up to the first behind which a due time comes before the next item."""
        person, at = a_round.moments.person, a_round.moments.at
        due = np.minimum(found.flip, fixed["journey"][person])
        cut = np.flatnonzero((due[:-1] <= at[1:]) & (person[1:] == person[:-1]))
        lengths = a_round.lengths
        np.minimum.at(lengths, person[cut], a_round.offsets[cut] + 1)
        return lengths

    def _decide(self, a_round: Round, found: Memberships, fixed: Fixed, lengths: Ints) -> Ints:
        """Let campaigns decide; return the items accepted, fewer where a journey is due before the next item."""
        begin, at = a_round.moments.begin, a_round.moments.at
        for p, moments in self._moments(a_round, found, fixed, lengths).items():
            local = int(a_round.people[p])
            times = at[begin[p] : begin[p] + lengths[p]].tolist()
            decided = self._decider.decide(self._work.name(local), self._work.journal[local], moments, times)
            lengths[p] = decided.accepted + 1
            fixed["journey"][p] = decided.due
            self._take(local, moments, decided)
        return lengths

    def _take(self, local: int, moments: list[Moment], decided: Decided) -> None:
        self._work.journal[local] = decided.journal
        self.made.outbox += decided.outbox
        for moment in moments:
            if moment.offset <= decided.accepted:
                self.made.transitions += moment.transitions

    def _moments(self, a_round: Round, found: Memberships, fixed: Fixed, lengths: Ints) -> dict[int, list[Moment]]:
        """Return, per person of the round, the moments campaigns care about."""
        person, at, places = a_round.moments.person, a_round.moments.at, a_round.places
        counted = a_round.offsets < lengths[person]
        step_due = (places < 0) & (fixed["journey"][person] <= at)
        wanted = counted & (found.changed.any(axis=0) | self._interesting[places] | step_due)
        made: dict[int, list[Moment]] = {}
        by_item: dict[int, Moment] = {}
        for item in np.flatnonzero(wanted).tolist():
            by_item[item] = self._moment(item, a_round)
            made.setdefault(int(person[item]), []).append(by_item[item])
        numbers: dict[tuple[int, int], int] = {}
        for segment, item in changes(found, counted).tolist():
            key = (int(person[item]), segment)
            numbers[key] = numbers.get(key, int(fixed["numbers"][key])) + 1
            entered = bool(found.inside[segment, item])
            by_item[item].transitions.append(self._transition(a_round, item, segment, numbers[key], entered))
        return made

    def _moment(self, item: int, a_round: Round) -> Moment:
        place, at = int(a_round.places[item]), int(a_round.moments.at[item])
        offset = item - int(a_round.moments.begin[a_round.moments.person[item]])
        if place < 0:
            position, stamp = self._timeline.position(at)
            return Moment(offset, at, position, lateness_ms=stamp - at)
        batch = self._batch
        return Moment(
            offset,
            at,
            int(batch.seq[place]),
            name=batch.names[batch.name[place]],
            event=batch.event_id(place),
            live=batch.origin[place] == Origin.LIVE,
            age_ms=at - int(batch.effective[place]),
            properties=batch.properties[place],
            consent=batch.consents.get(place, {}),
            effective_ts=int(batch.effective[place]),
            source=batch.source_of(place) if place in batch.consents else "",
            message_id=batch.message_id[place],
        )

    def _transition(self, a_round: Round, item: int, segment: int, number: int, entered: bool) -> Transition:
        place, at = int(a_round.places[item]), int(a_round.moments.at[item])
        rule = self._work.program.rules[segment]
        name = self._work.name(int(a_round.people[a_round.moments.person[item]]))
        return Transition(
            id=transition_id(self._workspace, name, rule.name, rule.version, number),
            person=name,
            segment=rule.name,
            version=rule.version,
            number=number,
            entered=entered,
            at=at,
            position=int(self._batch.seq[place]) if place >= 0 else self._timeline.position(at)[0],
            origin=int(self._batch.origin[place]) if place >= 0 else int(Origin.LIVE),
        )

    def _fold_rest(self, a_round: Round, fixed: Fixed, lengths: Ints) -> None:
        """Fold what the accepted items bring to picks, and the time of the newest record."""
        person = a_round.moments.person
        items = np.flatnonzero((a_round.offsets < lengths[person]) & (a_round.places >= 0))
        places = a_round.places[items]
        np.maximum.at(fixed["high"], person[items], self._feeds.effective[places])
        for p, place in zip(person[items].tolist(), places.tolist(), strict=True):
            if self._feeds.picked[place]:
                fold_picks(self._feeds, self._batch, place, self._work.picks(int(a_round.people[p])))
