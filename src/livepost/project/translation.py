"""An author's condition as a tree of `livepost.expr`: features by name, constants in ms and minor units.

What can mean nothing (money against text, a sealed value compared) is refused here with the author's line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from livepost.errors import ProjectError
from livepost.expr import tree
from livepost.project.condition import Combination, Comparison, Condition, Constant, Negation, Operand
from livepost.project.duration import in_ms
from livepost.project.event import Event, field_spec_of
from livepost.project.feature import Feature
from livepost.project.field import Field
from livepost.project.money import Money, minor_digits

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
}


@dataclass(frozen=True)
class Term:
    """An operand translated: its node, what kind of value it has, and whether that is personal."""

    node: tree.Expr
    kind: Kind
    personal: bool


Reader: TypeAlias = Callable[[Operand], Term]


def field_term(event: type[Event]) -> Reader:
    """Return the reader of `where=` conditions: fields of `event` and nothing else."""

    def read(operand: Operand) -> Term:
        if not isinstance(operand, Field) or not issubclass(event, operand.event):
            raise ProjectError(
                f"expected a field of {event.__name__} in where=, got {operand.text}; "
                "an event knows its own fields only, so put the rest into a segment"
            )
        spec = field_spec_of(operand)
        return Term(tree.Field(spec.name), KINDS[spec.type], spec.personal)

    return read


def feature_term(name_of: Callable[[Feature[Any]], str]) -> Reader:
    """Return the reader of segment conditions: features and nothing else, by the names `name_of` gives."""

    def read(operand: Operand) -> Term:
        if not isinstance(operand, Feature):
            raise ProjectError(
                f"expected features in a segment, got the field {operand.text}; "
                f"write latest({operand.text}) or count(..., where=...) for what is known of a person"
            )
        definition = operand.definition
        kind = "list" if definition.value_type == "list" else KINDS[definition.field_type]
        node = tree.Feature(name_of(operand))
        return Term(node, "time" if definition.kind == "since" else kind, definition.personal)

    return read


def translate(condition: Condition, read: Reader, currency: str) -> tree.Expr:
    """Return a condition as a tree; plain amounts are in `currency`. `ProjectError` says what cannot be."""
    match condition:
        case Combination():
            parts = tuple(translate(part, read, currency) for part in condition.parts)
            return tree.And(parts) if condition.word == "and" else tree.Or(parts)
        case Negation():
            return tree.Not(translate(condition.of, read, currency))
        case Field():
            return _located(condition, lambda: _comparison("==", condition, True, read, currency))
        case Comparison():
            given = (condition.op, condition.left, condition.right)
            return _located(condition, lambda: _comparison(*given, read, currency))
    raise TypeError(f"a condition of an unknown form: {condition!r}")


def _located(condition: Condition, make: Callable[[], tree.Expr]) -> tree.Expr:
    try:
        return make()
    except ProjectError as error:
        raise error if error.where else ProjectError(str(error), condition.line) from None


def _comparison(op: tree.Op, left: Operand, right: Operand | Constant, read: Reader, currency: str) -> tree.Expr:
    known = read(left)
    _refuse_incomparable(left, known, op)
    if not isinstance(right, Operand):
        return tree.Compare(op, known.node, tree.Const(_constant(known.kind, right, left.text, currency)))
    other = read(right)
    _refuse_incomparable(right, other, op)
    if known.kind != other.kind:
        raise ProjectError(
            f"expected {left.text} to be compared with {EXAMPLES[known.kind]}, got {right.text}, "
            f"which is {EXAMPLES[other.kind]}; compare what is of one kind"
        )
    return tree.Compare(op, known.node, other.node)


def _refuse_incomparable(operand: Operand, term: Term, op: tree.Op) -> None:
    if term.personal:
        raise ProjectError(
            f"expected an open value to compare, got {operand.text}, which is personal and stays sealed; "
            "use a field that is not Personal"
        )
    if term.kind == "list":
        raise ProjectError(
            f"expected a single value to compare, got {operand.text}, which is a list; "
            "count the events instead, with where="
        )
    if term.kind == "bool" and op not in ("==", "!="):
        raise ProjectError(f"expected == or != with {operand.text}, which is true or false, got {op}")


def _constant(kind: Kind, value: Constant, text: str, currency: str) -> bool | int | float | str:
    known = CONSTANTS[kind](value, currency)
    if known is None:
        raise ProjectError(f"expected {text} to be compared with {EXAMPLES[kind]}, got {value!r}")
    return known


def _number(value: Constant, currency: str) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value) if isinstance(value, Decimal) else value


def _minor(value: Constant, currency: str) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Money):
        return None
    money = value if isinstance(value, Money) else Money(value)
    if money.currency not in ("", currency):
        raise ProjectError(f"expected an amount in {currency}, the project's currency, got {money!r}; convert it")
    exact = money.amount.scaleb(minor_digits(currency))
    if exact != exact.to_integral_value():
        raise ProjectError(
            f"expected at most {minor_digits(currency)} decimal digits in {currency}, got {money.amount}; round it"
        )
    return int(exact)


def _length(value: Constant, currency: str) -> int | None:
    return in_ms(value) if isinstance(value, timedelta) else None


def _text(value: Constant, currency: str) -> str | None:
    return value if isinstance(value, str) else None


def _truth(value: Constant, currency: str) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: Constant, currency: str) -> int | None:
    return round(value.timestamp() * 1000) if isinstance(value, datetime) and value.tzinfo else None


CONSTANTS: dict[Kind, Callable[[Constant, str], bool | int | float | str | None]] = {
    "number": _number,
    "money": _minor,
    "time": _length,
    "text": _text,
    "bool": _truth,
    "moment": _moment,
}
"""How a constant is read beside each kind of operand; None means it cannot be."""
