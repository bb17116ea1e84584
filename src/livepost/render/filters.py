"""Liquid's filters, each within the bounds of `limits`; `safe` and `escapejs` are not among them.

In: what a template hands to a filter. Out: its answer. Promised: no filter multiplies a text or a number
beyond its bound, because what would multiply is measured before it is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from liquid.exceptions import FilterArgumentError

from livepost.render.limits import MAX_ITEMS, MAX_NUMBER, MAX_VALUE_CHARS
from livepost.render.money import money

Filter = Callable[..., Any]

REMOVED = ("safe", "escapejs")
"""`safe` would let raw HTML in, `escapejs` has no place in a mail."""

_DATE_FORMAT = re.compile(r"(?:[^%]|%-?[A-Za-z%])*")
_MAX_DATE_FORMAT = 64
_SECONDS_END = 100_000_000_000  # as seconds the year 5138, as milliseconds March 1973: above it, ms


def bounded_filters(own: dict[str, Filter]) -> dict[str, Filter]:
    """Return an environment's filters, bounded, with Livepost's `date` and `money` instead of or beside them."""
    kept = {name: func for name, func in own.items() if name not in REMOVED}
    kept |= {"date": date, "money": money}
    return {name: _bounded(name, func) for name, func in kept.items()}


def date(value: object, form: str = "%-d %B %Y") -> str:
    """Return a time (ms or s since 1970, or ISO 8601 text) in UTC by a strftime form; other text unchanged.

    There is no `now`: a mail is the same whenever it is rendered.
    """
    form = str(form)
    if len(form) > _MAX_DATE_FORMAT or not _DATE_FORMAT.fullmatch(form):
        raise FilterArgumentError("date expected a short strftime form such as '%d %B %Y'", token=None)
    moment = _moment(value)
    return moment.strftime(form) if moment else str(value or "")


def _moment(value: object) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= _SECONDS_END else value, UTC)
        return datetime.fromisoformat(str(value)) if value else None
    except (ValueError, OverflowError, OSError):
        return None


def _bounded(name: str, func: Filter) -> Filter:
    foresee = _FORESEEN.get(name)

    @wraps(func)
    def within(value: object, *args: object, **kwargs: object) -> Any:
        for given in (value, *args):
            _measure(name, given)
        if foresee is not None:
            _refuse_above(name, foresee(value, *args), MAX_VALUE_CHARS)
        answer = func(value, *args, **kwargs)
        _measure(name, answer)
        return answer

    return within


def _measure(name: str, value: object) -> None:
    if isinstance(value, str):
        _refuse_above(name, len(value), MAX_VALUE_CHARS)
    elif isinstance(value, range):
        _refuse_above(name, value.stop - value.start, MAX_ITEMS)
    elif isinstance(value, list | tuple | dict):
        _refuse_above(name, len(value), MAX_ITEMS)
    elif isinstance(value, int | float):
        _refuse_above(name, abs(value), MAX_NUMBER)


def _refuse_above(name: str, size: float, most: int) -> None:
    if not size <= most:  # so written that NaN is refused too
        raise FilterArgumentError(f"{name} met a limit: at most {most}", token=None)


def _replaced(value: object, old: object = "", new: object = "", *_: object) -> int:
    text, old, new = str(value), str(old), str(new)
    return len(text) + text.count(old) * max(0, len(new) - len(old))


def _joined(value: object, separator: object = " ", *_: object) -> int:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return 0
    return sum(len(str(item)) for item in value) + len(value) * len(str(separator))


_FORESEEN: dict[str, Callable[..., int]] = {"replace": _replaced, "join": _joined}
"""The length of the answers of those filters that multiply."""
