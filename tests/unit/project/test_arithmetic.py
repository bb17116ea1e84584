"""Arithmetic compiles to trees in minor units; what of two kinds gives nothing is refused with its line."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from livepost import (
    Event,
    Identified,
    Money,
    Profile,
    count,
    distinct,
    first,
    hours,
    latest,
    maximum,
    mean,
    minimum,
    segment,
    since,
    top,
    total,
)
from livepost.errors import ProjectError
from livepost.expr import Arithmetic, Compare, Const, Expr, Feature, Field
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect


class Ordered(Event):
    order_id: str
    total: Money
    tax: Money
    pieces: int
    weight: float = 0.0
    gift: bool = False
    due: datetime | None = None


orders: Any = count(Ordered)
spend: Any = total(Ordered.total)
ago: Any = since(Ordered)
fields: Any = Ordered


def compiled(condition: Any, currency: str = "EUR") -> Expr:
    """Return a segment's condition as a tree."""
    shopper = type("Shopper", (Profile,), {"some": segment(condition)})
    return msgspec.convert(
        compile_project(collect({"Shopper": shopper}), currency=currency).segments[0].condition, Expr
    )


def where(condition: Any) -> Expr:
    """Return a feature's `where` as a tree."""
    shopper = type("Shopper", (Profile,), {"some": count(Ordered, where=condition)})
    return msgspec.convert(compile_project(collect({"Shopper": shopper}), currency="EUR").features[0].where, Expr)


def test_numbers_reckon_with_numbers() -> None:
    number = Feature("count(Ordered)")
    assert compiled((orders - orders / 4) > 3) == Compare(
        ">", Arithmetic("-", number, Arithmetic("/", number, Const(4))), Const(3)
    )
    assert compiled(Decimal("0.5") * orders > 3) == Compare(">", Arithmetic("*", Const(0.5), number), Const(3))


def test_money_by_a_number_is_money_and_by_money_a_number() -> None:
    spent, number = Feature("total(Ordered.total)"), Feature("count(Ordered)")
    assert compiled(spend / orders >= 50) == Compare(">=", Arithmetic("/", spent, number), Const(5000))
    assert compiled(spend / spend >= 50) == Compare(">=", Arithmetic("/", spent, spent), Const(50))
    assert compiled(spend - Money("9.90") > Money(1, "EUR")) == Compare(
        ">", Arithmetic("-", spent, Const(990)), Const(100)
    )
    assert compiled(2 * spend > orders * Money(3)) == Compare(
        ">", Arithmetic("*", Const(2), spent), Arithmetic("*", number, Const(300))
    )
    assert compiled(spend / orders >= 50, "JPY") == Compare(">=", Arithmetic("/", spent, number), Const(50))


def test_an_amount_that_need_not_be_whole_is_compared_below_the_minor_unit() -> None:
    assert compiled(spend / 3 >= Money("33.335")) == Compare(
        ">=", Arithmetic("/", Feature("total(Ordered.total)"), Const(3)), Const(3333.5)
    )
    assert compiled(mean(Ordered.total) >= 33.335) == Compare(">=", Feature("mean(Ordered.total)"), Const(3333.5))
    for whole in (spend >= 33.335, spend + spend >= 33.335, spend - Money("33.335") > 1):
        with pytest.raises(ProjectError, match="at most 2 decimal digits in EUR"):
            compiled(whole)


def test_fields_reckon_in_where() -> None:
    assert where((fields.total - fields.tax) / fields.pieces >= 10) == Compare(
        ">=", Arithmetic("/", Arithmetic("-", Field("total"), Field("tax")), Field("pieces")), Const(1000)
    )


@pytest.mark.parametrize(
    "number",
    [
        count(Ordered),
        distinct(Ordered.order_id),
        total(Ordered.pieces),
        mean(Ordered.pieces),
        minimum(Ordered.weight),
        maximum(Ordered.pieces),
        latest(Ordered.pieces),
        first(Ordered.weight),
    ],
)
def test_each_word_that_gives_a_number_reckons(number: Any) -> None:
    assert isinstance(compiled(number + 1 > 2), Compare)


@pytest.mark.parametrize("word", [total, mean, minimum, maximum, latest, first])
def test_each_word_that_gives_money_reckons(word: Any) -> None:
    assert isinstance(compiled(word(Ordered.total) - Money(1) > 2), Compare)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (lambda: orders + spend > 3, "got (count(Ordered) + total(Ordered.total)); write an amount as Money('100')"),
        (lambda: spend - 100 > 3, "expected money with money or numbers with numbers"),
        (lambda: spend * spend > 3, "got two amounts in (total(Ordered.total) * total(Ordered.total))"),
        (lambda: spend * Money(2) > 3, "multiply by a plain number"),
        (lambda: orders / spend > 3, "got a number by money in (count(Ordered) / total(Ordered.total)); turn it round"),
        (lambda: 3 / spend > 3, "a number by money"),
        (lambda: ago / 2 > hours(1), "got since(Ordered), which changes all the time; compare it with a length"),
        (lambda: orders - ago > 1, "changes all the time"),
        (lambda: orders * hours(1) > 1, "got datetime.timedelta(seconds=3600); leave it out"),
        (lambda: hours(1) + orders > 1, "leave it out"),
        (lambda: orders + True > 1, "expected a number or money in (count(Ordered) + True), got True"),
        (lambda: orders + "3" > 1, "got '3'; leave it out"),
        (lambda: "3" + orders > 1, "got '3'; leave it out"),
        (lambda: orders + datetime(2026, 1, 1, tzinfo=UTC) > 1, "expected a number or money in"),
        (lambda: orders + float("inf") > 1, "got inf"),
        (lambda: orders + 2**63 > 1, "got 9223372036854775808"),
        (lambda: latest(fields.order_id) + 1 > 1, "which is text such as 'gold'"),
        (lambda: latest(fields.gift) + 1 > 1, "which is True or False"),
        (lambda: latest(fields.due) + 1 > 1, "which is a datetime with a zone"),
        (lambda: top(fields.order_id, k=3) + 1 > 1, "which is a list"),  # type: ignore[operator]
        (lambda: latest(Identified.age) + 1 > 1, "which is personal and stays sealed"),
        (lambda: fields.pieces + 1 > 1, "expected features in a segment, got the field Ordered.pieces"),
        (lambda: spend + Money(5, "USD") > 1, "in EUR, the project's currency, got Money('5', 'USD')"),
        (lambda: spend / orders >= timedelta(1), "to be compared with an amount such as 500"),
        (lambda: spend / spend >= Money(1), "to be compared with a number such as 3"),
        (lambda: orders / 2 > spend, "compare what is of one kind"),
    ],
)
def test_arithmetic_that_means_nothing_is_refused_with_its_line(condition: Any, told: str) -> None:
    with pytest.raises(ProjectError) as refused:
        compiled(condition())
    assert told in str(refused.value)
    assert "test_arithmetic.py:" in str(refused.value)


def test_a_feature_in_where_arithmetic_is_refused() -> None:
    with pytest.raises(ProjectError, match=r"expected a field of Ordered in where=, got count\(Ordered\)"):
        where(fields.pieces + orders > 1)
