"""The freshness strip."""

from __future__ import annotations

from xml.etree import ElementTree

from livepost.console.picture.dots import DOTS_MAX, FASTEST_MS, SLOWEST_MS, dots
from livepost.model.told import Quantiles

MARKED = Quantiles(5.0, 80.0)


def _places(counts: list[tuple[float, int]]) -> list[float]:
    read = ElementTree.fromstring(dots(counts, MARKED, "freshness", 464, ""))
    return sorted(float(one.attrib["cx"]) for one in read.iter("circle"))


def test_slower_is_further_right_and_ten_times_slower_as_far_each_time() -> None:
    one, ten, hundred = (_places([(ms, 1)])[0] for ms in (1.0, 10.0, 100.0))
    assert one < ten < hundred
    assert abs((ten - one) - (hundred - ten)) <= 5.0


def test_what_is_off_the_scale_stands_at_its_end() -> None:
    assert _places([(0.01, 1)]) == _places([(FASTEST_MS, 1)])
    assert _places([(3_600_000.0, 1)]) == _places([(SLOWEST_MS, 1)])


def test_the_fullest_place_has_the_most_dots_and_a_single_one_is_seen() -> None:
    places = _places([(5.0, 1_000_000), (2_000.0, 1)])
    assert places.count(places[0]) == DOTS_MAX
    assert places.count(places[-1]) == 1


def test_p50_and_p99_are_said_and_their_absence_too() -> None:
    drawn = dots([(5.0, 1)], MARKED, "freshness", 464, "")
    assert 'aria-label="freshness: p50 5 ms, p99 80 ms"' in drawn
    assert "p99" not in dots([], MARKED, "freshness", 464, "")
    assert "none yet" in dots([], MARKED, "freshness", 464, "")


def test_words_of_a_mark_stay_in_the_picture_and_on_lines_of_their_own() -> None:
    for width in (310, 464):
        for marked in (Quantiles(1.0, 60_000.0), Quantiles(9_000.0, 60_000.0), Quantiles(1.0, 1.0), MARKED):
            read = ElementTree.fromstring(dots([(5.0, 1)], marked, "freshness", width, ""))
            words = [one for one in read.iter("text") if (one.text or "").startswith("p")]
            spans = {(_span(one), float(one.attrib["y"])) for one in words}
            assert all(left >= 0 and right <= width for (left, right), _ in spans)
            (first, one_y), (second, other_y) = sorted(spans)
            assert one_y != other_y or first[1] <= second[0]


def _span(words: ElementTree.Element) -> tuple[float, float]:
    """Return from where to where words reach, at 7 px a letter."""
    at, long = float(words.attrib["x"]), 7.0 * len(words.text or "")
    return (at - long, at) if words.attrib.get("class") == "end" else (at, at + long)
