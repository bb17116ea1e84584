"""A bar in parts."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from livepost.console.picture.bar import WIDE, Part, bar


def _widths(*counts: int) -> list[float]:
    drawn = bar([Part(f"part {at}", count, "sky") for at, count in enumerate(counts)], "parts")
    return [float(one.attrib["width"]) for one in ElementTree.fromstring(drawn).iter("rect")]


def test_parts_are_in_proportion_and_fill_the_bar() -> None:
    widths = _widths(300, 100)
    assert sum(widths) + 2 == pytest.approx(WIDE)
    assert (widths[0] + 1) / (widths[1] + 1) == pytest.approx(3, rel=0.01)


def test_a_part_that_is_there_is_seen_and_one_that_is_not_is_not() -> None:
    widths = _widths(10**9, 0, 1)
    assert len(widths) == 2
    assert widths[1] >= 1.5


def test_nothing_is_an_empty_frame() -> None:
    assert _widths(0, 0) == [WIDE]
