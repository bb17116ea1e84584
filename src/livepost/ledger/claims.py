"""Claiming, confirming, settling: what the courier does with a delivery, each a function inside one
transaction.

In: claims with their fence numbers. Out: claims, confirmations. Promised: checks are repeated at each step
that brings a mail nearer to a socket; a late worker's write raises FencedError and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.errors import FencedError
from livepost.ledger import breakers, feedback
from livepost.ledger.base import (
    ALL_LANES,
    LEASE_MS,
    MAX_CLAIMS,
    MAX_IN_FLIGHT,
    RETRY_MS,
    TRANSACTIONAL_RETRY_MS,
    WAITS,
    Advanced,
    Claimed,
    Confirmed,
    Ready,
    Settlement,
)
from livepost.ledger.checks import Facts, refusal
from livepost.ledger.dispatch import Dispatch, Given
from livepost.ledger.facts import GroupFacts, facts_of
from livepost.ledger.leases import renew
from livepost.ledger.routing import Routing
from livepost.ledger.store import ROW, Row, Store, decode_decision
from livepost.model.decision import Decision
from livepost.model.hours import QuietHours, quiet_until
from livepost.model.journal import WATCH_MS
from livepost.model.message import Receipt

MAX_EXAMINED = 5_000
"""Pending deliveries one claim looks at; those it skips make room for more within this."""


def claim(
    store: Store,
    now_ms: int,
    host_ms: int,
    limit: int,
    worker: str,
    lanes: int = ALL_LANES,
    routing: Routing | None = None,
) -> list[Claimed]:
    """Take up to `limit` pending deliveries of the first lanes, skipping those with a reason against them."""
    if not 1 <= limit <= MAX_CLAIMS:
        raise ValueError(f"expected a limit of 1 to {MAX_CLAIMS} claims, got {limit}")
    if routing and routing.senders:
        limit = Dispatch(store, routing, (), host_ms).allowance(limit)
    _return_expired(store, now_ms, host_ms)
    _let_go(store, now_ms)
    claimed: list[Claimed] = []
    examined = 0
    while len(claimed) < limit and examined < MAX_EXAMINED:
        rows = _pending(store, host_ms, limit - len(claimed), lanes)
        if not rows:
            break
        examined += len(rows)
        claimed += _take_group(store, rows, now_ms, host_ms, worker)
    return claimed


def waits(store: Store, host_ms: int, lanes: int) -> bool:
    """Say, outside a transaction, whether a delivery of the first lanes could be claimed now."""
    return bool(store.read(f"SELECT 1 FROM deliveries WHERE {_READY} LIMIT 1", _ready(host_ms, lanes)))


def confirm(
    store: Store,
    claims: Sequence[Claimed],
    addresses: Sequence[bytes],
    now_ms: int,
    host_ms: int,
    routing: Routing | None = None,
    domains: Sequence[str] = (),
) -> list[Confirmed]:
    """Put what passes the checks in flight; the others are skipped, or wait, and are told with their reason."""
    if len(claims) != len(addresses):
        raise ValueError(f"expected an address hash a claim, got {len(addresses)} for {len(claims)} claims")
    for worker in {claim.worker for claim in claims}:
        _refuse_above_in_flight(store, worker, claims)
        renew(store, worker, host_ms)
    rows = _held(store, claims, ("claimed", "skipped", "held"))
    dispatch = Dispatch(store, routing, domains, host_ms) if routing and routing.senders else None
    facts = facts_of(store, rows, [claim.decision for claim in claims], now_ms, addresses)
    confirmed = [
        _confirm_one(store, row, claim, facts, place, address, domain, dispatch, now_ms, host_ms)
        for place, (claim, row, address, domain) in enumerate(
            zip(claims, rows, addresses, domains or [""] * len(claims), strict=True)
        )
    ]
    if dispatch:
        dispatch.save()
    return confirmed


def skip(store: Store, claims: Sequence[Claimed], reason: str, detail: str, now_ms: int) -> None:
    """Skip claims; those a cancellation skipped meanwhile stay as they are."""
    for row in _held(store, claims, ("claimed", "skipped")):
        if row.state == "claimed":
            store.move(row, "skipped", now_ms, reason, detail)


def give_back(store: Store, claims: Sequence[Claimed], now_ms: int) -> None:
    """Return claims to pending; those a cancellation skipped meanwhile stay as they are."""
    for row in _held(store, claims, ("claimed", "skipped")):
        if row.state == "claimed":
            store.move(row, "pending", now_ms, detail="given back", worker="")


def settle(store: Store, settlements: Sequence[Settlement], now_ms: int, host_ms: int) -> None:
    """Write down the senders' answers."""
    rows = _held(store, [settlement.claim for settlement in settlements], ("in_flight",))
    for settlement, row in zip(settlements, rows, strict=True):
        _settle_one(store, row, settlement.receipt, now_ms, host_ms)
    for sender in sorted({row.sender for row in rows if row.sender}):
        answers = [one.receipt for one, row in zip(settlements, rows, strict=True) if row.sender == sender]
        breakers.note(store, sender, answers, host_ms)


