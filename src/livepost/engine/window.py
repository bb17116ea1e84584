"""Windowed sums of many people at many moments at once, from one sorted array and one cumulative sum (SPEED, 4-5).

A *run* is the tiles of one (person, slot) in order of time: the state's first, behind them the batch's new ones in log
order. A round is cut so that only a person's first record in it may be late, so "all tiles up to item i" is a prefix
of the run, and a window is a difference of two entries of the cumulative sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livepost.engine.program import TileSlot
from livepost.engine.row import TILE, Ints
from livepost.model.moment import NO_DUE

SECOND_MS = 1000
_PERSON_BIT = 40
_SLOT_BIT = 32
_START_MASK = (1 << _SLOT_BIT) - 1


@dataclass(frozen=True)
class Moments:
    """The items of a round: `person` (local, ascending) and time `at` (ms) each; `begin[p]` is p's first item."""

    person: Ints
    at: Ints
    begin: Ints


@dataclass(frozen=True)
class Feeding:
    """What the round's records bring to one slot: item `items[j]` (ascending) adds `values[j]` at `effective[j]` ms."""

    items: Ints
    effective: Ints
    values: Ints


class Runs:
    """All tiles of a round, sorted by (person, slot, start, order), with prefix sums over all of them."""

    def __init__(self, slots: list[TileSlot], state: list[bytes], fed: list[Feeding], moments: Moments) -> None:
        self._slots = slots
        self._moments = moments
        self._windows: dict[int, tuple[Ints, Ints]] = {}
        tiles = np.frombuffer(b"".join(state), TILE)
        owner = np.repeat(np.arange(len(state)), [len(raw) // TILE.itemsize for raw in state])
        keys = [_key(owner, tiles["slot"], tiles["start"])]
        keys += [
            _key(
                moments.person[f.items],
                slot.number,
                np.maximum(f.effective // slot.grid_ms, 0) * (slot.grid_ms // SECOND_MS),
            )
            for slot, f in zip(slots, fed, strict=True)
        ]
        key = np.concatenate(keys)
        order = np.argsort(key, kind="stable")
        self._key = key[order]
        self._value = np.concatenate([tiles["value"], *[f.values for f in fed]])[order]
        self._item = np.concatenate([np.full(len(tiles), -1), *[f.items for f in fed]])[order]
        self._sum = np.concatenate([[0], np.cumsum(self._value)])
        self._growing = not bool((self._value < 0).any())
        self._old_end = self._count_runs(owner * len(slots) + tiles["slot"], fed)
        self._new = [_cumulative(f.items, moments) for f in fed]

    def _count_runs(self, old: Ints, fed: list[Feeding]) -> Ints:
        """Return, per (person, slot), where its state tiles would end if no new one were late."""
        width = len(self._slots)
        runs = len(self._moments.begin) * width
        old_count = np.bincount(old, minlength=runs)
        new = [self._moments.person[f.items] * width + s.number for s, f in zip(self._slots, fed, strict=True)]
        count = old_count + np.bincount(np.concatenate(new), minlength=runs)
        return np.concatenate([[0], np.cumsum(count)[:-1]]) + old_count

    def sums(self, slot: int) -> Ints:
        """Return the slot's windowed sum at each item."""
        low, high = self._window(slot)
        return self._sum[high] - self._sum[low]

    def next_expiry(self, slot: int) -> Ints:
        """Return when the oldest tile in each item's window leaves it (ms); NO_DUE where the window is empty."""
        low, high = self._window(slot)
        return self._expiry(slot, low, low < high)

    def falls_below(self, slot: int, least: Ints) -> Ints:
        """Return when each item's sum, now >= `least`, falls below it by expiry alone (ms).

        NO_DUE where it is below already or never falls. With negative values about (refunds) sums do not only fall:
        then it is the next expiry, a hint that is early and never late.
        """
        if not self._growing:
            return self.next_expiry(slot)
        low, high = self._window(slot)
        carrier = np.searchsorted(self._sum, self._sum[high] - least, side="right")
        falls = (self._sum[high] - self._sum[low] >= least) & (least > 0)
        return self._expiry(slot, np.maximum(carrier - 1, 0), falls)

    def fold(self, last_item: Ints) -> list[bytes]:
        """Return each person's tiles after their item `last_item[p]`: later ones left out, expired ones dropped."""
        person = self._key >> _PERSON_BIT
        slot = (self._key >> _SLOT_BIT) & 0xFF
        ends_at = self._moments.at[last_item]
        over = np.array([s.over_ms for s in self._slots])
        grid = np.array([s.grid_ms for s in self._slots])
        oldest = (ends_at[person] - over[slot]) // grid[slot] * (grid[slot] // SECOND_MS)
        kept = (self._item <= last_item[person]) & ((self._key & _START_MASK) >= oldest)
        return _merge_equal(self._key[kept], self._value[kept], len(last_item))

    def _window(self, slot: int) -> tuple[Ints, Ints]:
        """Return the bounds [low, high) of the slot's window at each item, as places in the sorted tiles."""
        if slot not in self._windows:
            spec, moments = self._slots[slot], self._moments
            start = np.maximum((moments.at - spec.over_ms) // spec.grid_ms * (spec.grid_ms // SECOND_MS), 0)
            high = self._old_end[moments.person * len(self._slots) + slot] + self._new[slot]
            low = np.searchsorted(self._key, _key(moments.person, slot, start))
            self._windows[slot] = (np.minimum(low, high), high)
        return self._windows[slot]

    def _expiry(self, slot: int, place: Ints, valid: np.ndarray) -> Ints:
        spec = self._slots[slot]
        if not len(self._key):
            return np.full(len(place), NO_DUE)
        start = (self._key[np.minimum(place, len(self._key) - 1)] & _START_MASK) * SECOND_MS
        return np.where(valid, start + spec.grid_ms + spec.over_ms, NO_DUE)


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


def _key(person: Ints, slot: Ints | int, start: Ints) -> Ints:
    """Pack (person, slot, start in seconds) into one ascending integer; slots below 256, starts below 2^32."""
    return (
        (np.asarray(person, np.int64) << _PERSON_BIT)
        | (np.asarray(slot, np.int64) << _SLOT_BIT)
        | np.asarray(start, np.int64)
    )


def _cumulative(items: Ints, moments: Moments) -> Ints:
    """Return, at each item, how many of `items` came up to it for the same person."""
    came = np.bincount(items, minlength=len(moments.at))
    total = np.cumsum(came)
    before = (total - came)[moments.begin]
    return total - before[moments.person]


def _merge_equal(key: Ints, value: Ints, people: int) -> list[bytes]:
    """Return per person (0..people-1) the packed tiles of sorted keys, equal ones added up."""
    if not len(key):
        return [b""] * people
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    tiles = np.empty(len(first), TILE)
    tiles["slot"] = (key[first] >> _SLOT_BIT) & 0xFF
    tiles["start"] = key[first] & _START_MASK
    tiles["value"] = np.add.reduceat(value, first)
    raw = tiles.tobytes()
    ends = np.searchsorted(key[first], np.arange(1, people + 1) << _PERSON_BIT) * TILE.itemsize
    begins = [0, *ends[:-1].tolist()]
    return [raw[a:b] for a, b in zip(begins, ends.tolist(), strict=True)]
