"""Features of a person: what an aggregation word gives, typed so that a profile's instance has plain values.

On the profile's class a feature is an expression to compare; on an instance (as a mail is rendered) a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar, overload

from livepost.model.compiled import DISTINCT_MAX, FeatureKind, FieldType
from livepost.project.calendar import Calendar
from livepost.project.condition import Condition
from livepost.project.duration import MILLISECOND, spoken
from livepost.project.event import Event, field_spec_of
from livepost.project.field import Field
from livepost.project.money import Money
from livepost.project.operand import C_contra, Comparing, Monetary, Numeric, Operand
from livepost.project.place import authors_line

T_co = TypeVar("T_co", covariant=True)
Over: TypeAlias = timedelta | Calendar
"""What `over=` takes: a length of time that ends now, or units of the calendar."""

LIST_KINDS = ("recent", "top")
AMOUNT_WORD = {"recent": "n", "top": "k"}
NOTHING_YET = {"distinct": 0}
"""What a feature is of a person of whom nothing is known, where that differs from None, which is unknown."""


class Values(Protocol):
    """An instance of a profile: raw values by feature name, with the project's currency."""

    _values: Mapping[str, Any]
    _currency: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Definition:
    """What an author declared: the aggregation of an event or of its field, over a window or all time."""

    kind: FeatureKind
    event: type[Event]
    field: Field | None = None
    where: Condition | None = None
    over: Over | None = None
    grid: timedelta | None = None
    n: int | None = None
    cap: int | None = None
    was: str | None = None

    @property
    def text(self) -> str:
        """The definition as an author writes it: `count(ProductViewed, over=days(7))`."""
        of = self.event.__name__ if self.field is None else self.field.text
        given = {
            AMOUNT_WORD.get(self.kind, "n"): self.n,
            "cap": None if self.cap == DISTINCT_MAX else self.cap,
            "where": None if self.where is None else self.where.text,
            "over": None if self.over is None else _window_text(self.over),
            "grid": None if self.grid is None else spoken(self.grid),
        }
        options = [f"{word}={value}" for word, value in given.items() if value is not None]
        return f"{self.kind}({', '.join([of, *options])})"

    @property
    def value_type(self) -> FieldType:
        """The type of the feature's value, as FeatureSpec defines it."""
        if self.kind in ("count", "since", "distinct"):
            return "int"
        if self.kind == "exists":
            return "bool"
        if self.kind == "mean":
            return "float"
        return "list" if self.kind in LIST_KINDS else self.field_type

    @property
    def field_type(self) -> FieldType:
        """The type of the aggregated field; int for what has none."""
        return field_spec_of(self.field).type if self.field is not None else "int"

    @property
    def personal(self) -> bool:
        """Whether the aggregated field is personal."""
        return self.field is not None and field_spec_of(self.field).personal


class Feature(Operand, Generic[T_co]):
    """A feature whose value is a `T`; a profile's class attribute, or written inside a condition."""

    __slots__ = ("definition", "line", "name")

    def __init__(self, definition: Definition) -> None:
        """Define a feature; its name comes from the profile's class body, if it stands there."""
        self.definition = definition
        self.line = authors_line()
        self.name: str | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name from the class body."""
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Values, owner: type) -> T_co: ...

    def __get__(self, instance: Values | None, owner: type) -> Any:
        """Return the feature on the class, its value on an instance."""
        if instance is None:
            return self
        raw = instance._values.get(self.name or "", NOTHING_YET.get(self.definition.kind))
        return _value(self.definition, raw, instance._currency)

    @property
    def text(self) -> str:
        """The name, or the definition where there is none."""
        return self.name or self.definition.text

    def __repr__(self) -> str:
        """Return the definition as an author writes it."""
        return self.definition.text


class Comparable(Feature[T_co], Comparing[C_contra], Generic[T_co, C_contra]):
    """A feature that compares with a `C`."""

    __slots__ = ()


class Number(Feature[T_co], Numeric, Generic[T_co]):
    """A feature that is a number."""

    __slots__ = ()


class Amount(Feature[T_co], Monetary, Generic[T_co]):
    """A feature that is money."""

    __slots__ = ()


class Elapsed(Comparable["timedelta | None", "timedelta | Elapsed"]):
    """How long ago; compares with lengths of time and with other such features."""

    __slots__ = ()


class Existence(Comparable[bool, bool], Condition):
    """Whether something happened; a condition by itself."""

    __slots__ = ()


def _window_text(over: Over) -> str:
    return over.text if isinstance(over, Calendar) else spoken(over)


def _value(definition: Definition, raw: Any, currency: str) -> Any:
    """Return a raw value of a PersonView as the author's type; never is None, 0, False or an empty list.

    An unknown value is None too, or an empty list: a page cannot tell apart what the engine does not.
    """
    if definition.kind in LIST_KINDS:
        return [_scalar(definition.field_type, item, currency) for item in raw or ()]
    if definition.kind == "since":
        return None if raw is None else raw * MILLISECOND
    if definition.kind == "exists":
        return bool(raw)
    if definition.kind == "distinct":
        return raw
    if definition.kind in ("count", "total"):
        raw = raw or 0
    return _scalar(definition.field_type, raw, currency)


def _scalar(kind: FieldType, raw: Any, currency: str) -> Any:
    if raw is None:
        return None
    if kind == "money":
        minor, known = raw if isinstance(raw, list | tuple) else (round(raw), currency)
        return Money.of_minor(minor, known)
    return datetime.fromtimestamp(raw / 1000, UTC) if kind == "datetime" else raw
