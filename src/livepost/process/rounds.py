"""Rounds: each person's items in order, many people at once, exactly as if one by one.

A round guesses that between a person's items nothing falls due, and evaluates them all. Where a due time does come
before the next item, it is put in and that person evaluated again, until the guess is right; who has no such gap is
settled. Evaluating more often never changes an answer, so a due time that was only a hint does no harm.

Journeys need no evaluation when they fall due: the decider serves them between a person's moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from livepost.engine.membership import Values
from livepost.engine.row import Bools, Fixed, Ints
from livepost.process.batch import Batch
from livepost.process.deciding import Decider
from livepost.process.features import read_values
from livepost.process.feeds import Feeds
from livepost.process.happenings import Happenings, Made
from livepost.process.round import Round, due_round, records_round
from livepost.process.segments import Changes, Memberships, changes, memberships, settle
from livepost.process.timeline import Timeline
from livepost.process.working import Working


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
        self._happenings = Happenings(batch, work.program, decider, timeline, workspace)

    def note(self, place: int) -> None:
        """Show the campaigns this record whatever it is: people were merged at it."""
        self._happenings.interesting[place] = True

    def records(self, owners: Sequence[int], places: Sequence[int]) -> None:
        """Serve records (in log order, with whose they are), and before each every due time up to its stamp."""
        if len(owners):
            a_round = records_round(owners, places, self._batch.stamp)
            moments, due = a_round.moments, self._work.fixed["due"][a_round.people]
            early = np.flatnonzero(due <= moments.at[moments.begin])
            self._serve(a_round.with_due(moments.begin[early], due[early], early))

    def due_times(self, people: Sequence[int], until: Sequence[int]) -> None:
        """Serve the due times of different people, each up to `until[p]` (ms)."""
        person, limit = np.asarray(people, np.int64), np.asarray(until, np.int64)
        fixed = self._work.fixed[person]
        due = np.minimum(fixed["due"], fixed["journey"])
        waiting = np.flatnonzero(due <= limit)
        waiting = waiting[np.argsort(person[waiting])]
        self._serve(due_round(person[waiting], limit[waiting], due[waiting]))

    def _serve(self, a_round: Round) -> None:
        while len(a_round.people):
            a_round = self._play(a_round)

    def _play(self, a_round: Round) -> Round:
        """Evaluate a round and settle who has no gap; return the others, with the due times put in."""
        work, moments = self._work, a_round.moments
        fixed = work.fixed[a_round.people]
        people = a_round.people.tolist()
        held = {pick: [work.picks(p)[pick] for p in people] for pick in self._feeds.compared}
        values = read_values(self._feeds, a_round, fixed, [work.row[p].tiles for p in people], held)
        found = memberships(values, moments, fixed)
        gaps = a_round.gaps(found.flip)
        person = moments.person[gaps]
        settled = np.ones(len(a_round.people), bool)
        settled[person] = False
        self._settle(a_round, fixed, values, found, settled)
        return a_round.with_due(gaps + 1, found.flip[gaps], person).only(~settled)

    def _settle(self, a_round: Round, fixed: Fixed, values: Values, found: Memberships, settled: Bools) -> None:
        """Fold what the round brought to the people who are settled, and tell what happened to them."""
        counted = settled[a_round.moments.person]
        changed = changes(found, a_round.moments, fixed, counted)
        settle(fixed, found, a_round.moments)
        _keep_numbers(fixed, values, a_round.moments.end - 1)
        self._bring_picks(a_round, counted)
        self._decide(a_round, changed, counted, fixed, settled)
        which = np.flatnonzero(settled)
        self._work.fixed[a_round.people[which]] = fixed[which]
        if values.runs is not None:
            tiles = values.runs.fold()
            for p, person in zip(which.tolist(), a_round.people[which].tolist(), strict=True):
                self._work.row[person].tiles = tiles[p]

    def _bring_picks(self, a_round: Round, counted: Bools) -> None:
        items = np.flatnonzero(counted & self._feeds.brings[a_round.places])
        brought = [self._feeds.brought[place] for place in a_round.places[items].tolist()]
        person, begin = np.unique(a_round.people[a_round.moments.person[items]], return_index=True)
        for local, some in zip(person.tolist(), pairwise([*begin.tolist(), len(items)]), strict=True):
            self._work.bring_picks(local, brought[slice(*some)])

    def _decide(self, a_round: Round, changed: Changes, counted: Bools, fixed: Fixed, settled: Bools) -> None:
        """Make transitions, and let campaigns decide for whom something of interest happened or a journey is due."""
        transitions = self._happenings.transitions(a_round, changed, self._work.name)
        self.made.transitions += transitions
        moments = self._happenings.moments(a_round, changed, counted, transitions)
        until = np.maximum(a_round.until, a_round.moments.at[a_round.moments.end - 1])
        due = np.flatnonzero(settled & (fixed["journey"] <= until)).tolist()
        for p in dict.fromkeys([*moments, *due]):
            row = self._work.row[int(a_round.people[p])]
            decided = self._decider.decide(
                row.name,
                row.journal,
                moments.get(p, ()),
                int(until[p]),
                self._timeline.position,
            )
            row.journal = decided.journal
            self.made.outbox += decided.outbox
            fixed["journey"][p] = decided.due


def _keep_numbers(fixed: Fixed, values: Values, last: Ints) -> None:
    """Write into `fixed` the lifetime sums and lasts after each person's last item."""
    for slot, column in enumerate(values.sums):
        fixed["sums"][:, slot] = column[last]
    for slot, column in enumerate(values.lasts):
        fixed["lasts"][:, slot] = column[last]
