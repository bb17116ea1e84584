"""The aggregation words: functions of an event or of one of its fields that give a feature of the person.

Their exact meaning is docs/reference/semantics.md. `over` is the window (none: all time), a length of time that ends
now or units of the calendar; `grid` how finely a length of time moves, `where` a condition on fields of the same event,
`was` the name it had before a rename (for `livepost plan`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar, overload

from livepost.errors import ProjectError
from livepost.model.compiled import DISTINCT_MAX, FeatureKind
from livepost.project.calendar import Calendar
from livepost.project.condition import Condition, condition
from livepost.project.event import Event
from livepost.project.feature import Amount, Comparable, Definition, Elapsed, Existence, Feature, Number, Over
from livepost.project.field import Field
from livepost.project.metaclass import EventMeta
from livepost.project.money import Money
from livepost.project.place import authors_line

T = TypeVar("T")
N = TypeVar("N", int, float)
Where = Condition | bool | None
"""What `where=` takes; checkers see a comparison of fields as a bool."""


def count(
    event: type[Event],
    *,
    over: Over | None = None,
    where: Where = None,
    grid: timedelta | None = None,
    was: str | None = None,
) -> Number[int]:
    """How many of an event; never is 0."""
    return Number(_of_event("count", event, where, over=over, grid=grid, was=was))


def exists(
    event: type[Event],
    *,
    over: Over | None = None,
    where: Where = None,
    grid: timedelta | None = None,
    was: str | None = None,
) -> Existence:
    """Whether an event happened; a condition by itself."""
    return Existence(_of_event("exists", event, where, over=over, grid=grid, was=was))


def since(
    event: type[Event],
    *,
    over: Over | None = None,
    where: Where = None,
    grid: timedelta | None = None,
    was: str | None = None,
) -> Elapsed:
    """How long ago an event last happened; None (infinitely long ago) while it never did, or not in the window."""
    return Elapsed(_of_event("since", event, where, over=over, grid=grid, was=was))


@overload
def total(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Amount[Money]: ...
@overload
def total(
    field: N | None, *, over: Over | None = ..., where: Where = ..., grid: timedelta | None = ..., was: str | None = ...
) -> Number[N]: ...
def total(
    field: Any, *, over: Over | None = None, where: Where = None, grid: timedelta | None = None, was: str | None = None
) -> Feature[Any]:
    """The sum of a number or money field; never is 0. Money sums in the project's currency, in minor units."""
    return Comparable(_of_field("total", field, where, over=over, grid=grid, was=was))


