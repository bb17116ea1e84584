"""People over HTTP: one person's profile, and why they got a mail or did not.

Personal values stay sealed: their names are told, not what they say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.audit.deed import Deed, people_of
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.govern.rights.holdings import Elsewhere
from livepost.govern.rights.store import Held
from livepost.govern.rights.summary import HeldLine
from livepost.govern.rights.travel import Travel
from livepost.model.choice import Said
from livepost.model.consent_record import ConsentRecord, Notice
from livepost.model.person import PersonView
from livepost.ops.why import PersonReason

Id = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1_000,
        description="A userId, a declared key, an email address, an anonymousId, or a subject's id in hex.",
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Position = Annotated[int, Meta(ge=-1, le=2**53)]

NOBODY = "nobody is known by this id"
TOO_FAR = "the log does not reach as far as `wait`"


class PersonAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`wait` is a log position, such as `X-Livepost-Position` told: the answer is as of it or later. With `purpose`,
    one of `policy.toml`, only what may be used for it is told, and nothing of somebody who does not allow it.
    """

    id: Id
    wait: Position = -1
    purpose: Name | UnsetType = UNSET


class Membership(msgspec.Struct, frozen=True):
    """Whether a person is in a segment, and since when (UTC ms; null: always so)."""

    segment: str
    inside: bool
    since: int | None


class Waiting(msgspec.Struct, frozen=True):
    """A person under way in a campaign, towards its mail number `step` (0: the first); times are UTC ms."""

    campaign: str
    entered_at: int
    due: int
    cause: str
    step: int


class PersonAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A person at log position `position` and time `as_of` (UTC ms).

    person     id of the subject that names the person, in hex; `subjects` all of them
    features   by name; null is never, money is [minor units, currency], since is ms since the event
    personal   names of the features that are personal and so not told
    consents   purpose -> allowed; what is not there was never said
    """

    person: str
    subjects: list[str]
    position: int
    as_of: int
    features: dict[str, Any]
    personal: list[str]
    segments: list[Membership]
    journeys: list[Waiting]
    consents: dict[str, bool]
    next_due: int | None


class SaidAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Whose words; at most `limit` of them."""

    id: Id
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class SaidAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said about purposes and choices, newest first, each with its proof; times are UTC ms.

    consent_records, privacy_notices   the same of purposes, a record each, as ISO/IEC TS 27560:2023 names the fields
    """

    person: str
    said: list[Said]
    consent_records: list[ConsentRecord] = []
    privacy_notices: list[Notice] = []


class HeldAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Whose data."""

    id: Id


class HeldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is held on a person, and no value of it; times are ms.

    lines      by kind and field: how much, in which store, for what, since when, when it goes (0: no time ends it)
    travels    where it went: to whom, which field, for what, how often, first and last
    elsewhere  stores that have the same once more
    accesses   who saw or changed it, the newest first, as the audit has it
    """

    person: str
    lines: Sequence[HeldLine]
    travels: Sequence[Travel]
    elsewhere: Sequence[Elsewhere]
    accesses: Sequence[Held]


class WhyAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Whom and about what: a campaign, a segment, or both; all of them if neither is named. `wait` as for a person.

    `records` says whether the log is searched for the records behind the answers.
    """

    id: Id
    campaign: Name | UnsetType = UNSET
    segment: Name | UnsetType = UNSET
    wait: Position = -1
    records: bool = True


def found_person(house: House, name: str, at_least: int = -1) -> PersonView:
    """Return a person as of position `at_least` or later; raise RejectedError (404) if nobody is known by the name."""
    return _found(house.person(name, at_least))


def _held(house: House, asked: HeldAsked) -> HeldAnswer:
    view = found_person(house, asked.id)
    held = house.holdings(view)
    newest = sorted(held.accesses, key=lambda one: (-one.at, -one.values["number"]))
    return HeldAnswer(
        person=view.person.hex(),
        lines=held.lines,
        travels=held.travels,
        elsewhere=held.elsewhere,
        accesses=newest,
    )


