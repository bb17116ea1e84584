"""The page of one segment."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from livepost.console.segment import MEMBERS
from livepost.model.told import Member, SegmentCount
from tests.unit.console.shop import ADA, DAY, SHOP
from tests.unit.console.test_flow import STANDING
from tests.unit.console.test_segments import HISTORY
from tests.unit.console.told import START, Browser, ToldHouse


def _get(path: str = "/segments/browsing", members: Any = (), **answers: Any) -> httpx.Response:
    told = {
        "segments": [SegmentCount("browsing", 42)],
        "segment_history": [HISTORY],
        "members": members if callable(members) else list(members),
        "project": SHOP,
        "standing": STANDING,
        **answers,
    }
    return Browser(ToldHouse(**told)).get(path)


def test_members_lead_to_their_page_with_since_when() -> None:
    text = _get(members=[Member(1, ADA, START), Member(2, bytes(16), 0)]).text
    assert f'href="/people/{ADA.hex()}">000102030405…</a></td><td class="when">2026-01-05 09:00:00 UTC' in text
    assert '<td class="when">always</td>' in text


def test_members_are_paged_by_number_in_the_address() -> None:
    asked: list[tuple[str, int, int]] = []

    def members(segment: str, after: int, limit: int) -> list[Member]:
        asked.append((segment, after, limit))
        return [Member(number, ADA, 0) for number in range(after + 1, after + 1 + limit)]

    text = _get("/segments/browsing?after=9", members).text
    assert asked == [("browsing", 9, MEMBERS + 1)]
    assert f"after={9 + MEMBERS}" in text
    assert "From the first" in text
    assert text.count('<td class="when">always') == MEMBERS


def test_a_page_that_holds_all_offers_no_next_one() -> None:
    text = _get(members=[Member(number, ADA, 0) for number in range(MEMBERS)]).text
    assert "The next" not in text
    assert "From the first" not in text


@pytest.mark.parametrize(("days", "status"), [(1, 200), (90, 200), (0, 400), (91, 400)])
def test_days_look_back_as_far_as_the_page_goes(days: int, status: int) -> None:
    asked: list[int] = []
    answer = _get(f"/segments/browsing?days={days}", segment_history=lambda since_ms: asked.append(since_ms) or [])
    assert answer.status_code == status
    assert asked == ([START - days * DAY] if status == 200 else [])


def test_the_picture_has_its_numbers_and_the_condition_is_the_authors() -> None:
    text = _get().text
    assert 'aria-label="People in browsing since Dec 29, 09:00: between 30 and 42, now 42 people"' in text
    assert '<td class="when">2026-01-05 08:00:00 UTC</td><td class="n">41</td>' in text
    assert "<code>views &gt;= 3</code>" in text


def test_a_segment_that_nobody_is_in_says_so() -> None:
    assert "nobody is now" in _get().text


def test_a_segment_that_is_not_there_names_those_that_are() -> None:
    answer = _get("/segments/renamed")
    assert answer.status_code == 404
    assert "Expected a segment of this project (browsing), got renamed" in answer.text
