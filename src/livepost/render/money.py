"""Money as templates see it: `{{ total }}` gives `49.90 EUR`, `{{ total | money }}` gives the symbol's form.

In: `[minor units, currency]` as the engine carries it, or the author's `Money`. Out: text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livepost.project.money import Money, minor_digits

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CAD": "CA$", "AUD": "A$"}


class Amount:
    """An amount of money: `minor` integer units of `currency` (ISO 4217)."""

    __slots__ = ("currency", "minor")

    def __init__(self, minor: int, currency: str) -> None:
        self.minor = minor
        self.currency = currency

    def decimal(self, separator: str = "") -> str:
        """Return the amount in major units, with the currency's digits.

        >>> Amount(499050, "EUR").decimal(",")
        '4,990.50'
        """
        digits = minor_digits(self.currency)
        major, minor = divmod(abs(self.minor), 10**digits)
        whole = f"{major:,}".replace(",", separator)
        fraction = f".{minor:0{digits}d}" if digits else ""
        return f"{'-' if self.minor < 0 else ''}{whole}{fraction}"

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"


def is_money(value: object) -> bool:
    """Return whether a plain value is money as the engine carries it: [minor units, "EUR"]."""
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and isinstance(value[0], int)
        and not isinstance(value[0], bool)
        and isinstance(value[1], str)
        and len(value[1]) == 3
        and value[1].isupper()
    )


def money(value: object) -> str:
    """Return money for a reader: `€49.90` where the currency has a symbol, else `49.90 CHF`; "" for nothing."""
    if isinstance(value, Amount):
        symbol = SYMBOLS.get(value.currency)
        sign, text = ("-", value.decimal(",")[1:]) if value.minor < 0 else ("", value.decimal(","))
        return f"{sign}{symbol}{text}" if symbol else f"{sign}{text} {value.currency}"
    return "" if value is None else str(value)


def plain(value: Any) -> Any:
    """Return a value as templates may hold it: text, numbers, lists, mappings, `Amount`; anything else as
    text.

    No Python object gets into a template, so there is no attribute to reach for.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="ignore").decode()  # no half surrogates
    if value is None or isinstance(value, int | float | Amount):
        return value
    if is_money(value):
        return Amount(value[0], value[1])
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return Amount(value.minor, value.currency) if isinstance(value, Money) else str(value)
