"""Days, weeks, months in a zone, as docs/reference/semantics.md says: where they begin, which one a moment is in.

In: moments in UTC milliseconds, dates, the name of a zone. Out: the same. A unit is named by its first date, and a
beginning is looked for minute by minute: no clock change, however odd, can be forgotten.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from livepost.model.compiled import CalendarSpec, CalendarUnit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND, SECOND, MINUTE = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1)
AHEAD = timedelta(hours=16)
"""No zone was ever so far ahead of UTC."""


def window_begin(window: CalendarSpec, at: int) -> int:
    """Return where the window at T = `at` begins: `times` - 1 units before that of T."""
    return begin(moved(unit_of(window, at), window.unit, 1 - window.times), window.zone)


def tile_end(window: CalendarSpec, happened: int) -> int:
    """Return when what happened then leaves the window: `times` units later."""
    return begin(moved(unit_of(window, happened), window.unit, window.times), window.zone)


def unit_of(window: CalendarSpec, at: int) -> date:
    """Return the first date of the unit that a moment is in: the last that has begun."""
    found = first_date(clock(EPOCH + at * MILLISECOND, window.zone), window.unit)
    while begin(moved(found, window.unit, 1), window.zone) <= at:  # a clock put back behind midnight shows the old date
        found = moved(found, window.unit, 1)
    return found


def first_date(day: date, unit: CalendarUnit) -> date:
    """Return the first date of the unit that a date is in: the Monday, the first of the month, the day itself."""
    match unit:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)


def moved(first: date, unit: CalendarUnit, times: int) -> date:
    """Return the first date of the unit `times` units later, earlier where negative."""
    match unit:
        case "day":
            return first + timedelta(days=times)
        case "week":
            return first + timedelta(days=7 * times)
        case "month":
            months = 12 * first.year + first.month - 1 + times
            return date(months // 12, months % 12 + 1, 1)


@cache
def begin(day: date, zone: str) -> int:
    """Return the first moment at which a clock in the zone shows a date, or a later one if it jumps over it."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - AHEAD
    while clock(moment, zone) < day:
        moment += MINUTE
    while clock(moment - SECOND, zone) >= day:
        moment -= SECOND
    return (moment - EPOCH) // MILLISECOND


def clock(moment: datetime, zone: str) -> date:
    """Return the date that a clock in the zone shows."""
    return moment.astimezone(ZoneInfo(zone)).date()
