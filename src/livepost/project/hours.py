"""The words for hours of the day: when nobody wants a mail, and when one is to come."""

from __future__ import annotations

import re
from dataclasses import dataclass

from livepost.errors import ProjectError
from livepost.model.hours import QuietHours

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class Quiet:
    """Hours without mail, as clocks show them where the person is: from `start` until `end`, over midnight too."""

    start: str
    end: str


def minute_of(time: object) -> int:
    """Return the minute of the day that a time is; `ProjectError` if it is not written as `"09:00"`.

    >>> minute_of("21:30")
    1290
    """
    found = _TIME.fullmatch(time) if isinstance(time, str) else None
    if found is None:
        raise ProjectError(
            f'expected a time of day such as "09:00", got {time!r}; write hours and minutes, 00:00 to 23:59'
        )
    return int(found[1]) * 60 + int(found[2])


def quiet_hours(quiet: Quiet) -> QuietHours:
    """Return quiet hours as data; `ProjectError` for times that are none, or hours that are none or all."""
    start, end = minute_of(quiet.start), minute_of(quiet.end)
    if start == end:
        raise ProjectError(
            f"expected quiet hours that begin and end, got {quiet.start} until {quiet.end}; quiet=False is for none"
        )
    return QuietHours(start, end)
