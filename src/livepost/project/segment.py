"""Segments: the people of whom a condition over features holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self, overload

from livepost.project.condition import Condition, condition


class Members(Protocol):
    """An instance of a profile: whether the person is inside, by segment name."""

    _memberships: Mapping[str, bool]


class Segment(Condition):
    """A named condition: on the profile's class a segment, a part of further conditions; on an instance whether the
    person is inside.
    """

    def __init__(self, given: Condition, was: str | None = None) -> None:
        """Keep the condition, and the name it had before; its name comes from the profile's class body."""
        super().__init__()
        self.condition = given
        self.was = was
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name from the class body."""
        self.name = name

    @property
    def text(self) -> str:
        """The name, or the condition where there is none."""
        return self.name or self.condition.text

    @property
    def inner(self) -> Condition:
        """Itself, or the condition where there is no name to call it by."""
        return self if self.name else self.condition.inner

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Members, owner: type) -> bool: ...

    def __get__(self, instance: Members | None, owner: type) -> Any:
        """Return the segment on the class, membership on an instance."""
        return self if instance is None else instance._memberships.get(self.name, False)


def segment(given: Condition, *, was: str | None = None) -> Segment:
    """Return the segment of people of whom a condition over features and other segments holds.

    `was` is the name it had before a rename: its people stay in it, and are not counted as having entered anew.
    """
    return Segment(condition(given), was)
