"""Segments: how many people are in each, how that went over the last week, what brings people in."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from livepost.clock import DAY_MS
from livepost.console.history import change, drawn, history_of, people_at, until_now
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import NothingAsked, Page
from livepost.govern.access.permission import Permission
from livepost.model.told import SegmentCount, SegmentHistory

DAYS = 7
"""How far back the pictures go."""

WIDTHS = ((464.0, "wide"), (310.0, "narrow"))


class SegmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A segment: its condition in the author's words ("" if the project has none by this name)."""

    name: str
    people: int
    change: str
    condition: str
    pictures: list[Markup]


class SegmentsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `rows` are the pictures' numbers: a time, and the people of each segment then."""

    segments: list[SegmentLine]
    names: list[str]
    rows: list[tuple[int, list[int | None]]]
    days: int = DAYS


def _segments(house: House, asked: NothingAsked) -> SegmentsView:
    counts = house.segments()
    now_ms = house.standing().log_stamp
    since_ms = now_ms - DAYS * DAY_MS
    histories = house.segment_history(since_ms)
    conditions = {spec.name: spec.text for spec in house.project().segments}
    return SegmentsView(
        segments=[_line(one, histories, since_ms, now_ms, conditions.get(one.segment, "")) for one in counts],
        names=[one.segment for one in counts],
        rows=_rows(counts, histories, since_ms),
    )


def _line(
    count: SegmentCount, histories: list[SegmentHistory], since_ms: int, now_ms: int, condition: str
) -> SegmentLine:
    told = history_of(histories, count.segment)
    points = until_now(told, since_ms, now_ms, count.people)
    return SegmentLine(
        name=count.segment,
        people=count.people,
        change=change(told, now_ms, count.people),
        condition=condition,
        pictures=drawn(points, count.segment, WIDTHS),
    )


def _rows(
    counts: list[SegmentCount], histories: list[SegmentHistory], since_ms: int
) -> list[tuple[int, list[int | None]]]:
    """Return a row for each hour told, the newest first."""
    hours = sorted({point.at for one in histories for point in one.points if point.at >= since_ms}, reverse=True)
    return [(at, [people_at(history_of(histories, one.segment), at) for one in counts]) for at in hours]


SEGMENTS = Page(
    path="/segments",
    needs=Permission("read", "segments"),
    name="segments",
    title="Segments",
    asked=NothingAsked,
    show=_segments,
    sees=None,
    every_s=SELDOM_S,
)
