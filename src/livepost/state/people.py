"""Where people's rows stand in the state file: in packs, a newer one counting before an older one.

In: the rows that a step changed. Out: the newest row of everybody. A commit appends its step's rows as packs; once the
packs hold twice the newest rows, it also drops the oldest packs, and carries on in its own those rows of theirs that
have no newer one. Promises: packs are dropped in their order only, so what is left gives the newest however a crash
cuts; a commit takes up a fixed multiple of what its step changed at most, and a pack, and once in a while the newest
small packs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from livepost.state.file import StateFile
from livepost.state.pack import Chosen, Numbers, Pack, full_packs, merged, unpacked
from livepost.state.places import Places, require_numbers

READ_AT_ONCE = 16
"""Packs read in one statement: a longer one would keep the WAL from being moved."""

HEADS_AT_ONCE = 1_000
"""As many of which only the heads are read."""

MANY = 2**63 - 1
"""More than any pack's number."""


@dataclass(frozen=True)
class Bounds:
    """When packs are taken up.

    floor_bytes    what packs may hold before the oldest is, however little of it counts
    held_share     what they may hold, as a multiple of the rows that count: less takes less disk and time to start, and
                   carries more on. At 2 commits write up to twice what their steps changed if few people of many
                   change, and hardly more than once if all do alike
    pace           bytes of old packs that a commit takes up for each byte that its step brings; above
                   held_share / (held_share - 1), or people who never change would let the file grow
    full_bytes     from this length on a pack is full: the least that is taken up at once
    loose_bytes    below it a pack is loose: each takes time when it is read, however little it has
    loose_max      loose packs, the newest, that may be: steps of a few people each would leave a great many
    """

    floor_bytes: int = 32_000_000
    held_share: float = 2.0
    pace: float = 4.0
    full_bytes: int = 262_144
    loose_bytes: int = 32_768
    loose_max: int = 16


USUAL = Bounds()
"""The bounds of a state that nobody says otherwise of."""


@dataclass(frozen=True)
class TakenUp:
    """Old packs that a commit drops, because what counts of them is in its own.

    carried    what counts of them
    through    the last of the oldest that are dropped; -1 if none is
    since      the first of the newest that are dropped; the next number if none is
    freed      bytes of those dropped
    credit     bytes of old packs that may be taken up beyond those that were; below 0 if those were more
    """

    carried: list[Pack]
    through: int
    since: int
    freed: int
    credit: float


@dataclass(frozen=True)
class Change:
    """What a commit does to packs: the new ones, of which the first gets the next number, and those taken up."""

    packs: list[Pack]
    taken: TakenUp


