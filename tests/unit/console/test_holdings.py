from __future__ import annotations

import msgspec

from livepost.clock import DAY_MS
from livepost.console.words import day
from livepost.govern.rights.holdings import Holdings
from tests.unit.console.test_pages import ADA, ANSWERS, HELD, HOLDINGS, START
from tests.unit.console.told import Browser, ToldHouse

NOTHING = Holdings(lines=[], travels=[], elsewhere=[], accesses=[])


def shown(held: Holdings) -> str:
    return Browser(ToldHouse(**{**ANSWERS, "holdings": held})).get(f"/people/{ADA.hex()}/held").text


def test_it_says_what_is_held_for_what_and_who_saw_it() -> None:
    text = shown(HOLDINGS)
    assert "event: Product Viewed" in text
    assert '<span class="warn">not said</span>' in text
    assert "90 days" in text
    assert "command:me" in text and "person.read" in text


def test_it_says_until_when_by_a_date_where_there_is_one() -> None:
    goes = (START + 30 * DAY_MS, START + 90 * DAY_MS)
    dated = msgspec.structs.replace(HELD, goes=goes)
    text = shown(msgspec.structs.replace(HOLDINGS, lines=[dated]))
    assert f"from {day(goes[0])} to {day(goes[1])}" in text
    assert day(goes[1]) not in shown(HOLDINGS), "the control: without a date it says what ends it"


def test_it_says_where_it_went_and_which_stores_have_it_besides() -> None:
    text = shown(HOLDINGS)
    assert "Identified.email" in text and "sender" in text
    assert "snapshots" in text and "given once" in text
    [one] = HOLDINGS.travels
    listened = msgspec.structs.replace(one, kind="stream", sure=False)
    assert "may have heard</span>" in shown(msgspec.structs.replace(HOLDINGS, travels=[listened]))
    assert "may have heard</span>" not in text


def test_that_nothing_went_and_nobody_saw_is_said() -> None:
    text = shown(NOTHING)
    assert "Nobody looked at this person" in text
    assert "Nothing of this person left the house" in text
