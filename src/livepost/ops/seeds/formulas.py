"""What a subject's records up to a cut leave of a feature, as SQL: a spec in, one statement out.

A statement gives (subject_high, subject_low, ...) in the order of subjects; `state_of` makes a `SeedState` of one
subject's rows. Only what can still matter at the cut's stamp is there: of a window, what is in it; of a list, its first
n; of what looks for one record, that one, and of a window the one of each tile, since tiles leave one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from livepost.clock import SECOND_MS
from livepost.expr import Expr, Field
from livepost.model.change import SeedState
from livepost.model.compiled import FeatureSpec, FieldType
from livepost.model.record import KeyKind, SealedValue
from livepost.ops.parity.conditions import condition_sql
from livepost.ops.parity.fields import READINGS, Side, Types, path_of
from livepost.ops.parity.statement import Statement
from livepost.ops.seeds.units import unit_starts

MICRO = 1_000_000
"""Floats are summed as integers of 1e-6."""

SUMS = {"count": ("count",), "exists": ("count",), "total": ("total",), "mean": ("total", "count")}
"""The kinds that are sums, with those that each keeps."""

ORDERS = {
    "latest": "effective DESC, message_id DESC, seq",
    "since": "effective DESC, message_id DESC, seq",
    "first": "effective, message_id, seq",
    "minimum": "typed, effective, message_id, seq",
    "maximum": "typed DESC, effective, message_id, seq",
    "recent": "effective DESC, message_id, seq",
}
"""Which records come first where a kind keeps records."""

BY_TILE = ("first", "minimum", "maximum")
"""The kinds of which a tile's leaving brings another tile's record to the front."""

FITTING: dict[FieldType, tuple[str, ...]] = {
    "str": ("VARCHAR",),
    "int": ("BIGINT", "UBIGINT"),
    "float": ("BIGINT", "UBIGINT", "DOUBLE"),
    "bool": ("BOOLEAN",),
    "money": ("ARRAY",),
    "datetime": ("BIGINT", "UBIGINT"),
    "list": ("ARRAY",),
}
"""What a value may be in JSON: older records may hold it from before it was declared so."""

_SUBJECT = "subject_high, subject_low"


def seed_sql(spec: FeatureSpec, types: Types, cut_stamp: int) -> tuple[str, dict[str, Any]]:
    """Return the statement of a feature's history as of a cut (its stamp, ms), and its parameters."""
    history = _History(spec, types, cut_stamp)
    return history.sql(), history.statement.values


def state_of(spec: FeatureSpec, rows: Sequence[Sequence[Any]]) -> SeedState:
    """Return a subject's state of its rows, without the columns that name the subject."""
    if spec.kind in SUMS:
        names = SUMS[spec.kind]
        return {name: [(row[0], row[place]) for row in rows] for place, name in enumerate(names, start=1)}
    if spec.kind == "since" and not _windowed(spec):
        return rows[0][0]
    read = _value_of(spec)
    if spec.kind in ("distinct", "top"):
        return [(tile, read(raw), count) for tile, raw, count in rows]
    return [(effective, message_id, read(raw)) for effective, message_id, raw in rows]


def _windowed(spec: FeatureSpec) -> bool:
    return spec.over_ms is not None or spec.calendar is not None


def _value_of(spec: FeatureSpec) -> Callable[[str], Any]:
    if not spec.personal:
        return msgspec.json.decode
    return lambda raw: msgspec.to_builtins(msgspec.json.decode(raw, type=SealedValue), builtin_types=(bytes,))


