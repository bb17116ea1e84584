from __future__ import annotations

from typing import Any

import httpx

from livepost.ledger.base import Lift, Suppression
from tests.unit.console.told import START, Browser, ToldHouse


def house(**answers: Any) -> ToldHouse:
    told: dict[str, Any] = {"suppression_counts": {"imported": 1_204, "complained": 3}, "suppressed": (None, [])}
    return ToldHouse(**{**told, **answers})


def ask(address: str, **answers: Any) -> httpx.Response:
    return Browser(house(**answers)).post("/suppressions", {"address": address})


def test_the_page_counts_by_reason_and_names_no_address() -> None:
    text = Browser(house()).get("/suppressions").text
    assert "<dt>imported</dt><dd>1,204</dd>" in text
    assert "<dt>complained</dt><dd>3</dd>" in text
    assert "nothing can list the addresses" in text


def test_an_address_is_asked_for_by_a_form_and_told_of() -> None:
    text = ask("ada@example.com", suppressed=(Suppression(b"a" * 16, "complained", START), [])).text
    assert '<span class="bad">suppressed</span> since 2026-01-05' in text
    assert ": complained." in text


def test_one_that_was_let_go_says_why() -> None:
    text = ask("<ada>", suppressed=(None, [Lift(b"a" * 16, "imported", "a mistake", START)])).text
    assert '<span class="good">not suppressed</span>' in text
    assert "a mistake (it was: imported)" in text
    assert "&lt;ada&gt;" in text


def test_nothing_asked_for_shows_the_counts_and_an_empty_house_says_what_would_be_there() -> None:
    assert "not suppressed" not in ask("  ").text
    assert "livepost suppressions add" in Browser(house(suppression_counts={})).get("/suppressions").text
