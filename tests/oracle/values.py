"""Values, conditions, due times: recomputed from whole lists of records as docs/reference/semantics.md says.

In: a feature or a condition as plain data, the records of one person, a time T. Out: a value, a truth, the
times at which either may change by itself. Nothing is kept between two calls: slow, but easily checked.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from livepost.model.compiled import FeatureSpec, Tree
from livepost.model.record import KeyKind, Record

MICRO = 1_000_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Lookup = Callable[[Tree], Any]
"""Gives the value of a node that is no compare, and, or, not: None is never."""


def feeds(feature: FeatureSpec, record: Record) -> bool:
    """Say whether a processed record feeds a feature."""
    return (
        record.name == feature.event
        and (not feature.secret_only or record.key == KeyKind.SECRET)
        and (feature.field is None or field_of(record, feature.field) is not None)
        and (feature.where is None or where_holds(feature.where, record))
    )


def where_holds(where: Tree, record: Record) -> bool:
    """Say whether a condition over fields holds for a record; a field that is not there is never."""

    def look(node: Tree) -> Any:
        return field_of(record, node["name"]) if node["type"] == "field" else leaf(node)

    return holds(where, look, frozenset())


def value_of(feature: FeatureSpec, fed: Iterable[Record], at: int) -> Any:
    """Return the value at T = `at` (ms) over the records that feed the feature; None is never."""
    taken = [record for record in fed if in_window(feature, record, at)]
    return FORMULAS[feature.kind](feature, taken, at)


def in_window(feature: FeatureSpec, record: Record, at: int) -> bool:
    """Say whether `floor((T - W) / g) * g <= effective_ts`; without W always."""
    if feature.over_ms is None:
        return True
    grid = grid_of(feature)
    return (at - feature.over_ms) // grid * grid <= record.effective_ts


def expiries(feature: FeatureSpec, fed: Iterable[Record]) -> Iterator[int]:
    """Yield when each record's tile leaves the window: tile + grid + over (ms)."""
    if feature.over_ms is not None:
        grid = grid_of(feature)
        for record in fed:
            yield record.effective_ts // grid * grid + grid + feature.over_ms


def passings(durations: Iterable[float], fed: Sequence[Record]) -> Iterator[int]:
    """Yield when a `since` over the records passes each duration d (ms): last + d, and last + d + 1."""
    if fed:
        last = max(record.effective_ts for record in fed)
        for duration in durations:
            yield last + math.floor(duration)
            yield last + math.floor(duration) + 1


def grid_of(feature: FeatureSpec) -> int:
    """Return the feature's grid, or the default one for its window (ms)."""
    over = feature.over_ms or 0
    default = SECOND if over <= HOUR else 5 * MINUTE if over <= DAY else HOUR if over <= 7 * DAY else DAY
    return feature.grid_ms or default


def field_of(record: Record, name: str) -> Any:
    """Return a record's field: open, or its seal; None if it is not there."""
    value = record.properties.get(name)
    return record.sealed_value(name) if value is None else value


# --- conditions -----------------------------------------------------------------------------------


def holds(tree: Tree, look: Lookup, sinces: frozenset[str]) -> bool:
    """Say whether a condition holds; `sinces` are the names of the features that are a `since`."""
    match tree["type"]:
        case "and":
            return all(holds(part, look, sinces) for part in tree["of"])
        case "or":
            return any(holds(part, look, sinces) for part in tree["of"])
        case "not":
            return not holds(tree["of"], look, sinces)
        case "compare":
            return compare(tree, look, sinces)
        case _:
            return look(tree) is True


def compare(tree: Tree, look: Lookup, sinces: frozenset[str]) -> bool:
    """Compare two sides: never is infinitely long ago between two `since`, and makes anything else false."""
    left, right = amount(look(tree["left"])), amount(look(tree["right"]))
    if left is not None and right is not None:
        return OPERATORS[tree["op"]](left, right)
    if not (names_since(tree["left"], sinces) and names_since(tree["right"], sinces)):
        return False
    a_never, b_never = left is None, right is None
    return (tree["op"] == ">" and a_never and not b_never) or (tree["op"] == "<" and b_never and not a_never)


def names_since(node: Tree, sinces: frozenset[str]) -> bool:
    """Say whether a node is a feature that is a `since`."""
    return node["type"] == "feature" and node["name"] in sinces


def leaf(node: Tree) -> Any:
    """Return a constant's value; None for any other node."""
    return node["value"] if node["type"] == "const" else None


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
            for side, other in ((tree["left"], tree["right"]), (tree["right"], tree["left"])):
                if side["type"] == "feature" and side["name"] == feature and other["type"] == "const":
                    found.add(other["value"])
    return found


# --- formulas -------------------------------------------------------------------------------------


def amount(value: Any) -> Any:
    """Return money's minor units; anything else as it is."""
    return value[0] if isinstance(value, list | tuple) else value


def amounts(feature: FeatureSpec, taken: list[Record]) -> list[Any]:
    """Return the field's values, money in minor units."""
    return [amount(field_of(record, feature.field or "")) for record in taken]


def sum_of(values: list[Any]) -> int | float:
    """Return the sum; floats are summed as integers of 1e-6, rounded half even."""
    if any(isinstance(value, float) for value in values):
        return int(sum(round(value * 1e6) for value in values)) / MICRO
    return int(sum(values))


def count(feature: FeatureSpec, taken: list[Record], at: int) -> int:
    """How many."""
    return len(taken)


def total(feature: FeatureSpec, taken: list[Record], at: int) -> int | float:
    """The sum of the field."""
    return sum_of(amounts(feature, taken))


def mean(feature: FeatureSpec, taken: list[Record], at: int) -> float | None:
    """The sum over how many; never without a record."""
    return sum_of(amounts(feature, taken)) / len(taken) if taken else None


def since(feature: FeatureSpec, taken: list[Record], at: int) -> int | None:
    """How long ago the newest was (ms)."""
    return at - max(record.effective_ts for record in taken) if taken else None


def latest(feature: FeatureSpec, taken: list[Record], at: int) -> Any:
    """The field of the record with the largest (effective_ts, message_id)."""
    return field_of(max(taken, key=moment), feature.field or "") if taken else None


def first(feature: FeatureSpec, taken: list[Record], at: int) -> Any:
    """The field of the record with the smallest (effective_ts, message_id)."""
    return field_of(min(taken, key=moment), feature.field or "") if taken else None


def recent(feature: FeatureSpec, taken: list[Record], at: int) -> list[Any]:
    """The first n values by (effective_ts descending, message_id ascending)."""
    ordered = sorted(taken, key=lambda record: (-record.effective_ts, record.message_id))
    return [field_of(record, feature.field or "") for record in ordered][: feature.n]


def top(feature: FeatureSpec, taken: list[Record], at: int) -> list[Any]:
    """The first k values by (count descending, value ascending)."""
    counted = Counter(field_of(record, feature.field or "") for record in taken)
    return sorted(counted, key=lambda value: (-counted[value], value))[: feature.n]


def moment(record: Record) -> tuple[int, str]:
    """The order of what a record says: by when it happened, never by when it arrived."""
    return record.effective_ts, record.message_id


FORMULAS: dict[str, Callable[[FeatureSpec, list[Record], int], Any]] = {
    "count": count,
    "total": total,
    "mean": mean,
    "since": since,
    "latest": latest,
    "first": first,
    "recent": recent,
    "top": top,
}
