"""Step 4, identify: whose record it is, and where a mention makes one person of two.

Merges are facts in log order. So that a batch need not stop at each, records are put into levels: a merge and what
follows it for that person stand one level above what came before. Levels are worked one after the other; within a level
nobody merges. A mention of somebody never seen needs no level: there is nothing to merge.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from livepost.engine.row import Ints
from livepost.identity import Marks, kept_apart, may_merge
from livepost.model.decision import Merge
from livepost.model.record import KeyKind
from livepost.process.batch import Batch
from livepost.process.people import People
from livepost.process.working import Working

ALIAS = "$alias"


@dataclass(frozen=True)
class Joining:
    """At the record `place`, `loser` becomes part of `winner` (local numbers)."""

    winner: int
    loser: int
    place: int


@dataclass
class Level:
    """Records (`places`, in log order) with whose they are (`owners`), after the level's merges."""

    owners: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    joinings: list[Joining] = field(default_factory=list)


def identify(batch: Batch, people: People, work: Working) -> tuple[list[Level], list[Merge]]:
    """Return the levels of the batch's living records, and the merges to tell others of."""
    planner = _Planner(batch, people, work)
    planner.take(np.flatnonzero(batch.alive))
    return planner.levels, planner.merges


class _Planner:
    def __init__(self, batch: Batch, people: People, work: Working) -> None:
        self.levels = [Level()]
        self.merges: list[Merge] = []
        self._batch = batch
        self._people = people
        self._work = work
        self._person: dict[bytes, int] = {}
        self._into: dict[int, int] = {}
        self._level: dict[int, int] = {}
        self._touched: set[int] = set()
        self._marks: dict[int, Marks] = {}

    def take(self, at: Ints) -> None:
        """Put each record, in log order, into its level, under whose it is by then."""
        places: list[int] = at.tolist()
        subjects = list(map(self._batch.subject.__getitem__, places))
        known = dict(zip(subjects, (self._batch.known[at] == 1).tolist(), strict=True))
        self._person = self._work.bring_subjects(self._mentioned(places) | known)
        owners = list(map(self._person.__getitem__, subjects))
        if self._batch.mentions:
            self._merge_on_the_way(places, owners)
        else:
            self.levels = [Level(owners, places)]

    def _merge_on_the_way(self, places: list[int], owners: list[int]) -> None:
        mentions, level_of, touched = self._batch.mentions, self._level, self._touched
        for place, named in zip(places, owners, strict=True):
            owner = self._whole(named)
            if place in mentions:
                owner = self._link(place, owner)
            level = self.levels[level_of.get(owner, 0)]
            level.owners.append(owner)
            level.places.append(place)
            touched.add(owner)

    def _link(self, place: int, owner: int) -> int:
        """Merge the record's person with those it mentions, where they may; return whose the record is then."""
        for mention in self._batch.mentions[place]:
            other = self._whole(self._person[mention.subject])
            if other != owner and self._may_merge(place, mention.known, owner, other):
                owner = self._merge(place, owner, other)
        return owner

    def _mentioned(self, places: list[int]) -> dict[bytes, bool]:
        """Return every subject that a record mentions, with whether it is known."""
        mentions = self._batch.mentions
        return {m.subject: m.known for place in places for m in mentions.get(place, ())} if mentions else {}

    def _may_merge(self, place: int, by_key: bool, a: int, b: int) -> bool:
        """Say whether two become one; what is mentioned beside a subject and known is a declared key (intake)."""
        batch, work = self._batch, self._work
        secret = batch.key[place] == KeyKind.SECRET
        alias = secret and batch.names[batch.name[place]] == ALIAS
        if not alias and self._people.apart and kept_apart(self._marks_of(a), self._marks_of(b)):
            return False
        return may_merge(work.is_known(a), work.is_known(b), said_by_secret_key=bool(alias or (secret and by_key)))

    def _marks_of(self, person: int) -> Marks:
        """Return the person's marks, with those of whoever became part of them on the way."""
        if person not in self._marks:
            self._marks[person] = self._people.apart.marks_of(self._work.subjects(person))
        return self._marks[person]

    def _merge(self, place: int, a: int, b: int) -> int:
        work = self._work
        winner, loser = work.winner(a, b)
        self.merges.append(Merge(old=work.name(loser), new=work.name(winner), position=int(self._batch.seq[place])))
        self._into[loser] = winner
        if self._people.apart:
            self._marks[winner] = self._marks_of(winner) | self._marks_of(loser)
        if work.is_new(loser) and loser not in self._touched:
            work.bind(winner, loser)
            return winner
        level = max(self._level.get(a, 0), self._level.get(b, 0)) + 1
        if level == len(self.levels):
            self.levels.append(Level())
        self._level[winner] = level
        self.levels[level].joinings.append(Joining(winner, loser, place))
        self._touched.add(winner)
        return winner

    def _whole(self, person: int) -> int:
        """Return the person that this one is part of by now."""
        while person in self._into:
            person = self._into[person]
        return person
