"""In which pack the newest row of each person stands.

In: the heads of packs, in the order in which they were written. Out: who of a pack has no newer row elsewhere, and how
many bytes the newest rows have together. 12 bytes a person number, from 0 up to the largest.
"""

from __future__ import annotations

import numpy as np

from livepost.state.pack import HEAD_BYTES, Chosen, Lengths, Numbers

PEOPLE_MAX = 100_000_000
"""Person numbers there may be: 1.2 GB here."""

_NOWHERE = -1


class Places:
    """A pack number and a length for each person number; numbers are given from 0 on, as the engine gives them."""

    def __init__(self) -> None:
        """Know of nobody."""
        self.live_bytes = 0
        self._packs = np.full(1024, _NOWHERE, np.int64)
        self._bytes = np.zeros(1024, np.int32)

    def note(self, pack: int, numbers: Numbers, lengths: Lengths) -> None:
        """Take a pack as the newest: what it has of these people counts from now on."""
        self._make_room(numbers)
        here = lengths >= 0
        sizes = np.where(here, lengths + HEAD_BYTES, 0)
        self.live_bytes += int(sizes.sum(dtype=np.int64) - self._bytes[numbers].sum(dtype=np.int64))
        self._packs[numbers] = np.where(here, pack, _NOWHERE)
        self._bytes[numbers] = sizes

    def newest(self, pack: int, numbers: Numbers) -> Chosen:
        """Say of each person of a pack whether their newest row is the one in it."""
        here: Chosen = self._packs[numbers] == pack
        return here

    def packs(self, numbers: Numbers) -> Numbers:
        """Return the pack in which the newest row of each person stands; -1 for who has none."""
        known = numbers < len(self._packs)
        found: Numbers = np.where(known, self._packs[np.where(known, numbers, 0)], _NOWHERE)
        return found

    def nowhere(self, numbers: Numbers) -> Chosen:
        """Say of each person whether they have no row."""
        gone: Chosen = self._packs[numbers] == _NOWHERE
        return gone

    def _make_room(self, numbers: Numbers) -> None:
        needed = int(numbers.max(initial=-1)) + 1
        if needed > len(self._packs):
            more = max(needed, 2 * len(self._packs)) - len(self._packs)
            self._packs = np.concatenate([self._packs, np.full(more, _NOWHERE, np.int64)])
            self._bytes = np.concatenate([self._bytes, np.zeros(more, np.int32)])


def require_numbers(numbers: Numbers) -> None:
    """Raise ValueError unless all are person numbers that there may be."""
    least, most = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    if least < 0 or most >= PEOPLE_MAX:
        raise ValueError(
            f"expected person numbers from 0 to {PEOPLE_MAX - 1}, got {least} to {most}; "
            "number people from 0 on without gaps"
        )
