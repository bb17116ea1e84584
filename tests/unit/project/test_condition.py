"""Conditions are written with & | ~ and comparisons, read well, and refuse what Python would silently drop."""

import pytest

from livepost import Event, Money, count, days, exists, hours, segment, since
from livepost.errors import ProjectError
from livepost.project.condition import Condition, condition


class Viewed(Event):
    product_id: str
    price: Money
    gift: bool = False


class Ordered(Event):
    order_id: str


VIEWS = count(Viewed, over=days(7))
ORDERS = count(Ordered)
VIEWS.name, ORDERS.name = "views_7d", "orders"


def text(given: Condition | bool) -> str:
    return condition(given).text


def test_a_condition_reads_as_its_author_wrote_it() -> None:
    assert text((VIEWS >= 3) & (ORDERS == 0)) == "views_7d >= 3 and orders == 0"
    assert text(((VIEWS >= 3) | (ORDERS == 0)) & ~(VIEWS < 9)) == "(views_7d >= 3 or orders == 0) and not views_7d < 9"
    assert text(~((VIEWS >= 3) & (ORDERS != 1))) == "not (views_7d >= 3 and orders != 1)"
    assert text(since(Ordered) > since(Viewed)) == "since(Ordered) > since(Viewed)"
    assert text(since(Ordered, where=Ordered.order_id == "a") <= hours(36)) == (
        "since(Ordered, where=Ordered.order_id == 'a') <= hours(36)"
    )
    assert text(Viewed.price >= Money("9.90", "EUR")) == "Viewed.price >= Money('9.90', 'EUR')"


def test_a_number_may_stand_on_the_left() -> None:
    assert text(3 <= VIEWS) == "views_7d >= 3"  # noqa: SIM300 - the other order is what is tested


def test_the_same_word_joins_flat() -> None:
    assert text((VIEWS >= 1) & (VIEWS >= 2) & (VIEWS >= 3)) == "views_7d >= 1 and views_7d >= 2 and views_7d >= 3"


def test_a_bool_field_is_a_condition_by_itself() -> None:
    assert text(Viewed.gift & (Viewed.price >= 5)) == "Viewed.gift and Viewed.price >= 5"
    assert text((Viewed.price >= 5) | Viewed.gift) == "Viewed.price >= 5 or Viewed.gift"


@pytest.mark.parametrize(
    "write",
    [
        lambda: (VIEWS >= 3) and (ORDERS == 0),
        lambda: (VIEWS >= 3) or (ORDERS == 0),
        lambda: not (VIEWS >= 3),
        lambda: 1 < VIEWS < 5,
        lambda: bool(Viewed.gift),
    ],
)
def test_pythons_own_and_or_not_are_refused_with_help(write: object) -> None:
    with pytest.raises(ProjectError, match=r"write \(a\) & \(b\)") as refused:
        write()  # type: ignore[operator]
    assert refused.value.where is not None
    assert "test_condition.py:" in refused.value.where


@pytest.mark.parametrize("given", [True, VIEWS, 3, None])
def test_what_is_no_condition_is_refused(given: object) -> None:
    with pytest.raises(ProjectError, match="expected a condition such as"):
        segment(given)  # type: ignore[arg-type]


def test_a_comparison_with_no_value_is_refused() -> None:
    with pytest.raises(ProjectError, match="got NoneType"):
        _ = VIEWS == None  # type: ignore[operator]  # noqa: E711


def test_whether_something_happened_is_a_condition_by_itself() -> None:
    assert text(exists(Viewed, over=days(30)) & ~exists(Ordered)) == (
        "exists(Viewed, over=days(30)) and not exists(Ordered)"
    )
    assert text((VIEWS >= 3) | exists(Ordered)) == "views_7d >= 3 or exists(Ordered)"
    with pytest.raises(ProjectError, match=r"write \(a\) & \(b\)"):
        bool(exists(Ordered))


@pytest.mark.parametrize("other", [VIEWS, VIEWS + 1, True, 3])
def test_what_is_no_condition_is_refused_beside_a_segment(other: object) -> None:
    with pytest.raises(ProjectError, match="expected a condition such as"):
        segment(VIEWS >= 3) & other  # type: ignore[operator]
