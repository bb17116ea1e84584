"""Whom was erased: what goes from the ledger, and what has to be known of it for good.

In: a person's subjects, keyed hashes of their ids. Out: rows that belong to nobody. Promised: what may be sent is
skipped in the same transaction, and what is decided of them later as it is taken over; no row joins a subject to an
id; the keyed hashes stay, so that nothing of before comes in again.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.ledger import consents, permits
from livepost.ledger.moves import CANCELLABLE
from livepost.ledger.store import ROW, Row, Store, filled, places

ERASED = "erased"
"""The reason of what is skipped since its person was erased."""

_OF_CONSENT = {
    "consents": "DELETE FROM consents WHERE person IN ({})",
    "withdrawals": "DELETE FROM withdrawals WHERE person IN ({})",
}

_THEIRS = "(SELECT id FROM deliveries WHERE person IN ({}))"


def erase(store: Store, subjects: Sequence[bytes], ids: Sequence[bytes], at: int, now_ms: int) -> dict[str, int]:
    """Take a person out of the ledger inside a transaction; return how many rows of what were changed.

    `ids` are keyed hashes of all that names them outside; what happened before `at` does not come in again. Doing it
    again does no harm, and takes what came meanwhile.
    """
    _remember(store, subjects, ids, at)
    done = {"mails skipped": _skip(store, subjects, now_ms)}
    who = filled(subjects)
    marks = places(who)
    theirs = _THEIRS.format(marks)
    for what, sql in (
        ("addresses", f"UPDATE deliveries SET address = NULL WHERE address IS NOT NULL AND person IN ({marks})"),
        ("answers of servers", f"UPDATE deliveries SET detail = '' WHERE detail != '' AND person IN ({marks})"),
        ("answers in moves", f"UPDATE moves SET detail = '' WHERE detail != '' AND decision IN {theirs}"),
        ("drafts", f"UPDATE sends SET draft = NULL WHERE draft IS NOT NULL AND decision IN {theirs}"),
        ("bounces", f"DELETE FROM soft_bounces WHERE decision IN {theirs}"),
        ("wishes", f"DELETE FROM confirmations WHERE person IN ({marks})"),
        ("limits", f"DELETE FROM limits WHERE person IN ({marks})"),
    ):
        done[what] = store.change(sql, who)
    with consents.followed(store, subjects, consents.Cause("erased")):
        for table in ("consents", "withdrawals"):
            done[table] = store.change(_OF_CONSENT[table].format(marks), who)
    for subject in subjects:
        permits.note(store, person=subject)  # whoever keeps a copy elsewhere looks at them again
    return done


def forgotten(store: Store, persons: Sequence[bytes]) -> frozenset[bytes]:
    """Return which of these were erased, inside a transaction."""
    asked = filled(sorted(set(persons)))
    found = store.rows(f"SELECT subject FROM forgotten WHERE subject IN ({places(asked)})", asked) if asked else []
    return frozenset(bytes(subject) for (subject,) in found)


def all_forgotten(store: Store) -> list[bytes]:
    """Return every subject that was erased, those erased last first."""
    return [bytes(subject) for (subject,) in store.read("SELECT subject FROM forgotten ORDER BY at DESC, subject")]


def all_ids(store: Store) -> dict[bytes, int]:
    """Return the keyed hashes of all ids that were erased, each with the time (ms) before which nothing comes in."""
    return {bytes(id): int(at) for id, at in store.read("SELECT id, at FROM erasures")}


def _remember(store: Store, subjects: Sequence[bytes], ids: Sequence[bytes], at: int) -> None:
    store.change_all(
        "INSERT INTO erasures VALUES (?,?) ON CONFLICT (id) DO UPDATE SET at = excluded.at"
        " WHERE excluded.at > erasures.at",
        [(id, at) for id in ids],
    )
    store.change_all("INSERT INTO forgotten VALUES (?,?) ON CONFLICT DO NOTHING", [(one, at) for one in subjects])


def _skip(store: Store, subjects: Sequence[bytes], now_ms: int) -> int:
    who = filled(subjects)
    found = store.rows(
        f"SELECT {ROW} FROM deliveries WHERE person IN ({places(who)}) AND state IN ({places(CANCELLABLE)})",
        [*who, *CANCELLABLE],
    )
    for row in (Row(*values) for values in found):
        store.move(row, "skipped", now_ms, ERASED)
    return len(found)
