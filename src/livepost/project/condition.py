"""Conditions as an author writes them: comparisons of features or fields, joined with `&`, `|` and `~`.

They stay objects here, with the line they were written on; `translation` makes trees of `livepost.expr`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from livepost.errors import ProjectError
from livepost.expr.tree import Op
from livepost.project.duration import spoken
from livepost.project.money import Money
from livepost.project.place import authors_line

Constant: TypeAlias = bool | int | float | str | Decimal | Money | timedelta | datetime


class Condition:
    """Something that is true or false of a person or an event; joined with `&`, `|` and `~`."""

    __slots__ = ("line",)

    def __init__(self) -> None:
        """Remember the author's line."""
        self.line = authors_line()

    @property
    def text(self) -> str:
        """The condition as a person reads it."""
        raise NotImplementedError

    def __and__(self, other: Condition | bool) -> Condition:
        """Return a condition that is true if both are."""
        return Combination("and", self, condition(other))

    def __rand__(self, other: Condition | bool) -> Condition:
        """Return a condition that is true if both are."""
        return Combination("and", condition(other), self)

    def __or__(self, other: Condition | bool) -> Condition:
        """Return a condition that is true if one is."""
        return Combination("or", self, condition(other))

    def __ror__(self, other: Condition | bool) -> Condition:
        """Return a condition that is true if one is."""
        return Combination("or", condition(other), self)

    def __invert__(self) -> Condition:
        """Return the plain negation."""
        return Negation(self)

    if not TYPE_CHECKING:

        def __bool__(self) -> bool:
            """Refuse: a condition has no truth yet; it holds or not for one person at one moment."""
            raise ProjectError(
                "expected & or | or ~ between conditions, got `and`, `or`, `not`, `if` or a chain like "
                f"1 < a < 5 around ({self.text}); write (a) & (b), (a) | (b), ~(a), with the brackets",
                authors_line(),
            )


class Operand:
    """What can be compared: a feature of the person or a field of the event."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The operand as a person reads it."""
        raise NotImplementedError

    if not TYPE_CHECKING:  # checkers see a field's own type, and the typed comparisons of `feature`

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


class Comparison(Condition):
    """`left op right`; false where a side is never (docs/reference/semantics.md)."""

    __slots__ = ("left", "op", "right")

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
        return f"{self.left.text} {self.op} {_constant_text(self.right)}"


class Combination(Condition):
    """Several conditions joined by one word; nested ones of the same word are taken in flat."""

    __slots__ = ("parts", "word")

    def __init__(self, word: str, *parts: Condition) -> None:
        """Join `parts` by `word`, which is "and" or "or"."""
        super().__init__()
        self.word = word
        self.parts = [inner for part in parts for inner in _flat(word, part)]

    @property
    def text(self) -> str:
        """The parts joined by the word, with brackets where one reads otherwise."""
        return f" {self.word} ".join(_bracketed(part) for part in self.parts)


class Negation(Condition):
    """The plain negation of a condition."""

    __slots__ = ("of",)

    def __init__(self, of: Condition) -> None:
        """Negate `of`."""
        super().__init__()
        self.of = of

    @property
    def text(self) -> str:
        """`not` before the condition."""
        return f"not {_bracketed(self.of)}"


def condition(given: Any) -> Condition:
    """Return what an author gave as a condition, or raise `ProjectError` saying what to write."""
    if isinstance(given, Condition):
        return given
    raise ProjectError(
        f"expected a condition such as (views_7d >= 3), got {_spoken_kind(given)}; compare a feature, "
        "or a field of the event, and put brackets around each comparison",
        authors_line(),
    )


def _spoken_kind(given: object) -> str:
    if isinstance(given, bool):
        return f"a plain {given}"
    refusal = getattr(given, "not_a_condition", None)
    return str(refusal) if refusal is not None else f"{given!r}"


def _flat(word: str, part: Condition) -> list[Condition]:
    return part.parts if isinstance(part, Combination) and part.word == word else [part]


def _bracketed(part: Condition) -> str:
    return f"({part.text})" if isinstance(part, Combination) else part.text


def _constant_text(value: Operand | Constant) -> str:
    if isinstance(value, Operand):
        return value.text
    if isinstance(value, timedelta):
        return spoken(value)
    return str(value) if isinstance(value, Decimal) else repr(value)
