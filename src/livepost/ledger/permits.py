"""Whether a person's data may leave for a purpose, and of whom that changed: what claims check, asked for others.

In: persons, purposes, addresses. Out: reasons of CHECKS, numbered changes. Promised: a change is numbered in the
transaction that makes it, so that a reader of the numbers misses none; consent fails closed.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.ledger.base import MAX_LISTED, Permit, PermitChange, PermitChanges
from livepost.ledger.checks import Facts, refusal
from livepost.ledger.store import Store

KEPT = 1_000_000
"""Changes that are kept; a reader that is further behind has to look at everybody."""

FORGET_EVERY = 1_000

_FACTS = """SELECT p.name, c.allowed, coalesce(c.at, 0), w.at, s.address IS NOT NULL, t.valid_ms,
    EXISTS (SELECT 1 FROM limits WHERE person = p.name AND kind = 'restricted'),
    EXISTS (SELECT 1 FROM limits WHERE person = p.name AND kind = 'objected' AND purpose IN (?, '*'))
    FROM (SELECT coalesce((SELECT new FROM persons WHERE old = ?), ?) AS name) AS p
    LEFT JOIN consents AS c ON c.person = p.name AND c.purpose = ?
    LEFT JOIN withdrawals AS w ON w.person = p.name AND w.purpose = ?
    LEFT JOIN consent_terms AS t ON t.purpose = c.purpose
    LEFT JOIN suppressions AS s ON s.address = ?"""


def note(store: Store, *, person: bytes | None = None, address: bytes | None = None) -> None:
    """Number a change of what a person, or whoever has an address, allows; inside its transaction."""
    [(number,)] = store.rows(
        "INSERT INTO permit_changes (person, address) VALUES (?, ?) RETURNING number", (person, address)
    )
    if number % FORGET_EVERY == 0:
        store.change("DELETE FROM permit_changes WHERE number <= ?", (number - KEPT,))


def changes(store: Store, after: int, limit: int) -> PermitChanges:
    """Return changes with a number > `after`, in order, and which are kept."""
    [(first, last)] = store.read("SELECT coalesce(min(number), 1), coalesce(max(number), 0) FROM permit_changes")
    found = store.read(
        "SELECT number, person, address FROM permit_changes WHERE number > ? ORDER BY number LIMIT ?",
        (after, min(limit, MAX_LISTED)),
    )
    return PermitChanges(first=first, last=last, items=[PermitChange(*values) for values in found])


def refusals(store: Store, asked: Sequence[Permit], now_ms: int | None) -> list[str]:
    """Return the reason against each, as a claim for a marketing mail would have it; "" for none."""
    return [refusal(_facts(store, one, now_ms)) for one in asked]


def _facts(store: Store, one: Permit, now_ms: int | None) -> Facts:
    values = (one.purpose, one.person, one.person, one.purpose, one.purpose, one.address)
    [found] = store.read(_FACTS, values)
    (_, granted, granted_at, withdrawn_at, suppressed, valid_ms, restricted, objected) = found
    return Facts(
        class_="marketing",
        suppressed=bool(suppressed),
        granted=None if granted is None else bool(granted),
        granted_at=granted_at,
        withdrawn_at=withdrawn_at,
        expired=now_ms is not None and valid_ms is not None and granted_at + valid_ms <= now_ms,
        restricted=bool(restricted),
        objected=bool(objected),
    )
