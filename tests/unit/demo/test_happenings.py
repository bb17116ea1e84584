"""What the shoppers do, as calls ordered by time."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from livepost.clock import DAY_MS
from livepost.demo.happenings import Happening, happenings
from livepost.demo.shoppers import allows_marketing, browses_anonymously_first
from livepost.demo.tables import open_tables
from tests.unit.demo.tables_of import tables_of

START = 1_800_000_000_000
LARGEST_EVENT_BYTES = 32 * 1024


@pytest.fixture(scope="module")
def two_weeks() -> list[Happening]:
    return list(happenings(open_tables(), START, START + 14 * DAY_MS))


def test_happenings_are_in_order_of_time(two_weeks: list[Happening]) -> None:
    assert all(one.at_ms <= other.at_ms for one, other in pairwise(two_weeks))


def test_message_ids_never_repeat_and_a_second_reading_makes_the_same(two_weeks: list[Happening]) -> None:
    ids = [each.call["messageId"] for each in two_weeks]
    assert len(ids) == len(set(ids))
    assert list(happenings(open_tables(), START, START + 14 * DAY_MS)) == two_weeks


def test_every_household_is_identified_once_before_its_first_order(two_weeks: list[Happening]) -> None:
    identified: set[int] = set()
    for each in two_weeks:
        if each.call["type"] == "identify":
            assert each.household not in identified
            identified.add(each.household)
        elif each.basket:
            assert each.household in identified


def test_an_anonymous_first_session_is_joined_to_its_shopper_by_the_identify(two_weeks: list[Happening]) -> None:
    anonymous = {each.household for each in two_weeks if "userId" not in each.call}
    joined = {each.household for each in two_weeks if each.call["type"] == "identify" and "anonymousId" in each.call}
    assert anonymous == joined
    assert len(anonymous) > 100
    assert all(browses_anonymously_first(household) for household in anonymous)


def test_consent_comes_with_the_identify(two_weeks: list[Happening]) -> None:
    for each in two_weeks:
        if each.call["type"] == "identify":
            told = each.call["context"]["consent"]["categoryPreferences"]
            assert told == {"Marketing": allows_marketing(each.household)}


def test_made_up_events_are_told_from_real_ones(two_weeks: list[Happening]) -> None:
    kinds = {(each.call.get("event", "identify"), each.synthetic) for each in two_weeks}
    assert kinds == {
        ("identify", False),
        ("Order Completed", False),
        ("Product Viewed", True),
        ("Product Added", True),
    }


def test_no_call_comes_near_the_collector_s_limit(two_weeks: list[Happening]) -> None:
    assert max(len(msgspec.json.encode(each.call)) for each in two_weeks) < LARGEST_EVENT_BYTES / 2


def test_an_order_says_what_it_cost_and_its_dearest_category() -> None:
    order = next(each for each in happenings(tables_of((7, 0, 20.10)), START) if each.basket)
    assert order.at_ms == START
    assert order.call == {
        "userId": "h0007",
        "type": "track",
        "event": "Order Completed",
        "messageId": "order-1",
        "properties": {
            "order_id": "1",
            "total": 20.1,
            "currency": "USD",
            "category": "Cheese",
            "products": [
                {"product_id": "1", "category": "Cheese", "price": 9.55, "quantity": 2},
                {"product_id": "2", "category": "Other", "price": 0.5, "quantity": 2},
            ],
        },
    }
