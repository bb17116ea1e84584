"""What the ledger need not know of mails that are long over: whereto they went, what servers answered, what providers
told.

In: a time. Out: how many rows of what are older, or went. Promised: that a mail was decided and sent, and every proof
and wish of a person, stays; an address stays while a cap may still count it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from livepost.ledger.moves import FINAL, State
from livepost.ledger.store import Store, places

AT_ONCE = 1_000
"""Rows of one kind changed in one transaction."""

_OVER = f"state IN ({places(FINAL)})"
_ANSWERED: tuple[State, ...] = ("sent", "failed")
"""States whose `detail` is what a server answered; by that of a skipped mail lift knows who was drawn."""


class _Aged(msgspec.Struct, frozen=True):
    """What goes: rows of a table by their key, those older than a time, by `how`; `values` come before the time."""

    what: str
    table: str
    key: str
    how: str
    which: str
    at: str = "at"
    values: Sequence[str] = ()


AGED: tuple[_Aged, ...] = (
    _Aged(
        "addresses",
        "deliveries",
        "number",
        "UPDATE deliveries SET address = NULL",
        f"address IS NOT NULL AND {_OVER} AND changed_at + cap_per_ms < ?",
        "changed_at",
        FINAL,
    ),
    _Aged(
        "answers of servers",
        "deliveries",
        "number",
        "UPDATE deliveries SET detail = ''",
        f"detail != '' AND state IN ({places(_ANSWERED)}) AND changed_at < ?",
        "changed_at",
        _ANSWERED,
    ),
    _Aged("answers in moves", "moves", "number", "UPDATE moves SET detail = ''", "detail != '' AND at < ?"),
    _Aged("events of providers", "heard", "key", "DELETE FROM heard", "logged = 1 AND at < ?"),
    _Aged("bounces", "soft_bounces", "decision", "DELETE FROM soft_bounces", "at < ?"),
)
"""All that goes by age."""


def last_decided(store: Store) -> dict[str, int]:
    """Return when each campaign last decided a mail (ms)."""
    found = store.read("SELECT campaign, max(at) FROM deliveries GROUP BY campaign")
    return {str(campaign): int(at) for campaign, at in found}


def aged(store: Store, before: int) -> dict[str, tuple[int, int]]:
    """Return of what is older than a time (ms) how many rows there are, and the time of the oldest (0 for none)."""
    found = {}
    for one in AGED:
        sql = f"SELECT count(*), coalesce(min({one.at}), 0) FROM {one.table} WHERE {one.which}"
        [(count, oldest)] = store.read(sql, (*one.values, before))
        found[one.what] = (int(count), int(oldest))
    return found


def next_aged(store: Store, before: int, done: Collection[str]) -> dict[str, list[Any]]:
    """Return the keys of the next AT_ONCE rows of each kind but those that are `done`; no transaction waits for it."""
    return {
        one.what: [
            key
            for (key,) in store.read(
                f"SELECT {one.key} FROM {one.table} WHERE {one.which} LIMIT {AT_ONCE}", (*one.values, before)
            )
        ]
        for one in AGED
        if one.what not in done
    }


def drop(store: Store, found: Mapping[str, Sequence[Any]], before: int) -> dict[str, int]:
    """Take rows out by their keys, those that are still too old, inside a transaction; return how many went."""
    return {
        one.what: store.change(
            f"{one.how} WHERE {one.key} IN ({places(keys)}) AND {one.which}", (*keys, *one.values, before)
        )
        for one in AGED
        if (keys := found.get(one.what, ()))
    }
