"""Calls as a browser's SDK sends them: in comes how many and from how many people, out goes JSON from a fixed seed.

Promised: an event of `view` has 600 bytes, as `CALL_BYTES` says: the plan's fields, what nobody declared, and the
context that analytics.js sends with each call; no two calls of one run share a messageId.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

CALL_BYTES = 600
"""Bytes of one call's JSON."""

SEED = 20_261_122
PRODUCTS = 2_000
CATEGORIES = ("Tea", "Coffee", "Bread", "Fruit", "Cheese", "Soap", "Paper", "Wine")
_AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"
_CONTEXT = {
    "library": {"name": "analytics.js", "version": "next-1.81.1"},
    "locale": "en-US",
    "timezone": "America/New_York",
    "userAgent": _AGENT,
}


def views(count: int, people: int, run: str) -> Iterator[bytes]:
    """Yield `count` "Product Viewed" calls of `people` shoppers; `run` makes the messageIds of this run its own."""
    dice = random.Random(SEED)  # noqa: S311 - the same calls at each run is what is wanted
    now = datetime.now(UTC)
    for number in range(count):
        at = (now - timedelta(milliseconds=count - number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield view(f"shopper-{dice.randrange(people)}", dice.randrange(PRODUCTS), f"{run}-{number:08}", at)


def view(user: str, product: int, message_id: str, at: str) -> bytes:
    """Return a "Product Viewed" call of CALL_BYTES bytes; `at` is its timestamp (ISO 8601)."""
    path = f"/products/{product}"
    page = {"path": path, "title": "", "url": f"https://shop.example{path}"}
    call = {
        "type": "track",
        "event": "Product Viewed",
        "userId": user,
        "messageId": message_id,
        "timestamp": at,
        "properties": {
            "product_id": f"p-{product}",
            "name": f"Product number {product}",
            "category": CATEGORIES[product % len(CATEGORIES)],
            "price": 4.99,
        },
        "context": {**_CONTEXT, "page": page},
    }
    page["title"] = "x" * (CALL_BYTES - len(msgspec.json.encode(call)))
    return msgspec.json.encode(call)


def identify(user: str, message_id: str) -> bytes:
    """Return an identify call that gives a shopper an address and consent to marketing."""
    return msgspec.json.encode(
        {
            "type": "identify",
            "userId": user,
            "messageId": message_id,
            "traits": {"email": f"{user}@example.com", "firstName": "Ada"},
            "context": {"consent": {"categoryPreferences": {"marketing": True}}},
        }
    )


def order(user: str, message_id: str) -> bytes:
    """Return an "Order Completed" call, which brings a mail at once (`small_shop`)."""
    return msgspec.json.encode(
        {
            "type": "track",
            "event": "Order Completed",
            "userId": user,
            "messageId": message_id,
            "properties": {"order_id": message_id, "total": 18.99, "currency": "USD", "category": "Tea"},
        }
    )
