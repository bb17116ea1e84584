"""How long a host asks to be left alone. In: a header Retry-After. Out: seconds. Promised: never more than a day."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

RETRY_AFTER_MAX_S = 86_400.0


def retry_after(text: str, now_s: float) -> float:
    """Return how long (s) a header Retry-After asks to wait, as a number or a date (RFC 9110, 10.2.3); 0.0 for others.

    >>> retry_after("120", 0.0), retry_after("Thu, 01 Jan 1970 00:00:09 GMT", 4.0), retry_after("soon", 0.0)
    (120.0, 5.0, 0.0)
    """
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), RETRY_AFTER_MAX_S)
    try:
        at: datetime = parsedate_to_datetime(text)
        return min(max(at.timestamp() - now_s, 0.0), RETRY_AFTER_MAX_S)
    except (ValueError, OverflowError, TypeError, IndexError):  # the parser takes any text, and stumbles over some
        return 0.0
