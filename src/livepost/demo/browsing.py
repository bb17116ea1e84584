"""Browsing made up around real baskets: the data knows what was bought, not what was looked at.

In: a basket. Out: looks and additions to the cart, some minutes before it, or days after it without an order.
Promised: drawn from a hash of the basket's number alone, so each run makes the same; every message id starts
with `PREFIX`, so that made-up events can be told from real ones and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS
from livepost.demo.baskets import Basket, Line
from livepost.ids import digest

PREFIX = "synthetic-"
EARLIEST_BEFORE_MS = 40 * MINUTE_MS
LATEST_AFTER_MS = 13 * DAY_MS
BETWEEN_LOOKS_MS = 2 * MINUTE_MS
ONLINE_IN_256 = 180
ABANDONED_IN_256 = 20
WINDOW_SHOPPING_IN_256 = 26


class Look(NamedTuple):
    """A look at a product, or its addition to the cart: when (UTC ms), and the call without the shopper's id."""

    at_ms: int
    call: dict[str, Any]


def before_order(basket: Basket) -> list[Look]:
    """Return the session that ended in this basket, in order of time: two or three looks, one or two additions.

    Seven of ten baskets were filled online; the others have no session.
    """
    draw = digest("before", basket.basket)
    if draw[0] >= ONLINE_IN_256:
        return []
    begin = basket.at_ms - EARLIEST_BEFORE_MS + draw[1] % 25 * MINUTE_MS
    return list(_session(basket, "before", begin, views=2 + draw[2] % 2, additions=1 + draw[3] % 2))


def without_order(basket: Basket) -> list[Look]:
    """Return sessions after this basket that end without an order: a cart left behind, a look around.

    One basket in thirteen is followed by the first 10 to 99 hours later, one in ten by the second in the second week.
    """
    draw = digest("without", basket.basket)
    looks: list[Look] = []
    if draw[0] < ABANDONED_IN_256:
        begin = basket.at_ms + (10 + draw[1] % 90) * HOUR_MS
        looks += _session(basket, "cart", begin, views=2, additions=1 + draw[2] % 2)
    if draw[3] < WINDOW_SHOPPING_IN_256:
        begin = basket.at_ms + 8 * DAY_MS + draw[4] % 96 * HOUR_MS
        looks += _session(basket, "look", begin, views=3 + draw[5] % 3, additions=0)
    return looks


def _session(basket: Basket, name: str, begin: int, *, views: int, additions: int) -> Iterator[Look]:
    lines = basket.lines
    for number in range(views + additions):
        viewing = number < views
        line = lines[(number if viewing else number - views) % len(lines)]
        message_id = f"{PREFIX}{name}-{basket.basket}-{number}"
        call = _call(message_id, "Product Viewed" if viewing else "Product Added", line)
        yield Look(begin + number * BETWEEN_LOOKS_MS, call)


def _call(message_id: str, event: str, line: Line) -> dict[str, Any]:
    return {
        "type": "track",
        "event": event,
        "messageId": message_id,
        "properties": {"product_id": line.product_id, "name": line.name, "category": line.category},
    }
