"""The page of one person."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from livepost.console.person import SHOWN, SHOWN_MAX
from livepost.model.choice import Said
from livepost.model.record import Record
from livepost.model.story import (
    DecisionTaken,
    DeliveryMoved,
    EventHappened,
    OutcomeNoted,
    PersonStory,
    SegmentCrossed,
)
from livepost.ops.behind import SHOWN as RECORDS_SHOWN
from tests.unit.console.shop import ADA, DAY, HOUR, SHOP, VIEW, reasons
from tests.unit.console.told import START, Browser, ToldHouse

EVENT = EventHappened(
    at=START,
    position=9,
    name="Product Viewed",
    effective_ts=START - DAY,
    origin="import",
    source="web",
    verdict="quarantined",
    reason="not declared",
    properties={"name": "Milk <1 l>"},
    sealed=("email", "$undeclared"),
    consents={"marketing": True},
)
ALL = (
    OutcomeNoted(
        at=START, position=10, decision="ab" * 16, campaign="reminder", name="Email Link Clicked", properties={}
    ),
    EVENT,
    DeliveryMoved(
        at=START - 1, decision="ab" * 16, campaign="reminder", before="in_flight", after="sent", reason="", detail=""
    ),
    DecisionTaken(
        at=START - HOUR,
        position=6,
        decision="cd" * 16,
        campaign="reminder",
        cause="entered browsing",
        skip="cap",
        detail="2 of 2 in 7 days",
    ),
    SegmentCrossed(at=START - DAY, position=5, segment="browsing", entered=True, number=1, origin="live"),
)


SAID = Said(
    purpose="marketing",
    channel="email",
    allowed=True,
    at=START,
    how="confirmation",
    source="ab" * 16,
    message_id="",
    words={"language": "de", "page": ["Möchten Sie Mails?"]},
)


def _story(*entries: Any, complete: bool = True) -> PersonStory:
    return PersonStory(entries=list(entries), looked_back_to=START - 2 * DAY, complete=complete)


def _get(path: str = f"/people/{ADA.hex()}", **answers: Any) -> httpx.Response:
    told = {"person": VIEW, "project": SHOP, "reasons": reasons(), "story": _story(*ALL), "said": [SAID], **answers}
    return Browser(ToldHouse(**told)).get(path)


def test_all_kinds_stand_in_one_line_of_time_with_day_and_zone() -> None:
    text = _get().text
    for words in ("Email Link Clicked", "Product Viewed", "sent", "no mail: the cap is reached, 2 of 2 in 7 days"):
        assert f"<strong>{words}</strong>" in text, words
    assert text.index('<h3 class="day">2026-01-05') < text.index('<h3 class="day">2026-01-04')
    for kind in ("outcome", "event", "mail", "decision", "transition"):
        assert f'<span class="kind">{kind}</span>' in text, kind
    assert "08:59:59 UTC" in text


def test_an_event_tells_its_fields_and_only_names_what_is_sealed() -> None:
    text = _get(story=_story(EVENT)).text
    for name, value in (
        ("name", "Milk &lt;1 l&gt;"),
        ("email", "sealed"),
        ("undeclared fields", "sealed"),
        ("consent to marketing", "allowed"),
        ("happened", "2026-01-04 09:00:00 UTC"),
    ):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in text, name
    assert "quarantined: not declared" in text
    assert ">import</span>" in text


@pytest.mark.parametrize(
    ("kind", "there"),
    [
        ("event", "Product Viewed"),
        ("transition", "entered"),
        ("decision", "no mail: the cap is reached, 2 of 2 in 7 days"),
        ("delivery", "sent"),
        ("outcome", "Email Link Clicked"),
    ],
)
def test_a_kind_in_the_address_shows_that_kind_alone(kind: str, there: str) -> None:
    text = _get(f"/people/{ADA.hex()}?kind={kind}").text
    assert text.count('class="kind"') == 1
    assert f"<strong>{there}</strong>" in text
    assert "1 entry of the newest 5 entries" in text


def test_a_kind_that_there_is_not_is_refused() -> None:
    assert _get(f"/people/{ADA.hex()}?kind=opinion").status_code == 400


def test_the_page_says_how_far_it_looked_back() -> None:
    assert "nothing is known that is older" in _get().text
    cut = _get(story=_story(*ALL, complete=False)).text
    assert "the log was searched back to 2026-01-03 09:00:00 UTC, what is older may be missing" in cut
    assert "nothing is known that is older" not in cut


def test_more_is_offered_where_there_is_more_up_to_what_the_house_gives() -> None:
    crossed = ALL[-1]
    asked: list[int] = []

    def story(view: Any, limit: int) -> PersonStory:
        asked.append(limit)
        return _story(*[crossed] * limit, complete=False)

    assert f"limit={3 * SHOWN}" in _get(story=story).text
    assert "Show up to" not in _get(f"/people/{ADA.hex()}?limit={SHOWN_MAX}", story=story).text
    assert _get(f"/people/{ADA.hex()}?limit={SHOWN_MAX + 1}", story=story).status_code == 400
    assert asked == [SHOWN, SHOWN_MAX]
    assert "Show up to" not in _get().text


def test_features_have_words_and_personal_ones_are_sealed() -> None:
    text = _get().text
    for value in ("1,204", "129.90 EUR", "Milk, Bread", "2 hours"):
        assert f'class="value">{value}</span>' in text, value
    assert "<code>first_name</code>" in text
    assert 'class="value soft">sealed</span>' in text
    assert "<code>address for mail</code>" in text
    assert "how many Product Viewed, over 7 d" in text
    opened = msgspec.structs.replace(VIEW, features={**VIEW.features, "first_name": "Ada"})
    assert 'class="value">Ada</span>' in _get(person=opened).text


def test_consents_are_told_by_purpose_said_or_not() -> None:
    text = _get().text
    assert '<dt>marketing</dt><dd><span class="good">allowed</span>' in text
    assert '<dt>news</dt><dd><span class="bad">not allowed</span>' in text
    assert '<dt>orders</dt><dd><span class="soft">never said</span>' in text


def test_the_proof_of_each_word_is_told() -> None:
    text = _get().text
    assert "1 proof of what was said" in text
    assert "by confirmation of the mail" in text
    assert "the words shown are kept (de)" in text
    assert "of what was said" not in _get(said=[]).text


def test_reasons_stand_there_in_their_own_words() -> None:
    told = reasons()
    text = _get().text
    for one in (*told.segments, *told.campaigns):
        assert str(msgspec.to_builtins(one.text)).replace(">=", "&gt;=") in text, one.text
    assert "<code>views &gt;= 3</code>" in text
    assert "entered, because of record 5" in text
    assert "Their mails in the mailbox" in text


def test_the_records_behind_a_term_and_a_mail_stand_there_and_how_far_the_log_was_searched() -> None:
    look = Record(name="Product Viewed", properties={"name": "Milk & Tea"}, stamp=START, effective_ts=START - HOUR)
    looks = [msgspec.structs.replace(look, seq=seq, message_id=str(seq)) for seq in range(RECORDS_SHOWN + 3)]
    text = _get(reasons=reasons(records=looks)).text
    assert f"views: made of {RECORDS_SHOWN + 3} records" in text
    assert "Product Viewed (record 7), name &#39;Milk &amp; Tea&#39;" in text
    assert "and 3 more" in text
    assert "Of the records behind it: the whole log was searched." in text
    assert "made of" not in _get().text


def test_somebody_unknown_is_a_page_that_says_by_what_people_are_found() -> None:
    answer = _get("/people/nobody@example.com", person=None)
    assert answer.status_code == 404
    assert "Nobody is known as nobody@example.com: expected a userId" in answer.text


def test_a_person_to_whom_nothing_happened_has_an_empty_line_of_time() -> None:
    assert "Here will be this person" in _get(story=_story()).text
    assert "No outcome is among" in _get(f"/people/{ADA.hex()}?kind=outcome", story=_story()).text


def test_a_time_that_no_date_says_is_a_number() -> None:
    far = msgspec.structs.replace(EVENT, effective_ts=-313_000_000_000_000)
    assert "-313,000,000,000,000 ms since 1970" in _get(story=_story(far)).text
