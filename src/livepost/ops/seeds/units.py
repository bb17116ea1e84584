"""Where the units of a calendar window begin: days, weeks from Monday and months in a zone, as times in ms."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from livepost.clock import SECOND_MS
from livepost.model.compiled import CalendarSpec

MONTHS = 12


def unit_starts(calendar: CalendarSpec, at: int) -> list[int]:
    """Return where the units of the window begin at a time (ms), the oldest first; the last one holds that time."""
    zone = ZoneInfo(calendar.zone)
    first = _first_date(calendar, datetime.fromtimestamp(at / SECOND_MS, zone).date())
    starts = [_beginning(_earlier(calendar, first, back), zone) for back in range(calendar.times)]
    return starts[::-1]


def _first_date(calendar: CalendarSpec, today: date) -> date:
    """Return the first date of the unit in which a date is."""
    match calendar.unit:
        case "day":
            return today
        case "week":
            return today - timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)


def _earlier(calendar: CalendarSpec, first: date, back: int) -> date:
    match calendar.unit:
        case "day":
            return first - timedelta(days=back)
        case "week":
            return first - timedelta(weeks=back)
        case "month":
            months = first.year * MONTHS + first.month - 1 - back
            return date(months // MONTHS, months % MONTHS + 1, 1)


def _beginning(day: date, zone: ZoneInfo) -> int:
    """Return the first moment of a date in a zone (ms): midnight, or the jump where clocks jump over it."""
    midnight = datetime.combine(day, time(), zone)
    moments = sorted(int(midnight.replace(fold=fold).astimezone(UTC).timestamp()) for fold in (0, 1))
    if datetime.fromtimestamp(moments[-1], zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return int(midnight.timestamp()) * SECOND_MS
    reached = bisect_left(range(*moments), True, key=lambda at: datetime.fromtimestamp(at, zone).date() >= day)
    return (moments[0] + reached) * SECOND_MS