@overload
def mean(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Amount[Money | None]: ...
@overload
def mean(
    field: float | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Number[float | None]: ...
def mean(
    field: Any, *, over: Over | None = None, where: Where = None, grid: timedelta | None = None, was: str | None = None
) -> Feature[Any]:
    """The average of a number or money field; None while there is none."""
    return Comparable(_of_field("mean", field, where, over=over, grid=grid, was=was))


@overload
def minimum(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Amount[Money | None]: ...
@overload
def minimum(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: datetime | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Comparable[datetime | None, datetime | Feature[datetime | None]]: ...
@overload
def minimum(
    field: N | None, *, over: Over | None = ..., where: Where = ..., grid: timedelta | None = ..., was: str | None = ...
) -> Number[N | None]: ...
def minimum(
    field: Any, *, over: Over | None = None, where: Where = None, grid: timedelta | None = None, was: str | None = None
) -> Feature[Any]:
    """The smallest value of a number, money or datetime field; None while there is none."""
    return Comparable(_of_field("minimum", field, where, over=over, grid=grid, was=was))


@overload
def maximum(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Amount[Money | None]: ...
@overload
def maximum(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: datetime | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Comparable[datetime | None, datetime | Feature[datetime | None]]: ...
@overload
def maximum(
    field: N | None, *, over: Over | None = ..., where: Where = ..., grid: timedelta | None = ..., was: str | None = ...
) -> Number[N | None]: ...
def maximum(
    field: Any, *, over: Over | None = None, where: Where = None, grid: timedelta | None = None, was: str | None = None
) -> Feature[Any]:
    """The largest value of a number, money or datetime field; None while there is none."""
    return Comparable(_of_field("maximum", field, where, over=over, grid=grid, was=was))


@overload
def latest(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Amount[Money | None]: ...
@overload
def latest(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: bool | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Comparable[bool | None, bool | Feature[bool | None]]: ...
@overload
def latest(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: N | None, *, over: Over | None = ..., where: Where = ..., grid: timedelta | None = ..., was: str | None = ...
) -> Number[N | None]: ...
@overload
def latest(
    field: T | None, *, over: Over | None = ..., where: Where = ..., grid: timedelta | None = ..., was: str | None = ...
) -> Comparable[T | None, T | Feature[T | None]]: ...
def latest(
    field: Any, *, over: Over | None = None, where: Where = None, grid: timedelta | None = None, was: str | None = None
) -> Feature[Any]:
    """The value with the latest time; None while there is none. Personal values travel sealed."""
    return Comparable(_of_field("latest", field, where, over=over, grid=grid, was=was))


@overload
def first(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Amount[Money | None]: ...
@overload
def first(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: bool | None,
    *,
    over: Over | None = ...,
    where: Where = ...,
    grid: timedelta | None = ...,
    was: str | None = ...,
) -> Comparable[bool | None, bool | Feature[bool | None]]: ...
@overload
def first(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: N | None, *, over: Over | None = ..., where: Where = ..., grid: timedelta | None = ..., was: str | None = ...
) -> Number[N | None]: ...
@overload
def first(
    field: T | None, *, over: Over | None = ..., where: Where = ..., grid: timedelta | None = ..., was: str | None = ...
) -> Comparable[T | None, T | Feature[T | None]]: ...
def first(
    field: Any, *, over: Over | None = None, where: Where = None, grid: timedelta | None = None, was: str | None = None
) -> Feature[Any]:
    """The value with the earliest time; None while there is none. Personal values travel sealed."""
    return Comparable(_of_field("first", field, where, over=over, grid=grid, was=was))


def recent(
    field: T | None,
    *,
    n: int,
    over: Over | None = None,
    where: Where = None,
    grid: timedelta | None = None,
    was: str | None = None,
) -> Feature[list[T]]:
    """The last `n` values, newest first."""
    return Feature(_of_field("recent", field, where, over=over, grid=grid, n=n, was=was))


def top(
    field: T | None,
    *,
    k: int,
    cap: int = DISTINCT_MAX,
    over: Over | None = None,
    where: Where = None,
    grid: timedelta | None = None,
    was: str | None = None,
) -> Feature[list[T]]:
    """The `k` most frequent values, most frequent first; ties in order of the value. Unknown, and empty in a mail,
    while there are more than `cap` different values.
    """
    return Feature(_of_field("top", field, where, over=over, grid=grid, n=k, cap=cap, was=was))


def distinct(
    field: str | int | None,
    *,
    cap: int = DISTINCT_MAX,
    over: Over | None = None,
    where: Where = None,
    grid: timedelta | None = None,
    was: str | None = None,
) -> Number[int | None]:
    """How many different values a field of text, whole numbers or bools had; None (unknown) beyond `cap` of them."""
    return Number(_of_field("distinct", field, where, over=over, grid=grid, was=was, cap=cap))


def _of_event(kind: FeatureKind, event: object, where: Where, **options: Any) -> Definition:
    if not isinstance(event, EventMeta):
        raise ProjectError(
            f"expected {kind}() of an event class such as ProductViewed, got {event!r}; name the class itself",
            authors_line(),
        )
    _refuse_no_window(kind, options["over"])
    return Definition(kind=kind, event=event, where=_where(where), **options)  # type: ignore[arg-type]


def _of_field(kind: FeatureKind, field: object, where: Where, **options: Any) -> Definition:
    if not isinstance(field, Field):
        raise ProjectError(
            f"expected {kind}() of a field such as ProductViewed.product_id, got {field!r}; "
            "name a field of an event class",
            authors_line(),
        )
    _refuse_no_window(kind, options["over"])
    return Definition(kind=kind, event=field.event, field=field, where=_where(where), **options)


def _refuse_no_window(kind: FeatureKind, over: object) -> None:
    if not isinstance(over, timedelta | Calendar | None):
        raise ProjectError(
            f"expected over= of {kind}() to be a window such as days(7) or calendar_days(1, 'Europe/Berlin'), "
            f"got {over!r}; write one",
            authors_line(),
        )


def _where(where: Where) -> Condition | None:
    return None if where is None else condition(where)
