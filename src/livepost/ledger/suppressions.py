"""Addresses never to be sent to, as keyed hashes: they outlive the people they were of.

In: hashes. Out: counts and what is known of one. Promised: the first reason stays; lifting one leaves a note of why.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.ledger import permits
from livepost.ledger.base import Lift, Suppression
from livepost.ledger.queries import bounded
from livepost.ledger.store import Store


def add(store: Store, addresses: Sequence[bytes], reason: str, now_ms: int) -> int:
    """Suppress addresses inside a transaction; return how many were not yet."""
    for address in addresses:
        permits.note(store, address=address)
    insert = "INSERT INTO suppressions VALUES (?,?,?) ON CONFLICT (address) DO NOTHING"
    return sum(store.change(insert, (address, reason, now_ms)) for address in addresses)


def lift(store: Store, address: bytes, reason: str, now_ms: int) -> bool:
    """Let an address be sent to again, inside a transaction, with the reason kept; say whether it was suppressed."""
    found = store.rows("SELECT reason FROM suppressions WHERE address = ?", (address,))
    if not found:
        return False
    store.change("DELETE FROM suppressions WHERE address = ?", (address,))
    permits.note(store, address=address)
    store.change(
        "INSERT INTO lifts (address, was, reason, at) VALUES (?,?,?,?)", (address, found[0][0], reason, now_ms)
    )
    return True


def find(store: Store, address: bytes) -> Suppression | None:
    """Return why and since when an address is suppressed; None if it is not."""
    found = store.read("SELECT address, reason, at FROM suppressions WHERE address = ?", (address,))
    return Suppression(*found[0]) if found else None


def newest(store: Store, limit: int) -> list[Suppression]:
    """Return suppressions, newest first."""
    found = store.read(
        "SELECT address, reason, at FROM suppressions ORDER BY at DESC, address LIMIT ?", (bounded(limit),)
    )
    return [Suppression(*values) for values in found]


def counts(store: Store) -> dict[str, int]:
    """Return how many addresses are suppressed, by reason."""
    return dict(store.read("SELECT reason, count(*) FROM suppressions GROUP BY reason ORDER BY reason"))


def lifts(store: Store, address: bytes) -> list[Lift]:
    """Return when and why an address was let go, newest first."""
    found = store.read("SELECT address, was, reason, at FROM lifts WHERE address = ? ORDER BY number DESC", (address,))
    return [Lift(*values) for values in found]
