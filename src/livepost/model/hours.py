"""Hours as clocks on people's walls show them: quiet ones, and a time of day to wait for. Pure.

In: moments in UTC ms, zones by their IANA names. Out: moments in UTC ms. Promised: a moment that is waited for is
always later than what it is counted from, whatever clocks do; a time of day that a zone's clocks jump over is the
moment of the jump, and one that they show twice comes twice.
"""

from __future__ import annotations

import zoneinfo
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import msgspec

OF_THE_MACHINE = frozenset({"localtime", "Factory"})
"""Names that some machines list as zones, and that mean another one on each."""

_DAY = timedelta(days=1)
_SECOND_MS = 1_000


class QuietHours(msgspec.Struct, frozen=True, array_like=True):
    """Hours without mail: from minute `start` of the day until minute `end`, over midnight where that is earlier."""

    start: int
    end: int


@cache
def zones() -> frozenset[str]:
    """Return the names of the zones that there are."""
    return frozenset(zoneinfo.available_timezones()) - OF_THE_MACHINE


def is_quiet(quiet: QuietHours, zone: str, at: int) -> bool:
    """Say whether clocks of a zone show one of the quiet hours at a moment (ms)."""
    shown = _shown(at // _SECOND_MS, ZoneInfo(zone))
    minute = shown.hour * 60 + shown.minute
    if quiet.start <= quiet.end:  # the same minute: none
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def quiet_until(quiet: QuietHours, zone: str, at: int) -> int:
    """Return when the quiet hours around a moment end (ms); the moment itself if there are none.

    >>> noon = 1_767_614_400_000  # 12:00 on 5 January 2026, UTC
    >>> quiet_until(QuietHours(21 * 60, 8 * 60), "UTC", noon + 10 * 3_600_000) == noon + 20 * 3_600_000
    True
    """
    return time_after(quiet.end, zone, at) if is_quiet(quiet, zone, at) else at


def time_after(minute: int, zone: str, at: int) -> int:
    """Return the first moment after `at` (ms) at which clocks of a zone come to show a minute of the day, or jump past
    it.
    """
    clock = ZoneInfo(zone)
    today = _shown(at // _SECOND_MS, clock).date()
    shown_on = (today + days * _DAY for days in range(-1, 4))  # a zone may leave out a day, and be a day off UTC
    return min(moment for day in shown_on for moment in _moments(day, minute, clock) if moment > at)


def _moments(day: date, minute: int, clock: ZoneInfo) -> Iterator[int]:
    """Yield when clocks show a minute of a day: once, twice where they are set back, else at the jump over it (ms)."""
    wanted = datetime.combine(day, time(minute // 60, minute % 60))
    seconds = sorted({int(wanted.replace(tzinfo=clock, fold=fold).timestamp()) for fold in (0, 1)})
    found = [second for second in seconds if _shown(second, clock) == wanted]
    if not found:
        between = range(seconds[0], seconds[-1] + 1)
        found = [between[bisect_left(between, True, key=lambda second: _shown(second, clock) >= wanted)]]
    return (second * _SECOND_MS for second in found)


def _shown(second: int, clock: ZoneInfo) -> datetime:
    """Return what clocks show, without a zone."""
    return datetime.fromtimestamp(second, clock).replace(tzinfo=None, fold=0)
