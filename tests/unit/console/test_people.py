"""The page of people."""

from __future__ import annotations

from typing import Any

import httpx

from livepost.console.people import ID_MAX, LINES
from livepost.model.standing import PersonLine
from tests.unit.console.shop import ADA, VIEW
from tests.unit.console.told import START, Browser, ToldHouse

LINE = PersonLine(person=ADA.hex(), name="customer-17", segments=("browsing", "vip"), at=START)


def _found(name: str, at_least: int) -> Any:
    return VIEW if name == "ada@example.com" else None


def _get(path: str, **answers: Any) -> httpx.Response:
    return Browser(ToldHouse(**{"people": [LINE], "person": _found, **answers})).get(path)


def test_who_moved_lately_is_listed_by_name_with_segments_and_time() -> None:
    text = _get("/people").text
    for words in ("customer-17", f'href="/people/{ADA.hex()}"', 'href="/segments/vip"', "2026-01-05 09:00:00 UTC"):
        assert words in text, words


def test_the_house_is_asked_for_as_many_as_are_shown() -> None:
    asked: list[int] = []
    _get("/people", people=lambda limit: asked.append(limit) or [])
    assert asked == [LINES]


def test_a_person_whose_ids_nobody_can_read_is_listed_by_a_short_id() -> None:
    text = _get("/people", people=[PersonLine(person=ADA.hex(), name=None, segments=(), at=START)]).text
    assert ">000102030405…</a>" in text
    assert "no id can be read any more" in text


def test_a_search_leads_to_the_person_by_an_address_that_holds_no_personal_value() -> None:
    answer = _get("/people?q=+ada@example.com ")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/people/{ADA.hex()}"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_search_that_finds_nobody_says_what_ids_are_taken() -> None:
    answer = _get("/people?q=<b>nobody")
    assert answer.status_code == 200
    assert "Nobody is known as <code>&lt;b&gt;nobody</code>" in answer.text
    for kind in ("a userId", "an email address", "an anonymousId", "a subject&#39;s id in hex"):
        assert kind in answer.text, kind
    assert "Nobody is known" not in _get("/people").text


def test_an_id_longer_than_any_is_refused() -> None:
    assert _get(f"/people?q={'x' * ID_MAX}").status_code == 200
    assert _get(f"/people?q={'x' * (ID_MAX + 1)}").status_code == 400


def test_a_house_in_which_nobody_moved_says_what_fills_the_page() -> None:
    text = _get("/people", people=[]).text
    assert "Here will be who enters or leaves a segment" in text
    assert "livepost demo" in text
