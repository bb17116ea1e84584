"""Money is exact, knows its minor unit, and never mixes currencies."""

from decimal import Decimal
from typing import Any

import pytest

from livepost.errors import ProjectError
from livepost.project.money import Money, minor_digits


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("49.90", "EUR", 4990),
        (49.9, "eur", 4990),
        (500, "JPY", 500),
        ("1.234", "KWD", 1234),
        (Decimal("-3.5"), "USD", -350),
        ("0.005", "USD", 0),  # half even
        ("0.015", "USD", 2),
    ],
)
def test_an_amount_has_the_minor_units_of_its_currency(amount: str, currency: str, minor: int) -> None:
    assert Money(amount, currency).minor == minor


def test_minor_units_make_the_same_money_again() -> None:
    assert Money.of_minor(4990, "EUR") == Money("49.90", "EUR")
    assert Money.of_minor(500, "JPY") == Money(500, "JPY")
    assert str(Money.of_minor(4990, "EUR")) == "49.90 EUR"


def test_money_without_a_currency_takes_the_projects() -> None:
    assert Money("49.90").minor_in("EUR") == 4990
    assert Money("49.90").minor_in("KWD") == 49900
    with pytest.raises(ProjectError, match=r"Money\('49.90', 'EUR'\)"):
        _ = Money("49.90").minor


def test_money_orders_against_plain_numbers_as_major_units() -> None:
    assert Money("49.90", "EUR") >= 49
    assert Money("49.90", "EUR") < Decimal("49.91")
    assert Money(50, "EUR") == 50
    assert Money(50, "EUR") > Money("49.99", "EUR")


def test_two_currencies_are_never_equal_and_never_ordered() -> None:
    assert Money(50, "EUR") != Money(50, "USD")
    with pytest.raises(ProjectError, match="one currency"):
        _ = Money(50, "EUR") > Money(49, "USD")


def test_money_reckons_exactly_in_its_currency() -> None:
    assert Money("0.10", "EUR") + Money("0.20", "EUR") == Money("0.30", "EUR")
    assert Money("0.30", "EUR") - Money("0.10", "EUR") == Money("0.20", "EUR")
    assert Money("49.90", "EUR") * 3 == 3 * Money("49.90", "EUR") == Money("149.70", "EUR")
    assert Money("0.10", "EUR") * 0.1 == Money("0.01", "EUR")
    assert Money("49.90", "EUR") / 4 == Money("12.475", "EUR")
    assert (Money("49.90", "EUR") / 4).minor == 1248
    assert Money("10", "EUR") / Money("4", "EUR") == Decimal("2.5")
    assert Money(5) + Money(3) == Money(8)


def test_money_of_two_currencies_does_not_reckon() -> None:
    euros, dollars = Money(5, "EUR"), Money(5, "USD")
    for reckon in (lambda: euros + dollars, lambda: euros - dollars, lambda: euros / dollars, lambda: euros + Money(5)):
        with pytest.raises(ProjectError, match="expected two amounts of one currency"):
            reckon()


def test_money_does_not_reckon_with_what_it_cannot() -> None:
    five: Any = Money(5)
    for reckon in (lambda: five + 3, lambda: 3 - five, lambda: five * five, lambda: 3 / five):
        with pytest.raises(TypeError, match="unsupported operand"):
            reckon()
    for reckon in (lambda: five * True, lambda: five * "3", lambda: five < object(), lambda: five >= [5]):
        with pytest.raises(TypeError):
            reckon()
    for reckon in (lambda: five / 0, lambda: five / Money(0), lambda: Money(0) / 0):
        with pytest.raises(ZeroDivisionError, match="by something, got nothing"):
            reckon()


@pytest.mark.parametrize("amount", ["4,99", "", "NaN", "Infinity", True, None])
def test_what_is_no_amount_is_refused(amount: object) -> None:
    with pytest.raises(ProjectError, match="expected an amount"):
        Money(amount)  # type: ignore[arg-type]


def test_digits_are_those_of_iso_4217() -> None:
    assert [minor_digits(code) for code in ("EUR", "USD", "JPY", "KRW", "KWD", "CLF")] == [2, 2, 0, 0, 3, 4]
