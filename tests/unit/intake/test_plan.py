"""The tracking plan: declared fields open or personal, everything else undeclared."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.intake.plan import BrokenPlanError, EventPlan, TrackingPlan
from livepost.model.compiled import Compiled, EventSpec, FieldSpec


def order(*fields: FieldSpec) -> EventPlan:
    compiled = Compiled(
        currency="EUR", events=(EventSpec(name="Order Completed", cls="OrderCompleted", fields=fields),)
    )
    event = TrackingPlan(compiled).event("Order Completed")
    assert event is not None
    return event


TOTAL = FieldSpec(name="total", keys=("total",), type="money", currency_key="currency")
FIRST_NAME = FieldSpec(name="first_name", keys=("first_name", "firstName"), type="str", required=False, personal=True)


def test_values_are_sorted_into_open_personal_and_undeclared() -> None:
    reading = order(TOTAL, FIRST_NAME).read({"total": 9.5, "currency": "usd", "firstName": "Ada", "gift": True})
    assert reading.open == {"total": [950, "USD"]}
    assert reading.personal == {"first_name": "Ada"}
    assert reading.undeclared == {"gift": True}


def test_a_name_that_two_fields_read_gives_both_their_value_and_is_not_undeclared() -> None:
    code = FieldSpec(name="code", keys=("code",), type="str")
    also = FieldSpec(name="coupon", keys=("coupon", "code"), type="str", personal=True)
    reading = order(code, also).read({"gift": True, "code": "TEA", "note": ""})
    assert (reading.open, reading.personal) == ({"code": "TEA"}, {"coupon": "TEA"})
    assert list(reading.undeclared) == ["gift", "note"]


def test_money_without_a_currency_is_in_the_projects() -> None:
    assert order(TOTAL).read({"total": 9.5}).open == {"total": [950, "EUR"]}


def test_of_several_names_the_first_wins_and_the_other_stays_undeclared() -> None:
    reading = order(FIRST_NAME).read({"first_name": "Ada", "firstName": "Eve"})
    assert (reading.personal, reading.undeclared) == ({"first_name": "Ada"}, {"firstName": "Eve"})


def test_a_null_counts_as_missing() -> None:
    assert order(FIRST_NAME).read({"first_name": None, "firstName": "Ada"}).personal == {"first_name": "Ada"}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({}, "expected field `total` in `Order Completed`, got none; send it, or declare it optional"),
        ({"total": None}, "expected field `total` in `Order Completed`, got none"),
        ({"total": "canary"}, "expected field `total` in `Order Completed` to be an amount"),
        ({"total": 1, "currency": "canary"}, "expected field `total` in `Order Completed` to be a currency of three"),
    ],
)
def test_a_broken_plan_is_told_without_the_value(told: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BrokenPlanError) as broken:
        order(TOTAL).read(told)
    assert str(broken.value).startswith(sentence)
    assert "canary" not in str(broken.value)


COUNTED = FieldSpec(name="total", keys=("total",), type="money", currency_key="currency", currency="EUR")


@pytest.mark.parametrize("told", [{"total": 9.5}, {"total": 9.5, "currency": "EUR"}, {"total": 9.5, "currency": "eur"}])
def test_a_counted_amount_comes_in_the_projects_currency(told: dict[str, Any]) -> None:
    assert order(COUNTED).read(told).open == {"total": [950, "EUR"]}


def test_a_counted_amount_in_another_currency_breaks_the_plan_without_the_amount() -> None:
    with pytest.raises(BrokenPlanError) as broken:
        order(COUNTED).read({"total": 918273, "currency": "usd"})
    assert str(broken.value) == (
        "expected field `total` in `Order Completed` in EUR, the project's currency, since it is counted, got USD; "
        "convert it, or set `currency`"
    )


def test_an_amount_that_nobody_counts_comes_in_any_currency() -> None:
    """The negative control: the same amount, with no currency asked for."""
    assert order(TOTAL).read({"total": 918273, "currency": "usd"}).open == {"total": [91827300, "USD"]}


def test_what_was_told_is_left_as_it_was() -> None:
    told = {"total": 1, "gift": True}
    order(TOTAL).read(told)
    assert told == {"total": 1, "gift": True}


def test_an_event_that_nobody_declared_has_no_plan() -> None:
    assert TrackingPlan(Compiled()).event("Song Played") is None


PLAIN = (
    FieldSpec(name="name", keys=("name",), type="str"),
    FieldSpec(name="price", keys=("price",), type="float", required=False),
    FieldSpec(name="gift", keys=("gift",), type="bool", required=False),
)
AMOUNT = FieldSpec(name="amount", keys=("amount", "cost"), type="float", required=False)
COST = FieldSpec(name="cost", keys=("cost",), type="float", required=False)
OTHER_NAME = FieldSpec(name="fee", keys=("cost", "fee"), type="float", required=False)
TOLD = st.dictionaries(
    st.sampled_from(["gift", "price", "name", "amount", "cost", "note"]),
    st.sampled_from(["Tea", 1.5, 2, True, None, [1]]),
)


def read(event: EventPlan, told: dict[str, Any]) -> bytes | str:
    """Return what is read, as bytes, in which the order of fields shows; or why it is refused."""
    try:
        return msgspec.msgpack.encode(event.read(told))
    except BrokenPlanError as error:
        return str(error)


@given(TOLD, st.sampled_from([(), (AMOUNT,), (AMOUNT, COST)]))
def test_what_is_read_at_one_look_is_to_the_byte_what_is_read_field_by_field(
    told: dict[str, Any], more: tuple[FieldSpec, ...]
) -> None:
    fast = order(*PLAIN, *more)
    assert fast.plain is not None
    assert read(fast, told) == read(msgspec.structs.replace(fast, plain=None), told)


@pytest.mark.parametrize("field", [TOTAL, FIRST_NAME, OTHER_NAME, FieldSpec(name="n", keys=("n",), type="int")])
def test_an_event_with_a_field_that_needs_more_is_read_field_by_field(field: FieldSpec) -> None:
    assert order(PLAIN[0], field).plain is None


def test_a_look_that_took_no_heed_of_a_fields_other_names_would_be_told_from_it() -> None:
    event = order(PLAIN[0], AMOUNT)
    broken = msgspec.structs.replace(event, plain=(("name", str, True, ()), ("amount", float, False, ())))
    assert read(event, {"name": "Tea", "cost": 1.5}) != read(broken, {"name": "Tea", "cost": 1.5})
