"""Dead letters on pages: counted by reason, looked at, corrected and replayed by forms."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from livepost.console import dead
from livepost.console.dead import LETTERS_SHOWN
from livepost.console.page import FORM_BYTES_MAX, FORM_FIELDS_MAX
from livepost.errors import OverloadedError, RejectedError, StoreError
from livepost.model.letter import EDITED_BYTES_MAX, Letter, LetterDetail, Replay, Replayed
from tests.unit.console.told import ORIGIN, START, Browser, ToldHouse

WRONG = "properties.total: expected a number, got a string"
UNDECLARED = "expected a declared event, got Gift Wrapped"
CALL = {"type": "track", "userId": "ada", "event": "Order Completed", "properties": {"total": "12,50 EUR"}}
MASKED = {"type": "a string", "userId": "a string", "event": "a string", "properties": {"total": "a string"}}


def _letter(position: int, reason: str = WRONG, **changes: Any) -> Letter:
    told = {"fate": "dead_lettered", "at": START, "source": "web", "name": "Order Completed", **changes}
    return Letter(position=position, reason=reason, **told)


class Letters(ToldHouse):
    """A house with these letters; replaying takes those in whose call is corrected, and any in `good`."""

    def __init__(self, *letters: Letter, good: tuple[int, ...] = (), **about: Any) -> None:
        super().__init__()
        self.kept = {letter.position: letter for letter in letters}
        self.good = set(good)
        self.about = about
        self.wishes: list[Replay] = []
        self.opened: list[int] = []
        self.answers = {"letters": self._letters, "letter": self._letter, "replay": self._replay}

    def _letters(self, after: int, limit: int) -> list[Letter]:
        return [one for position, one in sorted(self.kept.items()) if position > after][:limit]

    def _letter(self, position: int, *, open: bool) -> LetterDetail:
        if open:
            self.opened.append(position)
        told = {
            "replays": None,
            "key": "write",
            "origin": "live",
            "subject": "ab" * 16,
            "known": True,
            "message_id": "m-17",
            "timestamp": START,
            "sent_at": None,
            "received_at": START,
            "effective_ts": START - 5_000,
            "forgotten": False,
            "opened": open,
            "call": CALL if open else MASKED,
            **msgspec.structs.asdict(self.kept[position]),
            **self.about,
        }
        return LetterDetail(**told)

    def _replay(self, wish: Replay) -> Replayed:
        self.wishes.append(wish)
        letter = self.kept[wish.position]
        if letter.replayed_at is not None:
            return Replayed(position=wish.position, at=letter.replayed_at, before=True)
        if wish.call is None and wish.position not in self.good:
            return Replayed(position=wish.position, reason=letter.reason)
        if wish.dry_run:
            return Replayed(position=wish.position)
        at = 9_000 + wish.position
        self.kept[wish.position] = msgspec.structs.replace(letter, replayed_at=at)
        return Replayed(position=wish.position, at=at)


def _written(text: str) -> Any:
    """Return the JSON in the page's field for the call."""
    (found,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", text, re.DOTALL)
    return json.loads(found.replace("&#34;", '"'))


def test_how_many_of_which_reason_comes_first_and_then_the_letters_newest_first() -> None:
    gift = _letter(5, UNDECLARED, fate="quarantined", name="Gift Wrapped")
    text = Browser(Letters(_letter(1), _letter(2, replayed_at=9_002), _letter(7), gift)).get("/dead").text
    rows = re.findall(r'<tr><td class="n"><strong>(\d+)</strong></td><td class="n">(\d+)</td>.*?([\w-]+)</span>', text)
    assert rows == [("2", "3", "dead-lettered"), ("1", "1", "quarantined")]
    assert re.findall(r'href="/dead/(\d+)"', text) == ["7", "5", "2", "1"]
    assert '<span class="tag good">replayed</span> <span class="soft">at 9,002</span>' in text
    assert text.index("By reason") < text.index('href="/dead/7"')


def test_no_letter_is_a_sentence() -> None:
    assert "No letter is dead, and nothing is in quarantine" in Browser(Letters()).get("/dead").text


def test_the_address_says_which_reason_is_shown() -> None:
    browser = Browser(Letters(_letter(1), _letter(5, UNDECLARED)))
    text = browser.get("/dead", params={"reason": UNDECLARED}).text
    assert re.findall(r'href="/dead/(\d+)"', text) == ["5"]
    assert "Replay all of this reason" in text
    assert "Replay all of this reason" not in browser.get("/dead").text
    assert "No letter is as asked" in browser.get("/dead", params={"reason": "another"}).text


def test_letters_are_paged_by_position() -> None:
    browser = Browser(Letters(*(_letter(position) for position in range(1, LETTERS_SHOWN + 2))))
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
    text = Browser(Letters(*(_letter(position) for position in range(1, kept + 1)))).get("/dead").text
    assert ("counted here are the oldest 3" in text) == said


def test_the_list_asks_for_as_many_letters_at_a_time_as_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead, "LETTERS_MAX", 2)
    text = Browser(Letters(*(_letter(position) for position in range(5)))).get("/dead").text
    assert re.findall(r'href="/dead/(\d+)"', text) == ["4", "3", "2", "1", "0"]


