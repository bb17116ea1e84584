"""How values are written for people: times with their zone, numbers with units. Filters of the templates.

In: values. Out: text. Promised: nothing is rounded in our favour: latencies up, rates down.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from urllib.parse import urlencode

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, day, moment

_UNITS_MS = ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min"), (SECOND_MS, "s"))
SHORT = 12
"""Digits of an id that are shown where the whole one is a click away."""

_BYTES = ("B", "KB", "MB", "GB", "TB")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def hour(ms: int) -> str:
    """Return a time (UTC ms) as an axis has it.

    >>> hour(1_767_603_600_000)
    'Jan 5, 09:00'
    """
    at = moment(ms)
    return f"{_MONTHS[int(at[5:7]) - 1]} {int(at[8:10])}, {at[11:16]}" if at.endswith("UTC") else at


def clock(ms: int) -> str:
    """Return a time (UTC ms) beside its day.

    >>> clock(1_767_603_600_000)
    '09:00:00 UTC'
    """
    return moment(ms)[11:]


def short(id: str) -> str:
    """Return the beginning of an id in hex: enough to tell people apart, short enough for a phone.

    >>> short("00112233445566778899aabbccddeeff")
    '001122334455…'
    """
    return id if len(id) <= SHORT else f"{id[:SHORT]}…"


def number(value: float) -> str:
    """Return a count with thousands apart, a rate below ten with one digit, cut.

    >>> number(12345), number(3.79)
    ('12,345', '3.7')
    """
    if isinstance(value, int) or value >= 10 or value == int(value):
        return f"{math.floor(value):,}"
    return f"{math.floor(value * 10) / 10:.1f}"


def counted(count: int, one: str, many: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "person", "people")
    '1 person'
    """
    return f"{count:,} {one if count == 1 else many}"


def latency(ms: float) -> str:
    """Return a latency, rounded up, in the unit a person would say.

    >>> latency(4.21), latency(87.2), latency(1_240)
    ('4.3 ms', '88 ms', '1.3 s')
    """
    if ms < 10:
        return f"{math.ceil(ms * 10) / 10:g} ms"
    if ms < SECOND_MS:
        return f"{math.ceil(ms):d} ms"
    return f"{math.ceil(ms / 100) / 10:g} s"


def duration(ms: float) -> str:
    """Return a span of time in its two largest units.

    >>> duration(7_260_000), duration(45_000), duration(300)
    ('2 h 1 min', '45 s', '0 s')
    """
    left = int(ms)
    parts = []
    for unit, word in _UNITS_MS:
        if left >= unit:
            parts.append(f"{left // unit} {word}")
            left %= unit
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"


def size(count: int) -> str:
    """Return bytes, rounded up, in a unit of 1,000.

    >>> size(999), size(1_234_567)
    ('999 B', '1.3 MB')
    """
    unit = min(len(_BYTES) - 1, max(0, (len(str(count)) - 1) // 3))
    scaled = count / 1000**unit
    return f"{math.ceil(scaled * 10) / 10:g} {_BYTES[unit]}" if unit else f"{count} B"


def address(path: str, **asked: object) -> str:
    """Return the address of a page with what is asked of it; what is None or empty is left out.

    >>> address("/mailbox", campaign="still thinking", before=None)
    '/mailbox?campaign=still+thinking'
    """
    query = urlencode({name: value for name, value in asked.items() if value not in (None, "")})
    return f"{path}?{query}" if query else path


FILTERS: dict[str, Callable[..., str]] = {
    "moment": moment,
    "day": day,
    "clock": clock,
    "short": short,
    "number": number,
    "duration": duration,
    "size": size,
}
"""What templates call by these names."""

FUNCTIONS: dict[str, Callable[..., str]] = {"counted": counted, "address": address}
