"""The first page."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.errors import StoreError
from livepost.model.lateness import Band, Lateness
from livepost.model.standing import Pace, RoomPace
from livepost.model.told import Conservation, Quantiles, Standing
from tests.unit.console.told import START, Browser, ToldHouse

COUNTED = Conservation(
    accepted=105,
    processed=90,
    duplicate=8,
    filtered=1,
    quarantined=2,
    dead_lettered=3,
    in_flight=1,
    holds=True,
)
STANDING = Standing(
    version="0.1.0",
    program="ab" * 16,
    log=120,
    log_stamp=START,
    engine=119,
    as_of=START,
    complete_to=119,
    ledger=118,
    lag_records=1,
    next_due=None,
    people=42,
    transitions=77,
    conservation=COUNTED,
    lateness=Lateness(bands=(Band(1_000, 1_200, 0), Band(None, 0, 34)), too_late=3, not_fresh={"cart reminder": 12}),
    records_per_s={1: 1.0, 10: 1.0, 60: 1.0},
    freshness_ms=Quantiles(4.21, 21.6),
    event_to_mail_ms=Quantiles(0.0, 0.0),
    trouble=None,
)
NOTHING = Conservation(
    accepted=0, processed=0, duplicate=0, filtered=0, quarantined=0, dead_lettered=0, in_flight=0, holds=True
)
ROOMS = (("collect", "events"), ("process", "events"), ("decide", "decisions"), ("deliver", "mails"))


def _pace(per_s: float = 12.0, waiting: int | None = 0, freshness: list[tuple[float, int]] | None = None) -> Pace:
    return Pace(
        rooms=tuple(
            RoomPace(room=room, what=what, per_s=per_s, series=[per_s] * 3, waiting=waiting) for room, what in ROOMS
        ),
        lag_records=1,
        freshness=[(4.0, 80), (22.0, 1)] if freshness is None else freshness,
        freshness_ms=Quantiles(4.21, 21.6),
        event_to_mail=[],
        event_to_mail_ms=Quantiles(0.0, 0.0),
    )


def _page(standing: Standing | Exception = STANDING, pace: Pace | None = None) -> Any:
    return Browser(ToldHouse(standing=standing, pace=pace or _pace())).get("/")


def test_the_page_tells_rates_freshness_and_where_every_event_ended() -> None:
    answer = _page()
    assert answer.status_code == 200
    for words in ("12 events/s", "12 mails/s", "p50 4.3 ms", "p99 22 ms", "adds up", "Mail flows"):
        assert words in answer.text, words
    for name, count in (("processed", 90), ("duplicate", 8), ("quarantined", 2), ("dead-lettered", 3)):
        assert f'data-key="{name}">{count}</strong> {name}' in answer.text


def test_an_equation_that_does_not_hold_is_said_first() -> None:
    broken = msgspec.structs.replace(COUNTED, processed=89, holds=False)
    text = _page(msgspec.structs.replace(STANDING, conservation=broken)).text
    assert "does not add up" in text
    assert "the events do not add up: some are missing" in text
    assert "accounted for." not in text
    assert "accounted for." in _page().text
    assert text.index("events are missing, or counted twice") < text.index("dead letters so far")


def test_dead_letters_and_quarantine_need_a_person_and_their_absence_nobody() -> None:
    text = _page().text
    assert "3 dead letters so far" in text
    assert "2 events in quarantine so far" in text
    quiet = msgspec.structs.replace(COUNTED, quarantined=0, dead_lettered=0, processed=95)
    assert "Needs a person" not in _page(msgspec.structs.replace(STANDING, conservation=quiet)).text


def test_the_page_tells_how_late_events_came_and_what_it_cost() -> None:
    text = _page().text
    for words in (
        "3 events over 30 days late",
        "<td>1 s</td>",
        "1,200",
        "<td>later</td>",
        "34",
        "/campaigns/cart%20reminder",
    ):
        assert words in text, words
    punctual = _page(msgspec.structs.replace(STANDING, lateness=Lateness())).text
    assert "0 events over 30 days late" in punctual
    assert "None came too late to start" in punctual


def test_a_house_without_an_event_waits_for_the_first_one() -> None:
    text = _page(
        msgspec.structs.replace(STANDING, conservation=NOTHING), _pace(per_s=0.0, waiting=None, freshness=[])
    ).text
    assert "waits for the first event" in text
    assert "0 events/s" in text
    assert "freshness: none yet" in text


def test_a_collector_in_trouble_stands_and_says_why() -> None:
    text = _page(msgspec.structs.replace(STANDING, trouble="the disk is full")).text
    assert "No events are taken just now: the disk is full." in text
    assert "trace red" in text
    assert "trace red" not in _page().text


def test_an_engine_far_behind_is_said_in_records() -> None:
    text = _page(msgspec.structs.replace(STANDING, lag_records=60_000), _pace(waiting=60_000)).text
    assert "60,000 records behind" in text
    assert "trace amber" in text


def test_a_house_that_does_not_answer_is_a_page_that_tries_again() -> None:
    answer = _page(StoreError("the engine does not answer"))
    assert answer.status_code == 503
    for words in ("the engine does not answer", "kept in the log", "What to do", "data-live"):
        assert words in answer.text, words
