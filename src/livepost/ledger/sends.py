"""Sends: mails that programs ask for one by one, each known by its key.

In: sends. Out: deliveries like any other. Promised: a key brings one delivery, however often it comes; what the mail
says stands here sealed, and only until the delivery is final; the hashes stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from livepost.ledger.base import KnownSend, Send
from livepost.ledger.choices import name_of
from livepost.ledger.queries import DELIVERY, delivery_of
from livepost.ledger.store import Store
from livepost.ledger.takeover import rank
from livepost.model.record import SealedValue

Read: TypeAlias = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
_drafts = msgspec.msgpack.Decoder(SealedValue)


def insert(store: Store, send: Send, now_ms: int) -> bool:
    """Insert a send as pending inside a transaction; say whether its key was new."""
    decision, draft = send.decision, msgspec.msgpack.encode(send.draft)
    columns = (send.key, send.body, decision.id, draft)
    if not store.change("INSERT INTO sends VALUES (?,?,?,?) ON CONFLICT (key) DO NOTHING", columns):
        return False
    store.insert(decision, name_of(store, decision.person), rank(decision.lane), now_ms)
    return True


def known(read: Read, key: bytes) -> KnownSend | None:
    """Return what a key stands for, None if it never came; `read` runs a query in a transaction or outside one."""
    for body, decision in read("SELECT body, decision FROM sends WHERE key = ?", (key,)):
        [delivery] = read(f"SELECT {DELIVERY} FROM deliveries WHERE id = ?", (decision,))
        return KnownSend(body=body, delivery=delivery_of(delivery))
    return None


def draft(store: Store, decision: bytes) -> SealedValue | None:
    """Return a send's draft, None if it is forgotten or never was."""
    found = store.read("SELECT draft FROM sends WHERE decision = ? AND draft IS NOT NULL", (decision,))
    return _drafts.decode(found[0][0]) if found else None
