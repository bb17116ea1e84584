"""Dead letters on a page: counted by reason, listed, replayed by the reason."""

from __future__ import annotations

import json
import re

import pytest

from livepost.console import dead
from livepost.console.dead import LETTERS_SHOWN
from livepost.console.page import FORM_BYTES_MAX, FORM_FIELDS_MAX
from livepost.errors import StoreError
from livepost.model.letter import EDITED_BYTES_MAX, Replay, Replayed
from tests.unit.console.letters import UNDECLARED, WRONG, Letters, letter
from tests.unit.console.told import ORIGIN, Browser, ToldHouse


def test_how_many_of_which_reason_comes_first_and_then_the_letters_newest_first() -> None:
    gift = letter(5, UNDECLARED, fate="quarantined", name="Gift Wrapped")
    text = Browser(Letters(letter(1), letter(2, replayed_at=9_002), letter(7), gift)).get("/dead").text
    rows = re.findall(r'<tr><td class="n"><strong>(\d+)</strong></td><td class="n">(\d+)</td>.*?([\w-]+)</span>', text)
    assert rows == [("2", "3", "dead-lettered"), ("1", "1", "quarantined")]
    assert re.findall(r'href="/dead/(\d+)"', text) == ["7", "5", "2", "1"]
    assert '<span class="tag good">replayed</span> <span class="soft">at 9,002</span>' in text
    assert text.index("By reason") < text.index('href="/dead/7"')


def test_no_letter_is_a_sentence() -> None:
    assert "No letter is dead, and nothing is in quarantine" in Browser(Letters()).get("/dead").text


def test_the_address_says_which_reason_is_shown() -> None:
    browser = Browser(Letters(letter(1), letter(5, UNDECLARED)))
    text = browser.get("/dead", params={"reason": UNDECLARED}).text
    assert re.findall(r'href="/dead/(\d+)"', text) == ["5"]
    assert "Replay all of this reason" in text
    assert "Replay all of this reason" not in browser.get("/dead").text
    assert "No letter is as asked" in browser.get("/dead", params={"reason": "another"}).text


def test_letters_are_paged_by_position() -> None:
    browser = Browser(Letters(*(letter(position) for position in range(1, LETTERS_SHOWN + 2))))
    text = browser.get("/dead").text
    assert 'href="/dead?before=2"' in text
    older = browser.get("/dead?before=2").text
    assert re.findall(r'href="/dead/(\d+)"', older) == ["1"]
    assert "Older letters" not in older and "The newest" in older


@pytest.mark.parametrize(("kept", "said"), [(3, False), (4, True)])
def test_the_list_looks_at_so_many_letters_and_says_when_there_are_more(
    monkeypatch: pytest.MonkeyPatch, kept: int, said: bool
) -> None:
    monkeypatch.setattr(dead, "LETTERS_LOOKED_AT", 3)
    text = Browser(Letters(*(letter(position) for position in range(1, kept + 1)))).get("/dead").text
    assert ("counted here are the oldest 3" in text) == said


def test_the_list_asks_for_as_many_letters_at_a_time_as_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead, "LETTERS_MAX", 2)
    text = Browser(Letters(*(letter(position) for position in range(5)))).get("/dead").text
    assert re.findall(r'href="/dead/(\d+)"', text) == ["4", "3", "2", "1", "0"]


def test_all_letters_of_a_reason_are_tried_and_then_replayed() -> None:
    letters = (letter(1), letter(2), letter(3, replayed_at=9), letter(4, UNDECLARED))
    house = Letters(*letters, good=(1,))
    browser = Browser(house)
    text = browser.post("/dead", {"act": "try", "reason": WRONG}).text
    assert "1 letter of this reason would be replayed, and no mail is sent because of it." in text
    assert f"1 letter would stay put aside because: {WRONG}." in text
    assert [(one.position, one.dry_run) for one in house.wishes] == [(1, True), (2, True)]
    text = browser.post("/dead", {"act": "replay", "reason": WRONG}).text
    assert "1 letter of this reason was replayed, and no mail is sent because of it." in text
    assert house.kept[1].replayed_at is not None and house.kept[2].replayed_at is None


