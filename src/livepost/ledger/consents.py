"""The history of consents: whatever changes what a claim sees leaves a row, in the transaction that changes it.

In: work that writes `consents` and `withdrawals`, with its cause. Out: rows that are only ever added. Promised: the
last words of the history are what these tables say; a row that is missing is found (`faults`): steps have no gaps, and
the last one has to say what stands.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from livepost.ledger.base import MAX_LISTED
from livepost.ledger.queries import bounded
from livepost.ledger.store import Store, filled, places
from livepost.model.consent import (
    ECHO,
    GPC,
    TCF,
    ConsentEvent,
    ConsentFault,
    ConsentState,
    ConsentTally,
    Layer,
)
from livepost.model.decision import ConsentChange
from livepost.model.record import HOUSE

CHANNEL = "email"
"""What consent is given for beside its purpose: the one channel there is."""

Stands: TypeAlias = dict[tuple[bytes, str, Layer], tuple[bool, int]]
"""What stands, by person, purpose and layer: whether it is allowed, and since when."""

_EVENT = "number, person, purpose, channel, step, layer, state, allowed, at, how, source, message_id, position, words"
_NAMES = "(person = ? OR person IN (SELECT old FROM persons WHERE new = ?))"


class Cause(msgspec.Struct, frozen=True):
    """Why something changes; see `ConsentEvent`."""

    how: str
    source: str = ""
    message_id: str = ""
    position: int = -1
    words: str = ""


def cause_of(item: ConsentChange) -> Cause:
    """Return why the engine's word changes something."""
    how, source = "event", item.source
    if source == HOUSE:
        how = ECHO
    for prefix in (GPC, TCF):
        if source.startswith(prefix):
            how, source = prefix.removesuffix(":"), source.removeprefix(prefix)
    return Cause(how, source, item.message_id, item.position)


def cause_in(proof: str, words: str = "") -> Cause:
    """Return why a withdrawal with this proof ("HOW SOURCE") changes something."""
    how, _, source = proof.partition(" ")
    return Cause(how, source, words=words)


@contextlib.contextmanager
def followed(store: Store, persons: Sequence[bytes], cause: Cause, purpose: str | None = None) -> Iterator[None]:
    """Do work inside a transaction and write down what it changed for people, by the names they have now; `purpose` if
    it changes no other.
    """
    before = _stands(store, persons, purpose)
    yield
    after = _stands(store, persons, purpose)
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            _note(store, key, after, cause)


def promised(store: Store, person: bytes, purpose: str, at: int, cause: Cause) -> None:
    """Write down a grant of a page inside a transaction, which counts once the engine has told it."""
    step, before = _last(store, person, purpose)
    _write(store, (person, purpose, "page"), step, (before, "given"), (True, at), cause)


def _note(store: Store, key: tuple[bytes, str, Layer], after: Stands, cause: Cause) -> None:
    person, purpose, _ = key
    step, before = _last(store, person, purpose)
    _write(store, key, step, (before, _state(key, after, before, cause)), after.get(key), cause)


def _state(key: tuple[bytes, str, Layer], after: Stands, before: ConsentState | None, cause: Cause) -> ConsentState:
    """Return what stands of a purpose after a change."""
    person, purpose, _ = key
    said = after.get((person, purpose, "engine"))
    taken = after.get((person, purpose, "ledger"))
    if said is None and taken is None:
        return "moved" if cause.how == "merge" else "invalidated"
    if said is not None and said[0] and (taken is None or taken[1] < said[1]):
        return "given"
    if cause.how == "expired":
        return "expired"
    if before in ("withdrawn", "expired", "refused"):
        return before
    return "withdrawn" if before == "given" else "refused"


def _write(
    store: Store,
    key: tuple[bytes, str, Layer],
    step: int,
    states: tuple[ConsentState | None, ConsentState],
    said: tuple[bool, int] | None,
    cause: Cause,
) -> None:
    person, purpose, layer = key
    before, state = states
    allowed, at = (None, 0) if said is None else (int(said[0]), said[1])
    store.change(
        "INSERT INTO consent_events (person, purpose, channel, step, layer, state, allowed, at, how, source,"
        " message_id, position, words) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            *(person, purpose, CHANNEL, step + 1, layer, state, allowed, at),
            *(cause.how, cause.source, cause.message_id, cause.position, cause.words),
        ),
    )
    if before != state:
        _count(store, purpose, before, -1)
        _count(store, purpose, state, 1)


def _count(store: Store, purpose: str, state: ConsentState | None, more: int) -> None:
    if state is not None:
        store.change(
            "INSERT INTO consent_tallies VALUES (?,?,?,?) ON CONFLICT (purpose, channel, state) DO UPDATE"
            " SET people = consent_tallies.people + excluded.people",
            (purpose, CHANNEL, state, more),
        )


def _last(store: Store, person: bytes, purpose: str) -> tuple[int, ConsentState | None]:
    """Return the number of the last word about a purpose under a name, and what stood since; (0, None) before any."""
    found = store.rows(
        "SELECT step, state FROM consent_events WHERE person = ? AND purpose = ? ORDER BY step DESC LIMIT 1",
        (person, purpose),
    )
    return (int(found[0][0]), found[0][1]) if found else (0, None)


