"""Where in the log a moment falls: the first record whose stamp is not before it (FORMATS, "Position fence")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livepost.engine.row import Ints
from livepost.model.block import Block


@dataclass(frozen=True)
class Timeline:
    """Stamps (ms, ascending) and first seqs of consecutive blocks, from the oldest due time on to the newest block."""

    stamps: Ints
    firsts: Ints

    def position(self, at: int) -> tuple[int, int]:
        """Return (seq, stamp) of the first record with stamp >= `at`; `at` must not be after the last block."""
        place = int(np.searchsorted(self.stamps, at))
        return int(self.firsts[place]), int(self.stamps[place])

    def positions(self, at: Ints) -> tuple[Ints, Ints]:
        """Return `position` for many times."""
        places = np.searchsorted(self.stamps, at)
        return self.firsts[places], self.stamps[places]

    def extended(self, blocks: list[Block], keep_from: int) -> Timeline:
        """Return the timeline with more blocks behind, without those that end before seq `keep_from`."""
        return self.followed_by([b.stamp for b in blocks], [b.first for b in blocks], keep_from)

    def followed_by(self, stamps: Sequence[int], firsts: Sequence[int], keep_from: int) -> Timeline:
        """Return what `extended` does, of blocks of which no more is known than their stamps and first seqs."""
        all_stamps = np.concatenate([self.stamps, stamps]).astype(np.int64)
        all_firsts = np.concatenate([self.firsts, firsts]).astype(np.int64)
        begin = max(int(np.searchsorted(all_firsts, keep_from, side="right")) - 1, 0)
        return Timeline(all_stamps[begin:], all_firsts[begin:])


def empty_timeline() -> Timeline:
    """Return a timeline of no blocks."""
    return Timeline(np.zeros(0, np.int64), np.zeros(0, np.int64))
