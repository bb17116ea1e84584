"""The shop's colours: every text can be read on its ground (WCAG 2.2, 1.4.3), in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from livepost.demo.storefront import pages

CSS = (Path(pages.__file__).parent / "static" / "shop.css").read_text()
ON_GROUNDS = ("ink", "soft", "signal", "sky", "amber", "red")
ENOUGH = 4.5


def palettes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    return {name: dict(re.findall(r"--(\w+): (#\w{6});", text)) for name, text in (("light", light), ("dark", dark))}


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_on_paper_card_and_desk(scheme: str) -> None:
    colours = palettes()[scheme]
    weak = [
        (text, ground, round(contrast(colours[text], colours[ground]), 2))
        for text in ON_GROUNDS
        for ground in ("paper", "card", "desk")
        if contrast(colours[text], colours[ground]) < ENOUGH
    ]
    assert weak == []


def test_both_schemes_have_the_same_names_and_a_weak_colour_would_be_found() -> None:
    assert palettes()["light"].keys() == palettes()["dark"].keys()
    assert contrast("#999999", palettes()["light"]["paper"]) < ENOUGH


def test_colours_beside_these_are_only_the_letters_own_paper() -> None:
    rest = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s])", rest) == ["#fbfaf7"]
