"""Features as SQL: a spec in, one statement over the table `history` out; the formulas of docs/reference/semantics.md.

Each statement gives (person, value, number) for the persons that a record of theirs feeds:

value    JSON text of what is shown; sums of floats in 1e-6, a mean as [sum, count], so that SQL adds integers only
         and the one division is made where the value is read (`value_of`)
number   what conditions compare: a number, or text; NULL is never, NaN what is unknown (`distinct` alone)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from livepost.expr import Expr, Field
from livepost.model.compiled import FeatureSpec, FieldType
from livepost.model.record import KeyKind, SealedValue
from livepost.ops.parity.calendar import window_begin
from livepost.ops.parity.conditions import condition_sql
from livepost.ops.parity.fields import READINGS, Side, Types, path_of, type_of
from livepost.ops.parity.statement import Statement

MICRO = 1_000_000


def feature_sql(spec: FeatureSpec, types: Types, as_of: int) -> tuple[str, dict[str, Any]]:
    """Return a feature's statement and its parameters, as of a time (ms)."""
    formula = Formula(spec, types, as_of)
    return FORMULAS[spec.kind](formula), formula.statement.values


def value_of(spec: FeatureSpec, types: Types, currency: str, text: str | None) -> Any:
    """Return a value as `PersonView` shows it, from the statement's `value`; None is never, or unknown."""
    if text is None:
        return None
    if spec.personal:
        return msgspec.json.decode(text, type=SealedValue)
    value = msgspec.json.decode(text)
    if spec.kind in ("minimum", "maximum"):
        return [value[0], currency] if spec.type == "money" else value
    if spec.kind not in ("total", "mean"):
        return value
    total, count = value if spec.kind == "mean" else (value, 1)
    scaled = total / MICRO if field_type(spec, types) == "float" else total
    if spec.kind == "mean":
        return scaled / count
    return [scaled, currency] if spec.type == "money" else scaled


def value_without_records(spec: FeatureSpec, currency: str) -> Any:
    """Return a feature's value where no record feeds it; None is never."""
    match spec.kind:
        case "count" | "distinct":
            return 0
        case "exists":
            return False
        case "total":
            return [0, currency] if spec.type == "money" else 0
        case "recent" | "top":
            return []
        case _:
            return None


def field_type(spec: FeatureSpec, types: Types) -> FieldType | None:
    """Return the type of the field that a feature takes; None if it takes none, or one that stays sealed."""
    return None if spec.field is None or spec.personal else type_of(types, spec.event, spec.field)