class People:
    """The table `packs` of a state file."""

    def __init__(self, file: StateFile, bounds: Bounds = USUAL) -> None:
        """Find out who stands where; raises StoreError if the file cannot be read."""
        self._file = file
        self._bounds = bounds
        self.load()

    def load(self) -> None:
        """Begin with what the file has, and forget all else."""
        self._places = Places()
        self._loose: list[int] = []
        self._next = self._held = 0
        self._credit = 0.0
        for number, head, body_bytes in self._heads():
            self._note(number, unpacked(head, b""), len(head) + body_bytes)

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Go through (number, row) of all people, in no order."""
        for number, pack in self._packs(READ_AT_ONCE):
            yield from pack.rows(self._places.newest(number, pack.numbers))

    def rows_of(self, numbers: Collection[int]) -> dict[int, bytes]:
        """Return the rows of these people by number; reads each pack that has one of them once, whole."""
        asked = np.sort(np.fromiter(numbers, np.int64, len(numbers)))
        rows: dict[int, bytes] = {}
        for number in np.unique(self._places.packs(asked)).tolist():
            for head, body in self._file.select("SELECT head, body FROM packs WHERE number = ?", (number,)):
                pack = unpacked(head, body)
                rows.update(pack.rows(self._places.newest(number, pack.numbers) & _among(asked, pack.numbers)))
        return rows

    def plan(self, rows: Pack) -> Change:
        """Return what a commit of these rows is to do.

        Raises ValueError for a number that no person can have, StoreError if a pack cannot be read.
        """
        require_numbers(rows.numbers)
        new = list(full_packs(rows, self._bounds.full_bytes))
        taken = self._take_up(np.sort(rows.numbers), _bytes(new))
        return Change(list(merged([*new, *taken.carried], self._bounds.full_bytes)), taken)

    def write(self, change: Change) -> None:
        """Write a planned change, within the commit's transaction."""
        self._file.change("DELETE FROM packs WHERE number <= ?", [(change.taken.through,)])
        self._file.change("DELETE FROM packs WHERE number >= ?", [(change.taken.since,)])
        new = [(number, pack.head, pack.body) for number, pack in enumerate(change.packs, self._next)]
        self._file.change("INSERT INTO packs VALUES (?, ?, ?)", new)

    def apply(self, change: Change) -> None:
        """Take over a change that is committed."""
        self._loose = [number for number in self._loose if change.taken.through < number < change.taken.since]
        self._held -= change.taken.freed
        self._credit = change.taken.credit
        for pack in change.packs:
            self._note(self._next, pack, pack.nbytes)

    def _note(self, number: int, pack: Pack, bytes_held: int) -> None:
        self._places.note(number, pack.numbers, pack.lengths)
        self._loose = [*self._loose, number] if bytes_held < self._bounds.loose_bytes else []
        self._held += bytes_held
        self._next = number + 1

    def _take_up(self, changed: Numbers, brought: int) -> TakenUp:
        """Take up the newest packs if too many are loose, then the oldest until all fits or the credit is used up."""
        carried: list[Pack] = []
        through, since = -1, self._next
        freed = 0
        if len(self._loose) >= self._bounds.loose_max:
            since = self._loose[0]
            for number, pack in self._packs(READ_AT_ONCE, after=since - 1):
                carried.append(pack.only(self._counting(number, pack, changed) | self._deleted(pack, changed)))
                freed += pack.nbytes
        credit = self._credit + self._bounds.pace * brought
        too_much = self._held + brought - self._may_hold()
        oldest = self._packs(1, before=since)
        while too_much > 0 and credit > 0 and (found := next(oldest, None)):
            through, pack = found
            carried.append(pack.only(self._counting(through, pack, changed)))
            freed += pack.nbytes
            credit -= pack.nbytes
            too_much -= pack.nbytes - carried[-1].nbytes
        return TakenUp([pack for pack in carried if len(pack.numbers)], through, since, freed, min(credit, 0.0))

    def _may_hold(self) -> float:
        return max(self._bounds.floor_bytes, self._bounds.held_share * self._places.live_bytes)

    def _counting(self, number: int, pack: Pack, changed: Numbers) -> Chosen:
        """Say who of a pack has no newer row, be it in what changes now."""
        return self._places.newest(number, pack.numbers) & ~_among(changed, pack.numbers)

    def _deleted(self, pack: Pack, changed: Numbers) -> Chosen:
        """Say who of a pack is deleted and stays so: an older pack may have a row of theirs."""
        return self._places.nowhere(pack.numbers) & ~_among(changed, pack.numbers)

    def _packs(self, at_once: int, after: int = -1, before: int = MANY) -> Iterator[tuple[int, Pack]]:
        """Go through packs, the oldest first."""
        for number, head, body in self._all("SELECT number, head, body FROM packs", at_once, after, before):
            yield number, unpacked(head, body)

    def _heads(self) -> Iterator[tuple[int, bytes, int]]:
        """Go through (number, head, bytes of the body) of all packs, the oldest first."""
        yield from self._all("SELECT number, head, length(body) FROM packs", HEADS_AT_ONCE, -1, MANY)

    def _all(self, question: str, at_once: int, after: int, before: int) -> Iterator[tuple[Any, ...]]:
        """Ask for packs in parts, with no statement open in between."""
        sql = f"{question} WHERE number > ? AND number < ? ORDER BY number LIMIT ?"
        while part := self._file.select(sql, (after, before, at_once)):
            yield from part
            after = part[-1][0]


def _bytes(packs: Iterable[Pack]) -> int:
    return sum(pack.nbytes for pack in packs)


def _among(ordered: Numbers, asked: Numbers) -> Chosen:
    """Say of each number asked for whether it is among those in order."""
    if not len(ordered):
        return np.zeros(len(asked), np.bool_)
    found: Chosen = ordered[np.searchsorted(ordered, asked).clip(max=len(ordered) - 1)] == asked
    return found
