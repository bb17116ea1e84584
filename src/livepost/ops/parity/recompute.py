"""People recomputed: blocks in, and for each wanted person what the log says they are, out.

Steps, each a table or a query of its own: load, count, identify, gather their history, then features, segments and
consents. A segment holds for nobody who has no record: they have never been evaluated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb
import msgspec

from livepost.errors import StoreError
from livepost.expr import Expr, Feature, Segment
from livepost.log.base import Position
from livepost.model.block import Block
from livepost.model.compiled import Compiled, FeatureSpec
from livepost.model.record import Origin
from livepost.model.unlink import Unlink
from livepost.ops.parity.conditions import condition_sql
from livepost.ops.parity.counted import count_records
from livepost.ops.parity.fields import Side, types_of
from livepost.ops.parity.formulas import feature_sql, field_type, value_of, value_without_records
from livepost.ops.parity.persons import Person, Undo, keep_members, persons_of
from livepost.ops.parity.statement import Statement
from livepost.ops.parity.tables import Loader, database

MEMORY_MB = 2_048
"""How much memory the database takes at most; over it parity is refused, nothing goes to a disk."""

HISTORY = """
CREATE TABLE history AS
SELECT person, seq, record.effective, name, key, message_id, open, sealed
FROM body SEMI JOIN counted USING (seq) JOIN record USING (seq) JOIN member USING (subject)
"""

CONSENTS = """
WITH said AS (
    SELECT person, purpose AS key, regexp_matches(purpose, '^(gpc|tcf):') AS signal, allowed, effective, message_id, seq
    FROM consent SEMI JOIN counted USING (seq) JOIN record USING (seq) JOIN member USING (subject)
), kept AS (
    SELECT * FROM said WHERE NOT signal
    QUALIFY row_number() OVER (PARTITION BY person, key ORDER BY effective DESC, message_id DESC, seq) = 1
    UNION ALL SELECT * FROM said WHERE signal
    QUALIFY row_number() OVER (PARTITION BY person, key ORDER BY effective, message_id, seq) = 1
), spoken AS (
    SELECT *, CASE WHEN signal THEN regexp_extract(key, '[^:]*$') ELSE key END AS purpose FROM kept
)
SELECT person, purpose, allowed FROM spoken
QUALIFY row_number() OVER (PARTITION BY person, purpose ORDER BY effective DESC, allowed, message_id DESC) = 1
"""
"""What stands of each purpose: the last word, but of a signal, which is repeated with each call, the first."""

PEOPLE = """
CREATE TABLE person AS
SELECT person, bool_or(counted.seq IS NOT NULL OR parted.subject IS NOT NULL) AS seen
FROM member LEFT JOIN record USING (subject) LEFT JOIN counted ON counted.seq = record.seq
    LEFT JOIN parted ON parted.subject = member.subject
GROUP BY person
"""


VALUES_OF_FIELDS = ("latest", "first", "minimum", "maximum")
"""The kinds whose value is one of those that came, and so of the field's type."""


@dataclass
class Recomputed:
    """A person as the log has them; values as in `PersonView`, a personal one as its `SealedValue`.

    `segments` has None where a condition is unknown, so that nobody can tell from the log's end alone who is inside.
    """

    person: Person
    features: dict[str, Any] = field(default_factory=dict)
    segments: dict[str, bool | None] = field(default_factory=dict)
    consents: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class People:
    """Everybody by name (`persons`), and those whose values were asked for (`recomputed`)."""

    persons: dict[bytes, Person]
    recomputed: dict[bytes, Recomputed]


def recompute(
    blocks: Iterable[Block],
    compiled: Compiled,
    wanted: Collection[tuple[bytes, ...]],
    at: Position,
    memory_mb: int = MEMORY_MB,
) -> People:
    """Return everybody at a position, with values for the persons that have just the `wanted` sets of subjects.

    StoreError if the blocks are not the whole log up to it, or it does not fit into the memory.
    """
    subjects = {subject for group in wanted for subject in group}
    try:
        with closing(database(memory_mb)) as db:
            loader = Loader(db, compiled, subjects)
            loader.load(blocks, at.seq)
            count_records(db, at.seq)
            everybody = persons_of(db, list(loader.numbers), _undos(loader))
            gone = loader.forgotten
            persons = {name: one for name, one in everybody.items() if not gone.intersection(one.subjects)}
            groups = {frozenset(group) for group in wanted}
            chosen = [person for person in persons.values() if frozenset(person.subjects) in groups]
            keep_members(db, chosen, loader.numbers)
            return People(persons, _Values(db, compiled, chosen, at).read())
    except duckdb.OutOfMemoryException as error:
        raise StoreError(
            f"expected {at.seq + 1} records and the history of {len(wanted)} people to fit into {memory_mb} MB, got "
            "more; compare fewer people, or give it more memory"
        ) from error


