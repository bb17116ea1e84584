"""A `where=` condition over one event's properties, in plain Python."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from livepost.expr.tree import And, Arithmetic, Compare, Const, Expr, Field, Not, Or

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def holds(condition: Expr, properties: Mapping[str, Any]) -> bool:
    """Return whether the condition holds for these properties; a field that is not there makes a comparison false.

    Money compares by its minor units. Values that cannot be ordered against each other do not compare. Arithmetic is in
    double precision; what it has no finite result for is not there.
    """
    match condition:
        case And(of):
            return all(holds(part, properties) for part in of)
        case Or(of):
            return any(holds(part, properties) for part in of)
        case Not(of):
            return not holds(of, properties)
        case Compare(op, left, right):
            return _compare(op, _value(left, properties), _value(right, properties))
    raise TypeError(f"expected a condition, got {type(condition).__name__}")


def _compare(op: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    try:
        return bool(_OPERATORS[op](left, right))
    except TypeError:
        return False


def _value(side: Expr, properties: Mapping[str, Any]) -> Any:
    match side:
        case Const(constant):
            return constant
        case Field(name):
            value = properties.get(name)
            return value[0] if isinstance(value, list) else value
        case Arithmetic(sign, left, right):
            return _computed(sign, _value(left, properties), _value(right, properties))
    raise TypeError(f"expected a field or a constant in where=, got {type(side).__name__}")


def _computed(sign: str, left: Any, right: Any) -> float | None:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    try:
        result: float = _OPERATORS[sign](float(left), float(right))
    except ArithmeticError:
        return None
    return result if math.isfinite(result) else None
