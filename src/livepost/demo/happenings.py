"""What the demo's shoppers do, as Segment calls in order of time: baskets become orders, browsing is made up.

In: a connection with the views of `tables`, and when the first basket is to happen. Out: happenings, each with its
time (UTC ms), household and call without timestamp. Promised: the same calls and message ids each time; a household's
identify no later than its first order; no more than the events of `browsing.LATEST_AFTER_MS` held back in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import duckdb

from livepost.demo.baskets import Basket, Line, read_baskets
from livepost.demo.browsing import EARLIEST_BEFORE_MS, PREFIX, before_order, without_order
from livepost.demo.shoppers import (
    address,
    allows_marketing,
    anonymous_id,
    browses_anonymously_first,
    first_name,
    user_id,
)


class Happening(NamedTuple):
    """One call of the demo: when it happens (UTC ms), whose it is, and the Segment call without `timestamp`.

    `basket` is the number of the basket whose order this is, 0 for anything else.
    """

    at_ms: int
    household: int
    call: dict[str, Any]
    basket: int = 0

    @property
    def synthetic(self) -> bool:
        """Whether it was made up (browsing) rather than read from a basket."""
        return str(self.call["messageId"]).startswith(PREFIX)


def happenings(tables: duckdb.DuckDBPyConnection, start_ms: int, through_ms: int | None = None) -> Iterator[Happening]:
    """Yield all happenings in order of time; the first basket happens at `start_ms` (UTC ms).

    With `through_ms`, baskets later than that are left out. Browsing leads up to its basket, so the first
    happenings lie up to `browsing.EARLIEST_BEFORE_MS` before `start_ms`.
    """
    waiting: list[tuple[int, int, Happening]] = []
    number = count()
    met: set[int] = set()
    for basket in read_baskets(tables, start_ms, through_ms):
        while waiting and waiting[0][0] < basket.at_ms - EARLIEST_BEFORE_MS:
            yield heapq.heappop(waiting)[2]
        for happening in _around(basket, first=basket.household not in met):
            heapq.heappush(waiting, (happening.at_ms, next(number), happening))
        met.add(basket.household)
    while waiting:
        yield heapq.heappop(waiting)[2]


def order_message_id(basket: int) -> str:
    """Return the messageId of a basket's order.

    >>> order_message_id(31198570044)
    'order-31198570044'
    """
    return f"order-{basket}"


def _around(basket: Basket, *, first: bool) -> Iterator[Happening]:
    household = basket.household
    known = {"userId": user_id(household)}
    unknown = {"anonymousId": anonymous_id(household)}
    session = before_order(basket)
    anonymous = first and bool(session) and browses_anonymously_first(household)
    if first and not anonymous:
        yield Happening(session[0].at_ms if session else basket.at_ms, household, _identify(household, known))
    for look in session:
        yield Happening(look.at_ms, household, {**(unknown if anonymous else known), **look.call})
    if anonymous:
        yield Happening(basket.at_ms, household, _identify(household, {**known, **unknown}))
    yield Happening(basket.at_ms, household, _order(basket), basket.basket)
    for look in without_order(basket):
        yield Happening(look.at_ms, household, {**known, **look.call})


def _identify(household: int, who: dict[str, str]) -> dict[str, Any]:
    return {
        **who,
        "type": "identify",
        "messageId": f"identify-{household}",
        "traits": {"email": address(household), "firstName": first_name(household)},
        "context": {"consent": {"categoryPreferences": {"Marketing": allows_marketing(household)}}},
    }


def _order(basket: Basket) -> dict[str, Any]:
    return {
        "userId": user_id(basket.household),
        "type": "track",
        "event": "Order Completed",
        "messageId": order_message_id(basket.basket),
        "properties": {
            "order_id": str(basket.basket),
            "total": basket.total_cents / 100,
            "currency": "USD",
            "category": basket.lines[0].category,
            "products": [_product(line) for line in basket.lines],
        },
    }


def _product(line: Line) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "category": line.category,
        "price": round(line.cents / line.quantity) / 100,
        "quantity": line.quantity,
    }
