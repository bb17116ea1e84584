"""The freshness strip: latencies as dots on a log scale from 1 ms to 10 s, p50 and p99 marked.

In: a histogram. Out: SVG. Promised: what is faster or slower than the scale stands at its end, not outside it, and so
do the words beside a mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log10

from markupsafe import Markup

from livepost.console.picture.svg import picture, tag
from livepost.console.words import latency
from livepost.model.told import Quantiles

FASTEST_MS, SLOWEST_MS = 1.0, 10_000.0
TICKS_MS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
DOTS_MAX = 12
"""Dots that stand above each other at most: that many mean the fullest place."""

GAP = 5.0
WORDS = 80.0
"""Room for the words of a mark: `p99 11.8 s`, in letters of 12 px."""

LINES = (10.0, 24.0)
"""Where words stand: beside their mark, and a line lower, on its other side, where they would leave the picture."""

HIGH = 112.0
FLOOR = 88.0


def dots(counts: Sequence[tuple[float, int]], marked: Quantiles, what: str, width: float, class_: str) -> Markup:
    """Return the strip of (ms, count) pairs; `what` is measured, in words."""
    alternative = f"{what}: p50 {latency(marked.p50)}, p99 {latency(marked.p99)}" if counts else f"{what}: none yet"
    left, right = 12.0, width - 30.0

    def place(ms: float) -> float:
        part = log10(min(max(ms, FASTEST_MS), SLOWEST_MS) / FASTEST_MS) / log10(SLOWEST_MS / FASTEST_MS)
        return left + part * (right - left)

    drawn = [tag("line", x1=left, x2=right, y1=FLOOR, y2=FLOOR, class_="axis")]
    for ms in TICKS_MS:
        drawn += [
            tag("line", x1=place(ms), x2=place(ms), y1=FLOOR, y2=FLOOR + 4, class_="axis"),
            tag("text", latency(ms), x=place(ms), y=FLOOR + 20, class_="mid soft"),
        ]
    columns: Counter[int] = Counter()
    for ms, count in counts:
        columns[round(place(ms) / GAP)] += count
    fullest = max(columns.values(), default=1)
    for column, count in sorted(columns.items()):
        for step in range(max(1, round(DOTS_MAX * count / fullest))):
            drawn.append(tag("circle", cx=column * GAP, cy=FLOOR - 5 - step * GAP, r=1.6, class_="fill-signal"))
    if counts:
        p50, p99 = place(marked.p50), place(marked.p99)
        drawn += _mark(p50, f"p50 {latency(marked.p50)}", before=True, fits=p50 >= WORDS)
        drawn += _mark(p99, f"p99 {latency(marked.p99)}", before=False, fits=p99 <= width - WORDS)
    return picture(width, HIGH, alternative, *drawn, class_=class_)


def _mark(x: float, words: str, *, before: bool, fits: bool) -> list[Markup]:
    """Draw a mark with its words, before it or behind it if they fit there."""
    left, y = before is fits, LINES[0 if fits else 1]
    return [
        tag("line", x1=x, x2=x, y1=LINES[0] - 8, y2=FLOOR, class_="trace sky"),
        tag("text", words, x=x - 4 if left else x + 4, y=y, class_="end" if left else ""),
    ]