def test_a_letter_is_shown_with_its_fields_and_none_of_its_values() -> None:
    house = Letters(_letter(7))
    text = Browser(house).get("/dead/7").text
    for words in ("Order Completed, position 7", WRONG, "2026-01-05 09:00:00 UTC", "web, by a write key", "m-17"):
        assert words in text, words
    assert "&#34;total&#34;: &#34;a string&#34;" in text
    assert "12,50 EUR" not in text and "<textarea" not in text
    assert house.opened == []


def test_what_is_personal_is_shown_when_a_form_asks_and_the_page_says_so() -> None:
    house = Letters(_letter(7))
    answer = Browser(house).post("/dead/7", {"act": "open"})
    assert answer.status_code == 200
    assert _written(answer.text) == CALL
    assert "Personal values are shown." in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "data-live" not in answer.text
    assert house.wishes == []


def test_what_would_become_of_a_letter_is_said_and_nothing_is_done() -> None:
    house = Letters(_letter(7), good=(7,))
    text = Browser(house).post("/dead/7", {"act": "try"}).text
    assert "It would be taken in" in text and "no mail is sent because of it" in text
    assert house.wishes == [Replay(position=7, dry_run=True)]
    assert house.kept[7].replayed_at is None
    assert "<textarea" not in text


def test_a_letter_that_is_still_wrong_stays_and_says_why() -> None:
    text = Browser(Letters(_letter(7))).post("/dead/7", {"act": "replay"}).text
    assert f"It stays put aside: {WRONG}. Nothing was appended." in text


def test_a_replayed_letter_is_said_in_one_sentence_and_offers_no_second_time() -> None:
    browser = Browser(Letters(_letter(7), good=(7,)))
    text = browser.post("/dead/7", {"act": "replay"}).text
    assert "Replayed at position 9,007: it counts in what we know of the person now, and no mail is sent" in text
    assert 'value="replay"' not in text
    assert "It was replayed before, at position 9,007; nothing was appended now." in (
        browser.post("/dead/7", {"act": "replay"}).text
    )


def test_a_corrected_call_is_replayed_as_it_was_written() -> None:
    house = Letters(_letter(7))
    fixed = json.dumps({**CALL, "properties": {"total": 12.5}})
    text = Browser(house).post("/dead/7", {"act": "replay", "edits": "true", "call": fixed}).text
    assert house.wishes == [Replay(position=7, call=fixed.encode())]
    assert "Replayed at position 9,007" in text


def test_a_call_that_was_only_tried_stays_to_be_written_on() -> None:
    house = Letters(_letter(7))
    told = {"act": "try", "edits": "true", "call": '{"type": "track"}', "another_person": "true"}
    text = Browser(house).post("/dead/7", told).text
    assert house.wishes == [Replay(position=7, call=b'{"type": "track"}', another_person=True, dry_run=True)]
    assert _written(text) == {"type": "track"}
    assert "checked" in text


def test_a_call_that_nobody_corrected_is_replayed_as_it_is() -> None:
    house = Letters(_letter(7))
    told = {"act": "replay", "edits": "true", "call": json.dumps(CALL, indent=4).replace("\n", "\r\n")}
    Browser(house).post("/dead/7", told)
    assert house.wishes == [Replay(position=7)]


@pytest.mark.parametrize("call", ["", "{", "{'type': 1}"])
def test_a_correction_that_is_no_json_is_said_beside_what_was_written(call: str) -> None:
    house = Letters(_letter(7), good=(7,))
    text = Browser(house).post("/dead/7", {"act": "replay", "edits": "true", "call": call}).text
    assert "Nothing was appended: expected a JSON object" in text
    assert f">{call.replace(chr(39), '&#39;')}</textarea>" in text
    assert house.wishes == []


@pytest.mark.parametrize(
    "error", [RejectedError("expected less", code="event_too_large"), OverloadedError("expected fewer wishes")]
)
def test_a_refusal_is_said_beside_what_was_written(error: Exception) -> None:
    house = Letters(_letter(7))
    house.answers["replay"] = error
    text = Browser(house).post("/dead/7", {"act": "try", "edits": "true", "call": "{}"}).text
    assert f"Nothing was appended: {error}." in text
    assert _written(text) == {}


def test_a_letter_of_a_forgotten_person_offers_nothing() -> None:
    text = Browser(Letters(_letter(7), forgotten=True, call=None)).get("/dead/7").text
    assert "Its person was forgotten" in text
    assert 'name="act"' not in text


