"""A bar in parts, in proportion, each part named below with its number: conservation, states.

In: parts. Out: SVG of the bar; the page writes the numbers. Promised: a part that is there is seen, however small.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from livepost.console.picture.svg import picture, tag

WIDE, HIGH = 960.0, 16.0
LEAST = 3.0
"""The width of the smallest part, in units of the picture."""


class Part(msgspec.Struct, frozen=True):
    """A part of a whole: what it is called, how many, its colour (`signal sky amber red soft`)."""

    name: str
    count: int
    colour: str


def bar(parts: Sequence[Part], alternative: str) -> Markup:
    """Return the bar of the parts that are not empty; an empty frame if all are."""
    there = [one for one in parts if one.count > 0]
    if not there:
        return picture(WIDE, HIGH, alternative, tag("rect", width=WIDE, height=HIGH, rx=3, class_="fill-line"))
    whole = sum(one.count for one in there)
    widths = [max(LEAST, WIDE * one.count / whole) for one in there]
    scale = WIDE / sum(widths)
    drawn, x = [], 0.0
    for one, width in zip(there, widths, strict=True):
        drawn.append(tag("rect", x=x, width=width * scale - 1, height=HIGH, class_=f"fill-{one.colour}"))
        x += width * scale
    return picture(WIDE, HIGH, alternative, *drawn)
