"""Which event ids were seen: an open-addressing table of 64-bit hashes over numpy (SPEED, 7).

A slot is (hash of the event id, 32 bits of the hash of its content, day of first acceptance). Two ids that share a hash
differ in content, so a collision ends in the dead letters as an id conflict, where it can be replayed: nothing is lost
silently (that takes 96 equal bits).
"""

from __future__ import annotations

from math import isqrt

import numpy as np
import numpy.typing as npt

REMEMBERED_DAYS = 30
DAY_MS = 86_400_000
_FIRST_SIZE = 4_099
"""Slots of an empty table; a prime, as all sizes are."""
_FULL = 0.8
"""Share of slots in use from which on the table is made anew."""
_ROOMY = 0.72
"""Share of slots in use with which it may begin, so that it is not made anew at each step."""
_GROWTH = 1.5
_HALF = np.uint64(32)
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2**64 / golden ratio, made odd: takes keys that are close to each other far apart (Knuth, TAOCP 3, 6.4)."""

Hashes = npt.NDArray[np.uint64]
Days = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]


def day_of(stamp: int) -> int:
    """Return the day number (since 1970, UTC) of a stamp in ms."""
    return stamp // DAY_MS


class Seen:
    """The table. `find` answers, `remember` adds; both take arrays and are exact for any batch size."""

    def __init__(self) -> None:
        self._clear(_FIRST_SIZE)

    def __len__(self) -> int:
        return self._used

    @property
    def nbytes(self) -> int:
        """Memory of the table in bytes."""
        return self._keys.nbytes + self._contents.nbytes + self._days.nbytes

    def find(self, keys: Hashes, contents: Hashes, days: Days) -> tuple[Flags, Flags]:
        """Return, for each key at its day, whether it is still remembered, and whether with this content."""
        slots = self._slots(keys)
        found = (self._keys[slots] == keys) & (days - self._days[slots] <= REMEMBERED_DAYS)
        return found, found & (self._contents[slots] == contents.astype(np.uint32))

    def remember(self, keys: Hashes, contents: Hashes, days: Days) -> None:
        """Add keys (each at most once in the call); a forgotten key is taken anew."""
        if len(keys):
            self._make_room(len(keys), int(days.max()))
            self._add(keys, contents.astype(np.uint32), days)

    def _add(self, keys: Hashes, contents: npt.NDArray[np.uint32], days: Days) -> None:
        pending = np.arange(len(keys))
        while len(pending):
            slots, first = np.unique(self._slots(keys[pending]), return_index=True)
            winners = pending[first]
            self._used += int((self._keys[slots] == 0).sum())
            self._keys[slots] = keys[winners]
            self._contents[slots] = contents[winners]
            self._days[slots] = days[winners]
            pending = np.delete(pending, first)

    def _slots(self, keys: Hashes) -> npt.NDArray[np.int64]:
        """Return each key's slot: where it stands, or the empty one where it would.

        A key whose slot is taken goes on by a stride of its own (double hashing; Knuth, TAOCP 3, 6.4, algorithm D): so
        keys do not queue up, and all are placed in few passes. The size is prime, so a stride comes past every slot.
        """
        size = len(self._keys)
        slots = ((keys * SPREAD >> _HALF) * np.uint64(size) >> _HALF).astype(np.int64)
        moving = np.flatnonzero(self._taken(slots, keys))
        strides = (keys[moving] % np.uint64(size - 1)).astype(np.int64) + 1
        while len(moving):
            slots[moving] = (slots[moving] + strides) % size
            taken = self._taken(slots[moving], keys[moving])
            moving, strides = moving[taken], strides[taken]
        return slots

    def _taken(self, slots: npt.NDArray[np.int64], keys: Hashes) -> Flags:
        """Return whether another key than the one asked for stands in each slot."""
        there = self._keys[slots]
        return (there != keys) & (there != 0)

    def _make_room(self, more: int, day: int) -> None:
        """Make the table larger if it gets too full, and leave out what is forgotten by `day`."""
        if self._used + more <= _FULL * len(self._keys):
            return
        alive = (self._keys != 0) & (day - self._days.astype(np.int64) <= REMEMBERED_DAYS)
        keys, contents, days = self._keys[alive], self._contents[alive], self._days[alive]
        size = len(self._keys)
        while len(keys) + more > _ROOMY * size:
            size = _prime_from(int(size * _GROWTH))
        self._clear(size)
        self._add(keys, contents, days)

    def _clear(self, size: int) -> None:
        self._keys = np.zeros(size, np.uint64)
        self._contents = np.zeros(size, np.uint32)
        self._days = np.zeros(size, np.uint16)
        self._used = 0


def _prime_from(size: int) -> int:
    """Return the smallest prime that is not below `size` (at least 3)."""
    size |= 1
    while any(size % divisor == 0 for divisor in range(3, isqrt(size) + 1, 2)):
        size += 2
    return size


def hashes(ids: bytes) -> Hashes:
    """Return the first 8 bytes of each 16-byte id as an unsigned integer; 0, which marks an empty slot, becomes 1."""
    first = np.frombuffer(ids, "<u8")[::2].copy()
    first[first == 0] = 1
    return first
