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
from livepost.engine.tiles import SECOND_MS, Windows
from livepost.model.moment import NO_DUE

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
        end = np.empty_like(self.begin)
        end[:-1] = self.begin[1:]
        end[-1:] = len(self.at)
        return end


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
        self._windows = Windows([slot.window for slot in slots])
        self._expiry = self._windows.leaves(self._slot, (self._key & _START_MASK) * SECOND_MS)
        self._gone = self._first_item_without()

    def sums(self, slot: int | Ints) -> Ints:
        """Return the slot's windowed sum at each item; a row each of several slots."""
        return self._sums[slot]

    def next_expiry(self, slot: int) -> Ints:
        """Return when the oldest tile in each item's window leaves it (ms); NO_DUE where the window is empty.

        Answers are for the time up to the person's next item: NO_DUE may stand where nothing leaves before that. A tile
        that a later item brings may be named: early perhaps, never late.
        """
        items = np.flatnonzero(self._loses[slot])
        flips = np.full(len(self._moments.at), NO_DUE)
        flips[items] = self._next_expiry(np.full(len(items), slot), items)
        return flips

    def falls_below(self, slots: Ints, least: Ints) -> Ints:
        """Return when the sum of `slots[q]` at item i, now >= `least[q, i]`, falls below it by expiry alone (ms).

        Maybe earlier. NO_DUE where it is below already or never falls, or not before the person's next item. With
        negative values about (refunds) sums do not only fall: then it is the next expiry. All questions are answered
        in one pass, for a call of numpy costs as much as hundreds of answers.
        """
        may_fall = (self._sums[slots] >= least) & (least > 0)
        if len(self._mixed_runs):
            may_fall |= np.isin(self._run(slots[:, None], self._moments.person), self._mixed_runs)
        question, item = np.nonzero(may_fall & self._loses[slots])
        flips = np.full(least.shape, NO_DUE)
        flips[question, item] = self._falls_below(slots[question], item, least[question, item])
        return flips

    def fold(self, last: Ints) -> list[bytes]:
        """Return each person's tiles after their item `last`, without those that have expired or come later."""
        kept = (self._expiry > self._moments.at[last][self._person]) & (self._came <= last[self._person])
        return _merge_equal(self._key[kept], self._value[kept], len(last))

    @cached_property
    def _sums(self) -> Ints:
        """Per slot and item: the running total of what comes less what has gone."""
        gone = np.maximum(self._gone, self._came)
        changes = np.zeros((len(self._slots), self._width), np.int64)
        np.add.at(changes.ravel(), self._slot * self._width + self._came, self._value)
        np.subtract.at(changes.ravel(), self._slot * self._width + gone, self._value)
        return np.cumsum(changes, axis=1)[:, :-1]

    @cached_property
    def _loses(self) -> Bools:
        """Per slot and item: whether a tile leaves before the person's next item; after their last one it may."""
        loses = np.zeros((len(self._slots), self._width), bool)
        loses[self._slot, self._gone] = True
        loses[:, self._moments.end] = True
        return loses[:, 1:]

    def _next_expiry(self, slot: Ints, items: Ints) -> Ints:
        low = self._oldest(slot, items)
        end = np.searchsorted(self._key, (self._run(slot, self._moments.person[items]) + 1) << _SLOT_BIT)
        return self._expiry_at(low, low < end)

    def _falls_below(self, slot: Ints, items: Ints, least: Ints) -> Ints:
        """Return `falls_below` for items that may fall; where what came in order is not enough, the next expiry."""
        total = self._total
        high = total[self._newest(slot, items)]
        carrier = np.searchsorted(total, high - least, side="right") - 1
        sure = (high - total[self._oldest(slot, items)] >= least) & (least > 0)
        flips = self._expiry_at(np.maximum(carrier, 0), sure)
        unsure = np.flatnonzero(~sure)
        if len(unsure):
            flips[unsure] = self._next_expiry(slot[unsure], items[unsure])
        return flips

    def _oldest(self, slot: Ints, items: Ints) -> Ints:
        """Return the place of the oldest tile in each item's window, or behind the run."""
        start = self._windows.oldest(slot, self._moments.at[items]) // SECOND_MS
        return np.searchsorted(self._key, _key(self._moments.person[items], slot, np.maximum(start, 0)))

    def _newest(self, slot: Ints, items: Ints) -> Ints:
        """Return the place behind the newest tile that came in order, up to each item."""
        ended = self._run(slot, self._moments.person[items]) * self._width + items
        return np.searchsorted(self._ascending, ended, side="right")

    @cached_property
    def _total(self) -> Ints:
        """The cumulative sum over all tiles, late ones and those of mixed runs counting nothing."""
        total = np.zeros(len(self._key) + 1, np.int64)
        left_out = self._late
        if len(self._mixed_runs):
            left_out |= np.isin(self._key >> _SLOT_BIT, self._mixed_runs)
        np.cumsum(np.where(left_out, 0, self._value), out=total[1:])
        return total

    @property
    def _late(self) -> Bools:
        """Whether a tile came after a newer one of its run."""
        return self._ascending < self._run_and_item

    @cached_property
    def _ascending(self) -> Ints:
        """Per tile, the run and the first item that brought this tile or a newer one of it; ascending."""
        return np.minimum.accumulate(self._run_and_item[::-1])[::-1]

    @cached_property
    def _run_and_item(self) -> Ints:
        return (self._key >> _SLOT_BIT) * self._width + self._came

    @cached_property
    def _mixed_runs(self) -> Ints:
        """The runs with negative values."""
        negative = np.flatnonzero(self._value < 0)
        return np.unique(self._key[negative] >> _SLOT_BIT) if len(negative) else negative

    @property
    def _width(self) -> int:
        return len(self._moments.at) + 1

    @staticmethod
    def _run(slot: Ints, person: Ints) -> Ints:
        """Return the number of each run: the upper bits of its keys."""
        return _key(person, slot, 0) >> _SLOT_BIT

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


