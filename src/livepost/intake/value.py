"""Values of declared fields: decoded JSON in, the one form the log keeps out; what does not fit is refused.

Promised: a refusal names what was expected and the type that came, never the value. Numbers are not read from
text, except money, whose exact form is decimal text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, TypeAlias

from livepost.errors import LivepostError
from livepost.intake.call import json_name
from livepost.intake.timestamp import parse_timestamp
from livepost.model.compiled import FieldType
from livepost.project.money import minor_digits

MAX_INTEGER = 2**63 - 1
MAX_MINOR = 10**15
"""The largest amount of money, in minor units: sums of thousands of them stay within 64 bits."""
_EXACT = 1e10
"""Below it, amounts of four decimals have at most 15 digits, which a double tells apart."""
_WIDE = Context(prec=50, rounding=ROUND_HALF_EVEN)
"""Wide enough for the longest text that `_DECIMAL` lets in, so that only the last step rounds."""
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)
Normaliser: TypeAlias = Callable[[Any], Any]


class MismatchError(LivepostError):
    """A value is not of its field's type: `expected` and `got` name types, never values."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got


def normaliser(type_: FieldType, item: FieldType | None = None) -> Normaliser:
    """Return the function that brings a decoded value to the form of a field type; it raises MismatchError.

    Money needs its sibling currency and goes through `money`. `item` is the type of a list's items.
    """
    if type_ == "list":
        return _list_of(_SCALARS[item] if item else _json)
    return _SCALARS[type_]


def money(amount: Any, currency: Any, default_currency: str) -> list[Any]:
    """Return [minor units, currency]: the decimal text of `amount`, rounded half even to the currency's
    digits.

    A JSON number counts as the shortest decimal text that gives it back; decimal text is taken as it is. The
    currency is that of the sibling field if there is one.

    >>> money(18.99, "usd", "EUR")
    [1899, 'USD']
    >>> money("0.125", None, "USD")
    [12, 'USD']
    """
    code = _currency(currency) if currency is not None else default_currency
    minor = _minor(amount, minor_digits(code))
    if abs(minor) > MAX_MINOR:
        raise MismatchError("an amount of at most 1e15 minor units", "a larger one")
    return [minor, code]


def _minor(amount: Any, digits: int) -> int:
    """Return an amount in minor units. A number that is exactly so many hundredths needs no text: its
    shortest decimal text has no further digits.
    """
    if type(amount) is float and abs(amount) < _EXACT:
        scale = 10**digits
        near: int = round(amount * scale)
        if near / scale == amount:
            return near
    return int(Decimal(_decimal_text(amount)).scaleb(digits, _WIDE).quantize(Decimal(1), context=_WIDE))


def _decimal_text(amount: Any) -> str:
    """Return plain decimal text (no exponent) of an amount."""
    if isinstance(amount, str):
        if _DECIMAL.fullmatch(amount) is None:
            raise MismatchError("an amount as a number or decimal text", "other text")
        return amount
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise MismatchError("an amount as a number or decimal text", json_name(amount))
    if abs(amount) > MAX_MINOR:
        raise MismatchError("an amount of at most 1e15 minor units", "a larger one")
    text = repr(amount)
    return format(Decimal(text), "f") if "e" in text else text


def _currency(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 3 or not (value.isascii() and value.isalpha()):
        raise MismatchError("a currency of three letters beside the amount", json_name(value))
    return value.upper()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MismatchError("a string", json_name(value))
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MismatchError("true or false", json_name(value))
    return value


def _integer(value: Any) -> int:
    """Take 3 and 3.0, which some languages write for the same number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MismatchError("a whole number", json_name(value))
    if abs(value) > MAX_INTEGER:
        raise MismatchError("a whole number of at most 64 bits", "a larger one")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise MismatchError("a number", json_name(value))
    if abs(value) > MAX_INTEGER and isinstance(value, int):
        raise MismatchError("a number of at most 64 bits", "a larger one")
    return value


def _float(value: Any) -> float:
    return float(_number(value))


def _datetime(value: Any) -> int:
    moment = parse_timestamp(value) if isinstance(value, str) else None
    if moment is None:
        raise MismatchError("an ISO 8601 date-time", "other text" if isinstance(value, str) else json_name(value))
    return moment


def _json(value: Any) -> Any:
    """Take any JSON; only whole numbers over 64 bits are refused, since the log's format has none."""
    level = [value]
    while level:
        one = level.pop()
        if isinstance(one, dict):
            level.extend(one.values())
        elif isinstance(one, list):
            level.extend(one)
        elif isinstance(one, int):
            _number(one) if not isinstance(one, bool) else None
    return value


def _list_of(item: Normaliser) -> Normaliser:
    def items(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise MismatchError("an array", json_name(value))
        return [item(one) for one in value]

    return items


_SCALARS: dict[FieldType, Normaliser] = {
    "str": _text,
    "int": _integer,
    "float": _float,
    "bool": _boolean,
    "datetime": _datetime,
    "json": _json,
    "list": _json,
}

PLAIN: dict[FieldType, type] = {"str": str, "bool": bool, "float": float}
"""Types whose every value is in form already: JSON has no number that is not finite."""
