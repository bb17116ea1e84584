"""The Flow picture: the house as a ribbon from collect to measure; its width is the rate, its tint the lag.

In: rooms with their rate, how far behind each is. Out: SVG, lying or standing (for phones). Promised: a room that
rests is a hairline, not a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Literal

import msgspec
from markupsafe import Markup

from livepost.console.picture.svg import picture, points, tag

Tint = Literal["signal", "amber", "red"]

WIDE, HIGH = 960.0, 168.0
NARROW, ROW = 342.0, 72.0
HALF_MAX = 32.0
HALF_MIN = 0.75
FULL_PER_S = 30_000.0
"""The rate at which the ribbon has its full width: what one engine is built for (NUMBERS)."""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A room on the way: its name, its rate and that in words, a line on what waits there, where it leads."""

    name: str
    per_s: float
    rate: str
    waiting: str
    tint: Tint
    leads_to: str


def ribbon(stops: Sequence[Stop], *, standing: bool = False) -> Markup:
    """Return the picture of at least two rooms, from left to right or, `standing`, from top to bottom."""
    alternative = "An event's way: " + "; ".join(_said(one) for one in stops)
    if standing:
        return picture(NARROW, ROW * len(stops), alternative, *_standing(stops), class_="narrow", role="group")
    return picture(WIDE, HIGH, alternative, *_lying(stops), class_="wide", role="group")


def half_width(per_s: float) -> float:
    """Return half the ribbon's width for a rate, on a log scale: one a second is seen beside thousands.

    >>> half_width(0) == HALF_MIN, half_width(30_000) == HALF_MAX
    (True, True)
    """
    part = log10(1 + per_s) / log10(1 + FULL_PER_S)
    return HALF_MIN + min(part, 1.0) * (HALF_MAX - HALF_MIN)


def _said(one: Stop) -> str:
    return ", ".join(part for part in (f"{one.name} {one.rate}", one.waiting) if part)


def _lying(stops: Sequence[Stop]) -> list[Markup]:
    step = WIDE / len(stops)
    middle = 84.0
    places = [(step * (at + 0.5), half_width(one.per_s)) for at, one in enumerate(stops)]
    drawn = [_band(*places[at], *places[at + 1], middle, stops[at + 1].tint) for at in range(len(stops) - 1)]
    for (x, half), one in zip(places, stops, strict=True):
        drawn += [
            tag("line", x1=x, x2=x, y1=middle - half - 6, y2=middle + half + 6, class_=f"trace {one.tint}"),
            tag("circle", cx=x, cy=middle, r=5, class_=f"stop {one.tint}"),
            tag("a", tag("text", one.name, x=x, y=28, class_="mid strong"), href=one.leads_to),
            tag("text", one.rate, x=x, y=136, class_="mid"),
            tag("text", one.waiting, x=x, y=156, class_="mid soft"),
        ]
    return drawn


def _standing(stops: Sequence[Stop]) -> list[Markup]:
    x = HALF_MAX + 6
    places = [(ROW * (at + 0.5), half_width(one.per_s)) for at, one in enumerate(stops)]
    drawn = [_band(*places[at], *places[at + 1], x, stops[at + 1].tint, turned=True) for at in range(len(stops) - 1)]
    for (y, half), one in zip(places, stops, strict=True):
        drawn += [
            tag("line", x1=x - half - 6, x2=x + half + 6, y1=y, y2=y, class_=f"trace {one.tint}"),
            tag("circle", cx=x, cy=y, r=5, class_=f"stop {one.tint}"),
            tag("a", tag("text", one.name, x=72, y=y - 12, class_="strong"), href=one.leads_to),
            tag("text", one.rate, x=72, y=y + 6),
            tag("text", one.waiting, x=72, y=y + 24, class_="soft"),
        ]
    return drawn


def _band(
    at: float, half: float, then: float, half_then: float, middle: float, tint: Tint, turned: bool = False
) -> Markup:
    """Return the ribbon between two stops: an S-curve on either side."""
    bend = (at + then) / 2
    there = [(at, middle - half), (bend, middle - half), (bend, middle - half_then), (then, middle - half_then)]
    back = [(then, middle + half_then), (bend, middle + half_then), (bend, middle + half), (at, middle + half)]
    if turned:
        there, back = [(y, x) for x, y in there], [(y, x) for x, y in back]
    curve = f"{_curve(there)}L{points(back[:1])[1:]}{_curve(back)[len(points(back[:1])) :]}Z"
    return tag("path", d=curve, class_=f"fill-{tint} wash")


def _curve(four: list[tuple[float, float]]) -> str:
    """Return a path that begins at the first of four places and bends to the last one."""
    return points(four[:1]) + "C" + " ".join(points([one])[1:] for one in four[1:])
