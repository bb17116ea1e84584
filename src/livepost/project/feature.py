"""Features of a person: what an aggregation word gives, typed so that a profile's instance has plain values.

On the profile's class a feature is an expression to compare; on an instance (as a mail is rendered) a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal  # noqa: F401 - in the quoted base of Amount
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, overload

from livepost.model.compiled import FeatureKind, FieldType
from livepost.project.condition import Condition, Operand
from livepost.project.duration import MILLISECOND, spoken
from livepost.project.event import Event, field_spec_of
from livepost.project.field import Field
from livepost.project.money import Money
from livepost.project.place import authors_line

T_co = TypeVar("T_co", covariant=True)
C_contra = TypeVar("C_contra", contravariant=True)

LIST_KINDS = ("recent", "top")
AMOUNT_WORD = {"recent": "n", "top": "k"}


class Values(Protocol):
    """An instance of a profile: raw values by feature name, with the project's currency."""

    _values: Mapping[str, Any]
    _currency: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Definition:
    """What an author declared: the aggregation of an event or of its field; windows are lengths of time."""

    kind: FeatureKind
    event: type[Event]
    field: Field | None = None
    where: Condition | None = None
    over: timedelta | None = None
    grid: timedelta | None = None
    n: int | None = None

    @property
    def text(self) -> str:
        """The definition as an author writes it: `count(ProductViewed, over=days(7))`."""
        of = self.event.__name__ if self.field is None else self.field.text
        given = {
            AMOUNT_WORD.get(self.kind, "n"): self.n,
            "where": None if self.where is None else self.where.text,
            "over": None if self.over is None else spoken(self.over),
            "grid": None if self.grid is None else spoken(self.grid),
        }
        options = [f"{word}={value}" for word, value in given.items() if value is not None]
        return f"{self.kind}({', '.join([of, *options])})"

    @property
    def value_type(self) -> FieldType:
        """The type of the feature's value, as FeatureSpec defines it."""
        if self.kind in ("count", "since"):
            return "int"
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
        return _value(self.definition, instance._values.get(self.name or ""), instance._currency)

    @property
    def text(self) -> str:
        """The name, or the definition where there is none."""
        return self.name or self.definition.text

    def __repr__(self) -> str:
        """Return the definition as an author writes it."""
        return self.definition.text


class Comparable(Feature[T_co], Generic[T_co, C_contra]):
    """A feature that compares with a `C`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __hash__(self) -> int: ...
        def __lt__(self, other: C_contra) -> Condition: ...
        def __le__(self, other: C_contra) -> Condition: ...
        def __gt__(self, other: C_contra) -> Condition: ...
        def __ge__(self, other: C_contra) -> Condition: ...
        def __eq__(self, other: C_contra) -> Condition: ...  # type: ignore[override] # pyright: ignore
        def __ne__(self, other: C_contra) -> Condition: ...  # type: ignore[override] # pyright: ignore


class Number(Comparable[T_co, "float | Number[Any]"], Generic[T_co]):
    """A number; compares with numbers."""

    __slots__ = ()


class Amount(Comparable[T_co, "Money | Decimal | float | Amount[Any]"], Generic[T_co]):
    """Money; compares with money and with plain numbers, which mean major units of the project's currency."""

    __slots__ = ()


class Elapsed(Comparable["timedelta | None", "timedelta | Elapsed"]):
    """How long ago; compares with lengths of time and with other such features."""

    __slots__ = ()


def _value(definition: Definition, raw: Any, currency: str) -> Any:
    """Return a raw value of a PersonView as the author's type; never is None, 0 or an empty list."""
    if definition.kind in LIST_KINDS:
        return [_scalar(definition.field_type, item, currency) for item in raw or ()]
    if definition.kind == "since":
        return None if raw is None else raw * MILLISECOND
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
