"""Which event ids were seen: an open-addressing table of 64-bit hashes over numpy (SPEED, 7).

A slot is (hash of the event id, hash of its content, day of first acceptance). Two ids that share a hash differ in
content, so a collision ends in the dead letters as an id conflict, where it can be replayed: nothing is lost silently.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

REMEMBERED_DAYS = 30
DAY_MS = 86_400_000
_FIRST_SIZE = 1 << 12
_FULL = 0.75

Hashes = npt.NDArray[np.uint64]
Days = npt.NDArray[np.uint16]


def day_of(stamp: int) -> int:
    """Return the day number (since 1970, UTC) of a stamp in ms."""
    return stamp // DAY_MS


class Seen:
    """The table. `find` answers, `remember` adds; both take arrays and are exact for any batch size."""

    def __init__(self) -> None:
        self._keys = np.zeros(_FIRST_SIZE, np.uint64)
        self._contents = np.zeros(_FIRST_SIZE, np.uint64)
        self._days = np.zeros(_FIRST_SIZE, np.uint16)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def nbytes(self) -> int:
        """Memory of the table in bytes."""
        return self._keys.nbytes + self._contents.nbytes + self._days.nbytes

    def find(self, keys: Hashes, days: Days) -> tuple[npt.NDArray[np.bool_], Hashes]:
        """Return, for each key at its day, whether it is still remembered, and the content hash it came with."""
        slots = self._slots(keys)
        found = (self._keys[slots] == keys) & (days - self._days[slots] <= REMEMBERED_DAYS)
        return found, self._contents[slots]

    def remember(self, keys: Hashes, contents: Hashes, days: Days) -> None:
        """Add keys (each at most once in the call); a forgotten key is taken anew."""
        if not len(keys):
            return
        self._make_room(len(keys), int(days.max()))
        pending = np.arange(len(keys))
        while len(pending):
            slots = self._slots(keys[pending])
            winners = pending[np.unique(slots, return_index=True)[1]]
            self._put(winners, keys, contents, days)
            pending = np.setdiff1d(pending, winners, assume_unique=True)

    def _put(self, which: npt.NDArray[np.int64], keys: Hashes, contents: Hashes, days: Days) -> None:
        slots = self._slots(keys[which])
        self._used += int((self._keys[slots] == 0).sum())
        self._keys[slots] = keys[which]
        self._contents[slots] = contents[which]
        self._days[slots] = days[which]

    def _slots(self, keys: Hashes) -> npt.NDArray[np.int64]:
        """Return each key's slot: where it stands, or the empty one where it would."""
        mask = np.uint64(len(self._keys) - 1)
        slots = (keys & mask).astype(np.int64)
        there = self._keys[slots]
        moving = np.flatnonzero((there != keys) & (there != 0))
        while len(moving):
            slots[moving] = (slots[moving] + 1) & int(mask)
            there = self._keys[slots[moving]]
            moving = moving[(there != keys[moving]) & (there != 0)]
        return slots

    def _make_room(self, more: int, day: int) -> None:
        if self._used + more <= _FULL * len(self._keys):
            return
        alive = (self._keys != 0) & (day - self._days.astype(np.int64) <= REMEMBERED_DAYS)
        keys, contents, days = self._keys[alive], self._contents[alive], self._days[alive]
        size = len(self._keys)
        while (len(keys) + more) > size // 2:
            size *= 2
        self._keys = np.zeros(size, np.uint64)
        self._contents = np.zeros(size, np.uint64)
        self._days = np.zeros(size, np.uint16)
        self._used = 0
        self.remember(keys, contents, days)


def hashes(ids: bytes) -> Hashes:
    """Return the first 8 bytes of each 16-byte id as an unsigned integer; 0, which marks an empty slot, becomes 1."""
    first = np.frombuffer(ids, "<u8")[::2].copy()
    first[first == 0] = 1
    return first
