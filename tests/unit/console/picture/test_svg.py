"""SVG, written down safely."""

from __future__ import annotations

from xml.etree import ElementTree

from markupsafe import Markup

from livepost.console.picture.svg import picture, points, tag


def test_text_and_attributes_are_escaped() -> None:
    drawn = tag("text", "<script>", class_='" onload="x')
    [read] = [ElementTree.fromstring(drawn)]
    assert (read.text, read.get("class"), len(read)) == ("<script>", '" onload="x', 0)


def test_elements_inside_stay_elements() -> None:
    read = ElementTree.fromstring(tag("g", tag("circle", r=1), "a & b"))
    assert [child.tag for child in read] == ["circle"]
    assert "".join(read.itertext()) == "a & b"


def test_a_picture_has_its_size_and_its_alternative() -> None:
    read = ElementTree.fromstring(picture(10, 20.5, "what it says", Markup("<g/>"), class_="wide"))
    assert read.attrib == {
        "class": "picture wide",
        "viewBox": "0 0 10 20.5",
        "role": "img",
        "aria-label": "what it says",
    }


def test_numbers_have_two_digits_at_most_and_no_exponent() -> None:
    assert points([(1 / 3, 1e-9), (1_000_000.0, -0.5)]) == "M0.33 0L1000000 -0.5"
