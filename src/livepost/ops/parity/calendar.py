"""Where a calendar window begins (docs/reference/semantics.md): a window and a time in, UTC milliseconds out.

SQL knows no zones here: a beginning is computed once and handed in. It is written apart from the engine's: midnight on
the wall is asked of the zone, and only where clocks jumped over it the jump is looked for, by halving.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from livepost.model.compiled import CalendarSpec

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def window_begin(window: CalendarSpec, at: int) -> int:
    """Return the first millisecond of the window that ends with the unit which the time `at` (ms) is in."""
    zone = ZoneInfo(window.zone)
    moment = EPOCH + at * MILLISECOND
    today = moment.astimezone(zone).date()
    if moment >= _begin(today + DAY, zone):  # the clocks went back behind midnight: tomorrow has begun and shows today
        today += DAY
    return (_begin(_first_date(window, today), zone) - EPOCH) // MILLISECOND


def _first_date(window: CalendarSpec, today: date) -> date:
    """Return the date a window begins with, today being its last unit's."""
    before = window.times - 1
    if window.unit == "day":
        return today - before * DAY
    if window.unit == "week":
        return today - today.weekday() * DAY - 7 * before * DAY
    year, month = divmod(today.year * 12 + today.month - 1 - before, 12)
    return date(year, month + 1, 1)


def _begin(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a date; where clocks jumped over its midnight, that of the jump."""
    late = datetime.combine(day, time(), zone).astimezone(UTC)  # of a midnight that comes twice the first one
    if late.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, time()):
        return late
    early = late - 2 * DAY
    while late - early > MILLISECOND:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).date() < day:
            early = middle
        else:
            late = middle
    return EPOCH + (late - EPOCH) // MILLISECOND * MILLISECOND