async def _person(house: House, asked: PersonAsked) -> PersonAnswer:
    view = _found(await house.read(asked.id, asked.wait))
    if asked.purpose is not UNSET:
        view = await asyncio.to_thread(house.purposed, view, asked.purpose)
    return PersonAnswer(
        person=view.person.hex(),
        subjects=[subject.hex() for subject in view.subjects],
        position=view.position,
        as_of=view.as_of,
        features={name: value for name, value in view.features.items() if not name.startswith("$")},
        personal=sorted(name for name in view.sealed if not name.startswith("$")),
        segments=[Membership(one.segment, one.inside, one.since or None) for one in view.memberships],
        journeys=[Waiting(one.campaign, one.entered_at, one.due, one.cause_text, one.step) for one in view.journeys],
        consents=view.consents,
        next_due=view.next_due,
    )


def _said(house: House, asked: SaidAsked) -> SaidAnswer:
    view = found_person(house, asked.id)
    export = house.consent_records(view.person)
    return SaidAnswer(
        person=view.person.hex(),
        said=house.said(view.person, asked.limit),
        consent_records=export.consent_records,
        privacy_notices=export.privacy_notices,
    )


def _why(house: House, asked: WhyAsked) -> PersonReason:
    reasons = house.reasons(found_person(house, asked.id, asked.wait), records=asked.records)
    if asked.campaign is UNSET and asked.segment is UNSET:
        return reasons
    campaigns = tuple(one for one in reasons.campaigns if one.campaign == asked.campaign)
    segments = tuple(one for one in reasons.segments if one.segment == asked.segment)
    require_found(asked.campaign, campaigns, "campaign", [one.campaign for one in reasons.campaigns])
    require_found(asked.segment, segments, "segment", [one.segment for one in reasons.segments])
    return msgspec.structs.replace(reasons, campaigns=campaigns, segments=segments)


def _found(view: PersonView | None) -> PersonView:
    if view is None:
        raise RejectedError(
            "nobody is known by this id: expected a userId, a key, an email address, an anonymousId or a subject",
            code="nobody",
            status=HTTPStatus.NOT_FOUND,
        )
    return view


def require_found(name: str | UnsetType, found: tuple[Any, ...], what: str, known: list[str]) -> None:
    """Raise RejectedError (404) if a campaign or segment (`what`) was named and none was found by that name."""
    if name is not UNSET and not found:
        raise RejectedError(
            f"expected a {what} of this project ({', '.join(known) or 'none'}), got another name; was it renamed?",
            code=f"no_{what}",
            status=HTTPStatus.NOT_FOUND,
        )


PERSON = Operation(
    path="/api/people/{id}",
    needs=Permission("read", "people"),
    name="person",
    summary="A person's features, segments and consents",
    asked=PersonAsked,
    answers=PersonAnswer,
    run=_person,
    shows=lambda asked, answer: Deed("person.read", people_of(answer.subjects)),
    in_loop=True,
    refusals={
        HTTPStatus.NOT_FOUND: f"{NOBODY}, or no purpose is called so",
        HTTPStatus.CONFLICT: f"{TOO_FAR}, or the project promises nothing about purposes",
    },
)
HELD = Operation(
    path="/api/people/{id}/held",
    needs=Permission("export", "people"),
    name="held",
    summary="What is held on a person, why, until when, where it went, who saw it",
    asked=HeldAsked,
    answers=HeldAnswer,
    run=_held,
    shows=lambda asked, answer: Deed("holdings.read", people_of([answer.person])),
    refusals={HTTPStatus.NOT_FOUND: NOBODY},
)
CONSENTS = Operation(
    path="/api/people/{id}/consents",
    needs=Permission("read", "consents"),
    name="consents",
    summary="What a person allowed, refused and chose, each with its proof",
    asked=SaidAsked,
    answers=SaidAnswer,
    run=_said,
    shows=lambda asked, answer: Deed("consents.read", people_of([answer.person])),
    refusals={HTTPStatus.NOT_FOUND: NOBODY},
)
WHY = Operation(
    path="/api/people/{id}/why",
    needs=Permission("read", "people"),
    name="why",
    summary="Why a person got a mail or did not, is in a segment or is not",
    asked=WhyAsked,
    answers=PersonReason,
    run=_why,
    shows=lambda asked, answer: Deed("reasons.read", people_of([answer.person])),
    refusals={
        HTTPStatus.NOT_FOUND: f"{NOBODY}, or no campaign or segment is called so",
        HTTPStatus.CONFLICT: TOO_FAR,
    },
)
