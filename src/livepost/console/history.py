"""How many people were in a segment over time: what the picture, the change and the table are made of.

In: the house's history by the hour, the count now, the time now. Out: points, words. Promised: what is not known is
not drawn; *now* is the last point.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from markupsafe import Markup

from livepost.clock import DAY_MS
from livepost.console.picture.line import Series, line
from livepost.console.words import counted, hour
from livepost.model.told import SegmentHistory, SegmentPoint

Points = list[tuple[int, int]]
"""(UTC ms, people) in order of time."""


def history_of(histories: Sequence[SegmentHistory], segment: str) -> Sequence[SegmentPoint]:
    """Return a segment's points; none if the house has no history of it yet."""
    return next((one.points for one in histories if one.segment == segment), [])


def until_now(told: Sequence[SegmentPoint], since_ms: int, now_ms: int, people: int) -> Points:
    """Return a history from `since_ms`, or from where it begins, to now, when there are so many `people`."""
    held = people_at(told, since_ms)
    begin = [(since_ms, held)] if held is not None else []
    return [*begin, *((one.at, one.people) for one in told if since_ms < one.at < now_ms), (now_ms, people)]


def people_at(told: Sequence[SegmentPoint], at_ms: int) -> int | None:
    """Return how many people there were at a time; None before the history begins."""
    behind = bisect_right(told, at_ms, key=lambda one: one.at)
    return told[behind - 1].people if behind else None


def change(told: Sequence[SegmentPoint], now_ms: int, people: int) -> str:
    """Return how the count has changed since a day ago, in words."""
    before = people_at(told, now_ms - DAY_MS)
    if before is None:
        return "no count of a day ago yet"
    if before == people:
        return "as many as a day ago"
    return f"{abs(people - before):,} {'more' if people > before else 'fewer'} than a day ago"


def drawn(points: Points, segment: str, widths: Sequence[tuple[float, str]]) -> list[Markup]:
    """Return the picture once for each (width, class); none before there are two points."""
    if len(points) < 2:
        return []
    now = counted(points[-1][1], "person", "people")
    least, most = min(people for _, people in points), max(people for _, people in points)
    said = f"People in {segment} since {hour(points[0][0])}: between {least:,} and {most:,}, now {now}"
    return [line([Series(now, points)], said, width, class_) for width, class_ in widths]
