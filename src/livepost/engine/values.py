"""Features at the items of a round: their values, where they are never or unknown, when time alone may change them.

In come running sums, times and picks, made record by record; out go columns, one entry an item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livepost.engine.program import MICRO, Program, Reading
from livepost.engine.row import NEVER, Bools, Ints
from livepost.engine.window import Runs
from livepost.model.moment import NO_DUE

Objects = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Picked:
    """A pick at the items of a round: its values (money in minor units; None as in `Pick.value`), and when time alone
    may next change each (ms).
    """

    values: Objects
    expiry: Ints


class Side(NamedTuple):
    """A side of a comparison at each item (a constant: one for all).

    there     where it is not never; None: everywhere
    unknown   where it is unknown; None: nowhere
    """

    value: Any
    there: Bools | None = None
    unknown: Bools | None = None


class Values:
    """Features at the items of a round.

    at      time of each item (ms)
    runs    the tiles, or None where no sum is windowed
    sums    per lifetime slot, the running sum at each item
    lasts   per slot of a `since` or `exists`, the newest effective_ts at each item (NEVER where there is none)
    picks   per pick number that is compared, the running pick
    """

    def __init__(
        self,
        program: Program,
        at: Ints,
        runs: Runs | None,
        sums: list[Ints],
        lasts: list[Ints],
        picks: dict[int, Picked],
    ) -> None:
        self.program = program
        self.at = at
        self.runs = runs
        self.sums = sums
        self.lasts = lasts
        self.picks = picks

    def side(self, reading: Reading) -> Side:
        """Return a feature at each item."""
        if reading.pick is not None:
            return _picked(reading, self.picks[reading.pick].values)
        if reading.last is not None:
            last = self.last(reading)
            happened = last != NEVER
            return Side(happened) if reading.spec.kind == "exists" else Side(self.at - last, happened)
        if reading.spec.kind == "count":
            return Side(self._sum(reading, reading.count))
        total = self._sum(reading, reading.total)
        scaled = total / MICRO if reading.micro else total
        if reading.spec.kind == "total":
            return Side(scaled)
        count = self._sum(reading, reading.count)
        return Side(scaled / np.maximum(count, 1), count > 0)

    def last(self, reading: Reading) -> Ints:
        """Return the newest effective_ts in the window at each item (ms); NEVER where there is none."""
        assert reading.last is not None
        last = self.lasts[reading.last]
        return last if reading.window is None else np.where(last >= reading.window.oldest(self.at), last, NEVER)

    def expiry(self, reading: Reading) -> Ints:
        """Return when time alone may next change a feature with a window, other than by growing older (ms)."""
        assert reading.window is not None
        if reading.pick is not None:
            return self.picks[reading.pick].expiry
        if reading.last is not None:
            last = self.last(reading)
            return np.where(last == NEVER, NO_DUE, reading.window.leaves(reading.window.tile(np.maximum(last, 0))))
        assert self.runs is not None
        slots = [slot for slot in (reading.total, reading.count) if slot is not None]
        return np.minimum.reduce([self.runs.next_expiry(slot) for slot in slots])

    def _sum(self, reading: Reading, slot: int | None) -> Ints:
        assert slot is not None
        if not reading.windowed:
            return self.sums[slot]
        assert self.runs is not None
        return self.runs.sums(slot)


def _picked(reading: Reading, picked: Objects) -> Side:
    missing = np.fromiter((value is None for value in picked), bool, len(picked))
    return Side(picked, unknown=missing) if reading.spec.kind == "distinct" else Side(picked, ~missing)
