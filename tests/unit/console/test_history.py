"""Counts over time."""

from __future__ import annotations

from livepost.console.history import change, drawn, people_at, until_now
from livepost.model.told import SegmentPoint
from tests.unit.console.shop import DAY, HOUR
from tests.unit.console.told import START

TOLD = [SegmentPoint(START - 2 * DAY, 10), SegmentPoint(START - HOUR, 20), SegmentPoint(START + HOUR, 99)]


def test_a_history_begins_with_what_held_and_ends_now() -> None:
    assert until_now(TOLD, START - DAY, START, 21) == [(START - DAY, 10), (START - HOUR, 20), (START, 21)]


def test_a_history_younger_than_what_is_asked_for_begins_where_it_does() -> None:
    assert until_now(TOLD, START - 3 * DAY, START, 21)[0] == (START - 2 * DAY, 10)


def test_a_count_holds_until_the_next_one_and_there_is_none_before_the_first() -> None:
    assert [people_at(TOLD, START - ago) for ago in (2 * DAY + 1, 2 * DAY, HOUR + 1, HOUR)] == [None, 10, 10, 20]


def test_the_change_since_a_day_has_words() -> None:
    assert change(TOLD, START, 1_210) == "1,200 more than a day ago"
    assert change(TOLD, START, 8) == "2 fewer than a day ago"
    assert change(TOLD, START, 10) == "as many as a day ago"
    assert change([], START, 10) == "no count of a day ago yet"


def test_one_point_is_no_picture() -> None:
    assert drawn([(START, 1)], "browsing", [(464.0, "wide")]) == []
    assert len(drawn([(START - 1, 1), (START, 1)], "browsing", [(464.0, "wide")])) == 1
