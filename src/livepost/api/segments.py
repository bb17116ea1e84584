"""Segments over HTTP: how many people are in each, and who."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.api.people import Name, Position
from livepost.audit.deed import Deed, named, people_of
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.model.told import SegmentCount

MEMBERS_MAX = 1_000
"""People a page of members has at most."""


class SegmentsAsked(msgspec.Struct, frozen=True):
    """Nothing."""


class SegmentsAnswer(msgspec.Struct, frozen=True):
    """Every segment of the project, in its order."""

    segments: list[SegmentCount]


class MembersAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The segment's name; `after` is the `next` of the page before."""

    name: Name
    after: Position = -1
    limit: Annotated[int, Meta(ge=1, le=MEMBERS_MAX)] = 100


class MemberAnswer(msgspec.Struct, frozen=True):
    """A person in the segment: subject id in hex, since when (UTC ms; null: always so)."""

    person: str
    since: int | None


class MembersAnswer(msgspec.Struct, frozen=True):
    """A page of a segment's people, in the order they were first seen; `next` asks for the page behind it, if any."""

    segment: str
    people: list[MemberAnswer]
    next: int | None


def _segments(house: House, asked: SegmentsAsked) -> SegmentsAnswer:
    return SegmentsAnswer(house.segments())


def _members(house: House, asked: MembersAsked) -> MembersAnswer:
    names = [one.segment for one in house.segments()]
    if asked.name not in names:
        raise RejectedError(
            f"expected a segment of this project ({', '.join(names) or 'none'}), got another name; was it renamed?",
            code="no_segment",
            status=HTTPStatus.NOT_FOUND,
        )
    found = house.members(asked.name, asked.after, asked.limit + 1)
    page = found[: asked.limit]
    people = [MemberAnswer(one.person.hex(), one.since or None) for one in page]
    return MembersAnswer(asked.name, people, page[-1].number if len(found) > len(page) else None)


SEGMENTS = Operation(
    path="/api/segments",
    needs=Permission("read", "segments"),
    name="segments",
    summary="How many people are in each segment",
    asked=SegmentsAsked,
    answers=SegmentsAnswer,
    run=_segments,
    shows=None,
)
MEMBERS = Operation(
    path="/api/segments/{name}/people",
    needs=Permission("read", "people"),
    name="members",
    summary="The people of a segment, page by page",
    asked=MembersAsked,
    answers=MembersAnswer,
    run=_members,
    shows=lambda asked, answer: Deed("members.read", people_of(one.person for one in answer.people), named(asked.name)),
    refusals={HTTPStatus.NOT_FOUND: "no segment is called so"},
)
