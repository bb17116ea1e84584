"""Terms: operands and constants as nodes of `livepost.expr`, each with the kind of value it has."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from livepost.errors import ProjectError
from livepost.expr import tree
from livepost.project.duration import in_ms
from livepost.project.event import field_spec_of
from livepost.project.feature import Definition
from livepost.project.field import Field
from livepost.project.money import Money, minor_digits
from livepost.project.operand import Constant

Kind: TypeAlias = Literal["number", "money", "time", "text", "bool", "moment", "list"]

KINDS: dict[str, Kind] = {
    "int": "number",
    "float": "number",
    "money": "money",
    "str": "text",
    "bool": "bool",
    "datetime": "moment",
    "list": "list",
    "json": "list",
}
EXAMPLES: dict[Kind, str] = {
    "number": "a number such as 3",
    "money": "an amount such as 500 or Money('500', 'EUR')",
    "time": "a length of time such as hours(1)",
    "text": "text such as 'gold'",
    "bool": "True or False",
    "moment": "a datetime with a zone",
    "list": "a list",
}
MAX_NUMBER = 2**63 - 1
"""The largest number a condition may hold."""


@dataclass(frozen=True)
class Term:
    """An operand translated: its node, its kind of value, and whether that is personal. `whole`: money that always
    comes in whole minor units.
    """

    node: tree.Expr
    kind: Kind
    personal: bool = False
    whole: bool = True


def of_field(field: Field) -> Term:
    """Return a field of the event at hand as a term."""
    spec = field_spec_of(field)
    return Term(tree.Field(spec.name), KINDS[spec.type], spec.personal)


def of_feature(definition: Definition, name: str) -> Term:
    """Return a feature of the person as a term."""
    return Term(tree.Feature(name), _kind(definition), definition.personal, definition.kind != "mean")


def constant(kind: Kind, value: Constant, text: str, currency: str, *, whole: bool = True) -> tree.Const:
    """Return a constant beside an operand of a kind (`text` is how that reads); plain amounts are in `currency`.

    Beside money that need not be `whole`, an amount may have further digits.
    """
    known = _amount(value, currency, whole=whole) if kind == "money" else CONSTANTS[kind](value)
    if known is None:
        raise ProjectError(f"expected {text} to be compared with {EXAMPLES[kind]}, got {value!r}")
    return tree.Const(known)


def _kind(definition: Definition) -> Kind:
    if definition.kind == "since":
        return "time"
    return KINDS[definition.field_type if definition.kind == "mean" else definition.value_type]


def _amount(value: Constant, currency: str, *, whole: bool) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Money):
        return None
    money = value if isinstance(value, Money) else Money(value)
    if money.currency not in ("", currency):
        raise ProjectError(f"expected an amount in {currency}, the project's currency, got {money!r}; convert it")
    exact = money.amount.scaleb(minor_digits(currency))
    if exact == exact.to_integral_value():
        return int(exact)
    if whole:
        raise ProjectError(
            f"expected at most {minor_digits(currency)} decimal digits in {currency}, got {money.amount}; round it"
        )
    return float(exact)


def _number(value: Constant) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    known = float(value) if isinstance(value, Decimal) else value
    return known if math.isfinite(known) and abs(known) <= MAX_NUMBER else None


def _length(value: Constant) -> int | None:
    return in_ms(value) if isinstance(value, timedelta) else None


def _text(value: Constant) -> str | None:
    return value if isinstance(value, str) else None


def _truth(value: Constant) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: Constant) -> int | None:
    return round(value.timestamp() * 1000) if isinstance(value, datetime) and value.tzinfo else None


CONSTANTS: dict[Kind, Callable[[Constant], bool | int | float | str | None]] = {
    "number": _number,
    "time": _length,
    "text": _text,
    "bool": _truth,
    "moment": _moment,
}
"""How a constant is read beside each kind of operand but money; None means it cannot be."""
