"""When a request has to be answered: a month by the GDPR (art. 12 (3)), 45 days by the CCPA (§ 1798.130), each extended
once with a reason; an opt-out of sale by the CCPA within 15 business days (11 CCR § 7026 (f)), without more time.

In: when it came in (UTC ms), by which law, what is asked for. Out: when it is due. Promised: a month is a calendar's:
what comes in on the 31st is due on the last day of the next month, to the minute; business days are Monday to Friday,
holidays counted in, so that a day may be early and never late.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from livepost.clock import DAY_MS
from livepost.control.requests import Regulation, RequestKind

MONTHS = 1
MONTHS_MORE = 2
DAYS = 45
DAYS_MORE = 45
BUSINESS_DAYS = 15
_SATURDAY = 5

SOON_MS = 7 * DAY_MS
"""A request that is due within this is warned of."""


def is_extendable(regulation: Regulation, kind: RequestKind) -> bool:
    """Say whether the law knows more time for it."""
    return not (regulation == "ccpa" and kind == "opt_out_of_sale")


def due_at(regulation: Regulation, received_ms: int, *, kind: RequestKind = "access", extended: bool = False) -> int:
    """Return when a request is due.

    >>> datetime.fromtimestamp(due_at("gdpr", 1_706_659_200_000) / 1000, UTC).date().isoformat()
    '2024-02-29'
    """
    if not is_extendable(regulation, kind):
        return _business_days_later(received_ms, BUSINESS_DAYS)
    if regulation == "ccpa":
        return received_ms + (DAYS + (DAYS_MORE if extended else 0)) * DAY_MS
    return _months_later(received_ms, MONTHS + (MONTHS_MORE if extended else 0))


def _business_days_later(at_ms: int, days: int) -> int:
    while days:
        at_ms += DAY_MS
        days -= datetime.fromtimestamp(at_ms / 1000, UTC).weekday() < _SATURDAY
    return at_ms


def _months_later(at_ms: int, months: int) -> int:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    years, month = divmod(at.month - 1 + months, 12)
    year = at.year + years
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp() * 1000)
