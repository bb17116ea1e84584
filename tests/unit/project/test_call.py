"""An event made in Python is the Segment call that would have brought it."""

import json
from datetime import UTC, datetime

import pytest

from livepost import Event, Identified, Money, PageViewed
from livepost.errors import ProjectError
from livepost.project.call import call_of


class OrderCompleted(Event):
    order_id: str
    total: Money
    tax: Money | None = None
    coupon: str | None = None
    placed_at: datetime | None = None


def test_a_track_call_has_name_ids_time_and_properties() -> None:
    order = OrderCompleted(
        person="ada",
        anonymous="a1",
        at=datetime(2026, 11, 1, 12, tzinfo=UTC),
        message_id="m1",
        order_id="o1",
        total=Money("49.90", "EUR"),
        placed_at=datetime(2026, 11, 1, 11, 59, tzinfo=UTC),
    )
    assert json.loads(json.dumps(call_of(order))) == {
        "type": "track",
        "event": "Order Completed",
        "userId": "ada",
        "anonymousId": "a1",
        "messageId": "m1",
        "timestamp": "2026-11-01T12:00:00.000+00:00",
        "properties": {
            "order_id": "o1",
            "total": 49.9,
            "currency": "EUR",
            "placed_at": "2026-11-01T11:59:00.000+00:00",
        },
    }


def test_what_an_event_does_not_say_is_left_out() -> None:
    assert call_of(OrderCompleted(person="ada", order_id="o1", total=Money(50))) == {
        "type": "track",
        "event": "Order Completed",
        "userId": "ada",
        "properties": {"order_id": "o1", "total": 50},
    }


def test_identify_carries_traits_and_page_properties() -> None:
    assert call_of(Identified(person="ada", email="ada@example.com")) == {
        "type": "identify",
        "userId": "ada",
        "traits": {"email": "ada@example.com"},
    }
    assert call_of(PageViewed(anonymous="a1", name="Home")) == {
        "type": "page",
        "anonymousId": "a1",
        "properties": {"name": "Home"},
    }


def test_an_event_has_one_currency() -> None:
    order = OrderCompleted(person="ada", order_id="o1", total=Money(50, "EUR"), tax=Money(9, "USD"))
    with pytest.raises(ProjectError, match="in one currency, got EUR and USD"):
        call_of(order)


def test_a_time_without_a_zone_is_refused() -> None:
    order = OrderCompleted(person="ada", at=datetime(2026, 11, 1), order_id="o1", total=Money(50))
    with pytest.raises(ProjectError, match="with a zone"):
        call_of(order)
