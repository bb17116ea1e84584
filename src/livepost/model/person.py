"""A person as others read one: values at a moment, seals unopened."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.model.record import SealedValue


class JourneyView(msgspec.Struct, frozen=True, kw_only=True):
    """A person under way in a campaign, towards the mail of a step (0: the first)."""

    campaign: str
    entered_at: int
    due: int
    cause_text: str
    step: int = 0


class MembershipView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a person is in a segment, and since when (ms; 0 = never changed).

    `unknown`: its condition is unknown at this moment, so `inside` says how it was when it last was known.
    """

    segment: str
    inside: bool
    since: int
    number: int
    unknown: bool = False


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine knows of a person at log position `position` and time `as_of` (ms).

        person    id of the subject that names the person; `subjects` all of them
        features  name -> value; None is never; money is [minor units, currency]; since is ms since the event;
    sealed    name -> seal of the personal features (they are not in `features`)
        consents  purpose -> allowed, as folded from consent events
    """

    person: bytes
    subjects: tuple[bytes, ...]
    position: int
    as_of: int
    features: dict[str, Any]
    sealed: dict[str, SealedValue]
    memberships: tuple[MembershipView, ...]
    journeys: tuple[JourneyView, ...]
    consents: dict[str, bool]
    next_due: int | None
