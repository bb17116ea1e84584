"""Where calendar windows begin, on the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from livepost.model.compiled import CalendarSpec
from livepost.ops.parity.calendar import window_begin


def ms(text: str) -> int:
    """Return a moment in UTC as milliseconds."""
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "unit", "times", "at", "begin"),
    [
        ("UTC", "day", 1, "2026-01-15 00:00:00", "2026-01-15 00:00:00"),
        ("Europe/Berlin", "day", 1, "2026-01-14 23:00:00", "2026-01-14 23:00:00"),
        ("Europe/Berlin", "day", 1, "2026-01-14 22:59:59.999", "2026-01-13 23:00:00"),
        ("Europe/Berlin", "day", 2, "2026-03-30 12:00:00", "2026-03-28 23:00:00"),  # the 29th has 23 hours
        ("Europe/Berlin", "day", 2, "2026-10-26 12:00:00", "2026-10-24 22:00:00"),  # the 25th has 25
        ("Europe/Berlin", "week", 1, "2026-03-29 21:59:59", "2026-03-22 23:00:00"),  # Monday, the 23rd
        ("Europe/Berlin", "week", 2, "2026-03-29 22:00:00", "2026-03-22 23:00:00"),
        ("Europe/Berlin", "month", 2, "2026-01-15 00:00:00", "2025-11-30 23:00:00"),
        ("Africa/Cairo", "day", 1, "2026-04-24 12:00:00", "2026-04-23 22:00:00"),  # it begins at one
        ("Pacific/Apia", "day", 1, "2011-12-30 10:00:00", "2011-12-30 10:00:00"),  # the 31st
        ("Pacific/Apia", "day", 2, "2011-12-30 10:00:00", "2011-12-30 10:00:00"),  # the 30th, which is empty
        ("Pacific/Apia", "day", 3, "2011-12-30 10:00:00", "2011-12-29 10:00:00"),
        ("America/St_Johns", "day", 1, "2010-11-07 02:29:59", "2010-11-06 02:30:00"),
        ("America/St_Johns", "day", 1, "2010-11-07 02:30:00", "2010-11-07 02:30:00"),
        ("America/St_Johns", "day", 1, "2010-11-07 02:45:00", "2010-11-07 02:30:00"),  # clocks show the 6th again
        ("America/Havana", "day", 1, "2026-11-01 05:30:00", "2026-11-01 04:00:00"),  # midnight came twice
    ],
)
def test_a_window_begins_at_the_first_moment_of_its_first_date(
    zone: str, unit: Any, times: int, at: str, begin: str
) -> None:
    assert window_begin(CalendarSpec(unit=unit, times=times, zone=zone), ms(at)) == ms(begin)


def test_before_1970_is_a_time_like_any_other() -> None:
    year = CalendarSpec(unit="month", times=12, zone="UTC")
    assert datetime.fromtimestamp(window_begin(year, ms("1969-12-31")) / 1000, UTC).year == 1969
