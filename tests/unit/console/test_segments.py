"""The page of segments."""

from __future__ import annotations

from typing import Any

from livepost.model.compiled import Compiled
from livepost.model.told import SegmentCount, SegmentHistory, SegmentPoint
from tests.unit.console.shop import DAY, HOUR, SHOP
from tests.unit.console.test_flow import STANDING
from tests.unit.console.told import START, Browser, ToldHouse

HISTORY = SegmentHistory("browsing", [SegmentPoint(START - 8 * DAY, 30), SegmentPoint(START - HOUR, 41)])


def _page(**answers: Any) -> str:
    told = {
        "segments": [SegmentCount("browsing", 42), SegmentCount("another", 0)],
        "segment_history": [HISTORY],
        "project": SHOP,
        "standing": STANDING,
        **answers,
    }
    return Browser(ToldHouse(**told)).get("/segments").text


def test_each_segment_has_its_people_its_change_and_its_condition() -> None:
    text = _page()
    assert 'data-key="browsing">42</span> <small>people, 12 more than a day ago' in text
    assert "<code>views &gt;= 3</code>" in text
    assert text.index('id="segment-browsing"') < text.index('id="segment-another"')


def test_the_picture_says_in_words_what_it_shows_and_its_numbers_are_there() -> None:
    text = _page()
    assert 'aria-label="People in browsing since Dec 29, 09:00: between 30 and 42, now 42 people"' in text
    assert '<td class="when">2026-01-05 08:00:00 UTC</td><td class="n">41</td><td class="n"></td>' in text


def test_a_segment_without_history_has_no_picture_and_says_when_there_will_be_one() -> None:
    text = _page(segment_history=[])
    assert '<svg class="picture' not in text
    assert "A picture appears here when an hour has been counted" in text
    assert "no count of a day ago yet" in text


def test_a_week_is_asked_for() -> None:
    asked: list[int] = []
    _page(segment_history=lambda since_ms: asked.append(since_ms) or [])
    assert asked == [START - 7 * DAY]


def test_a_project_without_segments_says_how_to_write_one() -> None:
    text = _page(segments=[], segment_history=[], project=Compiled())
    assert "segment(orders &gt;= 2)" in text
    assert "livepost check" in text
