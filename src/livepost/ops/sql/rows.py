"""Rows of the tables, masked: people, their mails, their events in; text for each cell out.

Promised: a value is masked before it becomes a row; a seal that no key opens any more is never, and so is a value
that its mask does not know; nobody is in any table who is not in `people`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from livepost.errors import SealError
from livepost.govern.access.mask import How, masked
from livepost.ids import digest
from livepost.ledger.base import Delivery
from livepost.model.person import PersonView
from livepost.model.record import Kind, Record, SealedValue, Verdict
from livepost.ops.sql.columns import CONSENTS, DELIVERIES, EVENTS, MEMBERSHIPS, PEOPLE, Catalog, Column, Property, Table

LIMITED = ("restricted", "objected")
"""Reasons of the ledger that keep somebody out of the tables of whatever purpose."""

Cell: TypeAlias = str | None
"""A value as text that DuckDB casts to its column's type: times in ms, lists as JSON."""

Open: TypeAlias = Callable[[SealedValue], Any]
"""Opens a seal; raises SealError."""


class Filled(msgspec.Struct, frozen=True):
    """A table with its rows, column by column."""

    name: str
    columns: tuple[tuple[str, str], ...]
    cells: list[list[Cell]]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All tables as of a log position and its stamp; `whole` unless a bound left something out."""

    position: int
    as_of: int
    whole: bool
    tables: list[Filled]


class Rows:
    """Makes rows for one catalog; `key` (32 bytes) is the workspace's of pseudonyms."""

    def __init__(self, catalog: Catalog, key: bytes, opened: Open) -> None:
        if not key:
            raise ValueError("expected the workspace's key of pseudonyms, got none: people could not be told apart")
        self._catalog = catalog
        self._key = key
        self._open = opened
        self._tables = {table.name: table for table in catalog.tables}
        self._names: dict[bytes, str] = {}

    def filled(
        self, people: Sequence[PersonView], deliveries: Iterable[Delivery], records: Iterable[Record]
    ) -> list[Filled]:
        """Return all tables; mails and events of anybody else are passed over."""
        self._names = {subject: self._named(one) for one in people for subject in (one.person, *one.subjects)}
        return [
            _filled(self._tables[PEOPLE], map(self._person, people)),
            _filled(self._tables[MEMBERSHIPS], self._memberships(people)),
            _filled(self._tables[CONSENTS], self._consents(people)),
            _filled(self._tables[DELIVERIES], self._deliveries(deliveries)),
            _filled(self._tables[EVENTS], self._events(records)),
        ]

    def _named(self, one: PersonView) -> str:
        """Return a person's name in this purpose's tables: those of two purposes cannot be joined by it."""
        return f"p-{digest('sql', self._catalog.purpose, one.person, size=8, key=self._key).hex()}"

    def _person(self, one: PersonView) -> list[Cell]:
        columns = self._tables[PEOPLE].columns[1:]
        return [self._names[one.person], *(self._feature(column, one) for column in columns)]

    def _feature(self, column: Column, one: PersonView) -> Cell:
        value = one.features.get(column.feature)
        if column.feature in one.sealed:
            value = self._opened(one.sealed[column.feature])
        if column.part and isinstance(value, list | tuple):
            value = value[0 if column.part == "amount" else 1]
        return _cell(self._masked(value, column.mask), column.type)

    def _opened(self, value: Any) -> Any:
        try:
            return self._open(value)
        except SealError:
            return None

    def _masked(self, value: Any, how: How) -> Any:
        return masked(value, how, self._key)

    def _memberships(self, people: Sequence[PersonView]) -> Iterator[list[Cell]]:
        for one in people:
            for member in one.memberships:
                if member.inside and not member.unknown and member.segment in self._catalog.segments:
                    yield [self._names[one.person], member.segment, str(member.since) if member.since else None]

    def _consents(self, people: Sequence[PersonView]) -> Iterator[list[Cell]]:
        for one in people:
            for purpose, allowed in one.consents.items():
                if purpose in self._catalog.purposes:
                    yield [self._names[one.person], purpose, str(allowed)]

    def _deliveries(self, deliveries: Iterable[Delivery]) -> Iterator[list[Cell]]:
        for one in deliveries:
            name = self._names.get(one.person)
            if name is not None and one.decision.campaign in self._catalog.campaigns:
                told = (one.decision.campaign, one.state, one.reason, one.decision.at, one.changed_at)
                yield [name, *map(str, told)]

    def _events(self, records: Iterable[Record]) -> Iterator[list[Cell]]:
        counted: set[tuple[str, str]] = set()
        for one in records:
            name, told = self._names.get(one.subject), self._catalog.events.get(one.name)
            if name is None or told is None or one.kind is not Kind.EVENT or one.verdict is not Verdict.ACCEPTED:
                continue
            if (one.source, one.message_id) not in counted:
                counted.add((one.source, one.message_id))
                event, fields = told
                yield [name, event, str(one.effective_ts), self._shown(one, fields)]

    def _shown(self, record: Record, fields: Iterable[Property]) -> str:
        told = {
            field.name: self._masked(record.properties[field.name], field.mask)
            for field in fields
            if field.name in record.properties
        }
        return msgspec.json.encode(told).decode()


def members(people: Iterable[PersonView], catalog: Catalog, refused: Mapping[bytes, str]) -> list[PersonView]:
    """Return the people who may be in the tables; `refused` is the ledger's reason against it, by person.

    Whose data is restricted, or who objected, is in none (GDPR art. 18, 21), and neither is of whom the ledger says
    nothing. A purpose on consent has to be allowed by what the engine knows and by what the ledger does.
    """
    return [one for one in people if _may(one, catalog, refused.get(one.person, LIMITED[0]))]


def _may(one: PersonView, catalog: Catalog, reason: str) -> bool:
    if catalog.on_consent:
        return not reason and one.consents.get(catalog.purpose) is True
    return reason not in LIMITED


def _filled(table: Table, rows: Iterable[list[Cell]]) -> Filled:
    kept = list(rows)
    cells = [list(column) for column in zip(*kept, strict=True)] if kept else [[] for _ in table.columns]
    return Filled(table.name, tuple((column.name, column.type) for column in table.columns), cells)


def _cell(value: Any, type_: str) -> Cell:
    if value is None:
        return None
    if type_ == "VARCHAR[]":
        listed = value if isinstance(value, list | tuple) else [value]
        return msgspec.json.encode([_text(one) for one in listed]).decode()
    return _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
