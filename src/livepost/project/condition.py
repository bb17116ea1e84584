"""Conditions as an author writes them, joined with `&`, `|` and `~`; `operand` has the comparisons in them.

They stay objects here, with the line they were written on; `translation` makes trees of `livepost.expr`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livepost.errors import ProjectError
from livepost.project.place import authors_line


class Condition:
    """Something that is true or false of a person or an event; joined with `&`, `|` and `~`."""

    line: str

    def __init__(self) -> None:
        """Remember the author's line."""
        self.line = authors_line()

    @property
    def text(self) -> str:
        """The condition as a person reads it."""
        raise NotImplementedError

    @property
    def inner(self) -> Condition:
        """The condition itself; of a segment without a name, the condition it stands for."""
        return self

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


class Combination(Condition):
    """Several conditions joined by one word; nested ones of the same word are taken in flat."""

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
    return f"a plain {given}" if isinstance(given, bool) else f"{given!r}"


def _flat(word: str, part: Condition) -> list[Condition]:
    return part.parts if isinstance(part, Combination) and part.word == word else [part]


def _bracketed(part: Condition) -> str:
    return f"({part.text})" if isinstance(part.inner, Combination) else part.text
