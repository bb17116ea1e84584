"""The Flow picture."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from livepost.console.picture.ribbon import HALF_MAX, HALF_MIN, Stop, half_width, ribbon


def _stop(name: str, per_s: float, tint: str = "signal") -> Stop:
    return Stop(name=name, per_s=per_s, rate=f"{per_s:g}/s", waiting="0 waiting", tint=tint, leads_to=f"/{name}")


STOPS = (_stop("collect", 4_000), _stop("process", 40, "amber"), _stop("deliver", 0))


@pytest.mark.parametrize("standing", [False, True])
def test_each_room_is_a_stop_that_leads_somewhere_and_says_its_rate(standing: bool) -> None:
    read = ElementTree.fromstring(ribbon(STOPS, standing=standing))
    assert [one.get("href") for one in read.iter("a")] == ["/collect", "/process", "/deliver"]
    words = "".join(read.itertext())
    assert all(one.rate in words for one in STOPS)
    assert all(f"{one.name} {one.rate}" in read.attrib["aria-label"] for one in STOPS)


def test_the_band_into_a_late_room_is_tinted() -> None:
    read = ElementTree.fromstring(ribbon(STOPS))
    assert [path.get("class") for path in read.iter("path")] == ["fill-amber wash", "fill-signal wash"]


def test_more_is_wider_and_nothing_is_a_hairline() -> None:
    widths = [half_width(rate) for rate in (0, 1, 50, 4_000, 30_000, 10_000_000)]
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (HALF_MIN, HALF_MAX)


@pytest.mark.parametrize("standing", [False, True])
def test_nothing_is_drawn_outside_the_picture(standing: bool) -> None:
    read = ElementTree.fromstring(ribbon([_stop("a", 10**9), _stop("b", 10**9)], standing=standing))
    _, _, width, height = map(float, read.attrib["viewBox"].split())
    for one in read.iter("line"):
        assert 0 <= float(one.attrib["x1"]) <= width and 0 <= float(one.attrib["x2"]) <= width
        assert 0 <= float(one.attrib["y1"]) <= height and 0 <= float(one.attrib["y2"]) <= height