def advance(
    store: Store,
    settlements: Sequence[Settlement],
    ready: Ready,
    now_ms: int,
    host_ms: int,
    limit: int,
    worker: str,
    lanes: int = ALL_LANES,
    routing: Routing | None = None,
) -> Advanced:
    """Settle, then confirm, then claim: what the answers make room for is there for the next, senders' troubles too."""
    if settlements:
        settle(store, settlements, now_ms, host_ms)
    confirmed = (
        confirm(store, ready.claims, ready.addresses, now_ms, host_ms, routing, ready.domains) if ready.claims else []
    )
    claimed = claim(store, now_ms, host_ms, limit, worker, lanes, routing) if limit else []
    return Advanced(confirmed=confirmed, claimed=claimed)


def recover(store: Store, abandoned: Sequence[Row], now_ms: int) -> None:
    """What is in flight of nobody is unknown: nobody is there any more who could know."""
    for row in abandoned:
        store.move(row, "unknown", now_ms, detail="the courier stopped before the answer", pinned=1)
        feedback.resolve(store, row, now_ms)


def return_claims(store: Store, worker: str, now_ms: int) -> None:
    """Return what a worker had claimed to pending: it is gone, and nothing of it was written."""
    found = store.rows(f"SELECT {ROW} FROM deliveries WHERE state = 'claimed' AND worker = ?", (worker,))
    for row in (Row(*values) for values in found):
        store.move(row, "pending", now_ms, detail="the courier stopped before it was written", worker="")


def resend(store: Store, now_ms: int, host_ms: int, waited: bool) -> int:
    """Put young transactional unknowns back to pending; return how many. With `waited` only those whose back-off is
    over: as often tried, as long after the first try as temporary refusals would be tried again.
    """
    found = store.rows(
        f"SELECT {ROW} FROM deliveries WHERE state = 'unknown' AND class = 'transactional' AND first_tried > ?"
        " ORDER BY first_tried",
        (host_ms - TRANSACTIONAL_RETRY_MS,),
    )
    rows = [row for row in (Row(*values) for values in found) if not waited or _has_waited(row, host_ms)]
    for row in rows:
        store.move(row, "pending", now_ms, detail="tried again with the same Message-ID", worker="")
    return len(rows)


def _has_waited(row: Row, host_ms: int) -> bool:
    """Say whether the next try is due; a first try that is to come is of a clock that was set back."""
    over = row.attempts - len(RETRY_MS)
    due_ms = row.first_tried + sum(RETRY_MS[: row.attempts]) + max(0, over) * RETRY_MS[-1]
    return not row.first_tried <= host_ms < due_ms


def _return_expired(store: Store, now_ms: int, host_ms: int) -> None:
    """Return claims whose lease is over, or longer than any can be: then the host's clock was set back meanwhile."""
    found = store.rows(
        f"SELECT {ROW} FROM deliveries WHERE state = 'claimed' AND lease_until NOT BETWEEN ? AND ?",
        (host_ms + 1, host_ms + LEASE_MS),
    )
    for row in (Row(*values) for values in found):
        store.move(row, "pending", now_ms, detail="lease expired", worker="", not_before=0)


