"""Rounds: each person's items in order, many people at once, exactly as if one by one.

A round guesses that between a person's items nothing falls due, and evaluates them all. Where a due time does come
before the next item, there is a gap: up to the first one the guess was right, and these items are settled; the due
times are put in, and the next round goes on from there. Evaluating more often never changes an answer, so a due time
that was only a hint does no harm.

Journeys need no evaluation when they fall due: the decider serves them between a person's moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livepost.engine.row import Bools, Fixed, Ints, put
from livepost.engine.values import Values
from livepost.model.moment import Moment
from livepost.process.batch import Batch
from livepost.process.deciding import Decider
from livepost.process.features import read_values
from livepost.process.feeds import Feeds
from livepost.process.happenings import Happenings, Made
from livepost.process.round import DUE, NOT_BEHIND, NOTHING_LEFT, Round, due_round, round_of
from livepost.process.segments import Changes, Memberships, changes, memberships, settle
from livepost.process.timeline import Timeline
from livepost.process.working import Working


@dataclass(frozen=True, eq=False)
class Settled:
    """How far a round is right: per person the `last` item and the time up to which journeys are served (`until`, ms);
    `counted` says of each item whether it is settled.
    """

    last: Ints
    counted: Bools
    until: Ints


class Rounds:
    """Works people's items off. One instance serves a whole step: its levels, merges, and the wave behind them."""

    def __init__(
        self,
        work: Working,
        batch: Batch,
        feeds: Feeds,
        decider: Decider,
        timeline: Timeline,
        workspace: str,
        ready_at: int = -1,
    ) -> None:
        """Begin a step; `ready_at` is the seq of the READY at which people who are settling are evaluated."""
        self.made = Made()
        self._work = work
        self._batch = batch
        self._feeds = feeds
        self._decider = decider
        self._timeline = timeline
        self._happenings = Happenings(batch, work.program, decider, timeline, workspace, ready_at)

    def note(self, place: int) -> None:
        """Show the campaigns this record whatever it is: people were merged at it."""
        self._happenings.interesting[place] = True

    def due_times(self, people: Sequence[int], until: Sequence[int]) -> None:
        """Serve the due times of different people, each up to `until[p]` (ms)."""
        if not people:
            return
        person, limit = np.asarray(people, np.int64), np.asarray(until, np.int64)
        due = self._due(person)
        waiting = np.flatnonzero(due <= limit)
        waiting = waiting[np.argsort(person[waiting])]
        self._serve(due_round(person[waiting], limit[waiting], due[waiting]))

    def records(self, owners: Sequence[int], places: Sequence[int]) -> None:
        """Serve records (in log order, with whose they are), and before each every due time up to its stamp."""
        owner, place = np.array(owners, np.int64), np.array(places, np.int64)
        self._serve(self._with_early(round_of(owner, place, self._batch.stamp[place], NOT_BEHIND)))

    def records_and_due_times(self, owners: Sequence[int], places: Sequence[int], until: int) -> None:
        """Serve records as `records` does, and then the due times of everybody in the step, up to `until` (ms)."""
        owner, place = np.array(owners, np.int64), np.array(places, np.int64)
        waiting = self._waiting(owner, until)
        a_round = round_of(
            np.concatenate([owner, waiting]),
            np.concatenate([place, np.full(len(waiting), DUE)]),
            np.concatenate([self._batch.stamp[place], self._due(waiting)]),
            until,
        )
        self._serve(self._with_early(a_round))

    def _due(self, people: Ints) -> Ints:
        return np.minimum(self._work.fixed["due"][people], self._work.fixed["journey"][people])

    def _waiting(self, owners: Ints, until: int) -> Ints:
        """Return who is due by `until` (ms) and has no record."""
        idle = np.ones(len(self._work), bool)
        idle[owners] = False
        if self._work.gone:
            idle[list(self._work.gone)] = False
        people = np.flatnonzero(idle)
        return people[self._due(people) <= until]

    def _with_early(self, a_round: Round) -> Round:
        """Return the round with what is due before a person's first record put in."""
        begin, due = a_round.moments.begin, self._work.fixed["due"][a_round.people]
        early = np.flatnonzero((due <= a_round.moments.at[begin]) & (a_round.places[begin] != DUE))
        return a_round.with_due(begin[early], due[early], early)

    def _serve(self, a_round: Round) -> None:
        while len(a_round.people):
            a_round = self._play(a_round)

    def _play(self, a_round: Round) -> Round:
        """Evaluate a round and settle it up to each person's first gap; return the rest, with the due times put in."""
        work, moments = self._work, a_round.moments
        fixed = np.take(work.fixed, a_round.people)  # numpy's indexing copies structures field by field
        people = a_round.people.tolist()
        held = [work.picks(p) for p in people] if self._feeds.compared else []
        values = read_values(self._feeds, a_round, fixed, list(map(work.tiles.__getitem__, people)), held)
        found = memberships(values, moments, fixed)
        gaps = a_round.gaps(found.flip)
        settled = _settled(a_round, gaps)
        self._settle(a_round, people, fixed, values, found, settled)
        if not len(gaps):
            return NOTHING_LEFT
        left = np.insert(~settled.counted, gaps + 1, values=True)
        return a_round.with_due(gaps + 1, found.flip[gaps], moments.person[gaps]).only(left)

    def _settle(
        self, a_round: Round, people: list[int], fixed: Fixed, values: Values, found: Memberships, settled: Settled
    ) -> None:
        """Fold the items that are settled, and tell what happened at them."""
        changed = changes(found, a_round.moments, fixed, settled.counted)
        settle(fixed, found, a_round.moments, settled.last, changed)
        _keep_numbers(fixed, values, settled.last)
        self._bring_picks(a_round, settled.counted)
        self._decide(a_round, people, changed, fixed, settled)
        put(self._work.fixed, a_round.people, fixed)
        if values.runs is not None:
            kept = self._work.tiles
            for local, tiles in zip(people, values.runs.fold(settled.last), strict=True):
                kept[local] = tiles

    def _bring_picks(self, a_round: Round, counted: Bools) -> None:
        """Let what records bring to their people's picks wait in the rows (`engine.picks.brought`)."""
        items = np.flatnonzero(counted & self._feeds.brings[a_round.places])
        if not len(items):
            return
        brought = list(map(self._feeds.brought.__getitem__, a_round.places[items].tolist()))
        self._work.wait(a_round.people[a_round.moments.person[items]].tolist(), brought)

    def _decide(self, a_round: Round, people: list[int], changed: Changes, fixed: Fixed, settled: Settled) -> None:
        """Make transitions, and let campaigns decide for whom something of interest happened or a journey is due."""
        settling = a_round.firsts_of(fixed["settling"])
        work = self._work
        transitions = self._happenings.transitions(
            a_round, changed, settling, lambda persons: work.names(a_round.people[persons].tolist())
        )
        self.made.transitions += transitions
        moments = self._happenings.moments(a_round, changed, settled.counted, settling, transitions)
        fixed["settling"] = False  # the first item of a round is always settled
        waiting = np.flatnonzero(fixed["journey"] <= settled.until)
        concerned = [*dict.fromkeys([*moments, *waiting.tolist()])]
        if concerned:
            told = [moments.get(p, ()) for p in concerned]
            fixed["journey"][concerned] = self._decided(
                [people[p] for p in concerned], told, settled.until[concerned].tolist()
            )

    def _decided(self, people: Sequence[int], told: Sequence[Sequence[Moment]], until: Sequence[int]) -> list[int]:
        """Let campaigns decide for people (local numbers), who are told of so many moments each, up to `until` (ms);
        return when the next journey of each is due.
        """
        work, made, decide, position = self._work, self.made, self._decider.decide, self._timeline.position
        due: list[int] = []
        for local, name, moments, end in zip(people, work.names(people), told, until, strict=True):
            journal = work.journal(local)
            decided = decide(name, journal, [*work.asked(local), *moments], end, position)
            if decided.journal != journal:
                work.set_journal(local, decided.journal)
            made.outbox += decided.outbox
            if decided.not_fresh:
                made.not_fresh.update(decided.not_fresh)
            due.append(decided.due)
        return due


def _settled(a_round: Round, gaps: Ints) -> Settled:
    """Return how far a round is right that has gaps behind the items `gaps`: all the way for who has none."""
    moments, last = a_round.moments, a_round.moments.end - 1
    until = np.maximum(a_round.until, moments.at[last])
    if not len(gaps):
        return Settled(last, np.ones(len(moments.at), bool), until)
    person = moments.person[gaps]
    np.minimum.at(last, person, gaps)
    until[person] = moments.at[last[person]]
    return Settled(last, np.arange(len(moments.at)) <= last[moments.person], until)


def _keep_numbers(fixed: Fixed, values: Values, last: Ints) -> None:
    """Write into `fixed` the lifetime sums and lasts after each person's last item."""
    for slot, column in enumerate(values.sums):
        fixed["sums"][:, slot] = column[last]
    for slot, column in enumerate(values.lasts):
        fixed["lasts"][:, slot] = column[last]