class Formula:
    """One feature's statement under construction."""

    def __init__(self, spec: FeatureSpec, types: Types, as_of: int) -> None:
        self.spec = spec
        self.statement = Statement()
        self._types = types
        self._as_of = as_of

    def count(self) -> str:
        """How many."""
        return (
            f"SELECT person, CAST(count(*) AS VARCHAR) AS value, count(*) AS number FROM {self._fed()} GROUP BY person"
        )

    def exists(self) -> str:
        """Whether there is one: a person without one is in no row."""
        return f"SELECT DISTINCT person, 'true' AS value, 1 AS number FROM {self._fed()}"

    def total(self) -> str:
        """The sum of the field."""
        return (
            f"SELECT person, CAST(total AS VARCHAR) AS value, {self._scaled()} AS number "
            f"FROM (SELECT person, sum({self._amount()}) AS total FROM {self._fed()} GROUP BY person)"
        )

    def mean(self) -> str:
        """The sum over how many."""
        return (
            "SELECT person, concat('[', total, ',', times, ']') AS value, "
            f"CAST({self._scaled()} AS DOUBLE) / times AS number FROM "
            f"(SELECT person, sum({self._amount()}) AS total, count(*) AS times FROM {self._fed()} GROUP BY person)"
        )

    def minimum(self) -> str:
        """The smallest value."""
        return f"SELECT person, arg_min(raw, typed) AS value, min(typed) AS number FROM {self._fed()} GROUP BY person"

    def maximum(self) -> str:
        """The largest value."""
        return f"SELECT person, arg_max(raw, typed) AS value, max(typed) AS number FROM {self._fed()} GROUP BY person"

    def since(self) -> str:
        """T - the largest effective_ts (ms)."""
        at = self.statement.bind(self._as_of)
        return (
            "SELECT person, CAST(ago AS VARCHAR) AS value, ago AS number "
            f"FROM (SELECT person, {at} - max(effective) AS ago FROM {self._fed()} GROUP BY person)"
        )

    def latest(self) -> str:
        """The value with the largest (effective_ts, message_id)."""
        return self._outermost("effective DESC, message_id DESC")

    def first(self) -> str:
        """The value with the smallest (effective_ts, message_id)."""
        return self._outermost("effective, message_id")

    def recent(self) -> str:
        """The first n values by (effective_ts descending, message_id ascending)."""
        return (
            f"SELECT person, {self._listed('effective DESC, message_id, seq')} AS value, NULL AS number "
            f"FROM {self._fed()} GROUP BY person"
        )

    def top(self) -> str:
        """The first k values by (count descending, value ascending); NULL over so many different ones."""
        return (
            f"SELECT person, CASE WHEN count(*) <= {self._cap()} THEN {self._listed('times DESC, typed')} END "
            "AS value, NULL AS number FROM (SELECT person, typed, min(raw) AS raw, count(*) AS times "
            f"FROM {self._fed()} GROUP BY person, typed) GROUP BY person"
        )

    def distinct(self) -> str:
        """How many different values; unknown over so many."""
        return (
            f"SELECT person, CASE WHEN many <= {self._cap()} THEN CAST(many AS VARCHAR) END AS value, "
            f"CASE WHEN many <= {self._cap()} THEN CAST(many AS DOUBLE) ELSE CAST('nan' AS DOUBLE) END AS number "
            f"FROM (SELECT person, count(DISTINCT typed) AS many FROM {self._fed()} GROUP BY person)"
        )

    def _cap(self) -> str:
        return self.statement.bind(self.spec.told_apart)

    def _outermost(self, order: str) -> str:
        return (
            f"SELECT person, raw AS value, typed AS number FROM {self._fed()} "
            f"QUALIFY row_number() OVER (PARTITION BY person ORDER BY {order}, seq) = 1"
        )

    def _listed(self, order: str) -> str:
        return (
            f"CAST(to_json(list(CAST(raw AS JSON) ORDER BY {order})[1:{self.statement.bind(self.spec.n)}]) AS VARCHAR)"
        )

    def _amount(self) -> str:
        """Return what is summed: integers, floats as 1e-6 (a cast rounds half to even)."""
        return f"CAST(typed * {MICRO} AS BIGINT)" if self._is_float() else "typed"

    def _scaled(self) -> str:
        return f"CAST(total AS DOUBLE) / CAST({MICRO} AS DOUBLE)" if self._is_float() else "total"

    def _is_float(self) -> bool:
        return field_type(self.spec, self._types) == "float"

    def _fed(self) -> str:
        """Return the records that feed the feature as (person, seq, effective, message_id, raw, typed)."""
        raw, typed = self._columns()
        tests = [f"name = {self.statement.bind(self.spec.event)}", f"{raw} IS NOT NULL", *self._tests()]
        return (
            f"(SELECT person, seq, effective, message_id, {raw} AS raw, {typed} AS typed FROM history "
            f"WHERE {' AND '.join(tests)})"
        )

    def _columns(self) -> tuple[str, str]:
        """Return the field as JSON text and as what can be compared and summed."""
        spec = self.spec
        if spec.field is None:
            return "'true'", "NULL"
        column = "sealed" if spec.personal else "open"
        pointer = self.statement.bind(path_of(spec.field, "json"))
        raw = f"CAST(json_extract({column}, {pointer}) AS VARCHAR)"
        return raw, "NULL" if spec.personal else self._typed(spec.field)

    def _typed(self, field: str) -> str:
        """Return an open field as what can be compared and summed; NULL if its type cannot."""
        type_ = type_of(self._types, self.spec.event, field)
        if type_ not in READINGS:
            return "NULL"
        return READINGS[type_].format(path=self.statement.bind(path_of(field, type_)))

    def _tests(self) -> list[str]:
        spec, tests = self.spec, []
        if spec.secret_only:
            tests.append(f"key = {self.statement.bind(int(KeyKind.SECRET))}")
        if spec.over_ms is not None and spec.grid_ms is not None:
            oldest = (self._as_of - spec.over_ms) // spec.grid_ms * spec.grid_ms
            tests.append(f"effective >= {self.statement.bind(oldest)}")
        if spec.calendar is not None:
            tests.append(f"effective >= {self.statement.bind(window_begin(spec.calendar, self._as_of))}")
        if spec.where is not None:
            condition: Expr = msgspec.convert(spec.where, Expr)
            tests.append(condition_sql(condition, self.statement, self._side))
        return tests

    def _side(self, side: Expr) -> Side:
        if not isinstance(side, Field):
            raise TypeError(f"expected a field or a constant in where=, got {type(side).__name__}")
        return Side(self._typed(side.name), type_of(self._types, self.spec.event, side.name) == "str")


FORMULAS: dict[str, Callable[[Formula], str]] = {
    "count": Formula.count,
    "exists": Formula.exists,
    "total": Formula.total,
    "mean": Formula.mean,
    "minimum": Formula.minimum,
    "maximum": Formula.maximum,
    "since": Formula.since,
    "latest": Formula.latest,
    "first": Formula.first,
    "recent": Formula.recent,
    "top": Formula.top,
    "distinct": Formula.distinct,
}
