"""What a person limited by right: their data is kept and not used (GDPR art. 18), a purpose is off for good (art. 21).

In: persons, a purpose or EVERY_PURPOSE. Out: what stands. Promised: it counts from its commit on, whatever is allowed
before or after; a merge keeps what either limited, an undone one leaves it with both; only a restriction is ever
lifted.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.ledger import permits
from livepost.ledger.base import Limit
from livepost.ledger.choices import name_of
from livepost.ledger.store import Store


def add(store: Store, limit: Limit) -> None:
    """Note a limit inside a transaction; the first one of its kind and purpose stays."""
    name = name_of(store, limit.person)
    store.change(
        "INSERT INTO limits (person, kind, purpose, at, request) VALUES (?,?,?,?,?)"
        " ON CONFLICT (person, kind, purpose) DO NOTHING",
        (name, limit.kind, limit.purpose, limit.at, limit.request),
    )
    permits.note(store, person=name)


def lift(store: Store, person: bytes) -> bool:
    """Let a person's data be used again inside a transaction; say whether it was restricted."""
    name = name_of(store, person)
    gone = store.change("DELETE FROM limits WHERE person = ? AND kind = 'restricted'", (name,))
    if gone:
        permits.note(store, person=name)
    return bool(gone)


def standing(store: Store, person: bytes) -> list[Limit]:
    """Return what a person limited, by any of their names, oldest first."""
    found = store.read(
        "SELECT person, kind, purpose, at, request FROM limits"
        " WHERE person = coalesce((SELECT new FROM persons WHERE old = ?), ?) ORDER BY at, kind, purpose",
        (person, person),
    )
    return [
        Limit(person=bytes(name), kind=kind, purpose=purpose, at=at, request=request)
        for name, kind, purpose, at, request in found
    ]


def restricted(store: Store, persons: Sequence[bytes]) -> set[bytes]:
    """Return who of these people, by the names given, has their data restricted."""
    if not store.read("SELECT 1 FROM limits WHERE kind = 'restricted' LIMIT 1", ()):
        return set()
    return {person for person in persons if any(one.kind == "restricted" for one in standing(store, person))}


def move(store: Store, source: bytes, target: bytes) -> None:
    """Give a merged person's limits to who they are now."""
    _copy(store, source, target)
    store.change("DELETE FROM limits WHERE person = ?", (source,))


def part(store: Store, person: bytes, other: bytes) -> None:
    """Leave the limits of a person who is two again with both: nobody knows of whom they were."""
    _copy(store, person, other)


def _copy(store: Store, source: bytes, target: bytes) -> None:
    store.change(
        "INSERT INTO limits (person, kind, purpose, at, request)"
        " SELECT ?, kind, purpose, at, request FROM limits WHERE person = ?"
        " ON CONFLICT (person, kind, purpose) DO NOTHING",
        (target, source),
    )
