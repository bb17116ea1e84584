"""Lines over time: one or a few series, labels at the line's end, *now* at the right edge, four ticks a side.

In: series of (time, value). Out: SVG. Promised: the scale begins at zero; a value holds until the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log10

import msgspec
from markupsafe import Markup

from livepost.console.picture.svg import picture, points, tag
from livepost.console.words import hour, number

HIGH = 168.0
TOP, FLOOR, LEFT = 12.0, 136.0, 44.0
LABEL = 116.0
"""Room at the right for a label, in units of the picture."""


class Series(msgspec.Struct, frozen=True):
    """A line: its label, its points (UTC ms, value) in order of time, its colour (`signal sky amber red`)."""

    label: str
    points: Sequence[tuple[float, float]]
    colour: str = "sky"


def line(series: Sequence[Series], alternative: str, width: float, class_: str = "", axis: bool = True) -> Markup:
    """Return the picture; each series has two points at least. Without `axis` times are not written."""
    begin = min(one.points[0][0] for one in series)
    end = max(one.points[-1][0] for one in series)
    ticks = scale(max(value for one in series for _, value in one.points))
    right = width - LABEL

    def place(at: float, value: float) -> tuple[float, float]:
        x = LEFT + (at - begin) / max(end - begin, 1) * (right - LEFT)
        return x, FLOOR - value / ticks[-1] * (FLOOR - TOP)

    drawn = [mark for value in ticks for mark in _across(value, place(begin, value)[1], right)]
    if axis:
        drawn += [
            tag("text", hour(int(begin)), x=LEFT, y=FLOOR + 20, class_="soft"),
            tag("text", "now", x=right, y=FLOOR + 20, class_="soft end"),
        ]
    for one, y in zip(series, _apart([place(*one.points[-1])[1] for one in series]), strict=True):
        drawn += [
            tag("path", d=points(_stairs([place(*point) for point in one.points])), class_=f"trace {one.colour}"),
            tag("text", one.label, x=right + 6, y=y + 4),
        ]
    return picture(width, HIGH, alternative, *drawn, class_=class_)


def spark(values: Sequence[float], alternative: str) -> Markup:
    """Return a small line of values at equal distances, without scale."""
    top = max(values, default=0) or 1
    step = 120 / max(len(values) - 1, 1)
    places = [(at * step, 22 - 20 * value / top) for at, value in enumerate(values)]
    return picture(120, 24, alternative, tag("path", d=points(places or [(0, 22), (120, 22)]), class_="trace sky"))


def scale(top: float) -> list[float]:
    """Return three to five round ticks from zero to at least `top`.

    >>> scale(37), scale(0)
    ([0, 10, 20, 30, 40], [0, 1])
    """
    if top <= 0:
        return [0, 1]
    rough = top / 4
    unit = 10 ** floor(log10(rough))
    step = next(unit * by for by in (1, 2, 2.5, 5, 10) if unit * by >= rough)
    step = max(step, 1)
    return [step * at if step % 1 else int(step * at) for at in range(max(1, ceil(top / step)) + 1)]


def _across(value: float, y: float, right: float) -> list[Markup]:
    return [
        tag("line", x1=LEFT, x2=right, y1=y, y2=y, class_="axis"),
        tag("text", number(value), x=LEFT - 6, y=y + 4, class_="soft end"),
    ]


def _stairs(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the places with a corner before each: a value holds until the next."""
    steps = places[:1]
    for (_, before), (x, y) in pairwise(places):
        steps += [(x, before), (x, y)]
    return steps


def _apart(heights: list[float]) -> list[float]:
    """Return label heights moved so that none covers another, in the same order."""
    order = sorted(range(len(heights)), key=lambda at: heights[at])
    moved = list(heights)
    for before, at in pairwise(order):
        moved[at] = max(moved[at], moved[before] + 14)
    return moved
