"""The aggregation words: functions of an event or of one of its fields that give a feature of the person.

Their exact meaning is docs/reference/semantics.md. `over` is the window (none: all time), `grid` how finely
it moves, `where` a condition on fields of the same event.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar, overload

from livepost.errors import ProjectError
from livepost.model.compiled import FeatureKind
from livepost.project.condition import Condition, condition
from livepost.project.event import Event
from livepost.project.feature import Amount, Comparable, Definition, Elapsed, Feature, Number
from livepost.project.field import Field
from livepost.project.metaclass import EventMeta
from livepost.project.money import Money
from livepost.project.place import authors_line

T = TypeVar("T")
N = TypeVar("N", int, float)
Where = Condition | bool | None
"""What `where=` takes; checkers see a comparison of fields as a bool."""


def count(
    event: type[Event], *, over: timedelta | None = None, where: Where = None, grid: timedelta | None = None
) -> Number[int]:
    """How many of an event; never is 0."""
    return Number(_of_event("count", event, where, over=over, grid=grid))


@overload
def total(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None, *, over: timedelta | None = ..., where: Where = ..., grid: timedelta | None = ...
) -> Amount[Money]: ...
@overload
def total(
    field: N | None, *, over: timedelta | None = ..., where: Where = ..., grid: timedelta | None = ...
) -> Number[N]: ...
def total(
    field: Any, *, over: timedelta | None = None, where: Where = None, grid: timedelta | None = None
) -> Feature[Any]:
    """The sum of a number or money field; never is 0. Money sums in the field's currency, in minor units."""
    return Comparable(_of_field("total", field, where, over=over, grid=grid))


@overload
def mean(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None, *, over: timedelta | None = ..., where: Where = ..., grid: timedelta | None = ...
) -> Amount[Money | None]: ...
@overload
def mean(
    field: float | None, *, over: timedelta | None = ..., where: Where = ..., grid: timedelta | None = ...
) -> Number[float | None]: ...
def mean(
    field: Any, *, over: timedelta | None = None, where: Where = None, grid: timedelta | None = None
) -> Feature[Any]:
    """The average of a number or money field; None while there is none."""
    return Comparable(_of_field("mean", field, where, over=over, grid=grid))


@overload
def latest(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None, *, where: Where = ...
) -> Amount[Money | None]: ...
@overload
def latest(field: T | None, *, where: Where = ...) -> Comparable[T | None, T]: ...
def latest(field: Any, *, where: Where = None) -> Feature[Any]:
    """The value with the latest time; None while there is none. Personal values travel sealed."""
    return Comparable(_of_field("latest", field, where))


@overload
def first(  # type: ignore[overload-overlap]  # only a field that is always None would match both
    field: Money | None, *, where: Where = ...
) -> Amount[Money | None]: ...
@overload
def first(field: T | None, *, where: Where = ...) -> Comparable[T | None, T]: ...
def first(field: Any, *, where: Where = None) -> Feature[Any]:
    """The value with the earliest time; None while there is none. Personal values travel sealed."""
    return Comparable(_of_field("first", field, where))


def recent(
    field: T | None,
    *,
    n: int,
    over: timedelta | None = None,
    where: Where = None,
    grid: timedelta | None = None,
) -> Feature[list[T]]:
    """The last `n` values, newest first."""
    return Feature(_of_field("recent", field, where, over=over, grid=grid, n=n))


def top(
    field: T | None,
    *,
    k: int,
    over: timedelta | None = None,
    where: Where = None,
    grid: timedelta | None = None,
) -> Feature[list[T]]:
    """The `k` most frequent values, most frequent first; ties in order of the value."""
    return Feature(_of_field("top", field, where, over=over, grid=grid, n=k))


def since(event: type[Event], *, where: Where = None) -> Elapsed:
    """How long ago an event last happened; None (infinitely long ago) while it never did."""
    return Elapsed(_of_event("since", event, where))


def _of_event(kind: FeatureKind, event: object, where: Where, **options: timedelta | None) -> Definition:
    if not isinstance(event, EventMeta):
        raise ProjectError(
            f"expected {kind}() of an event class such as ProductViewed, got {event!r}; name the class itself",
            authors_line(),
        )
    return Definition(kind=kind, event=event, where=_where(where), **options)  # type: ignore[arg-type]


def _of_field(kind: FeatureKind, field: object, where: Where, **options: Any) -> Definition:
    if not isinstance(field, Field):
        raise ProjectError(
            f"expected {kind}() of a field such as ProductViewed.product_id, got {field!r}; "
            "name a field of an event class",
            authors_line(),
        )
    return Definition(kind=kind, event=field.event, field=field, where=_where(where), **options)


def _where(where: Where) -> Condition | None:
    return None if where is None else condition(where)
