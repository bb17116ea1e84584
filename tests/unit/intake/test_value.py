"""Values of declared fields: their form in the log, and refusals that never repeat a value."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.intake.value import MAX_INTEGER, MAX_MINOR, MismatchError, money, normaliser
from livepost.model.compiled import FieldType
from livepost.project.money import minor_digits


@pytest.mark.parametrize(
    ("type_", "told", "kept"),
    [
        ("str", "x", "x"),
        ("int", 3, 3),
        ("int", 3.0, 3),
        ("int", MAX_INTEGER, MAX_INTEGER),
        ("float", 3, 3.0),
        ("bool", False, False),
        ("datetime", "1970-01-01T00:00:01Z", 1000),
        ("json", {"a": [1, None]}, {"a": [1, None]}),
        ("list", [1, "a"], [1, "a"]),
    ],
)
def test_a_fitting_value_is_brought_to_form(type_: FieldType, told: Any, kept: Any) -> None:
    assert normaliser(type_)(told) == kept


@pytest.mark.parametrize(
    ("type_", "told", "sentence"),
    [
        ("str", 5, "expected a string, got a number"),
        ("int", "5", "expected a whole number, got a string"),
        ("int", True, "expected a whole number, got a boolean"),
        ("int", 3.5, "expected a whole number, got a number"),
        ("int", MAX_INTEGER + 1, "expected a whole number of at most 64 bits, got a larger one"),
        ("float", "5.0", "expected a number, got a string"),
        ("float", 10**30, "expected a number of at most 64 bits, got a larger one"),
        ("bool", 0, "expected true or false, got a number"),
        ("datetime", 1_700_000_000, "expected an ISO 8601 date-time, got a number"),
        ("datetime", "secret", "expected an ISO 8601 date-time, got other text"),
        ("list", {}, "expected an array, got an object"),
        ("json", {"a": [10**30]}, "expected a number of at most 64 bits, got a larger one"),
    ],
)
def test_another_type_is_refused_with_its_name_and_not_its_value(type_: FieldType, told: Any, sentence: str) -> None:
    with pytest.raises(MismatchError, match=sentence):
        normaliser(type_)(told)


def test_the_items_of_a_list_are_of_its_item_type() -> None:
    assert normaliser("list", "str")(["a"]) == ["a"]
    with pytest.raises(MismatchError, match="expected a string, got a number"):
        normaliser("list", "str")(["a", 1])


@pytest.mark.parametrize(
    ("amount", "currency", "kept"),
    [
        (18.99, "usd", [1899, "USD"]),
        (49, None, [4900, "EUR"]),
        ("49.90", "EUR", [4990, "EUR"]),
        (0.125, "USD", [12, "USD"]),
        (0.375, "USD", [38, "USD"]),
        (1.005, "USD", [100, "USD"]),
        (1.015, "USD", [102, "USD"]),
        (-2.5, "JPY", [-2, "JPY"]),
        (1.2345, "KWD", [1234, "KWD"]),
        (1e-7, "USD", [0, "USD"]),
        (1e12, "USD", [10**14, "USD"]),
        ("-0.5", "USD", [-50, "USD"]),
        ("1234567890123.125000000000000001", "USD", [123456789012313, "USD"]),
        ("1234567890123.125000000000000000", "USD", [123456789012312, "USD"]),
    ],
)
def test_money_becomes_minor_units_rounded_half_even(amount: Any, currency: Any, kept: list[Any]) -> None:
    assert money(amount, currency, "EUR") == kept


@pytest.mark.parametrize("amount", ["", "1e5", "1,50", "$5", "٣", None, True, [5], "9" * 40, 1e300, 10**40])
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    with pytest.raises(MismatchError):
        money(amount, "USD", "USD")


def test_an_amount_is_taken_up_to_the_bound() -> None:
    assert money(MAX_MINOR, "JPY", "USD") == [MAX_MINOR, "JPY"]
    with pytest.raises(MismatchError, match="1e15 minor units"):
        money(MAX_MINOR + 1, "JPY", "USD")


@pytest.mark.parametrize("currency", ["", "EURO", "E1R", 5, "ÄÖÜ"])
def test_a_currency_is_three_letters(currency: Any) -> None:
    with pytest.raises(MismatchError, match="three letters"):
        money(5, currency, "USD")


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False))
def test_money_agrees_with_exact_decimal_arithmetic(amount: Decimal) -> None:
    exact = int((amount * 100).quantize(Decimal(1), ROUND_HALF_EVEN))
    assert money(format(amount, "f"), "USD", "USD") == [exact, "USD"]


@given(st.floats(min_value=-(10**13), max_value=10**13), st.sampled_from(["JPY", "USD", "KWD", "CLF"]))
def test_a_number_is_money_by_its_shortest_decimal_text(amount: float, currency: str) -> None:
    text = format(Decimal(repr(amount)), "f")
    exact = Decimal(text).scaleb(minor_digits(currency)).quantize(Decimal(1), ROUND_HALF_EVEN)
    if abs(exact) <= MAX_MINOR:
        assert money(amount, currency, "USD") == [int(exact), currency]


@given(st.integers(min_value=-(10**12), max_value=10**12), st.sampled_from(["JPY", "USD", "KWD", "CLF"]))
def test_an_amount_of_whole_minor_units_keeps_them(minor: int, currency: str) -> None:
    assert money(minor / 10 ** minor_digits(currency), currency, "USD") == [minor, currency]
