"""What a person allows and chose, as the ledger has it, with the proof of each word.

In: wishes of pages and confirmations, words that the engine tells. Out: what stands, and proofs. Promised: a refusal
counts from its commit on; a grant counts once the engine has it back from the log, and its proof waits until then; of a
proof nothing is ever changed but the name of its person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from livepost.ids import digest
from livepost.ledger.base import Proof
from livepost.ledger.consents import CHANNEL, cause_of
from livepost.ledger.queries import bounded
from livepost.ledger.store import Store, filled, places
from livepost.model.choice import TOPIC, cap_of, is_choice
from livepost.model.decision import ConsentChange
from livepost.model.record import HOUSE

Read: TypeAlias = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_PROOF = "number, person, purpose, channel, allowed, at, how, source, message_id, words"


def name_of(store: Store, person: bytes) -> bytes:
    """Return what a person is called now, inside a transaction."""
    found = store.rows("SELECT new FROM persons WHERE old = ?", (person,))
    return bytes(found[0][0]) if found else person


def names_of(store: Store, persons: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return what persons are called now, inside a transaction; who has the name of before is left out."""
    asked = filled(sorted(set(persons)))
    found = store.rows(f"SELECT old, new FROM persons WHERE old IN ({places(asked)})", asked) if asked else []
    return {bytes(old): bytes(new) for old, new in found}


def standing(store: Store, person: bytes) -> dict[str, bool]:
    """Return what stands of a person by any of their names, outside a transaction."""
    found = store.read("SELECT new FROM persons WHERE old = ?", (person,))
    return standing_of(store.read, bytes(found[0][0]) if found else person)


def standing_of(read: Read, person: bytes) -> dict[str, bool]:
    """Return what stands, by purpose and choice: the later word, at one time the refusal; `person` is today's name."""
    said: dict[str, tuple[int, bool]] = {}
    words = [(key, at, bool(allowed)) for key, allowed, at in read(_SAID, (person,))]
    words += [(key, at, False) for key, at in read(_WITHDRAWN, (person,))]
    words += [(key, at, bool(allowed)) for key, allowed, at in read(_PROVEN, (person,))]
    for key, at, allowed in words:
        said[key] = max(said.get(key, (-1, False)), (at, not allowed))
    return {key: not refused for key, (_, refused) in said.items()}


_SAID = "SELECT purpose, allowed, at FROM consents WHERE person = ?"
_WITHDRAWN = "SELECT purpose, at FROM withdrawals WHERE person = ?"
_PROVEN = "SELECT purpose, allowed, max(at) FROM proofs WHERE person = ? AND how != 'event' GROUP BY purpose, allowed"


def refused_choices(said: Mapping[str, tuple[Any, ...]], withdrawn: Mapping[str, tuple[int]]) -> frozenset[str]:
    """Return the choices that a claim has to keep: refused by the engine's last word, or by a later withdrawal.

    said       (whether it was allowed, when, ...) by purpose and choice, as the engine last told it of a person
    withdrawn  when it was withdrawn, by purpose and choice
    """
    refused = {key for key, (allowed, *_) in said.items() if not allowed and is_choice(key)}
    for key, (at,) in withdrawn.items():
        allowed, granted_at, *_ = said.get(key, (False, -1))
        if is_choice(key) and not (allowed and granted_at > at):
            refused.add(key)
    return frozenset(refused)


def is_off(refused: frozenset[str], topic: str) -> bool:
    """Say whether a topic is switched off."""
    return bool(topic) and TOPIC + topic in refused


def caps_in(refused: frozenset[str]) -> list[tuple[int, int]]:
    """Return how often a person wants mails at most: each (times, per ms) has to be kept."""
    return [cap for key in refused if (cap := cap_of(key)) is not None]


def granted_at(store: Store, person: bytes, purpose: str) -> int | None:
    """Return when the newest grant was given that the engine may not have told yet; None if there is none."""
    found = store.rows(
        "SELECT max(at) FROM proofs WHERE person = ? AND purpose = ? AND allowed = 1 AND how != 'event'",
        (person, purpose),
    )
    return None if found[0][0] is None else int(found[0][0])


def grant(store: Store, person: bytes, purpose: str, now_ms: int, how: str, source: str, words: str) -> Proof:
    """Note a grant inside a transaction, later than any withdrawal that stands; the log is to have its echo."""
    [(withdrawn_at,)] = store.rows(
        "SELECT max(at) FROM withdrawals WHERE person = ? AND purpose = ?", (person, purpose)
    )
    at = now_ms if withdrawn_at is None else max(now_ms, withdrawn_at + 1)
    return note(store, person, purpose, True, at, how, source, "", words, echoed=False)


