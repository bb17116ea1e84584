"""What persons are called now, and what they allow: merges move deliveries, consents and withdrawals along.

In: merges, their undoing, and withdrawals. Out: names. Promised: a withdrawal follows its person
through any number of merges, and both people where one is undone; a name from before a merge still finds the person.
"""

from __future__ import annotations

from collections.abc import Mapping

from livepost.ledger import choices, consents, earnings, limits, permits
from livepost.ledger.base import Proof, Withdrawal
from livepost.ledger.choices import name_of
from livepost.ledger.store import Store, decode_decision
from livepost.model.decision import Parting


def merge(store: Store, old: bytes, new: bytes) -> None:
    """Let `old` be called `new` from now on, with all that is kept about it."""
    source, target = name_of(store, old), name_of(store, new)
    if source == target:
        return
    store.change("UPDATE persons SET new = ? WHERE new = ?", (target, source))
    store.change(
        "INSERT INTO persons VALUES (?, ?) ON CONFLICT (old) DO UPDATE SET new = excluded.new", (source, target)
    )
    store.change("UPDATE deliveries SET person = ? WHERE person = ?", (target, source))
    limits.move(store, source, target)
    earnings.merge(store, source, target)
    with consents.followed(store, (source, target), consents.Cause("merge", source.hex())):
        choices.move(store, source, target)
        _merge_consents(store, source, target)
        _merge_withdrawals(store, source, target)
    permits.note(store, person=target)


def part(store: Store, parting: Parting) -> None:
    """Let the subjects of a parting be another person again: their own deliveries go with them.

    What was withdrawn of the one person and still stands is withdrawn of both, whatever either allows up to now: the
    ledger does not know of whom it was.
    """
    person, other = name_of(store, parting.person), parting.other
    for subject in parting.subjects:
        gone = store.change("DELETE FROM persons WHERE old = ?", (subject,))
        if gone and subject != other:
            store.change("INSERT INTO persons VALUES (?, ?)", (subject, other))
    _part_deliveries(store, person, other, frozenset(parting.subjects))
    limits.part(store, person, other)
    earnings.part(store, person, other, parting.subjects)
    permits.note(store, person=person)
    permits.note(store, person=other)
    cause = consents.Cause("parting", other.hex(), position=parting.position)
    with consents.followed(store, (person, other), cause):
        choices.part(store, person, other, parting.subjects)
        _part_consents(store, person, parting)


def _part_consents(store: Store, person: bytes, parting: Parting) -> None:
    """Let what was withdrawn and still stands be withdrawn of both, and what was lost be nobody's."""
    store.change(
        "INSERT INTO withdrawals SELECT ?1, purpose, CASE WHEN at > ?2 THEN at ELSE ?2 END, proof, 0"
        " FROM withdrawals AS w WHERE person = ?3"
        " AND NOT EXISTS (SELECT 1 FROM consents AS c WHERE c.person = w.person AND c.purpose = w.purpose"
        " AND c.allowed = 1 AND c.at > w.at)"
        " ON CONFLICT (person, purpose) DO UPDATE SET at = excluded.at WHERE excluded.at > withdrawals.at",
        (parting.other, parting.at, person),
    )
    for purpose in parting.lost:
        store.change("DELETE FROM consents WHERE person = ? AND purpose = ? AND allowed = 1", (person, purpose))


def _part_deliveries(store: Store, person: bytes, other: bytes, subjects: frozenset[bytes]) -> None:
    rows = store.rows("SELECT id, body FROM deliveries WHERE person = ?", (person,))
    for id_, body in rows:
        if decode_decision(body).person in subjects:
            store.change("UPDATE deliveries SET person = ? WHERE id = ?", (other, id_))


def _merge_consents(store: Store, source: bytes, target: bytes) -> None:
    """Keep, per purpose, what was said later; at the same time, the refusal."""
    store.change(
        "INSERT INTO consents SELECT ?, purpose, allowed, at, position, source, message_id FROM consents"
        " WHERE person = ? ON CONFLICT (person, purpose) DO UPDATE SET allowed = excluded.allowed,"
        " at = excluded.at, source = excluded.source, message_id = excluded.message_id, position = CASE WHEN"
        " excluded.position > consents.position THEN excluded.position ELSE consents.position END"
        " WHERE excluded.at > consents.at"
        " OR (excluded.at = consents.at AND excluded.allowed < consents.allowed)",
        (target, source),
    )
    store.change("DELETE FROM consents WHERE person = ?", (source,))


