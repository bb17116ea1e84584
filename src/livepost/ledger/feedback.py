"""What is told of mails, taken once and for all: outcomes, addresses that get nothing any more, consents taken back.

In: Feedback. Out: Heard. Promised: each key counts once; a mail is found only by what proves it (its decision or its
provider's id, and the address it went to); nothing that is told lifts a suppression, a withdrawal or a kill, grants
consent, puts a mail back to pending, or makes room in a cap.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.clock import DAY_MS
from livepost.ledger import complaints, outcomes, suppressions
from livepost.ledger.moves import REJECTED
from livepost.ledger.persons import withdraw
from livepost.ledger.schema import TELLS
from livepost.ledger.store import ROW, Row, Store
from livepost.model.decision import TEST
from livepost.model.feedback import Feedback, FeedbackTally, Heard

SOFT_BOUNCES = 5
"""Mails to an address that bounce softly, none delivered in between, after which it gets no more."""

SOFT_WITHIN_MS = 30 * DAY_MS
"""Within how long."""

BY_PROVIDER = f"SELECT {ROW} FROM deliveries WHERE provider_id = ? AND provider = ? AND {TELLS}"
BY_ADDRESS = f"SELECT {ROW} FROM deliveries WHERE address = ? ORDER BY at DESC LIMIT 1"

_PROOF_OF_SENDING = (
    "delivered",
    "opened",
    "clicked",
    "deferred",
    "soft_bounced",
    "bounced",
    "complained",
    "unsubscribed",
)


def hear(store: Store, told: Sequence[Feedback], now_ms: int) -> list[Heard]:
    """Take what is told, inside a transaction."""
    return [_hear_one(store, one, now_ms) for one in told]


def logged(store: Store, keys: Sequence[bytes]) -> None:
    """Note, inside a transaction, that the log has what was heard under these keys."""
    for key in keys:
        store.change("UPDATE heard SET logged = 1 WHERE key = ?", (key,))


def counts(store: Store) -> list[FeedbackTally]:
    """Return the counts kept with each event."""
    found = store.read("SELECT provider, outcome, ours, count FROM feedback_tallies ORDER BY provider, outcome, ours")
    return [
        FeedbackTally(provider=provider, outcome=outcome, ours=bool(ours), count=count)
        for provider, outcome, ours, count in found
    ]


def resolve(store: Store, row: Row, now_ms: int) -> None:
    """Let a mail that has just become unknown be what was told of it before, if anything was, inside a transaction."""
    told = {outcome for (outcome,) in store.rows("SELECT outcome FROM outcomes WHERE decision = ?", (row.id,))}
    if told.intersection(_PROOF_OF_SENDING):
        store.move(row, "sent", now_ms, detail="its provider had told of it before")
    elif REJECTED in told:
        store.move(row, "failed", now_ms, REJECTED, "its provider had told of it before")


def _hear_one(store: Store, told: Feedback, now_ms: int) -> Heard:
    mail = _mail(store, told)
    if told.outcome is None:  # it only proves that the mail was taken, however often it does
        if mail is not None:
            _settle(store, mail, told, now_ms)
        return Heard(feedback=told, new=False)
    columns = (told.key, mail.id if mail else None, now_ms, int(mail is None))
    if not store.change("INSERT INTO heard VALUES (?,?,?,?) ON CONFLICT (key) DO NOTHING", columns):
        return _known(store, told)
    _tally(store, told, ours=mail is not None)
    is_first = mail is not None and outcomes.note(store, mail.id, told.outcome, told.at)
    if mail is not None:
        _settle(store, mail, told, now_ms)
    _take_away(store, mail, told, now_ms, is_first=is_first)
    return Heard(
        feedback=told,
        new=True,
        unlogged=mail is not None and mail.campaign != TEST,
        decision=mail.id if mail else None,
        person=mail.person if mail else None,
    )


def _known(store: Store, told: Feedback) -> Heard:
    """Return what was heard before; the log may still need it."""
    [(decision, is_logged)] = store.rows("SELECT decision, logged FROM heard WHERE key = ?", (told.key,))
    row = store.row(decision) if decision is not None else None
    if row is None:
        return Heard(feedback=told, new=False)
    return Heard(
        feedback=told, new=False, unlogged=not is_logged and row.campaign != TEST, decision=row.id, person=row.person
    )


def _mail(store: Store, told: Feedback) -> Row | None:
    """Return the mail that a feedback is of, if that is certain.

    Who tells may have many senders' mails, and a decision's id is no secret to the provider: the address must fit too.
    """
    found = store.row(told.decision) if told.decision is not None else None
    if found is None and told.provider_id:
        rows = store.rows(BY_PROVIDER, (told.provider_id, told.provider))
        found = Row(*rows[0]) if len(rows) == 1 else None
    if found is None or (told.address is not None and told.address != _address_of(store, found)):
        return None
    return found


def _address_of(store: Store, row: Row) -> bytes | None:
    [(address,)] = store.rows("SELECT address FROM deliveries WHERE id = ?", (row.id,))
    return None if address is None else bytes(address)


def _settle(store: Store, row: Row, told: Feedback, now_ms: int) -> None:
    """Let an unknown mail be what its provider says, and one that is held since a restore be sent if it was."""
    detail = f"{told.provider} told of it"
    if told.proves == "sent" and row.state in ("unknown", "held"):
        store.move(row, "sent", now_ms, detail=detail)
    elif told.proves == "failed" and row.state == "unknown":
        store.move(row, "failed", now_ms, REJECTED, detail)


def _take_away(store: Store, mail: Row | None, told: Feedback, now_ms: int, *, is_first: bool) -> None:
    """Suppress the address, take back consent, count the complaint; of an address that no mail went to, nothing.

    A mail's complaint is counted once, and one without its mail once an address.
    """
    address = told.address if mail is None else _address_of(store, mail)
    row = mail if mail is not None else _newest_to(store, address)
    if row is None or address is None:
        return
    reason = told.suppress or _bounced_too_often(store, row, address, told)
    if reason:
        is_new = suppressions.add(store, [address], reason, now_ms)
        is_first = is_first or (mail is None and bool(is_new))
    if told.withdraws and row.campaign != TEST:
        proof = f"{told.outcome} {told.provider}" + (f" {mail.id.hex()}" if mail else "")
        withdraw(store, row.person, row.purpose, now_ms, proof)
    if told.outcome == "complained" and is_first and row.class_ == "marketing":
        complaints.count(store, now_ms)


def _newest_to(store: Store, address: bytes | None) -> Row | None:
    """Return the newest mail to an address, by which its person is known."""
    if address is None:
        return None
    rows = store.rows(BY_ADDRESS, (address,))
    return Row(*rows[0]) if rows else None


def _bounced_too_often(store: Store, row: Row, address: bytes, told: Feedback) -> str:
    """Note a soft bounce, one a mail; return the reason if it is one too many."""
    if told.outcome != "soft_bounced":
        return ""
    store.change(
        "INSERT INTO soft_bounces VALUES (?,?,?) ON CONFLICT (address, decision) DO NOTHING",
        (address, row.id, told.at),
    )
    [(reached,)] = store.rows(
        "SELECT coalesce(max(o.at), 0) FROM outcomes o JOIN deliveries d ON d.id = o.decision"
        " WHERE d.address = ? AND o.outcome = 'delivered'",
        (address,),
    )
    [(bounces,)] = store.rows(
        "SELECT count(*) FROM soft_bounces WHERE address = ? AND at > ? AND at > ?",
        (address, told.at - SOFT_WITHIN_MS, reached),
    )
    return "soft bounces" if bounces >= SOFT_BOUNCES else ""


def _tally(store: Store, told: Feedback, *, ours: bool) -> None:
    store.change(
        "INSERT INTO feedback_tallies VALUES (?,?,?,1) ON CONFLICT (provider, outcome, ours) DO UPDATE"
        " SET count = feedback_tallies.count + 1",
        (told.provider, told.outcome, int(ours)),
    )
