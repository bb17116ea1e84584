from __future__ import annotations

import pytest

from livepost.project.money import Money
from livepost.render.money import Amount, money, plain


@pytest.mark.parametrize(
    ("value", "text", "formed"),
    [
        ([4990, "EUR"], "49.90 EUR", "€49.90"),
        ([499050, "USD"], "4990.50 USD", "$4,990.50"),
        ([-5, "GBP"], "-0.05 GBP", "-£0.05"),
        ([4990, "JPY"], "4990 JPY", "¥4,990"),
        ([1234567, "KWD"], "1234.567 KWD", "1,234.567 KWD"),
        ((0, "CHF"), "0.00 CHF", "0.00 CHF"),
        (Money("49.90", "EUR"), "49.90 EUR", "€49.90"),
    ],
)
def test_money_is_told_with_its_currency_and_digits(value: object, text: str, formed: str) -> None:
    assert (str(plain(value)), money(plain(value))) == (text, formed)


def test_what_is_no_money_stays_what_it_is() -> None:
    told = {"a": [1, 2], "b": ["x", "EUR"], "c": [True, "EUR"], "d": None, "e": (1.5, "EUR")}
    assert plain(told) == {"a": [1, 2], "b": ["x", "EUR"], "c": [True, "EUR"], "d": None, "e": [1.5, "EUR"]}
    assert (money(None), money("x")) == ("", "x")


def test_money_inside_lists_is_found_and_objects_become_text() -> None:
    assert isinstance(plain([{"price": [1, "EUR"]}])[0]["price"], Amount)
    assert plain(ValueError("x")) == "x"
