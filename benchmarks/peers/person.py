"""The reference's 20 features and 10 segments (`livepost.bench.shop`) for one person, in plain Python.

In: a person's events in log order. Out: what changed, each transition at its moment. It is what an engineer would write
for a per-event framework, and shares nothing with Livepost: running sums over tiles, so that an event costs the
same for busy people; the next moment at which a condition can change by itself is computed, not polled for.

The state is a struct of lists, so that it is one `msgpack` away from bytes. Semantics: docs/reference/semantics.md.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

import msgspec

from benchmarks.peers.event import ADDED, ORDERED, SEARCHED, VIEWED, Event

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NEVER = 2**62
CAP = 1_000
RECENT = 5

VIEWS_1H, VIEWS_24H, VIEWS_7D, VIEWS_30D, SEARCHES_7D, ADDS_24H, ADDS_7D, ORDERS_7D, ORDERS_30D, ORDERS_90D = range(10)
SPEND_30D, SPEND_90D = 10, 11
SPANS = (HOUR, DAY, 7 * DAY, 30 * DAY, 7 * DAY, DAY, 7 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 30 * DAY, 90 * DAY)
GRIDS = (SECOND, 5 * MINUTE, HOUR, DAY, HOUR, 5 * MINUTE, HOUR, HOUR, DAY, DAY, DAY, DAY)
WINDOWS = tuple(zip(SPANS, GRIDS, strict=True))
FED = {VIEWED: (0, 1, 2, 3), SEARCHED: (4,), ADDED: (5, 6), ORDERED: (7, 8, 9, 10, 11)}

SEGMENTS = (
    "browsing",
    "keen",
    "looking",
    "left_cart",
    "undecided",
    "buyer",
    "vip",
    "big_baskets",
    "falling_asleep",
    "fan",
)

Transition = tuple[str, str, bool, int, int]
"""Person, segment, entered, at, and the stamp of the record at which it was told (ms)."""


class Window(msgspec.Struct, array_like=True):
    """A sum over tiles, the oldest first."""

    at: list[int] = []
    of: list[int] = []
    total: int = 0


class Person(msgspec.Struct, array_like=True):
    """One person's state. `due` is when a condition can change next without an event (ms)."""

    windows: list[Window] = msgspec.field(default_factory=lambda: [Window() for _ in WINDOWS])
    viewed: dict[int, dict[str, int]] = {}
    orders: int = 0
    last_add: int = -1
    last_order: int = -1
    last_view: int = -1
    category: tuple[int, str, str] = (-1, "", "")
    looked_at: list[tuple[int, str, str]] = []
    inside: int = 0
    due: int = NEVER


def take(person: Person, event: Event) -> list[Transition]:
    """Fold one event, after every due time up to its stamp; return what changed."""
    found = advance(person, event.person, event.stamp)
    fold(person, event)
    return found + evaluate(person, event.person, event.stamp, event.stamp)


def advance(person: Person, name: str, stamp: int) -> list[Transition]:
    """Evaluate a person at every due time up to `stamp`, the stamp of the record that shows that time has passed."""
    found: list[Transition] = []
    while person.due <= stamp:
        found += evaluate(person, name, person.due, stamp)
    return found


