"""Where units of a calendar begin, where clocks change too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from livepost.model.compiled import CalendarSpec, CalendarUnit
from livepost.ops.seeds.units import unit_starts


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("unit", "zone", "at", "starts"),
    [
        ("day", "UTC", "2026-03-01T00:00", ["2026-02-28T00:00", "2026-03-01T00:00"]),
        ("day", "Europe/Berlin", "2026-03-29T22:30", ["2026-03-28T23:00", "2026-03-29T22:00"]),
        ("day", "Europe/Berlin", "2026-10-25T23:30", ["2026-10-24T22:00", "2026-10-25T23:00"]),
        ("day", "America/Santiago", "2026-09-06T12:00", ["2026-09-05T04:00", "2026-09-06T04:00"]),
        ("day", "America/Havana", "2026-11-01T12:00", ["2026-10-31T04:00", "2026-11-01T04:00"]),
        ("week", "UTC", "2026-01-04T23:59", ["2025-12-22T00:00", "2025-12-29T00:00"]),
        ("month", "America/New_York", "2026-01-15T00:00", ["2025-12-01T05:00", "2026-01-01T05:00"]),
        ("day", "America/Toronto", "1919-03-31T12:00", ["1919-03-30T05:00", "1919-03-31T04:30"]),
    ],
)
def test_a_unit_begins_at_the_first_moment_of_its_first_date(
    unit: CalendarUnit, zone: str, at: str, starts: list[str]
) -> None:
    assert unit_starts(CalendarSpec(unit=unit, times=2, zone=zone), ms(at)) == [ms(start) for start in starts]
