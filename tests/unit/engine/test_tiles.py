"""Where tiles begin and when they leave, by hand: even grids, and calendars where clocks and dates jump."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

import numpy as np
import pytest

from livepost.engine.tiles import Calendar, Grid, Window, Windows, unit_begins, window_of
from livepost.model.compiled import CalendarSpec, CalendarUnit, FeatureSpec
from livepost.model.moment import NO_DUE

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def utc(text: str) -> int:
    """Return a time of UTC in ms: `2026-03-29 00:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def calendar(unit: CalendarUnit, times: int, zone: str) -> Calendar:
    return Calendar(CalendarSpec(unit=unit, times=times, zone=zone))


@pytest.mark.parametrize(("at", "tile"), [(0, 0), (9_999, 0), (10_000, 10_000), (-1, -10_000)])
def test_a_grid_cuts_time_into_even_tiles(at: int, tile: int) -> None:
    assert Grid(10 * SECOND, MINUTE).tile(at) == tile


def test_a_tile_of_a_grid_is_the_oldest_one_until_the_millisecond_it_leaves() -> None:
    grid = Grid(10 * SECOND, MINUTE)
    leaves = grid.leaves(20_000)
    assert leaves == 90_000
    assert [grid.oldest(leaves - 1), grid.oldest(leaves)] == [20_000, 30_000]


@pytest.mark.parametrize(
    ("unit", "zone", "date", "begins", "next_begins"),
    [
        ("day", "UTC", "2026-06-01 12:00", "2026-06-01 00:00", "2026-06-02 00:00"),
        # clocks go forward at 02:00: a day of 23 hours; and back at 03:00: one of 25
        ("day", "Europe/Berlin", "2026-03-29 12:00", "2026-03-28 23:00", "2026-03-29 22:00"),
        ("day", "Europe/Berlin", "2026-10-25 12:00", "2026-10-24 22:00", "2026-10-25 23:00"),
        # 00:00 jumps to 01:00: the day begins with the jump
        ("day", "Africa/Cairo", "2026-04-24 12:00", "2026-04-23 22:00", "2026-04-24 21:00"),
        ("day", "America/Santiago", "2026-09-06 12:00", "2026-09-06 04:00", "2026-09-07 03:00"),
        # 24:00 goes back to 23:00: an hour more of the day before
        ("day", "America/Santiago", "2026-04-04 12:00", "2026-04-04 03:00", "2026-04-05 04:00"),
        # 00:00 goes back to 23:00 of the day before only a minute later: the day began with the first of the two
        ("day", "America/St_Johns", "2010-11-07 12:00", "2010-11-07 02:30", "2010-11-08 03:30"),
        # the 30th of December 2011 was skipped: after the 29th came the 31st
        ("day", "Pacific/Apia", "2011-12-30 09:59", "2011-12-29 10:00", "2011-12-30 10:00"),
        ("day", "Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00", "2011-12-31 10:00"),
        # 23:30 jumps to 00:00
        ("day", "Asia/Pyongyang", "2018-05-04 15:00", "2018-05-04 15:00", "2018-05-05 15:00"),
        ("day", "Europe/Berlin", "2028-02-29 12:00", "2028-02-28 23:00", "2028-02-29 23:00"),
        ("week", "UTC", "2026-01-01 00:00", "2025-12-29 00:00", "2026-01-05 00:00"),
        ("week", "Europe/Berlin", "2026-03-29 21:59", "2026-03-22 23:00", "2026-03-29 22:00"),
        ("week", "Europe/Berlin", "2026-03-29 22:00", "2026-03-29 22:00", "2026-04-05 22:00"),
        ("month", "UTC", "2028-02-29 23:59", "2028-02-01 00:00", "2028-03-01 00:00"),
        ("month", "UTC", "2026-12-31 23:59", "2026-12-01 00:00", "2027-01-01 00:00"),
        ("month", "Europe/Berlin", "2026-10-31 22:59", "2026-09-30 22:00", "2026-10-31 23:00"),
        ("month", "America/New_York", "2026-11-01 03:59", "2026-10-01 04:00", "2026-11-01 04:00"),
    ],
)
def test_a_unit_begins_at_the_first_moment_of_its_first_date(
    unit: CalendarUnit, zone: str, date: str, begins: str, next_begins: str
) -> None:
    window = calendar(unit, 1, zone)
    begin, end = utc(begins), utc(next_begins)
    assert [window.tile(utc(date)), window.tile(begin), window.tile(end - 1)] == [begin] * 3
    assert window.tile(begin - 1) < begin
    assert [window.tile(end), window.leaves(begin)] == [end, end]


def test_a_window_of_several_units_holds_those_before_and_loses_one_when_a_new_one_begins() -> None:
    window = calendar("month", 3, "Europe/Berlin")
    january, april = utc("2025-12-31 23:00"), utc("2026-03-31 22:00")
    assert window.leaves(january) == april
    assert [window.oldest(april - 1), window.oldest(april)] == [january, utc("2026-01-31 23:00")]


def test_a_date_that_was_skipped_is_a_unit_in_which_nothing_happens() -> None:
    window = calendar("day", 2, "Pacific/Apia")
    the_29th, the_31st = utc("2011-12-29 10:00"), utc("2011-12-30 10:00")
    assert window.leaves(the_29th) == the_31st
    assert [window.oldest(the_31st - 1), window.oldest(the_31st)] == [utc("2011-12-28 10:00"), the_31st]


def test_many_times_are_answered_as_one_by_one() -> None:
    window = calendar("week", 2, "Africa/Cairo")
    times = np.arange(utc("2026-04-01 00:00"), utc("2026-06-01 00:00"), 7 * HOUR + 1)
    for question in (window.tile, window.oldest, window.leaves):
        assert question(times).tolist() == [int(question(at)) for at in times.tolist()]


def test_what_happened_before_1970_is_in_the_first_unit_and_what_ends_after_2105_never_leaves() -> None:
    window = calendar("day", 1, "Asia/Tokyo")
    assert [window.tile(-DAY), window.tile(0), window.tile(utc("1970-01-01 15:00"))] == [0, 0, 15 * HOUR]
    assert window.leaves(window.tile(utc("2105-12-31 16:00"))) == NO_DUE
    assert calendar("month", 5_000, "UTC").leaves(0) == NO_DUE


def test_units_of_a_zone_are_worked_out_once_and_nobody_can_change_them() -> None:
    begins = unit_begins("month", "Europe/Berlin")
    assert unit_begins("month", "Europe/Berlin") is begins
    with pytest.raises(ValueError, match="read-only"):
        begins[0] = 1


def test_a_zone_that_is_not_there_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        unit_begins("day", "Europe/Atlantis")


def test_windows_side_by_side_answer_each_for_its_own() -> None:
    windows: list[Window] = [
        Grid(SECOND, MINUTE),
        calendar("day", 1, "Europe/Berlin"),
        Grid(HOUR, DAY),
        calendar("month", 2, "UTC"),
    ]
    slot = np.array([3, 0, 1, 2, 1, 0])
    at = utc("2026-03-29 10:00") + np.arange(6) * 7_777_777
    together = Windows(windows)
    assert together.oldest(slot, at).tolist() == [int(windows[s].oldest(t)) for s, t in zip(slot, at, strict=True)]
    tile = np.array([int(windows[s].tile(t)) for s, t in zip(slot, at, strict=True)])
    assert together.leaves(slot, tile).tolist() == [int(windows[s].leaves(t)) for s, t in zip(slot, tile, strict=True)]


def test_a_feature_says_its_window() -> None:
    spec = CalendarSpec(unit="day", times=1, zone="UTC")
    assert window_of(FeatureSpec(name="f", kind="count", event="E")) is None
    assert window_of(FeatureSpec(name="f", kind="count", event="E", over_ms=MINUTE, grid_ms=SECOND)) == Grid(
        SECOND, MINUTE
    )
    assert window_of(FeatureSpec(name="f", kind="count", event="E", calendar=spec)) == Calendar(spec)
