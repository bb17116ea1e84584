"""Which tables and columns there are for a purpose, and how each is masked: a project, its gate, somebody's sight in.

Promised: pure; a column that does not reach the purpose is not there; a personal value has the stricter of what its
field promises and how the asker sees it, and is never plain, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import msgspec

from livepost.govern.access.mask import How, stricter
from livepost.govern.access.sight import Sight
from livepost.model.compiled import ADDRESS_FEATURE, EventSpec, FeatureSpec, FieldType
from livepost.model.compiled import Compiled as Project
from livepost.project.gate import Gate
from livepost.project.purposes import BUILT_IN, CAMPAIGN, Purposes

Type: TypeAlias = Literal["VARCHAR", "VARCHAR[]", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP", "JSON"]

COUNTED = ("count", "exists", "since", "distinct")
"""Kinds of features that say nothing of a value but that it was there."""

PEOPLE, MEMBERSHIPS, CONSENTS, DELIVERIES, EVENTS = "people", "memberships", "consents", "deliveries", "events"

_TYPES: dict[FieldType, Type] = {"int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "datetime": "TIMESTAMP"}


class Column(msgspec.Struct, frozen=True):
    """A column: `mask` says how its values are shown; `feature` which feature's they are, `part` which of money's."""

    name: str
    type: Type
    mask: How = "plain"
    feature: str = ""
    part: Literal["", "amount", "currency"] = ""


class Table(msgspec.Struct, frozen=True):
    """A table with its columns."""

    name: str
    columns: tuple[Column, ...]


class Property(msgspec.Struct, frozen=True):
    """A field of an event that reaches the purpose, and how it is shown."""

    name: str
    mask: How


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """What there is for a purpose: tables; names of segments and campaigns; by event its fields."""

    purpose: str
    on_consent: bool
    tables: tuple[Table, ...]
    segments: frozenset[str]
    campaigns: tuple[str, ...]
    purposes: frozenset[str]
    events: dict[str, tuple[str, tuple[Property, ...]]]


def catalog_of(project: Project, gate: Gate, sight: Sight, purpose: str) -> Catalog:
    """Return what there is for a purpose that the policy declares."""
    reach = _Reach(gate, sight, purpose)
    return Catalog(
        purpose=purpose,
        on_consent=gate.policy.purposes[purpose].on_consent,
        tables=(
            Table(PEOPLE, (_PERSON, *_features(project, reach))),
            Table(MEMBERSHIPS, (_PERSON, Column("segment", "VARCHAR"), Column("since", "TIMESTAMP"))),
            Table(CONSENTS, (_PERSON, Column("purpose", "VARCHAR"), Column("allowed", "BOOLEAN"))),
            Table(DELIVERIES, _DELIVERY),
            Table(EVENTS, _EVENT),
        ),
        segments=frozenset(one.name for one in project.segments if reach.has(reach.purposes.feature(one.name))),
        campaigns=tuple(one.name for one in project.campaigns if reach.has(CAMPAIGN + one.name)),
        purposes=frozenset(gate.policy.purposes),
        events=dict(_events(project, reach)),
    )


class _Reach:
    """What reaches a purpose, and how it is shown."""

    def __init__(self, gate: Gate, sight: Sight, purpose: str) -> None:
        self.purposes: Purposes = gate.purposes
        self._policy = gate.policy
        self._sight = sight
        self._purpose = purpose
        self._personal = {*gate.purposes.personal, *gate.policy.fields}

    def has(self, name: str) -> bool:
        return self._purpose in self.purposes.of(name)

    def mask(self, names: Iterable[str]) -> How:
        """Return the strictest mask of the personal ones among some fields; "plain" if none is personal."""
        how: How = "plain"
        for name in names:
            if name in self._personal:
                how = stricter(how, stricter(self._policy.of_field(name).mask or "hide", self._sight.how(name)))
        return how


def _features(project: Project, reach: _Reach) -> Iterator[Column]:
    taken = {_PERSON.name}
    for spec in project.features:
        name = reach.purposes.feature(spec.name)
        if spec.anonymous or not reach.has(name):
            continue
        column = "address" if spec.name == ADDRESS_FEATURE else spec.name
        while column in taken:
            column += "_"
        taken.add(column)
        yield from _columns(spec, column, _mask(spec, reach, name))


def _mask(spec: FeatureSpec, reach: _Reach, name: str) -> How:
    if spec.kind in COUNTED:
        return "plain"
    mask = reach.mask(reach.purposes.leaves(name))
    return "hide" if spec.personal and mask == "plain" else mask


def _columns(spec: FeatureSpec, name: str, mask: How) -> Iterator[Column]:
    is_list = spec.kind in ("recent", "top")
    if mask != "plain" or is_list:
        yield Column(name, "VARCHAR[]" if is_list else "VARCHAR", mask, spec.name)
    elif spec.kind == "exists":
        yield Column(name, "BOOLEAN", mask, spec.name)
    elif spec.kind in COUNTED:
        yield Column(name, "BIGINT", mask, spec.name)
    elif spec.kind == "mean":
        yield Column(name, "DOUBLE", mask, spec.name)
    elif spec.type == "money":
        yield Column(name, "BIGINT", mask, spec.name, "amount")
        yield Column(f"{name}_currency", "VARCHAR", mask, spec.name, "currency")
    else:
        yield Column(name, _TYPES.get(spec.type, "VARCHAR"), mask, spec.name)


def _events(project: Project, reach: _Reach) -> Iterator[tuple[str, tuple[str, tuple[Property, ...]]]]:
    """Yield each event that reaches the purpose: its name in the log, the author's, its open fields."""
    for event in project.events:
        if reach.has(event.cls):
            yield event.name, (event.cls, tuple(_properties(event, reach)))


def _properties(event: EventSpec, reach: _Reach) -> Iterator[Property]:
    for field in event.fields:
        names = [f"{cls}.{field.name}" for cls in (event.cls, BUILT_IN.get(event.name, "")) if cls]
        known = [name for name in names if name in reach.purposes.names]
        if not field.personal and known and all(map(reach.has, known)):
            yield Property(field.name, reach.mask(known))


_PERSON = Column("person", "VARCHAR", "pseudonym")
_DELIVERY = (
    _PERSON,
    Column("campaign", "VARCHAR"),
    Column("state", "VARCHAR"),
    Column("reason", "VARCHAR"),
    Column("decided", "TIMESTAMP"),
    Column("changed", "TIMESTAMP"),
)
_EVENT = (_PERSON, Column("event", "VARCHAR"), Column("at", "TIMESTAMP"), Column("properties", "JSON"))
