"""What conditions compare: features, fields, and arithmetic between them, with the typed operators checkers see.

At run time every operand has every operator; what can mean nothing is refused by `arithmetic` and `translation`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, overload

from livepost.errors import ProjectError
from livepost.expr.tree import Op, Sign
from livepost.project.condition import Condition
from livepost.project.duration import spoken
from livepost.project.money import Money
from livepost.project.place import authors_line

Constant: TypeAlias = bool | int | float | str | Decimal | Money | timedelta | datetime
C_contra = TypeVar("C_contra", contravariant=True)

MAX_DEPTH = 100
"""How deep arithmetic may nest: `a + b + c` is two deep."""
BINDING: dict[Sign, int] = {"+": 1, "-": 1, "*": 2, "/": 2}
"""How strongly a sign binds."""


class Operand:
    """What can be compared: a feature of the person, a field of the event, or arithmetic."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The operand as a person reads it."""
        raise NotImplementedError

    if not TYPE_CHECKING:  # checkers see a field's own type, and the typed operators below

        def __lt__(self, other):
            """Compare."""
            return Comparison("<", self, other)

        def __le__(self, other):
            """Compare."""
            return Comparison("<=", self, other)

        def __gt__(self, other):
            """Compare."""
            return Comparison(">", self, other)

        def __ge__(self, other):
            """Compare."""
            return Comparison(">=", self, other)

        def __eq__(self, other):
            """Compare."""
            return Comparison("==", self, other)

        def __ne__(self, other):
            """Compare."""
            return Comparison("!=", self, other)

        __hash__ = object.__hash__

        def __add__(self, other):
            """Add."""
            return Formula("+", self, other)

        def __radd__(self, other):
            """Add to a constant."""
            return Formula("+", other, self)

        def __sub__(self, other):
            """Subtract."""
            return Formula("-", self, other)

        def __rsub__(self, other):
            """Subtract from a constant."""
            return Formula("-", other, self)

        def __mul__(self, other):
            """Multiply."""
            return Formula("*", self, other)

        def __rmul__(self, other):
            """Multiply a constant."""
            return Formula("*", other, self)

        def __truediv__(self, other):
            """Divide."""
            return Formula("/", self, other)

        def __rtruediv__(self, other):
            """Divide a constant."""
            return Formula("/", other, self)


class Comparing(Operand, Generic[C_contra]):
    """An operand that compares with a `C`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __hash__(self) -> int: ...
        def __lt__(self, other: C_contra) -> Condition: ...
        def __le__(self, other: C_contra) -> Condition: ...
        def __gt__(self, other: C_contra) -> Condition: ...
        def __ge__(self, other: C_contra) -> Condition: ...
        def __eq__(self, other: C_contra) -> Condition: ...  # type: ignore[override] # pyright: ignore
        def __ne__(self, other: C_contra) -> Condition: ...  # type: ignore[override] # pyright: ignore


class Numeric(Comparing["float | Decimal | Numeric"]):
    """A number: compares and reckons with numbers, and multiplies money."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __add__(self, other: float | Decimal | Numeric) -> Numeric: ...
        def __radd__(self, other: float | Decimal) -> Numeric: ...
        def __sub__(self, other: float | Decimal | Numeric) -> Numeric: ...
        def __rsub__(self, other: float | Decimal) -> Numeric: ...
        @overload
        def __mul__(self, other: float | Decimal | Numeric) -> Numeric: ...
        @overload
        def __mul__(self, other: Money | Monetary) -> Monetary: ...
        def __mul__(self, other: Any) -> Any: ...
        @overload
        def __rmul__(self, other: float | Decimal) -> Numeric: ...
        @overload
        def __rmul__(self, other: Money) -> Monetary: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: float | Decimal | Numeric) -> Numeric: ...
        @overload
        def __rtruediv__(self, other: float | Decimal) -> Numeric: ...
        @overload
        def __rtruediv__(self, other: Money) -> Monetary: ...
        def __rtruediv__(self, other: Any) -> Any: ...


class Monetary(Comparing["Money | Decimal | float | Monetary"]):
    """Money: compares with money and with plain numbers, which mean major units of the project's currency; adds and
    subtracts money, multiplies with and divides by numbers; divided by money it is a number.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __add__(self, other: Money | Monetary) -> Monetary: ...
        def __radd__(self, other: Money) -> Monetary: ...
        def __sub__(self, other: Money | Monetary) -> Monetary: ...
        def __rsub__(self, other: Money) -> Monetary: ...
        def __mul__(self, other: float | Decimal | Numeric) -> Monetary: ...
        def __rmul__(self, other: float | Decimal) -> Monetary: ...
        @overload
        def __truediv__(self, other: float | Decimal | Numeric) -> Monetary: ...
        @overload
        def __truediv__(self, other: Money | Monetary) -> Numeric: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Money) -> Numeric: ...


class Formula(Operand):
    """`left sign right`, where one side at least is an operand."""

    __slots__ = ("depth", "left", "line", "right", "sign")

    def __init__(self, sign: Sign, left: Operand | Constant, right: Operand | Constant) -> None:
        """Refuse what is no constant and no operand, and what nests too deep."""
        self.line = authors_line()
        self.sign: Sign = sign
        self.left = left
        self.right = right
        self.depth: int = 1 + max((side.depth for side in (left, right) if isinstance(side, Formula)), default=0)
        for side in (left, right):
            if not isinstance(side, Operand | Constant):
                raise ProjectError(
                    f"expected a number, money or a feature beside {sign}, got {type(side).__name__}", self.line
                )
        if self.depth > MAX_DEPTH:
            raise ProjectError(
                f"expected arithmetic of at most {MAX_DEPTH} steps, got more; compare parts of it on their own",
                self.line,
            )

    @property
    def text(self) -> str:
        """The formula as written, with the brackets it needs."""
        return f"{self._side(self.left, 0)} {self.sign} {self._side(self.right, 1)}"

    def _side(self, side: Operand | Constant, more: int) -> str:
        """Return a side's text; the right one needs brackets where its sign binds no stronger (`more` is 1)."""
        loose = isinstance(side, Formula) and BINDING[side.sign] < BINDING[self.sign] + more
        return f"({constant_text(side)})" if loose else constant_text(side)

    def __repr__(self) -> str:
        """Return the formula as written."""
        return self.text


class Comparison(Condition):
    """`left op right`; false where a side is never (docs/reference/semantics.md)."""

    def __init__(self, op: Op, left: Operand, right: Operand | Constant) -> None:
        """Refuse what is no constant and no operand."""
        super().__init__()
        if not isinstance(right, Operand | Constant):
            raise ProjectError(
                f"expected {left.text} to be compared with a number, text, money, length of time, "
                f"or another of its kind, got {type(right).__name__}",
                self.line,
            )
        self.op: Op = op
        self.left = left
        self.right = right

    @property
    def text(self) -> str:
        """The comparison as a person reads it."""
        return f"{self.left.text} {self.op} {constant_text(self.right)}"


def constant_text(value: Operand | Constant) -> str:
    """Return a constant, or an operand, as a person reads it."""
    if isinstance(value, Operand):
        return value.text
    if isinstance(value, timedelta):
        return spoken(value)
    return str(value) if isinstance(value, Decimal) else repr(value)