class _History:
    """One feature's statement under construction."""

    def __init__(self, spec: FeatureSpec, types: Types, cut_stamp: int) -> None:
        self.spec = spec
        self.statement = Statement()
        self._types = types
        self._at = cut_stamp

    def sql(self) -> str:
        kind = self.spec.kind
        if kind in SUMS:
            sums = ", ".join(self._sum(name) for name in SUMS[kind])
            return f"SELECT {_SUBJECT}, tile, {sums} FROM {self._fed()} GROUP BY ALL ORDER BY {_SUBJECT}, tile"
        if kind in ("distinct", "top"):
            return self._counts()
        if kind == "since" and not _windowed(self.spec):
            return f"SELECT {_SUBJECT}, max(effective) FROM {self._fed()} GROUP BY ALL ORDER BY {_SUBJECT}"
        return self._records()

    def _sum(self, name: str) -> str:
        if name == "count":
            return "count(*)"
        is_float = self._type(self.spec.field) == "float"
        return f"sum({f'CAST(typed * {MICRO} AS BIGINT)' if is_float else 'typed'})"

    def _counts(self) -> str:
        """Return each tile's values with how often they come; one more than are told apart says: too many."""
        return (
            f"SELECT {_SUBJECT}, tile, min(raw) AS raw, count(*) FROM {self._fed()} GROUP BY {_SUBJECT}, tile, typed "
            f"QUALIFY row_number() OVER (PARTITION BY {_SUBJECT}, tile ORDER BY typed) <= "
            f"{self.statement.bind(self.spec.told_apart + 1)} ORDER BY {_SUBJECT}, tile, typed"
        )

    def _records(self) -> str:
        partition = f"{_SUBJECT}, tile" if self.spec.kind in BY_TILE else _SUBJECT
        kept = self.statement.bind(self.spec.n if self.spec.kind == "recent" else 1)
        return (
            f"SELECT {_SUBJECT}, effective, message_id, raw FROM {self._fed()} QUALIFY row_number() OVER "
            f"(PARTITION BY {partition} ORDER BY {ORDERS[self.spec.kind]}) <= {kept} "
            f"ORDER BY {_SUBJECT}, effective, message_id, seq"
        )

    def _fed(self) -> str:
        """Return the records that feed the feature: subject, seq, effective, message_id, raw, typed and tile (s)."""
        raw, typed = self._columns()
        tile, joined, inside = self._window()
        tests = [f"name = {self.statement.bind(self.spec.event)}", f"{raw} IS NOT NULL", *inside, *self._tests()]
        return (
            f"(SELECT {_SUBJECT}, seq, effective, message_id, {raw} AS raw, {typed} AS typed, {tile} AS tile "
            f"FROM body JOIN record USING (seq) SEMI JOIN counted USING (seq) {joined} WHERE {' AND '.join(tests)})"
        )

    def _columns(self) -> tuple[str, str]:
        """Return the field as JSON text, and as what can be compared and summed."""
        field = self.spec.field
        if field is None:
            return "'true'", "NULL"
        column = "sealed" if self.spec.personal else "open"
        raw = f"CAST(json_extract({column}, {self.statement.bind(path_of(field, 'json'))}) AS VARCHAR)"
        return raw, "NULL" if self.spec.personal else self._typed(field)

    def _window(self) -> tuple[str, str, list[str]]:
        """Return a record's tile in seconds, what it is looked up in, and the test that it is in the window."""
        if self.spec.calendar is not None:
            starts = self.statement.bind(unit_starts(self.spec.calendar, self._at))
            units = f"ASOF JOIN (SELECT unnest(CAST({starts} AS BIGINT[])) AS start) AS unit ON effective >= unit.start"
            return f"unit.start // {SECOND_MS}", units, []
        if self.spec.over_ms is None or self.spec.grid_ms is None:
            return "0", "", []
        grid = self.spec.grid_ms
        oldest = self.statement.bind((self._at - self.spec.over_ms) // grid * grid)
        return f"effective // {grid} * {grid // SECOND_MS}", "", [f"effective >= {oldest}"]

    def _tests(self) -> list[str]:
        spec, tests = self.spec, []
        if spec.field is not None and not spec.personal and (fitting := FITTING.get(self._type(spec.field))):
            kinds = ", ".join(map(self.statement.bind, fitting))
            tests.append(f"json_type(open, {self.statement.bind(path_of(spec.field, 'json'))}) IN ({kinds})")
        if spec.secret_only:
            tests.append(f"key = {self.statement.bind(int(KeyKind.SECRET))}")
        if spec.where is not None:
            condition: Expr = msgspec.convert(spec.where, Expr)
            tests.append(condition_sql(condition, self.statement, self._side))
        return tests

    def _typed(self, field: str) -> str:
        """Return an open field as what can be compared and summed; NULL if its type cannot."""
        type_ = self._type(field)
        if type_ not in READINGS:
            return "NULL"
        return READINGS[type_].format(path=self.statement.bind(path_of(field, type_)))

    def _side(self, side: Expr) -> Side:
        if not isinstance(side, Field):
            raise TypeError(f"expected a field or a constant in where=, got {type(side).__name__}")
        return Side(self._typed(side.name), self._type(side.name) == "str")

    def _type(self, field: str | None) -> FieldType:
        """Return a field's declared type; facets, whose names have a dot, are text."""
        return "str" if field is None or "." in field else self._types[self.spec.event, field]
