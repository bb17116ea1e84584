from __future__ import annotations

from typing import Any

from tests.unit.console.test_pages import ANSWERS, REQUEST
from tests.unit.console.told import Browser, ToldHouse


def test_what_is_overdue_is_said_first() -> None:
    text = Browser(ToldHouse(**ANSWERS)).get("/requests").text
    assert "1 request waits" in text
    assert '<span class="bad">1 overdue</span>' in text
    assert f'href="/requests/{REQUEST.id}"' in text


def test_a_request_shows_its_steps_whom_it_was_told_and_a_form() -> None:
    text = Browser(ToldHouse(**ANSWERS)).get(f"/requests/{REQUEST.id}").text
    assert "it came in" in text
    assert "https://c.example/" in text and "it slept" in text
    assert 'name="what" value="extend"' in text
    assert f'href="/people/{REQUEST.subjects[0].hex()}/held"' in text


def test_an_answer_is_taken_once() -> None:
    taken: list[tuple[Any, ...]] = []

    def settle(*asked: Any) -> bool:
        taken.append(asked)
        return len(taken) == 1

    browser = Browser(ToldHouse(**{**ANSWERS, "settle_request": settle}))
    form = {"what": "completed", "told": "sent by letter"}
    assert browser.post(f"/requests/{REQUEST.id}", form).status_code == 200
    assert taken == [(REQUEST.id, "completed", "sent by letter")]
    again = browser.post(f"/requests/{REQUEST.id}", form)
    assert again.status_code == 409
    assert browser.post(f"/requests/{REQUEST.id}", {"what": "completed"}).status_code == 400


def test_one_that_is_not_there_is_said() -> None:
    browser = Browser(ToldHouse(**{**ANSWERS, "rights_request": None}))
    assert browser.get(f"/requests/{REQUEST.id}").status_code == 404