def _undos(loader: Loader) -> list[Undo]:
    """Return the undone merges. Their project is not looked at: the house writes none that is of another one."""
    number = loader.numbers.get
    undos = []
    for record in loader.unlinks:
        if record.origin is not Origin.BACKFILL:
            continue
        with suppress(msgspec.ValidationError):
            told = msgspec.convert(record.control, Unlink)
            one, other = (frozenset(number(subject, -1) for subject in part.ids) for part in told.parts)
            undos.append(Undo(record.seq, (told.link, number(told.mentioned, -1)), (one, other)))
    return undos


class _Values:
    """Everything that is said of the chosen persons, one query after the other."""

    def __init__(self, db: duckdb.DuckDBPyConnection, compiled: Compiled, persons: list[Person], at: Position) -> None:
        self._db = db
        self._compiled = compiled
        self._types = types_of(compiled)
        self._at = at
        nothing = {spec.name: value_without_records(spec, compiled.currency) for spec in compiled.features}
        self._people = [Recomputed(person, dict(nothing)) for person in persons]
        self._place = {spec.name: place for place, spec in enumerate(compiled.features)}
        self._segments = {segment.name: segment.condition for segment in compiled.segments}

    def read(self) -> dict[bytes, Recomputed]:
        """Return the persons by name."""
        self._db.execute(HISTORY)
        self._db.execute("DROP TABLE body")
        self._db.execute(PEOPLE)
        for spec in self._compiled.features:
            self._read_feature(spec)
        if self._segments:
            self._read_segments()
        for person, purpose, allowed in self._db.execute(CONSENTS).fetchall():
            self._people[person].consents[purpose] = allowed
        return {each.person.name: each for each in self._people}

    def _read_feature(self, spec: FeatureSpec) -> None:
        sql, values = feature_sql(spec, self._types, self._at.stamp)
        table = self._table(spec.name)
        self._db.execute(f"CREATE TABLE {table} AS {sql}", values)
        for person, text in self._db.execute(f"SELECT person, value FROM {table}").fetchall():
            self._people[person].features[spec.name] = value_of(spec, self._types, self._compiled.currency, text)

    def _read_segments(self) -> None:
        statement = Statement()
        conditions = [
            condition_sql(_tree(condition), statement, self._side, lambda node: self._nested(node, statement))
            for condition in self._segments.values()
        ]
        joins = " ".join(f"LEFT JOIN {self._table(name)} USING (person)" for name in self._place)
        columns = ", ".join(f"seen AND {condition}" for condition in conditions)
        for person, *inside in self._db.execute(
            f"SELECT person, {columns} FROM person {joins}", statement.values
        ).fetchall():
            self._people[person].segments = dict(zip(self._segments, inside, strict=True))

    def _nested(self, node: Expr, statement: Statement) -> str:
        if not isinstance(node, Segment):
            raise TypeError(f"expected a condition, got {type(node).__name__}")
        condition = _tree(self._segments[node.name])
        return condition_sql(condition, statement, self._side, lambda inner: self._nested(inner, statement))

    def _side(self, side: Expr) -> Side:
        if not isinstance(side, Feature):
            raise TypeError(f"expected a feature or a constant in a segment, got {type(side).__name__}")
        spec = self._compiled.features[self._place[side.name]]
        number = f"{self._table(side.name)}.number"
        if spec.kind in ("count", "total", "exists", "distinct"):
            return Side(f"coalesce({number}, 0)", text=False, unknown=spec.kind == "distinct")
        is_text = spec.kind in VALUES_OF_FIELDS and field_type(spec, self._types) == "str"
        return Side(number, is_text, since=spec.kind == "since")

    def _table(self, feature: str) -> str:
        return f"feature_{self._place[feature]}"


def _tree(data: dict[str, Any]) -> Expr:
    tree: Expr = msgspec.convert(data, Expr)
    return tree
