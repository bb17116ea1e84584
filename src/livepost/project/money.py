"""Money: an exact amount with the currency's own number of minor digits (ISO 4217)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TypeAlias, overload

from livepost.errors import ProjectError

Number: TypeAlias = Decimal | int | float

NO_MINOR_UNIT = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
MINOR_DIGITS = {
    **dict.fromkeys(NO_MINOR_UNIT, 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""ISO 4217's exceptions; every other currency has two minor digits."""


def minor_digits(currency: str) -> int:
    """Return how many decimal digits a currency's minor unit has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return MINOR_DIGITS.get(currency, 2)


class Money:
    """An amount in major units with its currency; without one it is in the project's.

    >>> Money("49.90", "EUR").minor
    4990
    >>> Money("49.90", "EUR") >= 49
    True

    Ordering against a plain number means major units. Money is added to and taken from money, multiplied and divided by
    numbers, and divided by money, which gives a number. Two currencies in one of these raise `ProjectError`.

    >>> (Money("49.90", "EUR") + Money("0.10", "EUR")) / 4 * 3
    Money('37.50', 'EUR')
    """

    __slots__ = ("_amount", "_currency")

    def __init__(self, amount: str | Number, currency: str = "") -> None:
        """Take an amount in major units (a float by its shortest decimal text) and a code such as "EUR"."""
        self._amount = _decimal(amount)
        self._currency = currency.upper()

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Money:
        """Return the money of `minor` integer minor units (cents) of a currency."""
        return cls(Decimal(minor).scaleb(-minor_digits(currency.upper())), currency)

    @property
    def amount(self) -> Decimal:
        """The exact amount in major units."""
        return self._amount

    @property
    def currency(self) -> str:
        """The currency's code in capitals, or "" for the project's."""
        return self._currency

    @property
    def minor(self) -> int:
        """The amount in integer minor units, rounded half even; `ProjectError` while it has no currency."""
        if not self._currency:
            raise ProjectError(
                f"expected money with a currency, got {self!r}: minor units depend on it; "
                f"write Money('{self._amount}', 'EUR') or ask minor_in(currency)"
            )
        return self.minor_in(self._currency)

    def minor_in(self, default: str) -> int:
        """Return the amount in minor units, reading a missing currency as `default`."""
        digits = minor_digits(self._currency or default)
        return int(self._amount.scaleb(digits).to_integral_value(ROUND_HALF_EVEN))

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same amount; other currencies are never equal."""
        if isinstance(other, Money):
            return self._currency == other._currency and self._amount == other._amount
        return self._amount == _decimal(other) if _is_number(other) else NotImplemented

    def __hash__(self) -> int:
        """Hash by the amount alone, since money equals a plain number of the same amount."""
        return hash(self._amount)

    def __lt__(self, other: Money | Number) -> bool:
        """Order by amount."""
        return NotImplemented if _is_foreign(other) else self._amount < self._comparable(other)

    def __le__(self, other: Money | Number) -> bool:
        """Order by amount."""
        return NotImplemented if _is_foreign(other) else self._amount <= self._comparable(other)

    def __gt__(self, other: Money | Number) -> bool:
        """Order by amount."""
        return NotImplemented if _is_foreign(other) else self._amount > self._comparable(other)

    def __ge__(self, other: Money | Number) -> bool:
        """Order by amount."""
        return NotImplemented if _is_foreign(other) else self._amount >= self._comparable(other)

    def __add__(self, other: Money) -> Money:
        """Add money of the same currency."""
        return (
            Money(self._amount + self._comparable(other), self._currency)
            if isinstance(other, Money)
            else NotImplemented
        )

    def __sub__(self, other: Money) -> Money:
        """Subtract money of the same currency."""
        return (
            Money(self._amount - self._comparable(other), self._currency)
            if isinstance(other, Money)
            else NotImplemented
        )

    def __mul__(self, other: Number) -> Money:
        """Multiply by a number."""
        return Money(self._amount * _decimal(other), self._currency) if _is_number(other) else NotImplemented

    __rmul__ = __mul__

    @overload
    def __truediv__(self, other: Money) -> Decimal: ...

    @overload
    def __truediv__(self, other: Number) -> Money: ...

    def __truediv__(self, other: Money | Number) -> Money | Decimal:
        """Divide by a number, or by money of the same currency, which gives a number; to 28 digits."""
        if isinstance(other, Money):
            return _ratio(self._amount, self._comparable(other))
        return Money(_ratio(self._amount, _decimal(other)), self._currency) if _is_number(other) else NotImplemented

    def __repr__(self) -> str:
        """Return how an author writes it."""
        return f"Money('{self._amount}', '{self._currency}')" if self._currency else f"Money('{self._amount}')"

    def __str__(self) -> str:
        """Return the amount with all minor digits and the currency: `49.90 EUR`."""
        return f"{self._amount:.{minor_digits(self._currency)}f} {self._currency}".rstrip()

    def _comparable(self, other: Money | Number) -> Decimal:
        if not isinstance(other, Money):
            return _decimal(other)
        if self._currency != other._currency:
            raise ProjectError(f"expected two amounts of one currency, got {self!r} and {other!r}; convert one first")
        return other._amount


def _is_number(value: object) -> bool:
    return isinstance(value, Decimal | int | float) and not isinstance(value, bool)


def _is_foreign(value: object) -> bool:
    """Say of a feature or a field that it compares by itself, with the money on its other side."""
    return not isinstance(value, Money | str | Decimal | int | float)


def _ratio(amount: Decimal, by: Decimal) -> Decimal:
    if not by:
        raise ZeroDivisionError(f"expected to divide {amount} by something, got nothing; ask for 0 before")
    return amount / by


def _decimal(amount: object) -> Decimal:
    try:
        exact = Decimal(str(amount))
    except InvalidOperation:
        exact = Decimal("NaN")
    if isinstance(amount, bool) or not exact.is_finite():
        raise ProjectError(f"expected an amount such as '49.90', got {amount!r}; write digits with a point")
    return exact