def fold(person: Person, event: Event) -> None:
    """Take an event into the state."""
    name, at = event.name, event.at
    amount = 1
    for number in FED[name]:
        if number >= SPEND_30D:
            amount = event.total
        _add(person.windows[number], at // GRIDS[number] * GRIDS[number], amount)
    if name == VIEWED:
        person.last_view = max(person.last_view, at)
        _look(person, event)
    elif name == ADDED:
        person.last_add = max(person.last_add, at)
    elif name == ORDERED:
        person.orders += 1
        person.last_order = max(person.last_order, at)


def evaluate(person: Person, name: str, moment: int, stamp: int) -> list[Transition]:
    """Bring windows, memberships and the next due time to `moment`; return what changed."""
    _expire(person, moment)
    inside = _memberships(person, moment)
    person.due = _next_due(person, moment)
    changed = inside ^ person.inside
    if not changed:
        return []
    person.inside = inside
    return [
        (name, segment, bool(inside >> place & 1), moment, stamp)
        for place, segment in enumerate(SEGMENTS)
        if changed >> place & 1
    ]


def features(person: Person, moment: int) -> dict[str, Any]:
    """Return all 20 features at a moment; money in minor units, None where there is no value."""
    _expire(person, moment)
    totals = [window.total for window in person.windows]
    ago = {
        name: None if last < 0 else moment - last
        for name, last in (
            ("last_add", person.last_add),
            ("last_order", person.last_order),
            ("last_view", person.last_view),
        )
    }
    return {
        **dict(zip(_COUNTS, totals, strict=True)),
        **ago,
        "basket_90d": totals[SPEND_90D] / totals[ORDERS_90D] if totals[ORDERS_90D] else None,
        "orders": person.orders,
        "category": person.category[2] or None,
        "looked_at": [product for _, _, product in person.looked_at],
        "favourites": _favourites(person),
    }


_COUNTS = (
    "views_1h",
    "views_24h",
    "views_7d",
    "views_30d",
    "searches_7d",
    "adds_24h",
    "adds_7d",
    "orders_7d",
    "orders_30d",
    "orders_90d",
    "spend_30d",
    "spend_90d",
)


def _add(window: Window, tile: int, amount: int) -> None:
    at = window.at
    window.total += amount
    if at and at[-1] == tile:
        window.of[-1] += amount
    elif not at or at[-1] < tile:
        at.append(tile)
        window.of.append(amount)
    else:
        _add_late(window, tile, amount)


def _add_late(window: Window, tile: int, amount: int) -> None:
    place = bisect_left(window.at, tile)
    if window.at[place] == tile:
        window.of[place] += amount
    else:
        window.at.insert(place, tile)
        window.of.insert(place, amount)


def _look(person: Person, event: Event) -> None:
    """Count a product in its day's tile, which tells CAP + 1 of them apart; keep the latest few."""
    tile = person.viewed.setdefault(event.at // DAY * DAY, {})
    if event.product_id in tile or len(tile) <= CAP:
        tile[event.product_id] = tile.get(event.product_id, 0) + 1
    person.category = max(person.category, (event.at, event.id, event.category))
    latest = person.looked_at
    entry = (-event.at, event.id, event.product_id)
    if len(latest) < RECENT or entry < latest[-1]:
        insort(latest, entry)
        del latest[RECENT:]


def _expire(person: Person, moment: int) -> None:
    for window, (span, grid) in zip(person.windows, WINDOWS, strict=True):
        if window.at and window.at[0] < (limit := (moment - span) // grid * grid):
            gone = bisect_left(window.at, limit)
            window.total -= sum(window.of[:gone])
            del window.at[:gone], window.of[:gone]
    limit = (moment - 30 * DAY) // DAY * DAY
    if person.viewed and min(person.viewed) < limit:
        person.viewed = {tile: counted for tile, counted in person.viewed.items() if tile >= limit}


def _memberships(person: Person, moment: int) -> int:
    """Return the segments a person is in, one bit each in the order of SEGMENTS."""
    v1, v24, v7, v30, s7, a24, a7, o7, o30, o90, m30, m90 = [window.total for window in person.windows]
    add, order, view = person.last_add, person.last_order, person.last_view
    return (
        (v7 >= 5 and o7 == 0)
        | (v1 >= 5) << 1
        | (v24 >= 4 or s7 >= 3) << 2
        | (0 <= add <= moment - HOUR and order < add) << 3
        | (a7 >= 2 and o7 == 0) << 4
        | (o30 >= 1) << 5
        | (m90 >= 50_000) << 6
        | (o90 >= 2 and m90 / o90 >= 8_000) << 7
        | (person.orders >= 1 and 0 <= view <= moment - 14 * DAY) << 8
        | (v30 >= 10 and m30 >= 10_000 and a24 >= 1) << 9
    )


_THRESHOLDS = (
    (VIEWS_7D, 5),
    (ORDERS_7D, 1),
    (VIEWS_1H, 5),
    (VIEWS_24H, 4),
    (SEARCHES_7D, 3),
    (ADDS_7D, 2),
    (ORDERS_30D, 1),
    (SPEND_90D, 50_000),
    (ORDERS_90D, 2),
    (VIEWS_30D, 10),
    (SPEND_30D, 10_000),
    (ADDS_24H, 1),
)


def _next_due(person: Person, moment: int) -> int:
    """Return the first moment at which a sum falls below what a segment asks for, or a time since passes."""
    due = NEVER
    windows = person.windows
    for number, threshold in _THRESHOLDS:
        window = windows[number]
        if window.total >= threshold:
            span, grid = WINDOWS[number]
            due = min(due, _carrier(window, threshold) + span + grid)
    if windows[ORDERS_90D].at:  # a mean changes with every tile that leaves
        due = min(due, windows[ORDERS_90D].at[0] + 91 * DAY)
    if person.last_add + HOUR > moment and person.last_add >= 0:
        due = min(due, person.last_add + HOUR)
    if person.last_view + 14 * DAY > moment and person.last_view >= 0:
        due = min(due, person.last_view + 14 * DAY)
    return due


def _carrier(window: Window, threshold: int) -> int:
    """Return the tile with which the sum falls below the threshold: from the newest on, since few tiles reach it."""
    for place in range(len(window.at) - 1, -1, -1):
        threshold -= window.of[place]
        if threshold <= 0:
            return window.at[place]
    raise AssertionError("expected a window whose sum reaches the threshold")


def _favourites(person: Person) -> list[str] | None:
    """Return the three products seen most, the smallest name first among equals; None where they are too many."""
    counted: dict[str, int] = {}
    for tile in person.viewed.values():
        if len(tile) > CAP:
            return None
        for product, count in tile.items():
            counted[product] = counted.get(product, 0) + count
    if len(counted) > CAP:
        return None
    return sorted(counted, key=lambda product: (-counted[product], product))[:3]
