"""Values, windows, due times: recomputed from whole lists of records as docs/reference/semantics.md says.

In: a feature as plain data, the records of one person, a time T. Out: a value, the times at which it may change by
itself. Nothing is kept between two calls: slow, but easily checked.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from livepost.model.compiled import DISTINCT_MAX, FeatureSpec, Tree
from livepost.model.record import KeyKind, Record
from tests.oracle.calendar import tile_end, window_begin
from tests.oracle.conditions import UNKNOWN, amount, leaf, truth

MICRO = 1_000_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


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

    return truth(where, look, frozenset()) is True


def value_of(feature: FeatureSpec, fed: Iterable[Record], at: int) -> Any:
    """Return the value at T = `at` (ms) over the records that feed the feature; None is never, or `UNKNOWN`."""
    taken = [record for record in fed if in_window(feature, record, at)]
    return FORMULAS[feature.kind](feature, taken, at)


def in_window(feature: FeatureSpec, record: Record, at: int) -> bool:
    """Say whether a record is not older than the window; without one always.

    A window W begins at `floor((T - W) / g) * g`, one of N units of a calendar with the unit N - 1 before that of T.
    """
    if feature.calendar is not None:
        return window_begin(feature.calendar, at) <= record.effective_ts
    if feature.over_ms is None:
        return True
    grid = grid_of(feature)
    return (at - feature.over_ms) // grid * grid <= record.effective_ts


def expiries(feature: FeatureSpec, fed: Iterable[Record]) -> Iterator[int]:
    """Yield when each record's tile leaves the window: tile + grid + over (ms), or N units after its own."""
    for record in fed:
        if feature.calendar is not None:
            yield tile_end(feature.calendar, record.effective_ts)
        elif feature.over_ms is not None:
            grid = grid_of(feature)
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
    """Return a record's field: open, or its seal, or a facet where the name has a dot; None if it is not there."""
    if "." in name:
        return record.facets.get(name)
    value = record.properties.get(name)
    return record.sealed_value(name) if value is None else value


# --- formulas -------------------------------------------------------------------------------------


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


def exists(feature: FeatureSpec, taken: list[Record], at: int) -> bool:
    """Whether there is one."""
    return taken != []


def total(feature: FeatureSpec, taken: list[Record], at: int) -> int | float:
    """The sum of the field."""
    return sum_of(amounts(feature, taken))


def mean(feature: FeatureSpec, taken: list[Record], at: int) -> float | None:
    """The sum over how many; never without a record."""
    return sum_of(amounts(feature, taken)) / len(taken) if taken else None


def minimum(feature: FeatureSpec, taken: list[Record], at: int) -> Any:
    """The smallest; never without a record."""
    return min(amounts(feature, taken), default=None)


def maximum(feature: FeatureSpec, taken: list[Record], at: int) -> Any:
    """The largest; never without a record."""
    return max(amounts(feature, taken), default=None)


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


def top(feature: FeatureSpec, taken: list[Record], at: int) -> Any:
    """The first k values by (count descending, value ascending); unknown where there are too many different ones."""
    counted = Counter(amounts(feature, taken))
    if len(counted) > cap_of(feature):
        return UNKNOWN
    return sorted(counted, key=lambda value: (-counted[value], value))[: feature.n]


def distinct(feature: FeatureSpec, taken: list[Record], at: int) -> Any:
    """How many different values; unknown where there are too many."""
    different = len(set(amounts(feature, taken)))
    return UNKNOWN if different > cap_of(feature) else different


def cap_of(feature: FeatureSpec) -> int:
    """Return how many different values a feature tells apart."""
    return DISTINCT_MAX if feature.cap is None else feature.cap


def moment(record: Record) -> tuple[int, str]:
    """The order of what a record says: by when it happened, never by when it arrived."""
    return record.effective_ts, record.message_id


FORMULAS: dict[str, Callable[[FeatureSpec, list[Record], int], Any]] = {
    "count": count,
    "exists": exists,
    "total": total,
    "mean": mean,
    "minimum": minimum,
    "maximum": maximum,
    "since": since,
    "latest": latest,
    "first": first,
    "recent": recent,
    "top": top,
    "distinct": distinct,
}
