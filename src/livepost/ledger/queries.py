"""What people and programs may ask the ledger: deliveries with reasons, history, counts, divergences.

In: filters. Out: structs of `base`. Promised: at most MAX_LISTED rows; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livepost.ledger.base import MAX_LISTED, Delivery, Divergence, Move, Note, Tally, Withdrawal
from livepost.ledger.moves import STATES, State
from livepost.ledger.store import Store, decode_decision
from livepost.model.decision import Decision

DELIVERY = "body, person, state, reason, detail, attempts, changed_at, provider, provider_id, sender"
"""The columns that `delivery_of` wants."""

_MOVE = (
    "m.number, m.decision, d.person, d.campaign, m.before, m.after, m.reason, m.detail, m.at, d.position"
    " FROM moves m JOIN deliveries d ON d.number = m.delivery"
)


def deliveries(
    store: Store, person: bytes | None, campaign: str | None, state: State | None, limit: int
) -> list[Delivery]:
    """Return deliveries, newest first. One search of a state ends at the last that is in it, as `tallies` counts them:
    with a campaign it is along an index, of the newest or of those that did not go out.
    """
    most = bounded(limit)
    given: list[tuple[str, Any]] = []
    if person is not None:
        given.append(("person = coalesce((SELECT new FROM persons WHERE old = ?1), ?1)", person))
    if campaign is not None:
        given.append(("campaign = ?", campaign))
    conditions = [condition for condition, _ in given]
    if state is not None:
        conditions.append(f"state = '{STATES[STATES.index(state)]}'")  # said, as an index of some states needs it
        most = min(most, _tallied(store, campaign, state))
    where = " AND ".join(conditions) or "TRUE"
    found = store.read(
        f"SELECT {DELIVERY} FROM deliveries WHERE {where} ORDER BY number DESC LIMIT ?",
        (*(value for _, value in given), most),
    )
    return [delivery_of(values) for values in found]


def _tallied(store: Store, campaign: str | None, state: State) -> int:
    """Return how many deliveries are in a state, of a campaign if one is named."""
    of, values = (" AND campaign = ?", (state, campaign)) if campaign is not None else ("", (state,))
    [(count,)] = store.read(f"SELECT coalesce(sum(count), 0) FROM tallies WHERE state = ?{of}", values)
    return int(count)


def unknown(store: Store) -> list[Delivery]:
    """Return unknown deliveries, the longest unknown first."""
    found = store.read(
        f"SELECT {DELIVERY} FROM deliveries WHERE state = 'unknown' ORDER BY first_tried LIMIT ?",
        (MAX_LISTED,),
    )
    return [delivery_of(values) for values in found]


def delivery(store: Store, decision: bytes) -> Delivery | None:
    """Return one delivery, or None."""
    found = store.read(f"SELECT {DELIVERY} FROM deliveries WHERE id = ?", (decision,))
    return delivery_of(found[0]) if found else None


def decided(store: Store, after: int, limit: int) -> list[tuple[int, Decision]]:
    """Return numbered decisions, in the order they were taken over."""
    found = store.read(
        "SELECT number, body FROM deliveries WHERE number > ? ORDER BY number LIMIT ?", (after, bounded(limit))
    )
    return [(number, decode_decision(body)) for number, body in found]


def moves(store: Store, after: int, limit: int) -> list[Move]:
    """Return moves with a number > `after`, in order."""
    found = store.read(f"SELECT {_MOVE} WHERE m.number > ? ORDER BY m.number LIMIT ?", (after, bounded(limit)))
    return [_move(values) for values in found]


def history(store: Store, decision: bytes) -> list[Move]:
    """Return a delivery's newest moves, oldest of them first."""
    found = store.read(f"SELECT {_MOVE} WHERE d.id = ? ORDER BY m.number DESC LIMIT ?", (decision, MAX_LISTED))
    return [_move(values) for values in reversed(found)]


def notes(store: Store, decision: bytes) -> list[Note]:
    """Return the cancellations that came too late."""
    found = store.read("SELECT reason, detail, at FROM notes WHERE decision = ? ORDER BY at", (decision,))
    return [Note(decision=decision, reason=reason, detail=detail, at=at) for reason, detail, at in found]


def open_until(store: Store, at_ms: int) -> int:
    """Return how many deliveries decided by then may still be sent; each state is asked by its own index."""
    [(count,)] = store.read(
        "SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending' AND at <= ?)"
        " + (SELECT count(*) FROM deliveries WHERE state = 'claimed' AND at <= ?)"
        " + (SELECT count(*) FROM deliveries WHERE state = 'in_flight' AND at <= ?)",
        (at_ms,) * 3,
    )
    return int(count)


def next_wait(store: Store) -> int | None:
    """Return when the first of the mails that wait is let go; None if none does."""
    [(until,)] = store.read("SELECT min(waits_until) FROM deliveries WHERE state = 'pending' AND waits_until > 0")
    return None if until is None else int(until)


def counts(store: Store) -> list[Tally]:
    """Return the counts kept with each move."""
    found = store.read(
        "SELECT campaign, state, reason, count FROM tallies WHERE count != 0 ORDER BY campaign, state, reason"
    )
    return [
        Tally(campaign=campaign, state=state, reason=reason, count=count) for campaign, state, reason, count in found
    ]


def divergences(store: Store, limit: int) -> list[Divergence]:
    """Return what differed, newest position first."""
    found = store.read(
        "SELECT decision, campaign, position, fields, times FROM divergences ORDER BY position DESC LIMIT ?",
        (bounded(limit),),
    )
    return [
        Divergence(decision=decision, campaign=campaign, position=position, fields=tuple(fields.split()), times=times)
        for decision, campaign, position, fields, times in found
    ]


def unechoed(store: Store, limit: int) -> list[Withdrawal]:
    """Return withdrawals whose echo may be missing, oldest first."""
    found = store.read(
        "SELECT person, purpose, at, proof FROM withdrawals WHERE echoed = 0 ORDER BY at LIMIT ?",
        (bounded(limit),),
    )
    return [Withdrawal(person=person, purpose=purpose, at=at, proof=proof) for person, purpose, at, proof in found]


def delivery_of(values: Sequence[Any]) -> Delivery:
    """Return a row of the columns `DELIVERY` as a struct."""
    body, person, state, reason, detail, attempts, changed_at, provider, provider_id, sender = values
    return Delivery(
        decision=decode_decision(body),
        person=person,
        state=state,
        reason=reason,
        detail=detail,
        attempts=attempts,
        changed_at=changed_at,
        provider=provider,
        provider_id=provider_id,
        sender=sender,
    )


def bounded(limit: int) -> int:
    """Return a limit within 1..MAX_LISTED; raise ValueError below."""
    if limit < 1:
        raise ValueError(f"expected a limit of at least 1, got {limit}")
    return min(limit, MAX_LISTED)


def _move(values: tuple[Any, ...]) -> Move:
    number, decision, person, campaign, before, after, reason, detail, at, position = values
    return Move(
        number=number,
        decision=decision,
        person=person,
        campaign=campaign,
        before=before,
        after=after,
        reason=reason,
        detail=detail,
        at=at,
        position=position,
    )
