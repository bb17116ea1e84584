"""A funnel whose losses are named: from all who entered, step by step, to what is left.

In: steps, each what is left or what was lost on the way there. Out: SVG with names and counts, lying or narrow, or
small without words. Promised: widths are in proportion; a loss begins where the one before ended, so that they add up.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from livepost.console.picture.svg import picture, tag
from livepost.console.words import number

WIDE, NAMES, ROW = 960.0, 288.0, 24.0
NARROW, NARROW_ROW = 342.0, 40.0
SMALL, SMALL_ROW = 240.0, 8.0
COUNT = 72.0
"""Room for a count behind the longest bar."""

LEAST = 2.0
"""The width of the smallest bar that is there."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step: its name in words, how many, its colour (`signal sky amber red soft`); `lost` if it takes them away."""

    name: str
    count: int
    colour: str
    lost: bool = False


def funnel(steps: Sequence[Step], alternative: str) -> list[Markup]:
    """Return the picture for wide and for narrow pages."""
    wide = [part for row, one in enumerate(spans(steps, WIDE - NAMES - COUNT)) for part in _lying(row, *one)]
    narrow = [part for row, one in enumerate(spans(steps, NARROW)) for part in _standing(row, *one)]
    return [
        picture(WIDE, ROW * len(steps), alternative, *wide, class_="wide"),
        picture(NARROW, NARROW_ROW * len(steps), alternative, *narrow, class_="narrow"),
    ]


def small_funnel(steps: Sequence[Step], alternative: str) -> Markup:
    """Return the bars alone."""
    places = enumerate(spans(steps, SMALL))
    drawn = [_bar(begin, width, SMALL_ROW * row, 6.0, step) for row, (step, begin, width) in places]
    return picture(SMALL, SMALL_ROW * len(steps), alternative, *drawn, class_="small")


def spans(steps: Sequence[Step], width: float) -> list[tuple[Step, float, float]]:
    """Return each step with where its bar begins and how wide it is; the first step is the whole.

    >>> entered, lost = Step(name="entered", count=4, colour="sky"), Step(name="lost", count=1, colour="red", lost=True)
    >>> [(begin, wide) for _, begin, wide in spans([entered, lost], 100.0)]
    [(0.0, 100.0), (75.0, 25.0)]
    """
    unit = width / max(steps[0].count, 1)
    found, left = [], steps[0].count
    for step in steps:
        left -= step.count if step.lost else 0
        begin = left * unit if step.lost else 0.0
        found.append((step, begin, step.count * unit))
    return found


def _lying(row: int, step: Step, begin: float, width: float) -> list[Markup]:
    y, x = ROW * row, NAMES + begin
    return [
        tag("text", step.name, x=NAMES - 12, y=y + 16, class_="end soft" if step.lost else "end strong"),
        _bar(x, width, y + 4, 16.0, step),
        tag("text", number(step.count), x=x + max(width, LEAST) + 6, y=y + 16),
    ]


def _standing(row: int, step: Step, begin: float, width: float) -> list[Markup]:
    y = NARROW_ROW * row
    return [
        tag("text", step.name, x=0, y=y + 14, class_="soft" if step.lost else "strong"),
        tag("text", number(step.count), x=NARROW, y=y + 14, class_="end"),
        _bar(begin, width, y + 20, 12.0, step),
    ]


def _bar(x: float, width: float, y: float, height: float, step: Step) -> Markup:
    wide = max(width, LEAST) if step.count else 0.0
    return tag("rect", x=x, y=y, width=wide, height=height, rx=1.5, class_=f"fill-{step.colour}")
