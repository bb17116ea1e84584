"""Broadcasts: who asked for one, for how many people, who approved it, and where in the log it is.

In: what is asked, approved, begun. Out: broadcasts. Promised: an id is asked for once, approved once, and begun once;
the first answer stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from livepost.ledger.base import MAX_LISTED, AskedBroadcast, BroadcastTally
from livepost.ledger.store import Store

Read: TypeAlias = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_COLUMNS = "id, campaign, message_id, asked_at, asked_by, people, approved_at, approved_by, begun_at, position"


def ask(store: Store, asked: AskedBroadcast) -> AskedBroadcast:
    """Note that a broadcast is asked for, inside a transaction; return it as it is known."""
    store.change(
        f"INSERT INTO broadcasts ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING",
        tuple(getattr(asked, name) for name in _COLUMNS.split(", ")),
    )
    known = one(store.rows, asked.id)
    assert known is not None
    return known


def approve(store: Store, id_: bytes, people: int, by: str, now_ms: int) -> None:
    """Note who approved a broadcast to so many people, inside a transaction."""
    store.change(
        "UPDATE broadcasts SET approved_at = ?, approved_by = ?, people = ? WHERE id = ? AND approved_at = 0",
        (now_ms, by, people, id_),
    )


def begin(store: Store, id_: bytes, position: int, now_ms: int) -> None:
    """Note where in the log a broadcast is, inside a transaction."""
    store.change(
        "UPDATE broadcasts SET begun_at = ?, position = ? WHERE id = ? AND position < 0", (now_ms, position, id_)
    )


def one(read: Read, id_: bytes) -> AskedBroadcast | None:
    """Return a broadcast, None if it was never asked for; `read` runs a query in a transaction or outside one."""
    return next(iter(_found(read, "WHERE id = ?", (id_,))), None)


def newest(read: Read, limit: int) -> list[AskedBroadcast]:
    """Return broadcasts, the newest first."""
    return _found(read, "ORDER BY asked_at DESC, id LIMIT ?", (min(limit, MAX_LISTED),))


def counts(store: Store) -> list[BroadcastTally]:
    """Return the counts kept with each move and outcome of a broadcast's mails."""
    found = store.read(
        "SELECT broadcast, 0, state, reason, count FROM broadcast_tallies WHERE count != 0"
        " UNION ALL SELECT broadcast, 1, outcome, '', count FROM broadcast_outcomes ORDER BY 1, 2, 3, 4"
    )
    return [
        BroadcastTally(broadcast=bytes(id_), kind="outcome" if kind else "state", what=what, reason=reason, count=count)
        for id_, kind, what, reason, count in found
    ]


def _found(read: Read, which: str, values: Sequence[Any]) -> list[AskedBroadcast]:
    names = _COLUMNS.split(", ")
    rows = read(f"SELECT {_COLUMNS} FROM broadcasts {which}", values)
    return [AskedBroadcast(**dict(zip(names, row, strict=True))) for row in rows]