def note(
    store: Store,
    person: bytes,
    purpose: str,
    allowed: bool,
    at: int,
    how: str,
    source: str,
    message_id: str,
    words: str,
    *,
    echoed: bool = True,
) -> Proof:
    """Write a proof down inside a transaction; `echoed` says that the log has it, or will have it otherwise."""
    columns = (person, person, purpose, CHANNEL, int(allowed), at, how, source, message_id, words, int(echoed))
    store.change(
        "INSERT INTO proofs (person, said_as, purpose, channel, allowed, at, how, source, message_id, words, echoed)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        columns,
    )
    [(number,)] = store.rows("SELECT max(number) FROM proofs WHERE person = ?", (person,))
    return Proof(
        number=number,
        person=person,
        purpose=purpose,
        channel=CHANNEL,
        allowed=allowed,
        at=at,
        how=how,
        source=source,
        message_id=message_id,
        words=words,
    )


def note_event(store: Store, item: ConsentChange) -> None:
    """Write down inside a transaction what an event said, once; the echo of a page has its proof already."""
    person = name_of(store, item.person)
    known = store.rows(
        "SELECT 1 FROM proofs WHERE person = ? AND purpose = ? AND source = ? AND message_id = ?",
        (person, item.purpose, cause_of(item).source, item.message_id),
    )
    if item.source != HOUSE and not known:
        note(store, person, item.purpose, item.allowed, item.at, "event", cause_of(item).source, item.message_id, "")


def keep_words(store: Store, shown: str) -> str:
    """Keep the words that were shown to a person, once; return their hash, "" where none were."""
    if not shown:
        return ""
    name = digest("words", shown).hex()
    store.change("INSERT INTO shown_words VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, shown))
    return name


def changed(standing: Mapping[str, bool], wishes: Mapping[str, bool]) -> dict[str, bool]:
    """Return the wishes that say something else than what stands; of a choice, that nobody said anything is a yes."""
    return {
        key: allowed
        for key, allowed in sorted(wishes.items())
        if standing.get(key, True if is_choice(key) else None) is not allowed
    }


def move(store: Store, source: bytes, target: bytes) -> None:
    """Give a merged person's proofs to who they are now. Where one of the two refuses a choice, both do from now on."""
    mine, theirs = standing_of(store.rows, target), standing_of(store.rows, source)
    store.change("UPDATE proofs SET person = ? WHERE person = ?", (target, source))
    for key in sorted({*mine, *theirs}):
        if is_choice(key) and mine.get(key, True) is not theirs.get(key, True):
            [(newest,)] = store.rows(
                "SELECT max(at) FROM (SELECT at FROM consents WHERE purpose = ? AND person IN (?, ?)"
                " UNION ALL SELECT at FROM proofs WHERE purpose = ? AND person = ?) AS words",
                (key, source, target, key, target),
            )
            store.change(
                "INSERT INTO withdrawals VALUES (?,?,?,'merged',1) ON CONFLICT (person, purpose) DO UPDATE"
                " SET at = CASE WHEN withdrawals.at > excluded.at THEN withdrawals.at ELSE excluded.at END",
                (target, key, newest or 0),
            )


def part(store: Store, person: bytes, other: bytes, subjects: Sequence[bytes]) -> None:
    """Give the proofs of a person's subjects to who they are again; what was refused as a choice is so by both."""
    for subject in subjects:
        store.change("UPDATE proofs SET person = ? WHERE person = ? AND said_as = ?", (other, person, subject))
    for key, allowed, at in store.rows(_SAID, (person,)):
        if is_choice(key) and not allowed:
            store.change(
                "INSERT INTO withdrawals VALUES (?,?,?,'merged',1) ON CONFLICT (person, purpose) DO NOTHING",
                (other, key, at),
            )


def proofs(store: Store, person: bytes, limit: int) -> list[Proof]:
    """Return a person's proofs, newest first; `person` may be a name from before a merge."""
    found = store.read(
        f"SELECT {_PROOF} FROM proofs WHERE person = coalesce((SELECT new FROM persons WHERE old = ?), ?)"
        " ORDER BY number DESC LIMIT ?",
        (person, person, bounded(limit)),
    )
    return [_proof(values) for values in found]


def unechoed(store: Store, limit: int) -> list[Proof]:
    """Return grants whose echo the log may not have, oldest first."""
    found = store.read(f"SELECT {_PROOF} FROM proofs WHERE echoed = 0 ORDER BY number LIMIT ?", (bounded(limit),))
    return [_proof(values) for values in found]


def words(store: Store, name: str) -> str:
    """Return the words that a proof names; "" for none."""
    found = store.read("SELECT words FROM shown_words WHERE name = ?", (name,))
    return str(found[0][0]) if found else ""


def _proof(values: Sequence[Any]) -> Proof:
    number, person, purpose, channel, allowed, at, how, source, message_id, shown = values
    return Proof(
        number=number,
        person=person,
        purpose=purpose,
        channel=channel,
        allowed=bool(allowed),
        at=at,
        how=how,
        source=source,
        message_id=message_id,
        words=shown,
    )
