"""Windowed sums of many people at many moments at once (SPEED, 4-5).

A tile counts from the item that brought it until the first item at which it has expired. So the sums at all items are
one running total of what comes and what goes, whatever the order in which records happened.

When a sum will fall below a threshold is read from the *runs*: the tiles of one (person, slot) in order of time, with
one cumulative sum over all of them. That needs tiles that came in order; a late one is left out there, which makes the
answer early and never late.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from livepost.engine.program import TileSlot
from livepost.engine.row import TILE, Bools, Ints
from livepost.model.moment import NO_DUE

SECOND_MS = 1000
_PERSON_BIT = 40
_SLOT_BIT = 32
_SLOT_MASK = 0xFF
_START_MASK = (1 << _SLOT_BIT) - 1


@dataclass(frozen=True)
class Moments:
    """The items of a round: `person` (local, ascending) and time `at` (ms, ascending for a person) each.

    `begin[p]` is p's first item; everybody has one.
    """

    person: Ints
    at: Ints
    begin: Ints

    @cached_property
    def end(self) -> Ints:
        """The item behind each person's last."""
        return np.append(self.begin[1:], len(self.at))


@dataclass(frozen=True)
class Feeding:
    """What the round's records bring to one slot: item `items[j]` (ascending) adds `values[j]` at `effective[j]` ms."""

    items: Ints
    effective: Ints
    values: Ints


class Runs:
    """All tiles of a round, sorted by (person, slot, start, order of coming)."""

    def __init__(self, slots: list[TileSlot], state: list[bytes], fed: list[Feeding], moments: Moments) -> None:
        self._slots = slots
        self._moments = moments
        self._key, self._value, self._came = _sorted_tiles(slots, state, fed, moments)
        self._person = self._key >> _PERSON_BIT
        self._slot = (self._key >> _SLOT_BIT) & _SLOT_MASK
        span = np.array([slot.grid_ms + slot.over_ms for slot in slots])
        self._expiry = (self._key & _START_MASK) * SECOND_MS + span[self._slot]
        self._gone = self._first_item_without()

    def sums(self, slot: int) -> Ints:
        """Return the slot's windowed sum at each item."""
        return self._sums[slot]

    def next_expiry(self, slot: int) -> Ints:
        """Return when the oldest tile in each item's window leaves it (ms); NO_DUE where the window is empty.

        It may name a tile that a later item of the round brings: early perhaps, never late.
        """
        low, end = self._low[slot], self._run_end[slot]
        return self._expiry_at(low, low < end)

    def falls_below(self, slot: int, least: Ints) -> Ints:
        """Return when each item's sum, now >= `least`, falls below it by expiry alone (ms); maybe earlier.

        NO_DUE where it is below already or never falls. With negative values about (refunds) sums do not only fall:
        then it is the next expiry.
        """
        low, high = self._low[slot], self._high[slot]
        total = self._total
        carrier = np.searchsorted(total, total[high] - least, side="right") - 1
        falls = (total[high] - total[low] >= least) & (least > 0)
        exact = self._expiry_at(np.maximum(carrier, 0), falls)
        unsure = self._mixed(slot) | (~falls & (self._sums[slot] >= least) & (least > 0))
        return np.where(unsure, self.next_expiry(slot), exact) if unsure.any() else exact

    def fold(self) -> list[bytes]:
        """Return each person's tiles after their last item, without those that have expired."""
        last = self._moments.at[self._moments.end - 1]
        kept = self._expiry > last[self._person]
        return _merge_equal(self._key[kept], self._value[kept], len(last))

    @cached_property
    def _sums(self) -> Ints:
        """Per slot and item: the running total of what came less what has gone."""
        gone = np.maximum(self._gone, self._came)
        changes = np.zeros(self._shape, np.int64)
        np.add.at(changes.ravel(), self._flat(self._came), self._value)
        np.subtract.at(changes.ravel(), self._flat(gone), self._value)
        return np.cumsum(changes, axis=1)[:, :-1]

    @cached_property
    def _low(self) -> Ints:
        """Per slot and item: the place of the oldest tile in the window."""
        return self._places(self._gone)

    @cached_property
    def _high(self) -> Ints:
        """Per slot and item: the place behind the newest tile that came in order; never before `_low`."""
        return np.maximum(self._places(self._came_in_order), self._low)

    @cached_property
    def _total(self) -> Ints:
        """The cumulative sum over all tiles, late ones and those of mixed runs counting nothing."""
        counted = np.where(self._late | self._mixed_tiles, 0, self._value)
        return np.concatenate([[0], np.cumsum(counted)])

    @cached_property
    def _came_in_order(self) -> Ints:
        """The first item that brought this tile or a newer one of the run: ascending in a run."""
        width = len(self._moments.at) + 1
        run = (self._key >> _SLOT_BIT) * width
        return np.minimum.accumulate((run + self._came)[::-1])[::-1] - run

    @property
    def _late(self) -> Bools:
        return self._came_in_order < self._came

    @cached_property
    def _mixed_runs(self) -> Ints:
        """The (person, slot) with negative values, as the upper bits of a key."""
        return np.unique(self._key[self._value < 0] >> _SLOT_BIT)

    @cached_property
    def _mixed_tiles(self) -> Bools:
        return np.isin(self._key >> _SLOT_BIT, self._mixed_runs)

    def _mixed(self, slot: int) -> Bools:
        if not len(self._mixed_runs):
            return np.zeros(len(self._moments.at), bool)
        return np.isin(_key(self._moments.person, slot, 0) >> _SLOT_BIT, self._mixed_runs)

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self._slots), len(self._moments.at) + 1

    def _flat(self, items: Ints) -> Ints:
        return self._slot * self._shape[1] + items

    @cached_property
    def _run_counts(self) -> Ints:
        """Tiles per person and slot."""
        people, width = len(self._moments.begin), len(self._slots)
        return np.bincount(self._person * width + self._slot, minlength=people * width).reshape(people, width)

    @cached_property
    def _run_end(self) -> Ints:
        """Per slot and item: the place behind the run."""
        ends = np.cumsum(self._run_counts.ravel()).reshape(self._run_counts.shape)
        return ends.T[:, self._moments.person]

    def _places(self, items: Ints) -> Ints:
        """Return, per slot and item i, the place in its run behind the tiles whose `items` is <= i.

        `items` must ascend along each run.
        """
        passed = np.bincount(self._flat(items), minlength=self._shape[0] * self._shape[1]).reshape(self._shape)
        counts = self._run_counts
        begin = np.cumsum(counts.ravel()).reshape(counts.shape) - counts
        others = np.cumsum(counts, axis=0) - counts
        return np.cumsum(passed, axis=1)[:, :-1] + (begin - others).T[:, self._moments.person]

    def _first_item_without(self) -> Ints:
        """Return, per tile, the person's first item at or after its expiry; the one behind their last if none is."""
        moments = self._moments
        gone = moments.end[self._person]
        leaving = np.flatnonzero(self._expiry <= moments.at[gone - 1])
        if len(leaving):
            base, newest = int(moments.at.min()), int(moments.at.max())
            span = newest - base + 1
            times = moments.person * span + (moments.at - base)
            expiry = self._person[leaving] * span + np.maximum(self._expiry[leaving] - base, 0)
            gone[leaving] = np.searchsorted(times, expiry)
        return gone

    def _expiry_at(self, place: Ints, valid: Bools) -> Ints:
        if not len(self._expiry):
            return np.full(len(place), NO_DUE)
        return np.where(valid, self._expiry[np.minimum(place, len(self._expiry) - 1)], NO_DUE)


