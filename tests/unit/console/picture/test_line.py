"""Lines over time."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from livepost.console.picture.line import Series, line, scale, spark

HOUR = 3_600_000


@pytest.mark.parametrize("top", [0, 1, 2, 3, 7, 10, 11, 37, 99, 100, 101, 1_234, 99_999, 10**7])
def test_a_scale_has_a_few_round_ticks_from_zero_to_the_top(top: int) -> None:
    ticks = scale(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top
    assert 2 <= len(ticks) <= 6
    assert len({b - a for a, b in pairwise(ticks)}) == 1


def test_a_value_holds_until_the_next_one() -> None:
    drawn = line([Series("browsing", [(0, 2), (HOUR, 4)])], "people in browsing", 600)
    [path] = ElementTree.fromstring(drawn).iter("path")
    places = [tuple(map(float, one.split())) for one in path.attrib["d"][1:].split("L")]
    assert len(places) == 3
    assert places[0][1] == places[1][1] > places[2][1]
    assert places[1][0] == places[2][0]


def test_the_label_stands_at_the_line_s_end_and_no_two_cover_each_other() -> None:
    series = [Series(name, [(0, 1), (HOUR, value)]) for name, value in (("one", 5), ("two", 5), ("three", 5.1))]
    read = ElementTree.fromstring(line(series, "three of them", 600))
    labels = {text.text: float(text.attrib["y"]) for text in read.iter("text") if text.text in ("one", "two", "three")}
    heights = sorted(labels.values())
    assert all(b - a >= 14 for a, b in pairwise(heights))


def test_now_stands_at_the_right_edge_unless_there_is_no_axis() -> None:
    series = [Series("x", [(0, 1), (HOUR, 1)])]
    assert ">now<" in line(series, "x", 600)
    assert ">now<" not in line(series, "x", 600, axis=False)


def test_a_spark_of_nothing_is_a_flat_line() -> None:
    for values in ([], [0, 0], [5]):
        assert ElementTree.fromstring(spark(values, "nothing")).find("path") is not None
