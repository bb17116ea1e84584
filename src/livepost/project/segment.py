"""Segments: the people of whom a condition over features holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

from livepost.errors import ProjectError
from livepost.project.condition import Condition, condition
from livepost.project.place import authors_line


class Members(Protocol):
    """An instance of a profile: whether the person is inside, by segment name."""

    _memberships: Mapping[str, bool]


class Segment:
    """A named condition: on the profile's class a segment, on an instance whether the person is inside."""

    not_a_condition = "a segment: segments of segments are not yet built"

    def __init__(self, given: Condition) -> None:
        """Keep the condition; the name comes from the profile's class body."""
        self.condition = given
        self.line = authors_line()
        self.name = ""
        self.profile: type | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name from the class body."""
        self.name = name
        self.profile = owner

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Members, owner: type) -> bool: ...

    def __get__(self, instance: Members | None, owner: type) -> Any:
        """Return the segment on the class, membership on an instance."""
        return self if instance is None else instance._memberships.get(self.name, False)

    if not TYPE_CHECKING:  # checkers refuse these on their own; at run time the sentence says what to write

        def __and__(self, other):
            """Refuse: segments of segments are not yet built."""
            raise ProjectError(
                f"expected a condition over features, got {self.not_a_condition}; "
                f"write its condition ({self.condition.text}) out",
                authors_line(),
            )

        __or__ = __rand__ = __ror__ = __and__

        def __invert__(self):
            """Refuse: segments of segments are not yet built."""
            return self & self


def segment(given: Condition) -> Segment:
    """Return the segment of people of whom a condition over features holds."""
    return Segment(condition(given))