def _stands(store: Store, persons: Sequence[bytes], purpose: str | None) -> Stands:
    asked = filled(sorted(set(persons)))
    which, values = f"person IN ({places(asked)})", list[Any](asked)
    if purpose is not None:
        which, values = which + " AND purpose = ?", [*values, purpose]
    said = store.rows(f"SELECT person, purpose, allowed, at FROM consents WHERE {which}", values)
    taken = store.rows(f"SELECT person, purpose, at FROM withdrawals WHERE {which}", values)
    stands: Stands = {(bytes(person), purpose, "engine"): (bool(on), at) for person, purpose, on, at in said}
    stands.update({(bytes(person), purpose, "ledger"): (False, at) for person, purpose, at in taken})
    return stands


def history(store: Store, person: bytes, limit: int) -> list[ConsentEvent]:
    """Return what was said about a person's consents, newest first, by any name they have or had."""
    found = store.read("SELECT new FROM persons WHERE old = ?", (person,))
    name = bytes(found[0][0]) if found else person
    rows = store.read(
        f"SELECT {_EVENT} FROM consent_events WHERE {_NAMES} ORDER BY number DESC LIMIT ?", (name, name, bounded(limit))
    )
    return [_event(values) for values in rows]


def newest(store: Store, limit: int) -> list[ConsentEvent]:
    """Return what was said about anybody's consents, newest first."""
    rows = store.read(f"SELECT {_EVENT} FROM consent_events ORDER BY number DESC LIMIT ?", (bounded(limit),))
    return [_event(values) for values in rows]


def counts(store: Store) -> list[ConsentTally]:
    """Return of how many people each purpose is in which state; who is called otherwise since a merge counts once."""
    rows = store.read(
        "SELECT purpose, channel, state, people FROM consent_tallies WHERE people > 0 AND state != 'moved'"
        " ORDER BY purpose, channel, state"
    )
    return [ConsentTally(purpose=one, channel=by, state=state, people=people) for one, by, state, people in rows]


def set_terms(store: Store, terms: Mapping[str, int]) -> None:
    """Say, inside a transaction, how long consents to purposes are good (ms); to others they are without an end."""
    store.change("DELETE FROM consent_terms")
    for purpose, valid_ms in sorted(terms.items()):
        store.change("INSERT INTO consent_terms VALUES (?, ?)", (purpose, valid_ms))


def due(store: Store, now_ms: int, limit: int) -> list[tuple[bytes, str]]:
    """Return person and purpose of consents that have expired and are not withdrawn yet, inside a transaction."""
    rows = store.rows(
        "SELECT c.person, c.purpose FROM consent_terms AS t JOIN consents AS c ON c.purpose = t.purpose"
        " WHERE c.allowed = 1 AND c.at + t.valid_ms <= ? AND NOT EXISTS (SELECT 1 FROM withdrawals AS w"
        " WHERE w.person = c.person AND w.purpose = c.purpose AND w.at >= c.at) ORDER BY c.at LIMIT ?",
        (now_ms, min(limit, MAX_LISTED)),
    )
    return [(bytes(person), purpose) for person, purpose in rows]


def faults(store: Store, limit: int) -> list[ConsentFault]:
    """Return where history and the tables of claims differ: gaps in the steps, last words that do not stand.

    Reads the whole history; for `livepost consents --check` and for tests.
    """
    gaps = store.read(
        "SELECT person, purpose FROM consent_events GROUP BY person, purpose HAVING count(*) != max(step) LIMIT ?",
        (bounded(limit),),
    )
    found = {(bytes(person), purpose): "a word of the history is missing" for person, purpose in gaps}
    derived, stands = derive(store), _all(store)
    for person, purpose, layer in sorted({*derived, *stands}):
        key = (person, purpose, layer)
        if derived.get(key) != stands.get(key):
            found.setdefault(
                (person, purpose), f"the history says {derived.get(key)}, what claims read {stands.get(key)}"
            )
    return [ConsentFault(person=person, purpose=purpose, why=why) for (person, purpose), why in found.items()][:limit]


def derive(store: Store) -> Stands:
    """Return what stands of everybody, from the history alone."""
    rows = store.read(
        "SELECT person, purpose, layer, allowed, at FROM consent_events WHERE layer != 'page' ORDER BY number"
    )
    stands: Stands = {}
    for person, purpose, layer, allowed, at in rows:
        key = (bytes(person), purpose, layer)
        if allowed is None:
            stands.pop(key, None)
        else:
            stands[key] = (bool(allowed), at)
    return stands


def _all(store: Store) -> Stands:
    said = store.read("SELECT person, purpose, allowed, at FROM consents")
    taken = store.read("SELECT person, purpose, at FROM withdrawals")
    stands: Stands = {(bytes(person), purpose, "engine"): (bool(on), at) for person, purpose, on, at in said}
    stands.update({(bytes(person), purpose, "ledger"): (False, at) for person, purpose, at in taken})
    return stands


def _event(values: Sequence[Any]) -> ConsentEvent:
    number, person, purpose, channel, step, layer, state, allowed, at, how, source, message_id, position, shown = values
    return ConsentEvent(
        number=number,
        person=bytes(person),
        purpose=purpose,
        channel=channel,
        step=step,
        layer=layer,
        state=state,
        allowed=None if allowed is None else bool(allowed),
        at=at,
        how=how,
        source=source,
        message_id=message_id,
        position=position,
        words=shown,
    )
