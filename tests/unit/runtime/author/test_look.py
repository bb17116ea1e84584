"""A shop's own pages: used where they can be, told of where they cannot, and never in the way of a wish."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from livepost.api.look import BODY, TITLE
from livepost.runtime.author.look import look_of, offer_of, problems_of_look
from livepost.runtime.author.project import load_project
from livepost.settings.settings import Settings
from tests.unit.runtime.still import make_project

SETTINGS = replace(Settings(), shop_name="Tea & Co", languages=["de", "ar"], page_color="#ffd400")
FRAME = (
    '<html lang="{{ language }}" dir="{{ direction }}"><title>{{ title }}</title><style>{{ style }}</style>'
    '{% if logo != "" %}<img src="{{ logo }}" alt="">{% endif %}<b>{{ shop_name }}</b>{{ body }}</html>'
)


def write(folder: Path, name: str, text: str) -> Path:
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "pages" / name).write_text(text)
    return folder


def test_without_pages_all_is_ours(tmp_path: Path) -> None:
    look = look_of(tmp_path, SETTINGS)
    assert (list(look.words), look.frames, look.logo, look.color) == (["de", "ar"], {}, "", "#ffd400")
    assert problems_of_look(tmp_path, SETTINGS) == []


def test_a_frame_is_rendered_once_a_language_with_the_marks_in_it(tmp_path: Path) -> None:
    write(write(tmp_path, "frame.liquid", FRAME), "logo.svg", "<svg/>")
    frames = look_of(tmp_path, SETTINGS).frames
    assert list(frames) == ["de", "ar"]
    assert '<html lang="ar" dir="rtl">' in frames["ar"]
    assert f"<title>{TITLE}</title>" in frames["ar"]
    assert f"<b>Tea &amp; Co</b>{BODY}" in frames["ar"]
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in frames["ar"]
    assert "button{" in frames["ar"]
    assert problems_of_look(tmp_path, SETTINGS) == []


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("<p>{{ body }}", "expected {{ title }} in the frame"),
        ("<p>{{ title }}", "expected {{ body }} in the frame"),
        ("{{ title }}{{ body }}{{ body }}", "once in the frame"),
        ("{{ title }}{{ body }}{{ nmae }}", "'nmae' is undefined"),
        ("{% if %}{{ title }}{{ body }}", "near"),
        ("{% for a in (1..9) %}{% for b in (1..9999) %}x{% endfor %}{% endfor %}{{ title }}{{ body }}", "limit"),
        ("<script>alert(1)</script>{{ title }}{{ body }}", "loads and runs nothing"),
        ('<img src="https://cdn.example/x.png">{{ title }}{{ body }}', "loads and runs nothing"),
        ("x" * 70_000, "at most 65536 bytes"),
    ],
)
def test_a_frame_that_cannot_be_used_is_told_and_ours_is_used(tmp_path: Path, frame: str, why: str) -> None:
    write(tmp_path, "frame.liquid", frame)
    [problem] = problems_of_look(tmp_path, SETTINGS)
    assert why in str(problem)
    assert look_of(tmp_path, SETTINGS).frames == {}


def test_words_that_cannot_be_used_are_told_and_ours_are_used(tmp_path: Path) -> None:
    write(tmp_path, "words.de.toml", 'sav = "x"')
    [problem] = problems_of_look(tmp_path, SETTINGS)
    assert "got sav" in str(problem)
    assert look_of(tmp_path, SETTINGS).words["de"].say("save") == "Speichern"


def test_a_language_without_words_is_told(tmp_path: Path) -> None:
    settings = replace(SETTINGS, languages=["sv"])
    [problem] = problems_of_look(tmp_path, settings)
    assert "expected words for the language 'sv'" in str(problem)
    write(tmp_path, "words.sv.toml", 'save = "Spara"')
    assert problems_of_look(tmp_path, settings) == []
    assert look_of(tmp_path, settings).words["sv"].say("save") == "Spara"


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    write(tmp_path, "words.de.toml", "")
    (tmp_path / "pages" / "words.de.toml").write_bytes(b"\xff")
    assert "expected UTF-8 text" in str(problems_of_look(tmp_path, SETTINGS)[0])


def test_what_can_be_chosen_is_what_the_project_sends_and_the_settings_name(tmp_path: Path) -> None:
    project = load_project(make_project(tmp_path), Settings())
    offer = offer_of(project.compiled, replace(Settings(), topics={"tea": "Tea"}))
    assert (offer.purposes, offer.topics) == (("marketing",), {"tea": "Tea"})
    assert offer.frequencies == ("1 per 1d", "1 per 7d", "1 per 30d")
    assert offer_of(project.compiled, replace(Settings(), frequencies="")).frequencies == ()
