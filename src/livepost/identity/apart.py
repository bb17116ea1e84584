"""Who is kept apart: two people that an undo made of one are not made one again by a mention."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Marks: TypeAlias = frozenset[tuple[int, int]]
"""Of which undos (by number) a person is on which side (0 or 1)."""


class Separation:
    """The undos so far, by the subjects of their two sides."""

    def __init__(self, undone: Iterable[tuple[Iterable[bytes], Iterable[bytes]]] = ()) -> None:
        marks: dict[bytes, set[tuple[int, int]]] = {}
        for number, sides in enumerate(undone):
            for side, subjects in enumerate(sides):
                for subject in subjects:
                    marks.setdefault(subject, set()).add((number, side))
        self._marks = {subject: frozenset(some) for subject, some in marks.items()}

    def __bool__(self) -> bool:
        return bool(self._marks)

    def marks_of(self, subjects: Iterable[bytes]) -> Marks:
        """Return the marks of a person with these subjects."""
        return frozenset().union(*(self._marks.get(subject, frozenset()) for subject in subjects))


def kept_apart(one: Marks, other: Marks) -> bool:
    """Say whether two people are on different sides of an undo.

    >>> kept_apart(frozenset({(0, 0)}), frozenset({(0, 1), (1, 0)}))
    True
    """
    return any((number, 1 - side) in other for number, side in one)
