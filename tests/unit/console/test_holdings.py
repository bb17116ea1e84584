from __future__ import annotations

from tests.unit.console.test_pages import ADA, ANSWERS
from tests.unit.console.told import Browser, ToldHouse


def test_it_says_what_is_held_for_what_and_who_saw_it() -> None:
    text = Browser(ToldHouse(**ANSWERS)).get(f"/people/{ADA.hex()}/held").text
    assert "event: Product Viewed" in text
    assert '<span class="warn">not said</span>' in text
    assert "90 days" in text
    assert "command:me" in text and "person.read" in text


def test_nobody_saw_is_said() -> None:
    text = Browser(ToldHouse(**{**ANSWERS, "holdings": ([], [])})).get(f"/people/{ADA.hex()}/held").text
    assert "Nobody looked at this person" in text