@pytest.mark.parametrize("letters", [(), (_letter(8),)], ids=["none", "a later one"])
def test_a_letter_that_is_not_there_is_a_page_that_helps(letters: tuple[Letter, ...]) -> None:
    browser = Browser(Letters(*letters))
    for answer in (browser.get("/dead/7"), browser.post("/dead/7", {"act": "replay"})):
        assert answer.status_code == 404
        assert "No dead letter is at position 7" in answer.text


def test_a_house_that_does_not_answer_a_form_is_trouble_that_stays_on_the_page() -> None:
    house = Letters(_letter(7))
    house.answers["replay"] = StoreError("the engine does not answer")
    answer = Browser(house).post("/dead/7", {"act": "replay"})
    assert answer.status_code == 503
    assert "the engine does not answer" in answer.text
    assert "data-live" not in answer.text  # it would turn into the page, and nobody would know what came of the form


def test_all_letters_of_a_reason_are_tried_and_then_replayed() -> None:
    letters = (_letter(1), _letter(2), _letter(3, replayed_at=9), _letter(4, UNDECLARED))
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
    house = Letters(_letter(1), _letter(2))
    text = Browser(house).post("/dead", {"act": "replay", "reason": WRONG}).text
    assert f"2 letters stay put aside because: {WRONG}." in text
    assert "replayed, and" not in text
    none = Browser(house).post("/dead", {"act": "replay", "reason": "another"}).text
    assert "No letter of this reason waits to be replayed." in none


@pytest.mark.parametrize("count", [2, 3])
def test_a_form_replays_so_many_at_once_and_leads_to_the_next_ones(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(dead, "REPLAYED_AT_ONCE", 2)
    house = Letters(*(_letter(position) for position in range(1, count + 1)))
    browser = Browser(house)
    text = browser.post("/dead", {"act": "replay", "reason": WRONG}).text
    assert ('name="after" value="2"' in text) == (count > 2)
    if count > 2:
        browser.post("/dead", {"act": "replay", "reason": WRONG, "after": "2"})
        assert [wish.position for wish in house.wishes] == [1, 2, 3]


def test_what_stops_the_replay_of_many_is_said_with_what_was_done() -> None:
    house = Letters(_letter(1), _letter(2), good=(1, 2))
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
    house = Letters(_letter(7), good=(7,))
    assert Browser(house).post(path, form, origin="https://elsewhere.example").status_code == 403
    assert Browser(house, enters=False).post(path, form, origin=ORIGIN).status_code == 401
    assert house.wishes == []


def test_a_form_that_does_not_fit_is_refused() -> None:
    browser = Browser(Letters(_letter(7)))
    assert browser.post("/dead/7", {"act": "burn"}).status_code == 400
    assert browser.post("/dead/7", {"edits": "true"}).status_code == 400
    many = {f"field{number}": "x" for number in range(FORM_FIELDS_MAX)}
    assert browser.post("/dead/7", {"act": "open", **many}).status_code == 400
    answer = browser.post("/dead/7", {"act": "open"}, **{"content-type": "application/json"})
    assert (answer.status_code, "expected a form" in answer.text.lower()) == (415, True)


def test_a_form_may_be_as_long_as_the_longest_correction_and_no_longer() -> None:
    browser = Browser(Letters(_letter(7)))
    longest = json.dumps({"type": "ü" * 10}, ensure_ascii=False) + " " * (EDITED_BYTES_MAX - 40)
    assert browser.post("/dead/7", {"act": "try", "edits": "true", "call": longest}).status_code == 200
    rest = FORM_BYTES_MAX - len("act=open&call=")
    assert browser.post("/dead/7", {"act": "open", "call": "x" * rest}).status_code == 200
    assert browser.post("/dead/7", {"act": "open", "call": "x" * (rest + 1)}).status_code == 413


def test_pages_without_forms_take_none() -> None:
    assert Browser(ToldHouse()).post("/system", {"act": "open"}).status_code == 405


def test_a_correction_from_true_to_one_is_a_correction() -> None:
    house = Letters(_letter(7), call={**CALL, "properties": {"quantity": True}})
    told = {"act": "try", "edits": "true", "call": json.dumps({**CALL, "properties": {"quantity": 1}})}
    Browser(house).post("/dead/7", told)
    assert [wish.call is not None for wish in house.wishes] == [True]


@pytest.mark.parametrize("call", ["[" * 3_000, "1" * 100_000])
def test_what_no_decoder_reads_is_said_beside_the_form(call: str) -> None:
    answer = Browser(Letters(_letter(7))).post("/dead/7", {"act": "try", "edits": "true", "call": call})
    assert answer.status_code == 200
    assert "Nothing was appended: expected a JSON object" in answer.text


@pytest.mark.parametrize("position", [2**53 + 1, 2**63, 10**20])
def test_a_position_past_all_is_refused(position: int) -> None:
    assert Browser(Letters(_letter(7))).get(f"/dead/{position}").status_code == 400
