"""Arithmetic is written as arithmetic, reads as it was written, and refuses what is no value."""

from decimal import Decimal
from typing import Any

import pytest

from livepost import Event, Money, count, days, latest, total
from livepost.errors import ProjectError
from livepost.project.operand import MAX_DEPTH, Formula


class Ordered(Event):
    order_id: str
    total: Money
    tax: Money


VIEWS: Any = count(Ordered, over=days(7))
ORDERS: Any = count(Ordered)
SPEND: Any = total(Ordered.total)
VIEWS.name, ORDERS.name, SPEND.name = "views", "orders", "spend"
FIELD: Any = Ordered.total


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (VIEWS - ORDERS / 4, "views - orders / 4"),
        ((VIEWS - ORDERS) / 4, "(views - orders) / 4"),
        (VIEWS - (ORDERS - 1), "views - (orders - 1)"),
        (VIEWS - ORDERS - 1, "views - orders - 1"),
        (VIEWS / (ORDERS * 2), "views / (orders * 2)"),
        (VIEWS * ORDERS / 2, "views * orders / 2"),
        (VIEWS + (ORDERS + 1), "views + (orders + 1)"),
        ((VIEWS + ORDERS) * (VIEWS - ORDERS), "(views + orders) * (views - orders)"),
        (1 - VIEWS, "1 - views"),
        (2.5 + VIEWS, "2.5 + views"),
        (3 * VIEWS, "3 * views"),
        (6 / VIEWS, "6 / views"),
        (Decimal("0.5") * VIEWS, "0.5 * views"),
        (Money("9.90", "EUR") - SPEND, "Money('9.90', 'EUR') - spend"),
        (Money(5) + SPEND, "Money('5') + spend"),
        (Money(5) * VIEWS, "Money('5') * views"),
        (Money(5) / VIEWS, "Money('5') / views"),
        (FIELD / 2, "Ordered.total / 2"),
        (latest(Ordered.total) * 2, "latest(Ordered.total) * 2"),
    ],
)
def test_a_formula_reads_as_its_author_wrote_it(formula: Formula, text: str) -> None:
    assert formula.text == repr(formula) == text


def test_a_formula_compares_from_either_side() -> None:
    assert (VIEWS / 2 >= 3).text == (3 <= VIEWS / 2).text == "views / 2 >= 3"  # noqa: SIM300 - the order is the test
    assert (Money(3) < SPEND).text == "spend > Money('3')"
    assert (Money(3) == SPEND).text == "spend == Money('3')"
    assert (Money(3) >= FIELD).text == "Ordered.total <= Money('3')"


@pytest.mark.parametrize("side", [None, [1], object, {"a": 1}])
def test_what_is_no_value_is_refused_where_it_is_written(side: object) -> None:
    with pytest.raises(ProjectError, match=r"expected a number, money or a feature beside \+, got") as refused:
        VIEWS + side
    assert "test_operand.py:" in str(refused.value)


def test_arithmetic_nests_so_deep_and_no_deeper() -> None:
    deepest = VIEWS
    for _ in range(MAX_DEPTH):
        deepest = deepest + 1
    assert deepest.depth == MAX_DEPTH
    with pytest.raises(ProjectError, match=f"at most {MAX_DEPTH} steps, got more"):
        deepest + 1
