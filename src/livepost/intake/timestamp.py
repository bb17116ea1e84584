"""Timestamps of clients: ISO 8601 text in, UTC milliseconds out.

Segment's own documentation prints `2015-2-02T00:30:08.276Z`, without the padding that ISO 8601 asks for;
clients copy it, so it is read. Text without a zone is UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LOOSE = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[Tt ](?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,18}))?)?"
    r"\s*(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
MAX_TIMESTAMP_CHARS = 64
FIRST_MS = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
LAST_MS = (datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC) - _EPOCH) // _MILLISECOND
"""UTC ms of the first and the last moment that a date of the years 1 to 9999 says."""


def parse_timestamp(text: str) -> int | None:
    """Return UTC milliseconds (rounded down), or None if the text is no date-time.

    >>> parse_timestamp("2015-2-02T00:30:08.276Z")
    1422837008276
    >>> parse_timestamp("yesterday") is None
    True
    """
    if len(text) > MAX_TIMESTAMP_CHARS:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _loose(text.strip())
    since = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH
    # By parts: dividing by a timedelta takes twice as long.
    return _within((since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000)


def effective_ms(timestamp: int | None, sent_at: int | None, received_at: int) -> int:
    """Return when it happened: the client's time corrected by how wrong its clock was at sending (FORMATS).

    All in UTC ms. The log clamps what lies in the future to the stamp.
    """
    if timestamp is None:
        return received_at
    return timestamp if sent_at is None else timestamp + received_at - sent_at


def _within(ms: int) -> int | None:
    """Return a time if it can be written as a date again (an offset may lead out of the years 1 to 9999)."""
    return ms if FIRST_MS <= ms <= LAST_MS else None


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _loose(text: str) -> int | None:
    """Read a date-time whose parts are not padded, and a leap second (`:60`), which counts as the next
    second.
    """
    found = _LOOSE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (
        int(found[part] or 0) for part in ("year", "month", "day", "hour", "minute", "second")
    )
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        date = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    seconds = (hour * 60 + minute) * 60 + second - _offset_s(found["zone"])
    return _within(_ms(date) + seconds * 1000 + int((found["fraction"] or "0").ljust(3, "0")[:3]))


def _offset_s(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return -seconds if zone[0] == "-" else seconds