def test_where_none_of_many_is_good_none_is_said_to_be_replayed() -> None:
    house = Letters(letter(1), letter(2))
    text = Browser(house).post("/dead", {"act": "replay", "reason": WRONG}).text
    assert f"2 letters stay put aside because: {WRONG}." in text
    assert "replayed, and" not in text
    none = Browser(house).post("/dead", {"act": "replay", "reason": "another"}).text
    assert "No letter of this reason waits to be replayed." in none


@pytest.mark.parametrize("count", [2, 3])
def test_a_form_replays_so_many_at_once_and_leads_to_the_next_ones(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(dead, "REPLAYED_AT_ONCE", 2)
    house = Letters(*(letter(position) for position in range(1, count + 1)))
    browser = Browser(house)
    text = browser.post("/dead", {"act": "replay", "reason": WRONG}).text
    assert ('name="after" value="2"' in text) == (count > 2)
    if count > 2:
        browser.post("/dead", {"act": "replay", "reason": WRONG, "after": "2"})
        assert [wish.position for wish in house.wishes] == [1, 2, 3]


def test_what_stops_the_replay_of_many_is_said_with_what_was_done() -> None:
    house = Letters(letter(1), letter(2), good=(1, 2))
    replay = house.answers["replay"]

    def stopping(wish: Replay) -> Replayed:
        if wish.position == 2:
            raise StoreError("the log cannot be written")
        return replay(wish)

    house.answers["replay"] = stopping
    text = Browser(house).post("/dead", {"act": "replay", "reason": WRONG}).text
    assert "1 letter of this reason was replayed" in text
    assert "Then it stopped: the log cannot be written." in text


@pytest.mark.parametrize(
    ("path", "form"), [("/dead/7", {"act": "replay"}), ("/dead", {"act": "replay", "reason": "a"})]
)
def test_a_form_from_elsewhere_or_without_a_session_does_nothing(path: str, form: dict[str, str]) -> None:
    house = Letters(letter(7), good=(7,))
    assert Browser(house).post(path, form, origin="https://elsewhere.example").status_code == 403
    assert Browser(house, enters=False).post(path, form, origin=ORIGIN).status_code == 401
    assert house.wishes == []


def test_a_form_that_does_not_fit_is_refused() -> None:
    browser = Browser(Letters(letter(7)))
    assert browser.post("/dead/7", {"act": "burn"}).status_code == 400
    assert browser.post("/dead/7", {"edits": "true"}).status_code == 400
    many = {f"field{number}": "x" for number in range(FORM_FIELDS_MAX)}
    assert browser.post("/dead/7", {"act": "open", **many}).status_code == 400
    answer = browser.post("/dead/7", {"act": "open"}, **{"content-type": "application/json"})
    assert (answer.status_code, "expected a form" in answer.text.lower()) == (415, True)


def test_a_form_may_be_as_long_as_the_longest_correction_and_no_longer() -> None:
    browser = Browser(Letters(letter(7)))
    longest = json.dumps({"type": "ü" * 10}, ensure_ascii=False) + " " * (EDITED_BYTES_MAX - 40)
    assert browser.post("/dead/7", {"act": "try", "edits": "true", "call": longest}).status_code == 200
    rest = FORM_BYTES_MAX - len("act=open&call=")
    assert browser.post("/dead/7", {"act": "open", "call": "x" * rest}).status_code == 200
    assert browser.post("/dead/7", {"act": "open", "call": "x" * (rest + 1)}).status_code == 413


def test_pages_without_forms_take_none() -> None:
    assert Browser(ToldHouse()).post("/system", {"act": "open"}).status_code == 405
