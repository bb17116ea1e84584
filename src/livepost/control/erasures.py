"""Erasures: who is being erased, how far that is, and the receipt.

In: subjects and keyed hashes, steps that are done. Out: what is to be done next. Promised: an erasure that was asked
for is there until its last step; then nothing of whom it was is left but how many numbers they had.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livepost.control import approvals, requests
from livepost.control.sqlite import ControlStore

AT_ONCE = 5_000
"""Subjects that one statement names: each stands in it twice, and SQLite takes 32,766 values."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a step did, at a time (UTC ms of the host), with how many rows of what.

    remains, until   what is left, and until when (UTC ms); "" where nothing is, None where no time ends it
    """

    at: int
    rows: dict[str, int] = {}
    remains: str = ""
    until: int | None = None


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure under way.

    subjects, hashes  whom: ids of subjects, and keyed hashes of all that names them outside
    asked_at          the host's time (UTC ms); `erased_at` the workspace's, before which nothing comes in again
    position          of the record by which everybody forgets them; -1 while there is none
    done              what each step did so far, by its name, in order
    """

    id: bytes
    by: str
    asked_at: int
    erased_at: int
    subjects: tuple[bytes, ...]
    hashes: tuple[bytes, ...]
    position: int = -1
    done: dict[str, Done] = {}


def begin(store: ControlStore, erasure: Erasure) -> None:
    """Let an erasure be asked for, durably."""
    with store.transaction():
        store.write(
            "INSERT INTO erasures (id, asked_at, body, receipt) VALUES (?, ?, ?, NULL)",
            (erasure.id, erasure.asked_at, _encode(erasure)),
        )


def go_on(store: ControlStore, erasure: Erasure) -> None:
    """Write down how far an erasure is."""
    with store.transaction():
        store.write("UPDATE erasures SET body = ? WHERE id = ?", (_encode(erasure), erasure.id))


def end(store: ControlStore, id: bytes, receipt: bytes, subjects: Sequence[bytes] = ()) -> None:
    """Keep the receipt in place of whom it was about, and take them out of requests and approvals."""
    with store.transaction():
        for first in range(0, len(subjects), AT_ONCE):
            some = subjects[first : first + AT_ONCE]
            requests.forget(store, some, id.hex())
            approvals.forget(store, some)
        store.write("UPDATE erasures SET body = NULL, receipt = ? WHERE id = ?", (receipt, id))
    store.read("PRAGMA wal_checkpoint(TRUNCATE)")


def receipt_of(store: ControlStore, id: bytes) -> bytes | None:
    """Return a receipt as it was signed, None if there is none (yet)."""
    found = store.read("SELECT receipt FROM erasures WHERE id = ?", (id,))
    return found[0][0] if found else None


def under_way(store: ControlStore) -> list[Erasure]:
    """Return the erasures that are not through, the oldest first."""
    found = store.read("SELECT body FROM erasures WHERE body IS NOT NULL ORDER BY asked_at, id")
    return [_decode(body) for (body,) in found]


def receipts(store: ControlStore, limit: int = 100) -> list[bytes]:
    """Return receipts as they were signed, the newest first."""
    found = store.read(
        "SELECT receipt FROM erasures WHERE receipt IS NOT NULL ORDER BY asked_at DESC LIMIT ?", (limit,)
    )
    return [receipt for (receipt,) in found]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Erasure).decode
