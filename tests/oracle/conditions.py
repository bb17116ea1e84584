"""Conditions and arithmetic over values, in three truths, as docs/reference/semantics.md says.

In: a condition as plain data, and what its features, fields and segments are. Out: true, false or `UNKNOWN`; None
stands for never.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, TypeAlias

from livepost.model.compiled import Tree


class Unknown:
    """What cannot be told, be it a value or a truth."""

    def __bool__(self) -> NoReturn:
        """Refuse to be taken for true or false."""
        raise TypeError("expected a truth, got what is unknown; ask `is UNKNOWN` first")


UNKNOWN = Unknown()

Truth: TypeAlias = bool | Unknown
Lookup: TypeAlias = Callable[[Tree], Any]
"""Gives the value of a feature, field or constant (None is never), and the truth of a segment."""

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def truth(tree: Tree, look: Lookup, sinces: frozenset[str]) -> Truth:
    """Return whether a condition holds; `sinces` are the names of the features that are a `since`."""
    match tree["type"]:
        case "and":
            return all_of([truth(part, look, sinces) for part in tree["of"]])
        case "or":
            return negated(all_of([negated(truth(part, look, sinces)) for part in tree["of"]]))
        case "not":
            return negated(truth(tree["of"], look, sinces))
        case "compare":
            return compared(tree, look, sinces)
    told: Truth = look(tree)
    return told


def all_of(parts: list[Truth]) -> Truth:
    """Return false where a part is false, else unknown where a part is unknown, else true."""
    if any(part is False for part in parts):
        return False
    return UNKNOWN if any(part is UNKNOWN for part in parts) else True


def negated(part: Truth) -> Truth:
    """Return the contrary; of unknown unknown."""
    return UNKNOWN if part is UNKNOWN else part is False


def compared(tree: Tree, look: Lookup, sinces: frozenset[str]) -> Truth:
    """Compare two sides: never is infinitely long ago between two `since`, and makes anything else false."""
    left, right = side(tree["left"], look), side(tree["right"], look)
    if left is None or right is None:
        both = names_since(tree["left"], sinces) and names_since(tree["right"], sinces)
        return both and (tree["op"], left is None, right is None) in ((">", True, False), ("<", False, True))
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    return OPERATORS[tree["op"]](left, right)


def names_since(node: Tree, sinces: frozenset[str]) -> bool:
    """Say whether a node is a feature that is a `since`."""
    return node["type"] == "feature" and node["name"] in sinces


def side(node: Tree, look: Lookup) -> Any:
    """Return the value of one side of a comparison; money in minor units."""
    if node["type"] != "arithmetic":
        return amount(look(node))
    return computed(node["sign"], side(node["left"], look), side(node["right"], look))


def computed(sign: str, left: Any, right: Any) -> Any:
    """Return `left sign right` in double precision: never before unknown before a number."""
    if left is None or right is None or (sign == "/" and right is not UNKNOWN and right == 0):
        return None
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    result = SIGNS[sign](float(left), float(right))
    return result if math.isfinite(result) else None


def amount(value: Any) -> Any:
    """Return money's minor units; anything else as it is."""
    return value[0] if isinstance(value, list | tuple) else value


def leaf(node: Tree) -> Any:
    """Return a constant's value."""
    return node["value"]


def compares(tree: Tree) -> Iterator[Tree]:
    """Yield every comparison in a condition."""
    match tree["type"]:
        case "compare":
            yield tree
        case "and" | "or":
            for part in tree["of"]:
                yield from compares(part)
        case "not":
            yield from compares(tree["of"])


def durations_of(feature: str, conditions: Iterable[Tree]) -> set[float]:
    """Return every constant that a feature is compared with in the conditions."""
    found: set[float] = set()
    for condition in conditions:
        for tree in compares(condition):
            for one, other in ((tree["left"], tree["right"]), (tree["right"], tree["left"])):
                if one["type"] == "feature" and one["name"] == feature and other["type"] == "const":
                    found.add(other["value"])
    return found
