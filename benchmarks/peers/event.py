"""An event as peers read it, one JSON object a line: what both kinds of logs here have in common.

`stamp` is when the log took it, `at` when it happened (ms); `total` is money in minor units.
"""

from __future__ import annotations

import msgspec

VIEWED, SEARCHED, ADDED, ORDERED = "Product Viewed", "Products Searched", "Product Added", "Order Completed"


class Event(msgspec.Struct):
    """One line. What an event's name does not have is left empty."""

    seq: int
    stamp: int
    at: int
    person: str
    id: str
    name: str
    product_id: str = ""
    category: str = ""
    total: int = 0
