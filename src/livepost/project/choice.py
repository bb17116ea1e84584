"""The word `in_`: whether a value is one of several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, overload

from livepost.errors import ProjectError
from livepost.project.condition import Condition
from livepost.project.money import Money
from livepost.project.operand import Comparing, Constant, Monetary, Operand, constant_text
from livepost.project.place import authors_line

C = TypeVar("C")
V = TypeVar("V", str, int, float, datetime)

MAX_CHOICES = 100
"""How many values `in_` takes."""


class Choice(Condition):
    """Whether an operand is equal to one of several constants; translated to an Or of equalities."""

    def __init__(self, of: Operand, values: tuple[Constant, ...]) -> None:
        """Compare `of` with each of `values`."""
        super().__init__()
        self.of = of
        self.values = values

    @property
    def text(self) -> str:
        """`category in ('shoes', 'bags')`."""
        return f"{self.of.text} in ({', '.join(map(constant_text, self.values))})"


@overload
def in_(of: Monetary | Money | None, values: Sequence[Money | Decimal | float]) -> Condition: ...
@overload
def in_(of: Comparing[C], values: list[C] | tuple[C, ...]) -> Condition: ...
@overload
def in_(of: V | None, values: list[V] | tuple[V, ...]) -> Condition: ...
def in_(of: Any, values: Any) -> Condition:
    """Whether a feature or a field is one of `values`, at most 100 constants in a list."""
    if not isinstance(of, Operand):
        raise ProjectError(f"expected in_() of a feature or a field, got {of!r}; name one", authors_line())
    if not isinstance(values, list | tuple):
        raise ProjectError(
            f"expected the values of in_({of.text}) in a list, got {type(values).__name__}; write [...]", authors_line()
        )
    if not 1 <= len(values) <= MAX_CHOICES:
        raise ProjectError(
            f"expected 1 to {MAX_CHOICES} values in in_({of.text}), got {len(values)}; "
            "join two with |, or drop a condition that nobody meets",
            authors_line(),
        )
    odd = [value for value in values if not isinstance(value, Constant)]
    if odd:
        raise ProjectError(
            f"expected plain values in in_({of.text}), got {odd[0]!r}; compare features with ==, joined with |",
            authors_line(),
        )
    return Choice(of, tuple(values))
