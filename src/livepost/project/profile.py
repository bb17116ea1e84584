"""The profile: what is known of a person, as features and segments in one class body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from livepost.model.person import PersonView
from livepost.project.feature import Feature
from livepost.project.operand import Formula
from livepost.project.segment import Segment


class Profile:
    """What is known of a person; subclass it and assign features and segments.

    An instance is one person at one moment, made when a mail is rendered: features and segments are values.
    """

    def __init__(self, values: Mapping[str, Any], memberships: Mapping[str, bool], *, currency: str = "USD") -> None:
        """Take raw values by feature name, as PersonView defines them, and memberships by segment name."""
        self._values = values
        self._memberships = memberships
        self._currency = currency

    @classmethod
    def from_view(cls, view: PersonView, opened: Mapping[str, Any], *, currency: str = "USD") -> Self:
        """Return a person as an author's function sees one; `opened` are the personal features, unsealed."""
        inside = {membership.segment: membership.inside for membership in view.memberships}
        return cls({**view.features, **opened}, inside, currency=currency)

    @classmethod
    def never(cls) -> Self:
        """Return a person of whom nothing is known yet."""
        return cls({}, {})


def features_of(profile: type[Profile]) -> dict[str, Feature[Any]]:
    """Return a profile's features by name, in the order of the class body."""
    return {name: value for name, value in _declared(profile) if isinstance(value, Feature)}


def segments_of(profile: type[Profile]) -> dict[str, Segment]:
    """Return a profile's segments by name, in the order of the class body."""
    return {name: value for name, value in _declared(profile) if isinstance(value, Segment)}


def formulas_of(profile: type[Profile]) -> dict[str, Formula]:
    """Return the arithmetic that stands in a profile under a name, which no feature is: for `check` to refuse."""
    return {name: value for name, value in _declared(profile) if isinstance(value, Formula)}


def _declared(profile: type[Profile]) -> Iterator[tuple[str, object]]:
    for cls in reversed(profile.__mro__):
        yield from vars(cls).items()