def _let_go(store: Store, now_ms: int) -> None:
    """Let mails that waited for quiet hours to end be claimed."""
    store.change(
        "UPDATE deliveries SET waits_until = 0, detail = '' WHERE id IN (SELECT id FROM deliveries"
        " WHERE state = 'pending' AND waits_until > 0 AND waits_until <= ? ORDER BY waits_until LIMIT ?)",
        (now_ms, MAX_EXAMINED),
    )


_READY = "state = 'pending' AND waits_until = 0 AND not_before NOT BETWEEN ? AND ? AND lane < ?"
"""What may be tried now; a back-off longer than any is of a clock that was set back, and over."""


def _ready(host_ms: int, lanes: int) -> tuple[int, int, int]:
    return host_ms + 1, host_ms + RETRY_MS[-1], lanes


def _pending(store: Store, host_ms: int, limit: int, lanes: int) -> list[Row]:
    found = store.rows(
        f"SELECT {ROW} FROM deliveries WHERE {_READY} ORDER BY lane, at, position LIMIT ?",
        (*_ready(host_ms, lanes), limit),
    )
    return [Row(*values) for values in found]


def _take_group(store: Store, rows: Sequence[Row], now_ms: int, host_ms: int, worker: str) -> list[Claimed]:
    decisions = [decode_decision(row.body) for row in rows]
    facts = facts_of(store, rows, decisions, now_ms)
    taken = (
        _take(store, row, decision, facts.of(place), now_ms, host_ms, worker)
        for place, (row, decision) in enumerate(zip(rows, decisions, strict=True))
    )
    return [one for one in taken if one is not None]


def _take(
    store: Store, row: Row, decision: Decision, facts: Facts, now_ms: int, host_ms: int, worker: str
) -> Claimed | None:
    if reason := refusal(facts):
        store.move(row, "skipped", now_ms, reason)
        return None
    if until := _quiet_until(decision, now_ms):
        _wait(store, row, until, now_ms)
        return None
    fence = row.fence + 1
    store.move(row, "claimed", now_ms, fence=fence, worker=worker, lease_until=host_ms + LEASE_MS)
    return Claimed(
        decision=decision,
        person=row.person,
        fence=fence,
        worker=worker,
        attempt=row.attempts + 1,
    )


def _refuse_above_in_flight(store: Store, worker: str, claims: Sequence[Claimed]) -> None:
    [(flying,)] = store.rows("SELECT count(*) FROM deliveries WHERE state = 'in_flight' AND worker = ?", (worker,))
    wanted = sum(claim.worker == worker for claim in claims)
    if flying + wanted > MAX_IN_FLIGHT:
        raise ValueError(
            f"expected at most {MAX_IN_FLIGHT} mails in flight for {worker}, got {flying} and {wanted} "
            "more; settle first"
        )


def _confirm_one(
    store: Store,
    row: Row,
    claim: Claimed,
    facts: GroupFacts,
    place: int,
    address: bytes,
    domain: str,
    dispatch: Dispatch | None,
    now_ms: int,
    host_ms: int,
) -> Confirmed:
    if reason := _against(store, row, claim, facts, place, now_ms):
        return Confirmed(claim=claim, reason=reason)
    given = dispatch.give(row, claim.decision.lane, domain) if dispatch else Given()
    if given.reason:
        return Confirmed(claim=claim, reason=_put_off(store, row, given, now_ms, host_ms))
    store.move(
        row,
        "in_flight",
        now_ms,
        address=address,
        attempts=row.attempts + 1,
        first_tried=row.first_tried or host_ms,
        sender=given.sender,
        queued=0,
    )
    return Confirmed(claim=claim, reason="", sender=given.sender)


def _against(store: Store, row: Row, claim: Claimed, facts: GroupFacts, place: int, now_ms: int) -> str:
    """Return what stands against a mail that is to be confirmed, acted on already; "" for nothing."""
    if row.state != "claimed":
        return row.reason or row.state
    if reason := refusal(facts.of(place)):
        store.move(row, "skipped", now_ms, reason)
        return reason
    if until := _quiet_until(claim.decision, now_ms):
        _wait(store, row, until, now_ms)
        return "quiet_hours"
    return ""


