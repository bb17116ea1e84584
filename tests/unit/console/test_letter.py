"""One dead letter on a page: looked at, corrected and replayed by a form."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from livepost.errors import OverloadedError, RejectedError, StoreError
from livepost.model.letter import Letter, Replay
from tests.unit.console.letters import CALL, WRONG, Letters, letter
from tests.unit.console.told import Browser


def _written(text: str) -> Any:
    """Return the JSON in the page's field for the call."""
    (found,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", text, re.DOTALL)
    return json.loads(found.replace("&#34;", '"'))


def test_a_letter_is_shown_with_its_fields_and_none_of_its_values() -> None:
    house = Letters(letter(7))
    text = Browser(house).get("/dead/7").text
    for words in ("Order Completed, position 7", WRONG, "2026-01-05 09:00:00 UTC", "web, by a write key", "m-17"):
        assert words in text, words
    assert "&#34;total&#34;: &#34;a string&#34;" in text
    assert "12,50 EUR" not in text and "<textarea" not in text
    assert house.opened == []


def test_what_is_personal_is_shown_when_a_form_asks_and_the_page_says_so() -> None:
    house = Letters(letter(7))
    answer = Browser(house).post("/dead/7", {"act": "open"})
    assert answer.status_code == 200
    assert _written(answer.text) == CALL
    assert "Personal values are shown." in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "data-live" not in answer.text
    assert house.wishes == []


def test_what_would_become_of_a_letter_is_said_and_nothing_is_done() -> None:
    house = Letters(letter(7), good=(7,))
    text = Browser(house).post("/dead/7", {"act": "try"}).text
    assert "It would be taken in" in text and "no mail is sent because of it" in text
    assert house.wishes == [Replay(position=7, dry_run=True)]
    assert house.kept[7].replayed_at is None
    assert "<textarea" not in text


def test_a_letter_that_is_still_wrong_stays_and_says_why() -> None:
    text = Browser(Letters(letter(7))).post("/dead/7", {"act": "replay"}).text
    assert f"It stays put aside: {WRONG}. Nothing was appended." in text


def test_a_replayed_letter_is_said_in_one_sentence_and_offers_no_second_time() -> None:
    browser = Browser(Letters(letter(7), good=(7,)))
    text = browser.post("/dead/7", {"act": "replay"}).text
    assert "Replayed at position 9,007: it counts in what we know of the person now, and no mail is sent" in text
    assert 'value="replay"' not in text
    assert "It was replayed before, at position 9,007; nothing was appended now." in (
        browser.post("/dead/7", {"act": "replay"}).text
    )


def test_a_corrected_call_is_replayed_as_it_was_written() -> None:
    house = Letters(letter(7))
    fixed = json.dumps({**CALL, "properties": {"total": 12.5}})
    text = Browser(house).post("/dead/7", {"act": "replay", "edits": "true", "call": fixed}).text
    assert house.wishes == [Replay(position=7, call=fixed.encode())]
    assert "Replayed at position 9,007" in text


def test_a_call_that_was_only_tried_stays_to_be_written_on() -> None:
    house = Letters(letter(7))
    told = {"act": "try", "edits": "true", "call": '{"type": "track"}', "another_person": "true"}
    text = Browser(house).post("/dead/7", told).text
    assert house.wishes == [Replay(position=7, call=b'{"type": "track"}', another_person=True, dry_run=True)]
    assert _written(text) == {"type": "track"}
    assert "checked" in text


def test_a_call_that_nobody_corrected_is_replayed_as_it_is() -> None:
    house = Letters(letter(7))
    told = {"act": "replay", "edits": "true", "call": json.dumps(CALL, indent=4).replace("\n", "\r\n")}
    Browser(house).post("/dead/7", told)
    assert house.wishes == [Replay(position=7)]


@pytest.mark.parametrize("call", ["", "{", "{'type': 1}"])
def test_a_correction_that_is_no_json_is_said_beside_what_was_written(call: str) -> None:
    house = Letters(letter(7), good=(7,))
    text = Browser(house).post("/dead/7", {"act": "replay", "edits": "true", "call": call}).text
    assert "Nothing was appended: expected a JSON object" in text
    assert f">{call.replace(chr(39), '&#39;')}</textarea>" in text
    assert house.wishes == []


@pytest.mark.parametrize(
    "error", [RejectedError("expected less", code="event_too_large"), OverloadedError("expected fewer wishes")]
)
def test_a_refusal_is_said_beside_what_was_written(error: Exception) -> None:
    house = Letters(letter(7))
    house.answers["replay"] = error
    text = Browser(house).post("/dead/7", {"act": "try", "edits": "true", "call": "{}"}).text
    assert f"Nothing was appended: {error}." in text
    assert _written(text) == {}


def test_a_letter_of_a_forgotten_person_offers_nothing() -> None:
    text = Browser(Letters(letter(7), forgotten=True, call=None)).get("/dead/7").text
    assert "Its person was forgotten" in text
    assert 'name="act"' not in text


@pytest.mark.parametrize("letters", [(), (letter(8),)], ids=["none", "a later one"])
def test_a_letter_that_is_not_there_is_a_page_that_helps(letters: tuple[Letter, ...]) -> None:
    browser = Browser(Letters(*letters))
    for answer in (browser.get("/dead/7"), browser.post("/dead/7", {"act": "replay"})):
        assert answer.status_code == 404
        assert "No dead letter is at position 7" in answer.text


def test_a_house_that_does_not_answer_a_form_is_trouble_that_stays_on_the_page() -> None:
    house = Letters(letter(7))
    house.answers["replay"] = StoreError("the engine does not answer")
    answer = Browser(house).post("/dead/7", {"act": "replay"})
    assert answer.status_code == 503
    assert "the engine does not answer" in answer.text
    assert "data-live" not in answer.text  # it would turn into the page, and nobody would know what came of the form


def test_a_correction_from_true_to_one_is_a_correction() -> None:
    house = Letters(letter(7), call={**CALL, "properties": {"quantity": True}})
    told = {"act": "try", "edits": "true", "call": json.dumps({**CALL, "properties": {"quantity": 1}})}
    Browser(house).post("/dead/7", told)
    assert [wish.call is not None for wish in house.wishes] == [True]


@pytest.mark.parametrize("call", ["[" * 3_000, "1" * 100_000])
def test_what_no_decoder_reads_is_said_beside_the_form(call: str) -> None:
    answer = Browser(Letters(letter(7))).post("/dead/7", {"act": "try", "edits": "true", "call": call})
    assert answer.status_code == 200
    assert "Nothing was appended: expected a JSON object" in answer.text


@pytest.mark.parametrize("position", [2**53 + 1, 2**63, 10**20])
def test_a_position_past_all_is_refused(position: int) -> None:
    assert Browser(Letters(letter(7))).get(f"/dead/{position}").status_code == 400
