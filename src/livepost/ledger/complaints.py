"""Complaints against marketing mails sent, over a rolling window, and the switch that acts on their rate.

In: hours with their counts, kept with each move and each complaint. Out: a rate, rows of `kills`. Promised: what is
heard only ever stops; a pause ends by time or by a person, a stop by a person; a person's own switch is left alone.

The bounds are those of the large mailbox providers (Gmail's and Yahoo's guidelines for senders: below 0.1 %, never
0.3 %); see `model.feedback`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from livepost.clock import HOUR_MS
from livepost.ledger.base import ALL_MARKETING, COMPLAINTS
from livepost.ledger.store import Store
from livepost.model.feedback import COMPLAINTS_HOURS, ComplaintRate, complaint_level, has_eased

Read: TypeAlias = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


def rate(read: Read, now_ms: int) -> ComplaintRate:
    """Return the rate of the window that ends with the hour of `now_ms`."""
    sent, complained = _counted(read, now_ms)
    paused = read("SELECT at FROM kills WHERE campaign = ?", (COMPLAINTS,))
    level = complaint_level(sent, complained)
    return ComplaintRate(sent=sent, complained=complained, level=level, paused_at=int(paused[0][0]) if paused else None)


def count(store: Store, now_ms: int) -> None:
    """Count a complaint inside a transaction, and pause or stop all marketing if there are too many."""
    store.change(
        "INSERT INTO mail_hours VALUES (?,0,1) ON CONFLICT (hour) DO UPDATE SET complained = mail_hours.complained + 1",
        (now_ms // HOUR_MS,),
    )
    level = complaint_level(*_counted(store.rows, now_ms))
    if level in ("pause", "stop"):
        _kill(store, COMPLAINTS, now_ms)
    if level == "stop":
        _kill(store, ALL_MARKETING, now_ms)


def ease(store: Store, now_ms: int) -> bool:
    """End the pause inside a transaction, if the rate fell; say whether it did."""
    return has_eased(*_counted(store.rows, now_ms)) and bool(
        store.change("DELETE FROM kills WHERE campaign = ?", (COMPLAINTS,))
    )


def _kill(store: Store, name: str, now_ms: int) -> None:
    store.change("INSERT INTO kills VALUES (?,?) ON CONFLICT (campaign) DO NOTHING", (name, now_ms))


def _counted(read: Read, now_ms: int) -> tuple[int, int]:
    [(sent, complained)] = read(
        "SELECT coalesce(sum(sent), 0), coalesce(sum(complained), 0) FROM mail_hours WHERE hour > ? AND hour <= ?",
        (now_ms // HOUR_MS - COMPLAINTS_HOURS, now_ms // HOUR_MS),
    )
    return int(sent), int(complained)