def sums_at(raw: bytes, windows: Windows, at: int) -> list[int]:
    """Return one person's windowed sums at `at` (ms), by slot: the plain form, for reading a single person."""
    tiles = np.frombuffer(raw, TILE)
    slots = np.arange(len(windows))
    oldest = windows.oldest(slots, np.full(len(slots), at)) // SECOND_MS
    inside = tiles[tiles["start"] >= oldest[tiles["slot"]]]
    sums = np.zeros(len(slots), np.int64)
    np.add.at(sums, inside["slot"], inside["value"])
    return [*sums.tolist()]


def merged_tiles(state: list[bytes]) -> list[bytes]:
    """Return each person's tiles in order, equal ones added up; they may come in any order."""
    owner, tiles = _owned(state)
    key = _key(owner, tiles["slot"], tiles["start"])
    order = np.argsort(key, kind="stable")
    return _merge_equal(key[order], tiles["value"][order], len(state))


def _sorted_tiles(
    slots: list[TileSlot], state: list[bytes], fed: list[Feeding], moments: Moments
) -> tuple[Ints, Ints, Ints]:
    """Return (key, value, item that brought it) of all tiles; what the state holds came with the person's first."""
    owner, tiles = _owned(state)
    some = [(slot, one) for slot, one in zip(slots, fed, strict=True) if len(one.items)]
    keys = [_key(moments.person[one.items], slot.number, _start(slot, one)) for slot, one in some]
    key = np.concatenate([_key(owner, tiles["slot"], tiles["start"]), *keys])
    order = np.argsort(key, kind="stable")
    value = np.concatenate([tiles["value"], *[one.values for _, one in some]])
    came = np.concatenate([moments.begin[owner], *[one.items for _, one in some]])
    return key[order], value[order], came[order]


def _owned(state: list[bytes]) -> tuple[Ints, npt.NDArray[np.void]]:
    """Return whose each tile is, and the tiles of everybody."""
    owner = np.repeat(np.arange(len(state)), np.fromiter(map(len, state), np.int64, len(state)) // TILE.itemsize)
    return owner, np.frombuffer(b"".join(state), TILE)


def _start(slot: TileSlot, fed: Feeding) -> Ints:
    return np.maximum(slot.window.tile(fed.effective), 0) // SECOND_MS


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
    new = np.ones(len(key), bool)
    np.not_equal(key[1:], key[:-1], out=new[1:])
    first = np.flatnonzero(new)
    tiles = np.empty(len(first), TILE)
    tiles["slot"] = (key[first] >> _SLOT_BIT) & _SLOT_MASK
    tiles["start"] = key[first] & _START_MASK
    tiles["value"] = np.add.reduceat(value, first)
    raw = tiles.tobytes()
    ends = (np.searchsorted(key[first], np.arange(1, people + 1) << _PERSON_BIT) * TILE.itemsize).tolist()
    return [raw[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
