"""A round: items of many people side by side. A person's items are their due times and records, in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livepost.engine.row import Bools, Ints
from livepost.engine.window import Moments

DUE = -1
"""The place of an item that is no record: a due time."""

NOT_BEHIND = -1
"""`until` (ms) where due times behind a person's last item are not to be served."""


@dataclass(frozen=True)
class Round:
    """The items of `people` (local numbers, ascending, each with at least one): `places` in the batch, or DUE.

    until   how far (ms) each person's due times are served behind their last item; NOT_BEHIND: not at all
    """

    people: Ints
    until: Ints
    moments: Moments
    places: Ints

    def gaps(self, due: Ints) -> Ints:
        """Return the items behind which a due time, `due[i]` (ms), comes before the person's next item.

        What is due at the stamp of a record comes before it; at another due time it is served there.
        """
        latest = np.empty_like(self.moments.at)
        np.subtract(self.moments.at[1:], self.places[1:] == DUE, out=latest[:-1])
        latest[self.moments.end - 1] = self.until
        return np.flatnonzero(due <= latest)

    def firsts_of(self, people: Bools) -> Bools:
        """Say of each item whether it is the first of one of these people."""
        firsts = np.zeros(len(self.places), bool)
        firsts[self.moments.begin[people]] = True
        return firsts

    def with_due(self, before: Ints, due: Ints, person: Ints) -> Round:
        """Return the round with due times (ms) put in before the items `before`, for the persons in the round."""
        if not len(before):
            return self
        return _round(
            self.people,
            self.until,
            np.insert(self.moments.person, before, person),
            np.insert(self.moments.at, before, due),
            np.insert(self.places, before, DUE),
        )

    def only(self, kept: Bools) -> Round:
        """Return the round with only some of its items, and whose they are."""
        which, person = _distinct(self.moments.person[kept])
        return _round(self.people[which], self.until[which], person, self.moments.at[kept], self.places[kept])


def round_of(owners: Ints, places: Ints, at: Ints, until: int) -> Round:
    """Return the round of items, each person's in order: whose they are, places (or DUE) and times (ms).

    Due times behind the last items are served up to `until` (ms).
    """
    order = np.argsort(owners, kind="stable")
    which, person = _distinct(owners[order])
    return _round(which, np.full(len(which), until), person, at[order], places[order])


def due_round(people: Ints, until: Ints, due: Ints) -> Round:
    """Return the round of one due time (ms) for each of the people, to be served on up to `until` (ms)."""
    person = np.arange(len(people))
    return _round(people, until, person, due, np.full(len(people), DUE))


def _distinct(ascending: Ints) -> tuple[Ints, Ints]:
    """Return what there is, each once, and which of it each is."""
    new = np.empty(len(ascending), bool)
    new[:1] = True
    np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
    return ascending[new], np.cumsum(new) - 1


def _round(people: Ints, until: Ints, person: Ints, at: Ints, places: Ints) -> Round:
    return Round(people, until, Moments(person, at, np.searchsorted(person, np.arange(len(people)))), places)


NOTHING_LEFT = round_of(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), NOT_BEHIND)
"""The round that nothing is left of."""
