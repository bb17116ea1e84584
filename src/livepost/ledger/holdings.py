"""All that the ledger holds of one person, for whoever asks what is held on them.

In: the person, keyed hashes of their addresses. Out: rows as plain values, table by table. Promised: every table stands
in GIVEN or in NOBODYS, or a test fails; nothing is bounded, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from livepost.ledger.store import Store, decode_decision

READ_AT_ONCE = 500

_NAMES = "SELECT new FROM persons WHERE old = ?"
_DECISIONS = "SELECT id FROM deliveries WHERE person = ?"


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """A row: of which table, when (workspace's ms; 0: it has no time), its columns by name."""

    table: str
    at: int
    values: dict[str, Any]


class _Given(msgspec.Struct, frozen=True):
    """How rows of a table are found: by the person (`of`), by their mails, or by their addresses."""

    table: str
    columns: str
    at: str
    by: str
    of: str


GIVEN: tuple[_Given, ...] = (
    _Given("persons", "old, new", "", "new", "person"),
    _Given(
        "deliveries",
        "id, body, state, reason, detail, attempts, changed_at, provider, provider_id, sender, address",
        "changed_at",
        "person",
        "person",
    ),
    _Given("moves", "decision, before, after, reason, detail, at", "at", "decision", "mail"),
    _Given("notes", "decision, reason, detail, at", "at", "decision", "mail"),
    _Given("outcomes", "decision, outcome, at", "at", "decision", "mail"),
    _Given("divergences", "decision, campaign, position, fields, times", "", "decision", "mail"),
    _Given("clicks", "id, decision, campaign, at", "at", "decision", "mail"),
    _Given("heard", "decision, at", "at", "decision", "mail"),
    _Given("sends", "decision, draft", "", "decision", "mail"),
    _Given("orders", "id, subject, at, amount, currency", "at", "person", "person"),
    _Given("consents", "purpose, allowed, at, position, source, message_id", "at", "person", "person"),
    _Given("withdrawals", "purpose, at, proof", "at", "person", "person"),
    _Given("proofs", "number, purpose, channel, allowed, at, how, source, message_id, words", "at", "person", "person"),
    _Given(
        "confirmations", "decision, address, wish, asked_at, expires_at, confirmed_at", "asked_at", "person", "person"
    ),
    _Given(
        "consent_events",
        "purpose, channel, step, layer, state, allowed, at, how, source, message_id, position, words",
        "at",
        "person",
        "person",
    ),
    _Given("limits", "kind, purpose, at, request", "at", "person", "person"),
    _Given("suppressions", "address, reason, at", "at", "address", "address"),
    _Given("lifts", "address, was, reason, at", "at", "address", "address"),
    _Given("soft_bounces", "address, decision, at", "at", "address", "address"),
)
"""Tables with rows of a person, and how these are found."""

NOBODYS: dict[str, str] = {
    "tallies": "counts",
    "outcome_tallies": "counts",
    "feedback_tallies": "counts",
    "broadcast_tallies": "counts",
    "sender_tallies": "counts",
    "broadcast_outcomes": "counts",
    "mail_hours": "counts",
    "consent_tallies": "counts",
    "consent_terms": "how long a consent is good",
    "broadcasts": "what was asked of everybody",
    "shown_words": "words shown to many; a proof is given with its own",
    "kills": "campaigns",
    "erasures": "keyed hashes of ids of people who are gone",
    "forgotten": "numbers of people who are gone",
    "permit_changes": "that something changed, without what; the newest only",
    "breakers": "senders",
    "paces": "senders",
    "warm_days": "senders",
    "leases": "processes",
    "bookmarks": "processes",
}
"""Tables that hold nothing of one person, and why."""


def holdings(store: Store, person: bytes, addresses: Sequence[bytes]) -> Iterator[Holding]:
    """Go through all that is held of a person, by any of their names, and of their addresses (keyed hashes)."""
    found = store.read(_NAMES, (person,))
    name = bytes(found[0][0]) if found else person
    mails = [bytes(id_) for (id_,) in store.read(_DECISIONS, (name,))]
    asked = {"person": [name], "mail": mails, "address": list(addresses)}
    for given in GIVEN:
        yield from _rows(store, given, asked[given.of])


def _rows(store: Store, given: _Given, keys: Sequence[bytes]) -> Iterator[Holding]:
    columns = given.columns.split(", ")
    for first in range(0, len(keys), READ_AT_ONCE):
        some = keys[first : first + READ_AT_ONCE]
        marks = ", ".join("?" * len(some))
        for row in store.read(f"SELECT {given.columns} FROM {given.table} WHERE {given.by} IN ({marks})", some):
            values = _with_words(store, given.table, _plain(dict(zip(columns, row, strict=True))))
            yield Holding(table=given.table, at=values.get(given.at, 0) or 0, values=values)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its decision spelled out."""
    body = values.pop("body", None)
    if body is None:
        return values
    return {**values, "decision": msgspec.structs.asdict(decode_decision(body))}


def _with_words(store: Store, table: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return a proof with the words that were shown."""
    if table != "proofs" or not values["words"]:
        return values
    found = store.read("SELECT words FROM shown_words WHERE name = ?", (values["words"],))
    return {**values, "words": str(found[0][0]) if found else ""}
