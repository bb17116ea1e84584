"""Double opt-in: who asked to be asked, until when the answer counts, and that it came.

In: wishes with a keyed hash of the address, sealed. Out: the wish behind a link. Promised: an address is asked at most
so often in a time; what was not answered in time is dropped with its seal.
"""

from __future__ import annotations

import msgspec

from livepost.ledger.base import Confirmation
from livepost.ledger.store import Store
from livepost.model.record import SealedValue

_wishes = msgspec.msgpack.Decoder(SealedValue)


def ask(store: Store, one: Confirmation, times: int, per_ms: int) -> bool:
    """Note a wish inside a transaction, unless its address was asked so often lately; say whether it was noted."""
    store.change("DELETE FROM confirmations WHERE confirmed_at = 0 AND expires_at <= ?", (one.asked_at,))
    [(lately,)] = store.rows(
        "SELECT count(*) FROM confirmations WHERE address = ? AND asked_at > ? AND decision != ?",
        (one.address, one.asked_at - per_ms, one.decision),
    )
    if lately >= times:
        return False
    columns = (one.decision, one.address, one.person, msgspec.msgpack.encode(one.wish), one.asked_at, one.expires_at)
    store.change("INSERT INTO confirmations VALUES (?,?,?,?,?,?,0) ON CONFLICT (decision) DO NOTHING", columns)
    return True


def find(store: Store, decision: bytes) -> Confirmation | None:
    """Return the wish behind a link; None if there is none, or it was dropped."""
    found = store.read(
        "SELECT decision, address, person, wish, asked_at, expires_at, confirmed_at FROM confirmations"
        " WHERE decision = ?",
        (decision,),
    )
    for id_, address, person, wish, asked_at, expires_at, confirmed_at in found:
        return Confirmation(
            decision=id_,
            address=address,
            person=person,
            wish=_wishes.decode(wish),
            asked_at=asked_at,
            expires_at=expires_at,
            confirmed_at=confirmed_at,
        )
    return None


def note(store: Store, decision: bytes, now_ms: int) -> bool:
    """Note that a wish was confirmed inside a transaction; say whether it was not before."""
    update = "UPDATE confirmations SET confirmed_at = ? WHERE decision = ? AND confirmed_at = 0"
    return store.change(update, (now_ms, decision)) > 0
