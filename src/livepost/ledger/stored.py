"""The one ledger, over whatever store keeps its rows.

In: pages, claims, answers, wishes. Out: what `base.Ledger` says. Promised: each method is one transaction of the store;
front and courier may both have it open (the front only withdraws, suppresses, hears what became of mails, and asks).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from livepost.clock import Clock
from livepost.errors import StoreError
from livepost.ledger import (
    broadcasts,
    choices,
    claims,
    complaints,
    confirmations,
    consents,
    earnings,
    erasures,
    feedback,
    holdings,
    leases,
    limits,
    outcomes,
    permits,
    persons,
    queries,
    retention,
    sends,
    suppressions,
    takeover,
    verdicts,
)
from livepost.ledger.base import (
    ALL_LANES,
    Advanced,
    AskedBroadcast,
    BroadcastTally,
    Claimed,
    Confirmation,
    Confirmed,
    Delivery,
    Divergence,
    Kill,
    KnownSend,
    Lift,
    Limit,
    Move,
    Note,
    Outcome,
    OutcomeTally,
    Permit,
    PermitChanges,
    Proof,
    Ready,
    Send,
    SenderStanding,
    Settlement,
    Suppression,
    TakenOver,
    Tally,
    Verdict,
    Withdrawal,
)
from livepost.ledger.dispatch import standings
from livepost.ledger.holdings import Holding
from livepost.ledger.moves import OPEN, MoveError, State
from livepost.ledger.routing import Routing
from livepost.ledger.schema import TABLES
from livepost.ledger.store import CURSOR, ROW, Row, Store
from livepost.model.choice import EXPIRED
from livepost.model.consent import ConsentEvent, ConsentFault, ConsentTally
from livepost.model.decision import Decision
from livepost.model.earning import Earned, Exposed, Measured
from livepost.model.feedback import ComplaintRate, Feedback, FeedbackTally, Heard
from livepost.model.outbox import OutboxPage
from livepost.model.record import SealedValue


class StoredLedger:
    """See `base.Ledger` for what each method promises. Threads of a process take turns."""

    def __init__(self, store: Store, host: Clock) -> None:
        """Take the rows' store, which is closed with the ledger; `host` is the clock of leases and back-off."""
        self._store = store
        self._host = host

    def cursor(self) -> int:
        """Return the fence; -1 at first."""
        found = self._store.read("SELECT number FROM bookmarks WHERE name = ?", (CURSOR,))
        return int(found[0][0]) if found else -1

    def take_over(self, page: OutboxPage, now_ms: int, worker: str = "") -> TakenOver:
        """Copy a page and move the cursor."""
        with self._store.transaction():
            if worker:
                leases.check_leader(self._store, worker)
            return takeover.take_over(self._store, page, now_ms)

    def claim(
        self, now_ms: int, limit: int, worker: str, lanes: int = ALL_LANES, routing: Routing | None = None
    ) -> list[Claimed]:
        """Take deliveries for sending; skip those with a reason against them."""
        with self._store.transaction():
            return claims.claim(self._store, now_ms, self._host.now_ms(), limit, worker, lanes, routing)

    def waits(self, lanes: int) -> bool:
        """Say whether a delivery of the first lanes could be claimed now."""
        return claims.waits(self._store, self._host.now_ms(), lanes)

    def confirm(
        self,
        claimed: Sequence[Claimed],
        address_hashes: Sequence[bytes],
        now_ms: int,
        routing: Routing | None = None,
        domains: Sequence[str] = (),
    ) -> list[Confirmed]:
        """Repeat the checks and put what passes in flight, each given to a sender."""
        with self._store.transaction():
            host_ms = self._host.now_ms()
            return claims.confirm(self._store, claimed, address_hashes, now_ms, host_ms, routing, domains)

    def senders(self, routing: Routing) -> list[SenderStanding]:
        """Return how each sender stands."""
        with self._store.transaction():
            return standings(self._store, routing, self._host.now_ms())

    def skip(self, claimed: Sequence[Claimed], reason: str, detail: str, now_ms: int) -> None:
        """Skip claims for a reason the courier found."""
        with self._store.transaction():
            claims.skip(self._store, claimed, reason, detail, now_ms)

    def give_back(self, claimed: Sequence[Claimed], now_ms: int) -> None:
        """Let claims be taken again at once."""
        with self._store.transaction():
            claims.give_back(self._store, claimed, now_ms)

    def settle(self, settlements: Sequence[Settlement], now_ms: int) -> None:
        """Write down the senders' answers."""
        with self._store.transaction():
            claims.settle(self._store, settlements, now_ms, self._host.now_ms())

    def advance(
        self,
        settlements: Sequence[Settlement],
        ready: Ready,
        now_ms: int,
        limit: int,
        worker: str,
        lanes: int = ALL_LANES,
        routing: Routing | None = None,
    ) -> Advanced:
        """Settle one group, confirm the next, and claim the one behind it."""
        with self._store.transaction():
            host_ms = self._host.now_ms()
            return claims.advance(self._store, settlements, ready, now_ms, host_ms, limit, worker, lanes, routing)

    def recover(self, now_ms: int, worker: str = "") -> list[Delivery]:
        """Make what is in flight of nobody unknown, and what `worker` had claimed pending; return all unknown."""
        with self._store.transaction():
            claims.recover(self._store, leases.abandoned(self._store, worker, self._host.now_ms()), now_ms)
            if worker:
                claims.return_claims(self._store, worker, now_ms)
        return queries.unknown(self._store)

    def enlist(self, worker: str) -> None:
        """Let a worker be alive for a while."""
        with self._store.transaction():
            leases.enlist(self._store, worker, self._host.now_ms())

    def retire(self, worker: str) -> None:
        """End a worker's leases."""
        with self._store.transaction():
            leases.retire(self._store, worker)

    def lead(self, worker: str) -> bool:
        """Say whether the outbox is this worker's to take over."""
        if leases.leads_long(self._store, worker, self._host.now_ms()):
            return True
        with self._store.transaction():
            return leases.lead(self._store, worker, self._host.now_ms())

    def abandoned(self) -> int:
        """Return how many mails are in flight of workers without a lease."""
        return leases.count_abandoned(self._store, self._host.now_ms())

    def resend(self, now_ms: int, *, waited: bool = False) -> int:
        """Put transactional unknowns younger than 24 h back to pending."""
        with self._store.transaction():
            return claims.resend(self._store, now_ms, self._host.now_ms(), waited)

    def resolve(self, decision: bytes, state: State, detail: str, now_ms: int) -> None:
        """Write what the provider says of an unknown or held delivery."""
        with self._store.transaction():
            row = self._row(decision)
            if row.state not in ("unknown", "held") or state not in ("sent", "failed"):
                raise MoveError(row.state, state)
            self._store.move(row, state, now_ms, detail=detail)

    def hold(self, now_ms: int) -> int:
        """Hold all open deliveries after a restore."""
        states = ", ".join(f"'{state}'" for state in OPEN)
        with self._store.transaction():
            found = self._store.rows(f"SELECT {ROW} FROM deliveries WHERE state IN ({states})")
            for row in (Row(*values) for values in found):
                pinned = int(row.pinned or row.state in ("in_flight", "unknown"))
                self._store.move(row, "held", now_ms, detail="restored from a backup", worker="", pinned=pinned)
            return len(found)

    def release(self, decisions: Sequence[bytes], now_ms: int, detail: str) -> None:
        """Let held deliveries be claimed again."""
        with self._store.transaction():
            for decision in decisions:
                row = self._row(decision)
                if row.state != "held":
                    raise MoveError(row.state, "pending")
                self._store.move(row, "pending", now_ms, detail=detail, not_before=0)

    def say(self, decisions: Sequence[bytes], verdict: Verdict, detail: str, now_ms: int) -> list[bytes]:
        """Move unknown and held deliveries as a person says."""
        with self._store.transaction():
            return verdicts.say(self._store, decisions, verdict, detail, now_ms)

    def withdraw(self, person: bytes, purpose: str, now_ms: int, proof: str) -> Withdrawal:
        """Record a withdrawal; later claims see it."""
        with self._store.transaction():
            return persons.withdraw(self._store, person, purpose, now_ms, proof)

    def unechoed(self, limit: int) -> list[Withdrawal]:
        """Return withdrawals whose echo may be missing from the log."""
        return queries.unechoed(self._store, limit)

    def echoed(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Note that the log has their echoes."""
        with self._store.transaction():
            for one in withdrawals:
                self._store.change(
                    "UPDATE withdrawals SET echoed = 1 WHERE person = ? AND purpose = ? AND at = ?",
                    (choices.name_of(self._store, one.person), one.purpose, one.at),
                )

    def choose(
        self, person: bytes, wishes: Mapping[str, bool], now_ms: int, how: str, source: str, shown: str
    ) -> list[Proof]:
        """Record what a person wishes; return what of it is news."""
        with self._store.transaction():
            return persons.choose(self._store, person, wishes, now_ms, how, source, shown)

    def standing(self, person: bytes) -> dict[str, bool]:
        """Return what a person allows and chose."""
        return choices.standing(self._store, person)

    def proofs(self, person: bytes, limit: int = 100) -> list[Proof]:
        """Return the proofs of what a person said, newest first."""
        return choices.proofs(self._store, person, limit)

    def shown_words(self, name: str) -> str:
        """Return the words that a proof names."""
        return choices.words(self._store, name)

    def consent_history(self, person: bytes, limit: int = 100) -> list[ConsentEvent]:
        """Return what was said about a person's consents, newest first."""
        return consents.history(self._store, person, limit)

    def newest_consents(self, limit: int = 100) -> list[ConsentEvent]:
        """Return what was said about anybody's consents, newest first."""
        return consents.newest(self._store, limit)

    def consent_counts(self) -> list[ConsentTally]:
        """Return of how many people each purpose is in which state."""
        return consents.counts(self._store)

    def consent_faults(self, limit: int = 100) -> list[ConsentFault]:
        """Return where the history of consents is not what claims read."""
        return consents.faults(self._store, limit)

    def set_consent_terms(self, terms: Mapping[str, int]) -> None:
        """Say how long consents are good."""
        with self._store.transaction():
            consents.set_terms(self._store, terms)

    def expire_consents(self, now_ms: int, limit: int = 100) -> list[Withdrawal]:
        """Withdraw consents that have expired."""
        with self._store.transaction():
            due = consents.due(self._store, now_ms, limit)
            return [persons.withdraw(self._store, person, purpose, now_ms, EXPIRED) for person, purpose in due]

    def unechoed_grants(self, limit: int) -> list[Proof]:
        """Return grants whose echo may be missing from the log."""
        return choices.unechoed(self._store, limit)

    def grants_echoed(self, grants: Sequence[Proof]) -> None:
        """Note that the log has their echoes."""
        with self._store.transaction():
            for one in grants:
                self._store.change("UPDATE proofs SET echoed = 1 WHERE number = ?", (one.number,))

    def ask_confirmation(self, one: Confirmation, times: int, per_ms: int) -> bool:
        """Note a wish that has to be confirmed, unless its address was asked so often lately."""
        with self._store.transaction():
            return confirmations.ask(self._store, one, times, per_ms)

    def confirmation(self, decision: bytes) -> Confirmation | None:
        """Return the wish that a mail asks to confirm."""
        return confirmations.find(self._store, decision)

    def confirm_wish(
        self, decision: bytes, person: bytes, wishes: Mapping[str, bool], now_ms: int, shown: str
    ) -> list[Proof]:
        """Note that a wish was confirmed, and record it."""
        with self._store.transaction():
            if not confirmations.note(self._store, decision, now_ms):
                return []
            return persons.choose(self._store, person, wishes, now_ms, "confirmation", decision.hex(), shown)

    def suppress_all(self, address_hashes: Sequence[bytes], reason: str, now_ms: int) -> int:
        """Suppress addresses; return how many were not yet."""
        with self._store.transaction():
            return suppressions.add(self._store, address_hashes, reason, now_ms)

    def lift(self, address_hash: bytes, reason: str, now_ms: int) -> bool:
        """Let an address be sent to again."""
        with self._store.transaction():
            return suppressions.lift(self._store, address_hash, reason, now_ms)

    def suppression(self, address_hash: bytes) -> Suppression | None:
        """Return why and since when an address is suppressed."""
        return suppressions.find(self._store, address_hash)

    def suppressions(self, limit: int = 100) -> list[Suppression]:
        """Return suppressions, newest first."""
        return suppressions.newest(self._store, limit)

    def suppression_counts(self) -> dict[str, int]:
        """Return how many addresses are suppressed, by reason."""
        return suppressions.counts(self._store)

    def lifts(self, address_hash: bytes) -> list[Lift]:
        """Return when and why an address was let go."""
        return suppressions.lifts(self._store, address_hash)

    def suppress(self, address_hash: bytes, reason: str, now_ms: int) -> None:
        """Never send to this address again."""
        with self._store.transaction():
            suppressions.add(self._store, [address_hash], reason, now_ms)

    def permit_changes(self, after: int, limit: int) -> PermitChanges:
        """Return what changed about consents and suppressions."""
        return permits.changes(self._store, after, limit)

    def refusals(self, asked: Sequence[Permit], now_ms: int | None = None) -> list[str]:
        """Return the reasons against letting data leave."""
        return permits.refusals(self._store, asked, now_ms)

    def limit(self, limit: Limit) -> None:
        """Note what a person limited by right: it counts for whatever is claimed from now on."""
        with self._store.transaction():
            limits.add(self._store, limit)

    def unlimit(self, person: bytes) -> bool:
        """Lift a person's restriction; say whether there was one."""
        with self._store.transaction():
            return limits.lift(self._store, person)

    def limits(self, person: bytes) -> list[Limit]:
        """Return what a person limited."""
        return limits.standing(self._store, person)

    def restricted(self, persons: Sequence[bytes]) -> set[bytes]:
        """Return who of these people has their data restricted."""
        return limits.restricted(self._store, persons)

    def send(self, send: Send, now_ms: int) -> KnownSend:
        """Insert a send as pending, or return what its key stands for."""
        with self._store.transaction():
            new = sends.insert(self._store, send, now_ms)
            known = sends.known(self._store.rows, send.key)
            assert known is not None
            return msgspec.structs.replace(known, new=new)

    def known_send(self, key: bytes) -> KnownSend | None:
        """Return what a key stands for; None if it never came."""
        return sends.known(self._store.read, key)

    def draft(self, decision: bytes) -> SealedValue | None:
        """Return the draft of a send that is not final yet."""
        return sends.draft(self._store, decision)

    def kill(self, campaign: str, on: bool, now_ms: int) -> None:
        """Stop a campaign, or let it go on."""
        with self._store.transaction():
            if on:
                self._store.change("INSERT INTO kills VALUES (?,?) ON CONFLICT DO NOTHING", (campaign, now_ms))
            else:
                self._store.change("DELETE FROM kills WHERE campaign = ?", (campaign,))

    def kills(self) -> list[Kill]:
        """Return what is stopped."""
        found = self._store.read("SELECT campaign, at FROM kills ORDER BY campaign")
        return [Kill(campaign=campaign, at=at) for campaign, at in found]

    def ask_broadcast(self, asked: AskedBroadcast) -> AskedBroadcast:
        """Note that a broadcast is asked for; return it as it is known."""
        with self._store.transaction():
            return broadcasts.ask(self._store, asked)

    def approve_broadcast(self, id_: bytes, people: int, by: str, now_ms: int) -> None:
        """Note who approved a broadcast, to so many people."""
        with self._store.transaction():
            broadcasts.approve(self._store, id_, people, by, now_ms)

    def begin_broadcast(self, id_: bytes, position: int, now_ms: int) -> None:
        """Note where in the log a broadcast is."""
        with self._store.transaction():
            broadcasts.begin(self._store, id_, position, now_ms)

    def broadcast(self, id_: bytes) -> AskedBroadcast | None:
        """Return one broadcast, or None."""
        return broadcasts.one(self._store.read, id_)

    def broadcasts(self, limit: int = 100) -> list[AskedBroadcast]:
        """Return broadcasts, newest first."""
        return broadcasts.newest(self._store.read, limit)

    def deliveries(
        self,
        *,
        person: bytes | None = None,
        campaign: str | None = None,
        state: State | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Return deliveries, newest first."""
        return queries.deliveries(self._store, person, campaign, state, limit)

    def delivery(self, decision: bytes) -> Delivery | None:
        """Return one delivery, or None."""
        return queries.delivery(self._store, decision)

    def decided(self, after: int, limit: int) -> list[tuple[int, Decision]]:
        """Return numbered decisions, in the order they were taken over."""
        return queries.decided(self._store, after, limit)

    def moves(self, after: int, limit: int) -> list[Move]:
        """Return moves with number > `after`, in order."""
        return queries.moves(self._store, after, limit)

    def last_move(self) -> int:
        """Return the number of the newest move; 0 if there is none."""
        [(number,)] = self._store.read("SELECT coalesce(max(number), 0) FROM moves")
        return int(number)

    def history(self, decision: bytes) -> list[Move]:
        """Return the moves of one delivery, in order."""
        return queries.history(self._store, decision)

    def notes(self, decision: bytes) -> list[Note]:
        """Return the cancellations that came too late for a delivery."""
        return queries.notes(self._store, decision)

    def open_until(self, at_ms: int) -> int:
        """Return how many deliveries decided by then may still be sent."""
        return queries.open_until(self._store, at_ms)

    def next_wait(self) -> int | None:
        """Return when the first of the mails that wait is let go; None if none does."""
        return queries.next_wait(self._store)

    def counts(self) -> list[Tally]:
        """Return how many deliveries there are by campaign, state and reason."""
        return queries.counts(self._store)

    def broadcast_counts(self) -> list[BroadcastTally]:
        """Return how many mails of each broadcast are where, and what became of them."""
        return broadcasts.counts(self._store)

    def outcomes(self, decision: bytes) -> list[Outcome]:
        """Return what happened to one mail, in order of time."""
        return outcomes.of(self._store, decision)

    def outcome_counts(self) -> list[OutcomeTally]:
        """Return of how many mails each outcome is known, by campaign."""
        return outcomes.counts(self._store)

    def measured(self) -> int:
        """Return the seq up to which the log was measured; -1 at first."""
        return earnings.measured(self._store)

    def measure(self, told: Measured) -> None:
        """Take what a stretch of the log says of mails and orders."""
        with self._store.transaction():
            earnings.take(self._store, told)

    def earned(self, within_ms: int) -> list[Earned]:
        """Return what each campaign and broadcast earned, by last click."""
        return earnings.by_last_click(self._store, within_ms)

    def exposed(self, campaign: str, within_ms: int) -> Exposed:
        """Return whom a campaign treated and held out, and what they bought."""
        return earnings.exposed(self._store, campaign, within_ms)

    def hear(self, told: Sequence[Feedback], now_ms: int) -> list[Heard]:
        """Take what is told of mails, each once by its key."""
        with self._store.transaction():
            return feedback.hear(self._store, told, now_ms)

    def logged(self, keys: Sequence[bytes]) -> None:
        """Note that the log has the records of what was heard."""
        with self._store.transaction():
            feedback.logged(self._store, keys)

    def feedback_counts(self) -> list[FeedbackTally]:
        """Return how many events were heard."""
        return feedback.counts(self._store)

    def complaints(self, now_ms: int) -> ComplaintRate:
        """Return the complaint rate over the rolling window."""
        return complaints.rate(self._store.read, now_ms)

    def ease(self, now_ms: int) -> bool:
        """End the pause that complaints made, if their rate fell below the warning."""
        with self._store.transaction():
            return complaints.ease(self._store, now_ms)

    def divergences(self, limit: int = 100) -> list[Divergence]:
        """Return what differed behind the fence, newest first."""
        return queries.divergences(self._store, limit)

    def holdings(self, person: bytes, addresses: Sequence[bytes]) -> Iterator[Holding]:
        """Go through all that is held of a person and of their addresses (keyed hashes); see `holdings`."""
        return holdings.holdings(self._store, person, addresses)

    def bookmark(self, name: str) -> int:
        """Return how far a reader of `moves` has come; 0 at first."""
        found = self._store.read("SELECT number FROM bookmarks WHERE name = ?", (name,))
        return int(found[0][0]) if found else 0

    def set_bookmark(self, name: str, number: int) -> None:
        """Remember how far a reader of `moves` has come; never back."""
        if name == CURSOR:
            raise ValueError(f"expected a reader's name, got {CURSOR}: only take_over moves the fence")
        with self._store.transaction():
            self._store.change(
                "INSERT INTO bookmarks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number"
                " WHERE excluded.number > bookmarks.number",
                (name, number),
            )

    def erase(self, subjects: Sequence[bytes], ids: Sequence[bytes], at: int, now_ms: int) -> dict[str, int]:
        """Take a person out of the ledger; return how many rows of what were changed."""
        with self._store.transaction():
            return erasures.erase(self._store, subjects, ids, at, now_ms)

    def aged(self, before: int) -> dict[str, tuple[int, int]]:
        """Return of what is older than a time (ms) how many rows there are, and the time of the oldest."""
        return retention.aged(self._store, before)

    def last_decided(self) -> dict[str, int]:
        """Return when each campaign last decided a mail (ms)."""
        return retention.last_decided(self._store)

    def drop_aged(self, before: int, done: Collection[str] = ()) -> dict[str, int]:
        """Take some of what is older than a time (ms) out, not of kinds that are `done`; return how many of what."""
        found = retention.next_aged(self._store, before, done)
        with self._store.transaction():
            gone = retention.drop(self._store, found, before)
        return {what: gone.get(what, 0) for what in found}

    def forgotten(self) -> list[bytes]:
        """Return every subject that was erased."""
        return erasures.all_forgotten(self._store)

    def erased_ids(self) -> dict[bytes, int]:
        """Return the keyed hashes of all ids that were erased, with the times."""
        return erasures.all_ids(self._store)

    def values(self) -> Iterator[Any]:
        """Go through every value of every table: for who looks whether something is there that should not be."""
        for table in TABLES:
            for row in self._store.read(f"SELECT * FROM {table}"):
                yield from row

    def close(self) -> None:
        """Release files."""
        self._store.close()

    def _row(self, decision: bytes) -> Row:
        row = self._store.row(decision)
        if row is None:
            raise StoreError(f"expected a known delivery, got {decision.hex()}; ask /api/deliveries")
        return row
