from __future__ import annotations

import pytest

from livepost.api.look import BODY, HEADERS, TITLE, Look, letters_on, style
from livepost.api.wording import ours


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("color", ["#000000", "#ffffff", "#0b6e5b", "#808080", "#777777", "#ffd400", "#ff0000"])
def test_letters_on_a_button_can_be_read_whatever_its_colour(color: str) -> None:
    brighter, darker = sorted((luminance(color), luminance(letters_on(color))), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 4.5


def test_a_page_says_its_language_and_direction_and_escapes_what_is_told() -> None:
    text = Look().page(ours("ar"), 'Tea & <b>"Co"', "<title>", "<p>inside</p>").body.decode()
    assert '<html lang="ar" dir="rtl">' in text
    assert "<h1>&lt;title&gt;</h1><p>inside</p>" in text
    assert "Tea &amp; &lt;b&gt;&quot;Co&quot;" in text
    assert "<b>" not in text


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    reply = Look(logo="data:image/png;base64,AA==").page(ours("en"), "Shop", "Hi", "")
    assert "script-src" not in HEADERS["Content-Security-Policy"]
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "http" not in reply.body.decode()
    assert "set-cookie" not in reply.headers


def test_a_shops_frame_is_filled_and_what_fills_it_is_no_mark() -> None:
    look = Look(frames={"en": f"<title>{TITLE}</title><body>{BODY}</body>"})
    text = look.page(ours("en"), "Shop", f"A {BODY} of a title", f"<p>{TITLE}</p>").body.decode()
    assert text.count("<p>") == 1
    assert f"<p>{TITLE}</p>" in text
    assert look.page(ours("de"), "Shop", "Hallo", "").body.decode().startswith("<!doctype html>")


def test_the_style_has_the_shops_colour_and_nothing_to_escape() -> None:
    assert "background:#ffd400;color:#000000" in style("#ffd400")
    assert not set(style("#ffd400")) & set("<>&\"'")