def tiles_between(raw: bytes, slot: TileSlot, at: int) -> int:
    """Return one person's windowed sum of a slot at `at` (ms): the plain form, for reading a single person."""
    tiles = np.frombuffer(raw, TILE)
    start = (at - slot.over_ms) // slot.grid_ms * (slot.grid_ms // SECOND_MS)
    return int(tiles["value"][(tiles["slot"] == slot.number) & (tiles["start"] >= start)].sum())


def join_tiles(left: bytes, right: bytes) -> bytes:
    """Return the tiles of two people become one: equal tiles add."""
    tiles = np.frombuffer(left + right, TILE)
    key = _key(np.zeros(len(tiles), np.int64), tiles["slot"], tiles["start"])
    order = np.argsort(key, kind="stable")
    return _merge_equal(key[order], tiles["value"][order], 1)[0]


def _sorted_tiles(
    slots: list[TileSlot], state: list[bytes], fed: list[Feeding], moments: Moments
) -> tuple[Ints, Ints, Ints]:
    """Return (key, value, item that brought it) of all tiles; what the state holds came with the person's first."""
    tiles = np.frombuffer(b"".join(state), TILE)
    owner = np.repeat(np.arange(len(state)), [len(raw) // TILE.itemsize for raw in state])
    keys = [_key(owner, tiles["slot"], tiles["start"])]
    keys += [_key(moments.person[f.items], slot.number, _start(slot, f)) for slot, f in zip(slots, fed, strict=True)]
    key = np.concatenate(keys)
    order = np.argsort(key, kind="stable")
    value = np.concatenate([tiles["value"], *[f.values for f in fed]])
    came = np.concatenate([moments.begin[owner], *[f.items for f in fed]])
    return key[order], value[order], came[order]


def _start(slot: TileSlot, fed: Feeding) -> Ints:
    return np.maximum(fed.effective // slot.grid_ms, 0) * (slot.grid_ms // SECOND_MS)


def _key(person: Ints, slot: npt.ArrayLike, start: npt.ArrayLike) -> Ints:
    """Pack (person, slot, start in seconds) into one ascending integer; slots below 256, starts below 2^32."""
    return (
        (np.asarray(person, np.int64) << _PERSON_BIT)
        | (np.asarray(slot, np.int64) << _SLOT_BIT)
        | np.asarray(start, np.int64)
    )


def _merge_equal(key: Ints, value: Ints, people: int) -> list[bytes]:
    """Return per person (0..people-1) the packed tiles of sorted keys, equal ones added up."""
    if not len(key):
        return [b""] * people
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    tiles = np.empty(len(first), TILE)
    tiles["slot"] = (key[first] >> _SLOT_BIT) & _SLOT_MASK
    tiles["start"] = key[first] & _START_MASK
    tiles["value"] = np.add.reduceat(value, first)
    raw = tiles.tobytes()
    ends = (np.searchsorted(key[first], np.arange(1, people + 1) << _PERSON_BIT) * TILE.itemsize).tolist()
    return [raw[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
