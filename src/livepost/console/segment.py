"""One segment: its people over time, who is in it, what brings people in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from markupsafe import Markup

from livepost.audit.deed import Deed, named, people_of
from livepost.clock import DAY_MS
from livepost.console.history import Points, change, drawn, history_of, until_now
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import Page
from livepost.console.segments import DAYS
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission

MEMBERS = 50
"""People on a page of the list."""

DAYS_MAX = 90
SPANS = (1, DAYS, 30, DAYS_MAX)
"""Days that the page offers to look back."""

NAME_MAX = 200
WIDTHS = ((960.0, "wide"), (342.0, "narrow"))


class SegmentAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`days` is how far to look back, `after` the number of the member before the first one listed."""

    name: Annotated[str, msgspec.Meta(max_length=NAME_MAX)]
    days: Annotated[int, msgspec.Meta(ge=1, le=DAYS_MAX)] = DAYS
    after: Annotated[int, msgspec.Meta(ge=-1, le=2**53)] = -1


class MemberLine(msgspec.Struct, frozen=True):
    """A person of the segment; `since` is 0 if they were always in it."""

    hex: str
    since: int


class SegmentView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `after` asks for the next members, None if there are none."""

    name: str
    people: int
    change: str
    condition: str
    pictures: list[Markup]
    points: Points
    members: list[MemberLine]
    after: int | None
    spans: tuple[int, ...] = SPANS


def _segment(house: House, asked: SegmentAsked) -> SegmentView:
    counts = {one.segment: one.people for one in house.segments()}
    if asked.name not in counts:
        known = ", ".join(counts) or "none"
        raise RejectedError(
            f"expected a segment of this project ({known}), got {asked.name}; was it renamed?",
            code="no_segment",
            status=HTTPStatus.NOT_FOUND,
        )
    people, now_ms = counts[asked.name], house.standing().log_stamp
    since_ms = now_ms - asked.days * DAY_MS
    told = history_of(house.segment_history(min(since_ms, now_ms - DAY_MS)), asked.name)
    points = until_now(told, since_ms, now_ms, people)
    members = house.members(asked.name, asked.after, MEMBERS + 1)  # one more tells whether there are more
    return SegmentView(
        name=asked.name,
        people=people,
        change=change(told, now_ms, people),
        condition=next((spec.text for spec in house.project().segments if spec.name == asked.name), ""),
        pictures=drawn(points, asked.name, WIDTHS),
        points=points[::-1],
        members=[MemberLine(one.person.hex(), one.since) for one in members[:MEMBERS]],
        after=members[MEMBERS - 1].number if len(members) > MEMBERS else None,
    )


SEGMENT = Page(
    path="/segments/{name}",
    needs=Permission("read", "segments"),
    name="segment",
    title="Segment",
    asked=SegmentAsked,
    show=_segment,
    sees=lambda asked, view: Deed("members.read", people_of(one.hex for one in view.members), named(asked.name)),
    rail="segments",
    every_s=SELDOM_S,
)
