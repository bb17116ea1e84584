"""A project's declarations: what stands in an imported module, found by what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from livepost.errors import ProjectError
from livepost.model.message import EmailDraft
from livepost.model.person import PersonView
from livepost.project.campaign import Campaign, Step
from livepost.project.choice import Choice
from livepost.project.condition import Combination, Condition, Negation
from livepost.project.email import Email
from livepost.project.event import Event
from livepost.project.feature import Feature
from livepost.project.field import Field
from livepost.project.identified import Identified
from livepost.project.operand import Comparison, Constant, Formula, Operand
from livepost.project.profile import Profile, features_of, segments_of

T = TypeVar("T")


@dataclass(frozen=True)
class Declarations:
    """What an author declared, in the module's order; `events` with those that features and campaigns use."""

    events: tuple[type[Event], ...]
    profiles: tuple[type[Profile], ...]
    campaigns: tuple[Campaign[Any], ...]

    @property
    def profile(self) -> type[Profile]:
        """The project's profile; an empty one if none is declared."""
        return self.profiles[0] if self.profiles else Profile

    def campaign(self, name: str) -> Campaign[Any]:
        """Return a campaign by its name; `ProjectError` if there is none."""
        for campaign in self.campaigns:
            if campaign.name == name:
                return campaign
        known = ", ".join(campaign.name for campaign in self.campaigns) or "none"
        raise ProjectError(f"expected the name of a campaign of this project ({known}), got {name}; was it renamed?")

    def draft(
        self, campaign: str, view: PersonView, opened: Mapping[str, Any], *, currency: str = "USD", step: int = 0
    ) -> EmailDraft:
        """Return the mail that the function of a campaign's step writes for a person, as data.

        `opened` are the plain values of the personal features. Every feature of the profile is a variable of
        the template by its name; what the function gave comes on top.
        """
        person = self.profile.from_view(view, opened, currency=currency)
        known = {name: getattr(person, name) for name in self._features}
        return written(self.campaign(campaign).mail(step), person).draft(known)

    @cached_property
    def _features(self) -> tuple[str, ...]:
        return tuple(features_of(self.profile))


def written(mail: Campaign[Any] | Step[Any], person: Profile) -> Email:
    """Return what the function of a campaign, or of a later step, writes; `ProjectError` if that is no Email."""
    email = mail(person)
    if not isinstance(email, Email):
        raise ProjectError(
            f"expected {mail.name} to return an Email, got {type(email).__name__}; end it with `return Email(...)`",
            mail.line,
        )
    return email


def collect(namespace: Mapping[str, object]) -> Declarations:
    """Return the declarations among a module's names (`vars(module)`); imported ones count too."""
    profiles = _distinct(value for value in namespace.values() if _is_profile(value))
    campaigns = _distinct(value for value in namespace.values() if isinstance(value, Campaign))
    declared = (value for value in namespace.values() if _is_event(value))
    used = (event for profile in profiles for event in _events_of_profile(profile))
    triggers = (event for campaign in campaigns for event in _events_of_campaign(campaign))
    events = [*declared, *used, *triggers]
    return Declarations(_distinct([*events, Identified]), profiles, campaigns)


def operands(condition: Condition) -> Iterator[Feature[Any] | Field]:
    """Yield the features and fields of a condition, left to right; a segment it names has a condition of its own."""
    match condition.inner:
        case Combination() as several:
            for part in several.parts:
                yield from operands(part)
        case Negation() as negation:
            yield from operands(negation.of)
        case Comparison() as comparison:
            yield from _leaves(comparison.left)
            yield from _leaves(comparison.right)
        case Choice() as choice:
            yield from _leaves(choice.of)
        case Feature() | Field() as by_itself:
            yield by_itself


def _leaves(side: Operand | Constant) -> Iterator[Feature[Any] | Field]:
    if isinstance(side, Formula):
        yield from _leaves(side.left)
        yield from _leaves(side.right)
    elif isinstance(side, Feature | Field):
        yield side


def _is_profile(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Profile) and value is not Profile


def _is_event(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Event) and value is not Event


def _events_of_profile(profile: type[Profile]) -> Iterator[type[Event]]:
    for feature in features_of(profile).values():
        yield feature.definition.event
    for segment in segments_of(profile).values():
        for operand in operands(segment.condition):
            yield operand.definition.event if isinstance(operand, Feature) else operand.event


def _events_of_campaign(campaign: Campaign[Any]) -> Iterator[type[Event]]:
    for event in (campaign.rules.on, *campaign.rules.until):
        if _is_event(event):
            yield event  # type: ignore[misc]


def _distinct(values: Any) -> tuple[Any, ...]:
    """Return the values without repetition, by identity, in order."""
    return tuple({id(value): value for value in values}.values())
