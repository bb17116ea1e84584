"""Windows cut into tiles: which tile a time is in, when a tile leaves, which tiles a window holds at T (SEMANTICS).

Two kinds, by the same questions: a `Grid` of even tiles, and a `Calendar` of the days, weeks or months of a zone.
Times are UTC milliseconds; a tile is named by its beginning, a whole second.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from livepost.model.compiled import CalendarSpec, CalendarUnit, FeatureSpec
from livepost.model.moment import NO_DUE

SECOND_MS = 1000
_FIRST, _END = date(1969, 12, 31), date(2106, 1, 1)
"""The dates between which units are cut: tiles begin in seconds from 1970 that fit four bytes."""

_DAY = 86_400

Times = npt.NDArray[np.int64]


class Window(Protocol):
    """Answers for one time (an int) or for many (an array), in kind."""

    def tile(self, at: Any) -> Any:
        """Return the beginning of the tile that a time is in."""

    def leaves(self, tile: Any) -> Any:
        """Return when a tile, by its beginning, leaves the window."""

    def oldest(self, at: Any) -> Any:
        """Return the beginning of the oldest tile that is in the window at a time."""


@dataclass(frozen=True)
class Grid:
    """A window of `over_ms` in even tiles of `grid_ms`, whole seconds that divide it or not."""

    grid_ms: int
    over_ms: int

    def tile(self, at: Any) -> Any:
        """Return the beginning of the tile that a time is in."""
        return at // self.grid_ms * self.grid_ms

    def leaves(self, tile: Any) -> Any:
        """Return when a tile, by its beginning, leaves the window."""
        return tile + (self.grid_ms + self.over_ms)

    def oldest(self, at: Any) -> Any:
        """Return the beginning of the oldest tile that is in the window at a time."""
        return (at - self.over_ms) // self.grid_ms * self.grid_ms


@dataclass(frozen=True)
class Calendar:
    """A calendar window: tiles are the units of `spec`, from 1970 to 2105; what begins later leaves at NO_DUE.

    A date that a zone skipped is a unit too, in which nothing happens.
    """

    spec: CalendarSpec

    def tile(self, at: Any) -> Any:
        """Return the beginning of the unit that a time is in."""
        return self._begins[self._unit(at)]

    def leaves(self, tile: Any) -> Any:
        """Return when a unit, by its beginning, leaves the window."""
        return self._ends[self._unit(tile)]

    def oldest(self, at: Any) -> Any:
        """Return the beginning of the oldest unit that is in the window at a time."""
        return self._begins[np.maximum(self._unit(at) - (self.spec.times - 1), 0)]

    def _unit(self, at: Any) -> Any:
        return np.maximum(np.searchsorted(self._begins, at, side="right") - 1, 0)

    @cached_property
    def _begins(self) -> Times:
        return unit_begins(self.spec.unit, self.spec.zone)

    @cached_property
    def _ends(self) -> Times:
        """By unit, when it leaves: at the beginning of the unit so many later."""
        ends = np.full(len(self._begins), NO_DUE)
        ends[: -self.spec.times] = self._begins[self.spec.times :]
        return ends


class Windows:
    """The windows of several slots, asked all at once: about `slot[i]` and a time or tile each."""

    def __init__(self, windows: Sequence[Window]) -> None:
        grids = [window if isinstance(window, Grid) else Grid(SECOND_MS, 0) for window in windows]
        self._grid = np.array([grid.grid_ms for grid in grids], np.int64)
        self._over = np.array([grid.over_ms for grid in grids], np.int64)
        self._life = self._grid + self._over
        self._others = [(slot, window) for slot, window in enumerate(windows) if not isinstance(window, Grid)]

    def __len__(self) -> int:
        """Return of how many slots they are."""
        return len(self._grid)

    def leaves(self, slot: Times, tile: Times) -> Times:
        """Return when each tile leaves the window of its slot."""
        leaves: Times = tile + self._life[slot]
        for number, window in self._others:
            concerned = np.flatnonzero(slot == number)
            leaves[concerned] = window.leaves(tile[concerned])
        return leaves

    def oldest(self, slot: Times, at: Times) -> Times:
        """Return the oldest tile in each slot's window at its time."""
        grid = self._grid[slot]
        oldest: Times = (at - self._over[slot]) // grid * grid
        for number, window in self._others:
            concerned = np.flatnonzero(slot == number)
            oldest[concerned] = window.oldest(at[concerned])
        return oldest


def window_of(spec: FeatureSpec) -> Window | None:
    """Return a feature's window; None means lifetime."""
    if spec.calendar is not None:
        return Calendar(spec.calendar)
    if spec.over_ms is None:
        return None
    assert spec.grid_ms is not None
    return Grid(spec.grid_ms, spec.over_ms)


@lru_cache
def unit_begins(unit: CalendarUnit, zone: str) -> Times:
    """Return where the units of a zone begin (ms, ascending), from the one that 1970 began in, cut there, to 2105.

    Raises zoneinfo.ZoneInfoNotFoundError if there is no such zone.
    """
    clock = ZoneInfo(zone)
    begins = np.array([_first_moment(first, clock) for first in _first_dates(unit)], np.int64) * SECOND_MS
    since_1970 = begins[max(int(np.searchsorted(begins, 0, side="right")) - 1, 0) :]
    begins = np.maximum(since_1970, 0)
    begins.flags.writeable = False  # everybody gets the same one
    return begins


def _first_dates(unit: CalendarUnit) -> Iterator[date]:
    """Yield the first date of each unit."""
    if unit == "month":
        yield from (date(year, month, 1) for year in range(_FIRST.year, _END.year) for month in range(1, 13))
        return
    first = _FIRST - timedelta(days=_FIRST.weekday() if unit == "week" else 0)
    for days in range(0, (_END - first).days, 7 if unit == "week" else 1):
        yield first + timedelta(days=days)


def _first_moment(day: date, clock: ZoneInfo) -> int:
    """Return the first moment of a date in a zone (s), or of the next date that there is.

    A midnight that clocks jumped over is not what they show at that time; then the moment of the jump is searched for.
    """
    seconds = int(datetime(day.year, day.month, day.day, tzinfo=clock).timestamp())
    shown = datetime.fromtimestamp(seconds, clock)
    if (shown.day, shown.hour, shown.minute) == (day.day, 0, 0):
        return seconds
    earliest = seconds - 2 * _DAY
    return earliest + bisect_left(range(earliest, seconds), True, key=lambda s: _date_at(s, clock) >= day)


def _date_at(seconds: int, clock: ZoneInfo) -> date:
    return datetime.fromtimestamp(seconds, clock).date()