def _put_off(store: Store, row: Row, given: Given, now_ms: int, host_ms: int) -> str:
    """Let a mail wait for a sender; marketing that nothing could cancel any more by then is skipped."""
    until = now_ms + given.until - host_ms
    if row.class_ != "transactional" and until - row.at > WATCH_MS:
        store.move(row, "skipped", now_ms, "stale", given.detail)
        return "stale"
    if given.long:
        store.move(row, "pending", now_ms, detail=given.detail, worker="", queued=1, waits_until=until)
    else:
        store.move(row, "pending", now_ms, detail=given.detail, worker="", not_before=given.until)
    return given.reason


def _quiet_until(decision: Decision, now_ms: int) -> int:
    """Return when the quiet hours that it is for the person end (workspace's ms); 0 if it is none."""
    if decision.quiet is None:
        return 0
    start, end, zone = decision.quiet
    until = quiet_until(QuietHours(start, end), zone, now_ms)
    return until if until > now_ms else 0


def _wait(store: Store, row: Row, until: int, now_ms: int) -> None:
    """Let a mail wait for quiet hours to end, or skip it where nothing could cancel it any more by then."""
    if until - row.at > WATCH_MS:
        store.move(row, "skipped", now_ms, "quiet_hours")
        return
    if row.state != "pending":
        store.move(row, "pending", now_ms, worker="")
    store.change("UPDATE deliveries SET waits_until = ?, detail = ? WHERE id = ?", (until, WAITS, row.id))


def _held(store: Store, claims: Sequence[Claimed], states: tuple[str, ...]) -> list[Row]:
    """Return the claims' rows, in order; raise FencedError unless each is still its worker's, and claimed once."""
    rows = store.rows_of([claim.decision.id for claim in claims])
    for claim in claims:
        _check_held(rows.get(claim.decision.id), claim, states)
    if len(rows) < len(claims):
        raise FencedError(f"expected each delivery once, got {len(claims)} claims for {len(rows)}; drop the claims")
    return [rows[claim.decision.id] for claim in claims]


def _check_held(row: Row | None, claim: Claimed, states: tuple[str, ...]) -> None:
    if row is None or row.fence != claim.fence or row.state not in states:
        found = f"fence {row.fence}, {row.state}" if row else "no such delivery"
        raise FencedError(
            f"expected delivery {claim.decision.id.hex()} with fence {claim.fence} in {' or '.join(states)}, "
            f"got {found}; drop the claim"
        )


def _settle_one(store: Store, row: Row, receipt: Receipt, now_ms: int, host_ms: int) -> None:
    provider = {"provider": receipt.provider, "provider_id": receipt.provider_id}
    if receipt.state == "unknown":
        store.move(row, "unknown", now_ms, detail=receipt.text, pinned=1, **provider)
        feedback.resolve(store, row, now_ms)
    elif receipt.state != "temporary":
        store.move(row, receipt.state, now_ms, detail=receipt.text, **provider)
    elif receipt.untried and row.sender:
        _untry(store, row, receipt, now_ms)
    elif row.attempts > len(RETRY_MS):
        store.move(row, "failed", now_ms, detail=f"refused {row.attempts} times, last: {receipt.text}", **provider)
    else:
        store.move(
            row,
            "pending",
            now_ms,
            detail=receipt.text,
            not_before=host_ms + max(RETRY_MS[row.attempts - 1], min(receipt.wait_ms, RETRY_MS[-1])),
            **provider,
        )


def _untry(store: Store, row: Row, receipt: Receipt, now_ms: int) -> None:
    """Let a mail be given to any sender again, for this one was told nothing of it: that costs no attempt."""
    store.move(
        row,
        "pending",
        now_ms,
        detail=receipt.text,
        attempts=row.attempts - 1,
        first_tried=row.first_tried if row.attempts > 1 else 0,
        not_before=0,
    )
