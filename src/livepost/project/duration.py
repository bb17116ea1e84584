"""The words for lengths of time: plain `datetime.timedelta`s; inside the house times are integer ms."""

from __future__ import annotations

from datetime import timedelta

MILLISECOND = timedelta(milliseconds=1)


def seconds(number: float) -> timedelta:
    """Return a length of `number` seconds."""
    return timedelta(seconds=number)


def minutes(number: float) -> timedelta:
    """Return a length of `number` minutes."""
    return timedelta(minutes=number)


def hours(number: float) -> timedelta:
    """Return a length of `number` hours."""
    return timedelta(hours=number)


def days(number: float) -> timedelta:
    """Return a length of `number` days of 24 hours."""
    return timedelta(days=number)


def weeks(number: float) -> timedelta:
    """Return a length of `number` weeks of 7 days."""
    return timedelta(weeks=number)


UNITS = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))


def in_ms(length: timedelta) -> int:
    """Return a length in whole milliseconds, rounded down."""
    return length // MILLISECOND


def spoken(length: timedelta) -> str:
    """Return a length in the author's words, in the largest unit that divides it.

    >>> spoken(timedelta(minutes=120))
    'hours(2)'
    """
    for word, unit in UNITS:
        if length and length % unit == timedelta(0):
            return f"{word}({length // unit})"
    return f"seconds({length.total_seconds():g})"
