from __future__ import annotations

import re
from pathlib import Path

import pytest

from livepost.api.wording import FALLBACK, WordsError, chosen, languages, ours, with_shops

GAPS = re.compile(r"\{\w*\}")


@pytest.mark.parametrize("language", languages())
def test_a_language_is_whole_and_has_the_same_gaps_as_ours(language: str) -> None:
    base, words = ours(FALLBACK).said, ours(language).said
    assert list(words) == list(base)
    assert {key: set(GAPS.findall(one)) for key, one in words.items()} == {
        key: set(GAPS.findall(one)) for key, one in base.items()
    }


def test_german_and_english_come_with_the_house_and_one_language_from_right_to_left() -> None:
    assert {"de", "en"} <= set(languages())
    assert [language for language in languages() if ours(language).direction == "rtl"] == ["ar"]


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-at", "de"),
        ("sv, de;q=0.2, fr;q=0.1", "de"),
        ("fr;q=0, de;q=0.1", "de"),
        ("sv", "en"),
        ("*;q=x,,;", "en"),
        ("en;q=0.5,de;q=0.9", "de"),
    ],
)
def test_the_browser_asks_and_the_shops_first_language_answers_else(asked: str, language: str) -> None:
    assert chosen(asked, ("en", "de", "fr")) == language


def test_a_shops_words_stand_over_ours_and_the_rest_is_ours() -> None:
    words = with_shops("de", 'save = "Merken"\n[purpose_names]\nmarketing = "Neues"\n[topic_names]\ntea = "Tee"', "f")
    assert (words.say("save"), words.say("saved")) == ("Merken", "Gespeichert.")
    assert (words.purpose("marketing"), words.topic_names) == ("Neues", {"tea": "Tee"})


def test_a_language_that_does_not_come_with_the_house_begins_with_english() -> None:
    words = with_shops("sv", 'save = "Spara"', "f")
    assert (words.language, words.say("save"), words.say("stop")) == ("sv", "Spara", "Stop all of these mails")


def test_what_fills_a_gap_is_not_filled_once_more() -> None:
    assert ours("en").say("preferences", shop="{shop} {purpose}") == "Your mails from {shop} {purpose}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("save = ", "expected TOML"),
        ("save = 1", "expected words in quotes"),
        ('sav = "x"', "got sav"),
        ('save = "{shop}"', "than none, got {shop}"),
        ('saved = "{name}"', "got {name}"),
        ('dir = "up"', 'expected dir = "ltr" or "rtl"'),
        (f'save = "{"x" * 1_001}"', "at most 1000 characters"),
    ],
)
def test_words_that_cannot_be_said_are_refused_with_their_place(text: str, why: str) -> None:
    with pytest.raises(WordsError, match=re.escape(why)) as told:
        with_shops("de", text, "pages/words.de.toml")
    assert str(told.value).startswith("pages/words.de.toml")


def test_every_file_of_words_comes_with_the_package() -> None:
    folder = Path(__file__).parents[3] / "src" / "livepost" / "api" / "words"
    assert sorted(path.stem for path in folder.glob("*.toml")) == sorted(languages())