def _merge_withdrawals(store: Store, source: bytes, target: bytes) -> None:
    """Keep, per purpose, the later withdrawal."""
    store.change(
        "INSERT INTO withdrawals SELECT ?, purpose, at, proof, echoed FROM withdrawals WHERE person = ?"
        " ON CONFLICT (person, purpose) DO UPDATE SET at = excluded.at, proof = excluded.proof,"
        " echoed = excluded.echoed WHERE excluded.at > withdrawals.at",
        (target, source),
    )
    store.change("DELETE FROM withdrawals WHERE person = ?", (source,))


def choose(
    store: Store, person: bytes, wishes: Mapping[str, bool], now_ms: int, how: str, source: str, shown: str
) -> list[Proof]:
    """Record what a person wishes inside a transaction; return what of it is news."""
    name = name_of(store, person)
    news = choices.changed(choices.standing_of(store.rows, name), wishes)
    words = choices.keep_words(store, shown) if news else ""
    if news:
        permits.note(store, person=name)
    told = []
    for purpose, allowed in news.items():
        if allowed:
            given = choices.grant(store, name, purpose, now_ms, how, source, words)
            consents.promised(store, name, purpose, given.at, consents.Cause(how, source, words=words))
            told.append(given)
        else:
            with consents.followed(store, [name], consents.Cause(how, source, words=words), purpose):
                one = _withdraw(store, name, purpose, now_ms, f"{how} {source}")
            told.append(choices.note(store, name, purpose, False, one.at, how, source, "", words))
    return told


def withdraw(store: Store, person: bytes, purpose: str, now_ms: int, proof: str) -> Withdrawal:
    """Record a withdrawal by a mail's link inside a transaction; one that still stands is returned instead."""
    name = name_of(store, person)
    found = store.rows("SELECT at FROM withdrawals WHERE person = ? AND purpose = ?", (name, purpose))
    with consents.followed(store, [name], consents.cause_in(proof), purpose):
        one = _withdraw(store, name, purpose, now_ms, proof)
    permits.note(store, person=name)
    if not found or found[0][0] != one.at:
        how, _, source = proof.partition(" ")
        choices.note(store, name, purpose, False, one.at, how, source, "", "")
    return one


def _withdraw(store: Store, name: bytes, purpose: str, now_ms: int, proof: str) -> Withdrawal:
    """Record a withdrawal of the person of a name, or return the one that still stands.

    It is never earlier than the grant it takes back: the log's stamps may run ahead of this process's clock.
    """
    granted, granted_at = _consent(store, name, purpose)
    promised_at = choices.granted_at(store, name, purpose)
    if promised_at is not None and (granted is not True or promised_at >= granted_at):
        granted, granted_at = True, promised_at + 1
    standing = store.rows("SELECT at, proof FROM withdrawals WHERE person = ? AND purpose = ?", (name, purpose))
    if standing and (granted is not True or standing[0][0] >= granted_at):
        return Withdrawal(person=name, purpose=purpose, at=standing[0][0], proof=standing[0][1])
    at = max(now_ms, granted_at)
    store.change(
        "INSERT INTO withdrawals VALUES (?,?,?,?,0) ON CONFLICT (person, purpose) DO UPDATE SET at = excluded.at,"
        " proof = excluded.proof, echoed = excluded.echoed",
        (name, purpose, at, proof),
    )
    return Withdrawal(person=name, purpose=purpose, at=at, proof=proof)


def _consent(store: Store, person: bytes, purpose: str) -> tuple[bool | None, int]:
    found = store.rows("SELECT allowed, at FROM consents WHERE person = ? AND purpose = ?", (person, purpose))
    return (bool(found[0][0]), int(found[0][1])) if found else (None, 0)
