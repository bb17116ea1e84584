"""The colours: every one that text has is read on paper and on cards (WCAG 2.2, 1.4.3: 4.5:1)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

SHEET = (files("livepost.console") / "static" / "console.css").read_text()
GROUNDS = ("paper", "card")
TEXT = ("ink", "soft", "signal", "sky", "amber", "red")


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))


def _contrast(one: str, other: str) -> float:
    """Return the ratio of two colours' relative luminance (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


LIGHT, DARK = (_colours(block) for block in re.findall(r":root \{([^}]*)\}", SHEET))


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXT)
def test_text_is_read_on_every_ground(colours: dict[str, str], ground: str, text: str) -> None:
    assert _contrast(colours[text], colours[ground]) >= 4.5


def test_a_paler_ink_would_be_found() -> None:
    assert _contrast("#9aa3ad", LIGHT["card"]) < 4.5
    assert round(_contrast("#000000", "#ffffff"), 2) == 21.0


def test_no_colour_is_written_elsewhere() -> None:
    used = re.sub(r":root \{[^}]*\}", "", SHEET)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*;)", used) == []
