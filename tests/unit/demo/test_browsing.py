"""Browsing made up around baskets."""

from __future__ import annotations

from livepost.demo.baskets import Basket, Line
from livepost.demo.browsing import (
    EARLIEST_BEFORE_MS,
    LATEST_AFTER_MS,
    PREFIX,
    before_order,
    without_order,
)

NOON = 1_800_000_000_000
BASKETS = [Basket(number, 1, NOON, 500, [Line("1", "Tea", "Drinks", 500, 1)]) for number in range(2_000)]


def test_a_session_lies_in_the_forty_minutes_before_its_order() -> None:
    looks = [look for basket in BASKETS for look in before_order(basket)]
    assert looks
    assert all(NOON - EARLIEST_BEFORE_MS <= look.at_ms < NOON for look in looks)


def test_a_session_without_an_order_lies_in_the_days_after() -> None:
    looks = [look for basket in BASKETS for look in without_order(basket)]
    assert looks
    assert all(NOON < look.at_ms < NOON + LATEST_AFTER_MS for look in looks)


def test_about_seven_of_ten_baskets_are_filled_online() -> None:
    assert 0.65 < sum(bool(before_order(basket)) for basket in BASKETS) / len(BASKETS) < 0.75


def test_each_session_is_in_order_of_time_and_looks_before_it_takes() -> None:
    for basket in BASKETS[:200]:
        session = before_order(basket)
        assert session == sorted(session, key=lambda look: look.at_ms)
        names = [look.call["event"] for look in session]
        assert names == sorted(names, reverse=True)


def test_message_ids_are_marked_and_never_repeat() -> None:
    ids = [look.call["messageId"] for basket in BASKETS for look in (*before_order(basket), *without_order(basket))]
    assert all(each.startswith(PREFIX) for each in ids)
    assert len(ids) == len(set(ids))


def test_the_same_basket_always_has_the_same_browsing() -> None:
    assert [before_order(basket) for basket in BASKETS] == [before_order(basket) for basket in BASKETS]
