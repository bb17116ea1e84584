"""What every ledger does. Body: `sqlite.py` (":memory:" for rehearsals), with the rules of `stored.py`; it passes
`livepost.testing.contracts.ledger`.

Two clocks: `now_ms` arguments are the workspace's time, written into moves and compared with consents;
leases, back-off and the 24 hours of a transactional retry run on the host's clock, which a demo shop does not
stretch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from livepost.ledger.moves import State
from livepost.ledger.routing import Routing
from livepost.model.consent import ConsentEvent, ConsentFault, ConsentTally
from livepost.model.decision import Decision
from livepost.model.earning import Earned, Exposed, Measured
from livepost.model.feedback import ComplaintRate, Feedback, FeedbackTally, Heard, OutcomeKind
from livepost.model.message import Receipt
from livepost.model.outbox import OutboxPage
from livepost.model.record import SealedValue

MAX_CLAIMS = 500
"""Deliveries one claim may take."""

MAX_IN_FLIGHT = 20
"""Mails whose first byte may be written while their answer is out, per worker (a connection)."""

MAX_LISTED = 1_000
"""Rows a query gives."""

LEASE_MS = MINUTE_MS
"""How long a claim is good before anyone may take the delivery again (host time)."""

WORKER_LEASE_MS = 30 * SECOND_MS
"""How long a worker that said nothing more is taken for alive: what it has in flight is its own so long (host time)."""

BEAT_MS = 5 * SECOND_MS
"""How often a worker says that it is."""

RETRY_MS: tuple[int, ...] = (MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS)
"""Back-off after the n-th temporary refusal (host time); after the last the delivery fails."""

TRANSACTIONAL_RETRY_MS = 24 * HOUR_MS
"""How long after its first try a transactional mail leaves `unknown` by being sent again (host time)."""

ALL_MARKETING = "*"
"""What stops every campaign of the class marketing at once: a name that no author can give one."""

COMPLAINTS = "*complaints"
"""What pauses every campaign of the class marketing while too many recipients complain; see `complaints`."""

WAITS = "waits for quiet hours to end"
"""The detail of a pending mail that does."""

BUSY_MS = 5 * SECOND_MS
"""How long a writer waits for the other process's transaction."""

EVERY_PURPOSE = "*"
"""What is limited for all purposes: a restriction always is, an objection to direct marketing too."""

LANES: tuple[str, ...] = ("transactional", "triggered", "bulk", "backfill")
"""Lanes in the order in which they are claimed."""

ALL_LANES = len(LANES) + 1
"""As many as there are, with the one of decisions whose lane has no name here."""


LimitKind: TypeAlias = Literal["restricted", "objected"]

Verdict: TypeAlias = Literal["sent", "not_sent", "release", "drop"]
"""What a person says of a mail that is unknown or held; see `verdicts`."""

BreakerState: TypeAlias = Literal["closed", "open", "half-open"]


class TakenOver(msgspec.Struct, frozen=True, kw_only=True):
    """What a page brought: new decisions; decisions known already or behind the fence; differences among
    these.
    """

    inserted: int
    compared: int
    diverged: int
    cursor: int


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery taken for sending. `person` is the person's name today; `fence` makes a late worker's write
    fail.
    """

    decision: Decision
    person: bytes
    fence: int
    worker: str
    attempt: int


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one confirmation: `reason` is "" when the mail is in flight and may be written, by `sender`.

    Reasons not to, beside those to skip: it waits for a "pace", "warm_up", "breaker" or "sender", or "quiet_hours".
    """

    claim: Claimed
    reason: str
    sender: str = ""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's answer for a claim."""

    claim: Claimed
    receipt: Receipt


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Mails that are made and may be put in flight: their claims, and of each the hash of its address and, with a
    routing, the key of its recipient's domain.
    """

    claims: Sequence[Claimed] = ()
    addresses: Sequence[bytes] = ()
    domains: Sequence[str] = ()


class Advanced(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the mails that were ready, in their order, and the claims taken behind them."""

    confirmed: list[Confirmed] = []
    claimed: list[Claimed] = []


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and what became of it. `detail` explains `reason`; `changed_at` is the time of the last move
    (ms), `sender` the name of the sender that it was given to last.
    """

    decision: Decision
    person: bytes
    state: State
    reason: str
    detail: str
    attempts: int
    changed_at: int
    provider: str
    provider_id: str
    sender: str = ""


class SenderStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How a sender stands; times are the host's ms, 0 for none.

    open_until   until when its breaker is open; once that is past, one mail at a time tries
    answered, troubled   mails that it answered, and that failed for a reason of its own, ever
    trouble, trouble_at  what the last of these was, and when
    slots        mails that its pace has room for now; None without a pace
    quota, today mails that its warm-up allows today (None: no bound), and those that went
    in_flight, unknown   mails it was given that are not answered, and of which nobody knows
    by_state     how many mails it was given, the last of all senders, are in which state
    """

    name: str
    breaker: BreakerState
    open_until: int
    answered: int
    troubled: int
    trouble: str
    trouble_at: int
    slots: int | None
    quota: int | None
    today: int
    in_flight: int
    unknown: int
    by_state: Mapping[State, int] = {}


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger's history; `number` grows by each move. `before` is "" for the first.

    `position` is that of the decision.
    """

    number: int
    decision: bytes
    person: bytes
    campaign: str
    before: str
    after: State
    reason: str
    detail: str
    at: int
    position: int = -1


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation that came too late: the mail was written already."""

    decision: bytes
    reason: str
    detail: str
    at: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a mail later, and when it happened first (ms)."""

    decision: bytes
    outcome: OutcomeKind
    at: int


class OutcomeTally(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many mails of a campaign an outcome is known."""

    campaign: str
    outcome: OutcomeKind
    count: int


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A decision at or behind the fence that is not as the ledger has it; `fields` differ, or `("missing",)`."""

    decision: bytes
    campaign: str
    position: int
    fields: tuple[str, ...]
    times: int


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A person's withdrawal of consent for a purpose; `proof` says how it was made, without personal values."""

    person: bytes
    purpose: str
    at: int
    proof: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said about a purpose or a choice, and how that is known.

    how         "one-click", "page" or "preferences" (a link of a mail), "confirmation" (double opt-in), "event",
                "complained" or "unsubscribed" (told by a provider or a mail server)
    source      who told it: the mail's decision in hex for a link, the event's source
    message_id  of the event that told it, "" for pages
    words       names the words the person was shown (`shown_words`), "" where none are known
    """

    number: int
    person: bytes
    purpose: str
    channel: str
    allowed: bool
    at: int
    how: str
    source: str
    message_id: str
    words: str


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for mails that its address has to confirm: `decision` is the mail that asks it, `wish` is sealed.

    `address` is a keyed hash; times are ms on the workspace's clock, `confirmed_at` 0 until it is confirmed.
    """

    decision: bytes
    address: bytes
    person: bytes
    wish: SealedValue
    asked_at: int
    expires_at: int
    confirmed_at: int = 0


class Suppression(msgspec.Struct, frozen=True):
    """An address (a keyed hash) that nothing is sent to, why, and since when (ms)."""

    address: bytes
    reason: str
    at: int


class Lift(msgspec.Struct, frozen=True):
    """An address that was let go: why it was suppressed, why it was let go, when (ms)."""

    address: bytes
    was: str
    reason: str
    at: int


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: may data of a person leave for a purpose? `address` is the keyed hash of the one it goes with."""

    person: bytes
    purpose: str
    address: bytes | None = None


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What a person limited, since when (workspace's ms), by which request (its id in hex)."""

    person: bytes
    kind: LimitKind
    purpose: str
    at: int
    request: str


class PermitChange(msgspec.Struct, frozen=True):
    """Something about consent or suppression changed, for a person or for whoever has an address (a keyed hash)."""

    number: int
    person: bytes | None
    address: bytes | None


class PermitChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Changes by number; `first` to `last` are kept in all (first > last: none)."""

    first: int
    last: int
    items: list[PermitChange]


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """One mail that a program asks for. `key` and `body` are keyed hashes of 16 bytes: by the one a repeat is known,
    the other it has to bring again. `draft` is what the mail says (`AskedMail`), sealed.
    """

    key: bytes
    body: bytes
    decision: Decision
    draft: SealedValue


class KnownSend(msgspec.Struct, frozen=True, kw_only=True):
    """What a key stands for: the hash of the body it came with first, and the delivery; `new` if it came just now."""

    body: bytes
    delivery: Delivery
    new: bool = False


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that is stopped, or ALL_MARKETING, and since when (ms)."""

    campaign: str
    at: int


APPROVED_WITHIN_MS = DAY_MS
"""How long after it was asked for a broadcast may be approved; then it has lapsed, and is asked for anew."""


class AskedBroadcast(msgspec.Struct, frozen=True, kw_only=True):
    """A broadcast that somebody asked for; times are workspace's ms, 0 where that has not happened.

    id, message_id   of its record: the id is the cause of its decisions
    people     in the audience when it was asked for, then when it was approved
    position   of its record; -1 until it has begun
    new        whether what was asked happened just now, and not before
    lapsed     whether it was not approved in time, as of when it was asked about (`as_of`)
    """

    id: bytes
    campaign: str
    message_id: str
    asked_at: int
    asked_by: str
    people: int
    approved_at: int = 0
    approved_by: str = ""
    begun_at: int = 0
    position: int = -1
    new: bool = False
    lapsed: bool = False

    def as_of(self, now_ms: int) -> AskedBroadcast:
        """Return it with whether it has lapsed at a time of the workspace's."""
        lapsed = not self.approved_at and now_ms - self.asked_at > APPROVED_WITHIN_MS
        return msgspec.structs.replace(self, lapsed=lapsed)

    @property
    def waits(self) -> bool:
        """Whether it may still be approved."""
        return not self.approved_at and not self.lapsed


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries of a campaign are in a state for a reason."""

    campaign: str
    state: State
    reason: str
    count: int


class BroadcastTally(msgspec.Struct, frozen=True, kw_only=True):
    """How many mails of a broadcast are in a state for a reason, or of how many an outcome is known."""

    broadcast: bytes
    kind: Literal["state", "outcome"]
    what: str
    reason: str
    count: int


class Ledger(Protocol):
    """The whole contract. Each method is one transaction, durable when it returns.

    A group (page, claims, settlements) is wholly in or not at all. Raises StoreError if nothing was written,
    OutcomeUnknownError if nobody can know, FencedError if a claim of the group belongs to a later holder by
    now.
    """

    def cursor(self) -> int:
        """Return the fence: up to this position decisions were taken over; -1 at first."""
        ...

    def take_over(self, page: OutboxPage, now_ms: int, worker: str = "") -> TakenOver:
        """Copy a page and move the cursor to its `complete_to` (never back), in one transaction.

        Raises FencedError if a `worker` is named and another one leads by now.
        """
        ...

    def claim(
        self, now_ms: int, limit: int, worker: str, lanes: int = ALL_LANES, routing: Routing | None = None
    ) -> list[Claimed]:
        """Take up to `limit` (<= MAX_CLAIMS) deliveries of the first `lanes` LANES, by lane and age; those with a
        reason against them are skipped. No more are taken than the senders of `routing` can be given now.

        Expired leases go back first, and are claimed at the next call.
        """
        ...

    def waits(self, lanes: int) -> bool:
        """Say whether a delivery of the first `lanes` LANES could be claimed now."""
        ...

    def confirm(
        self,
        claimed: Sequence[Claimed],
        address_hashes: Sequence[bytes],
        now_ms: int,
        routing: Routing | None = None,
        domains: Sequence[str] = (),
    ) -> list[Confirmed]:
        """Repeat the checks with the address known and put what passes in flight, before a byte is written.

        With a `routing` each mail is given to the first of its senders that may have it, and goes back to pending if
        none may; `domains` are the keys of the recipients' domains, as `routing.domain_key` makes them. At most
        MAX_IN_FLIGHT of a worker at a time, else ValueError.
        """
        ...

    def senders(self, routing: Routing) -> list[SenderStanding]:
        """Return how each sender stands, in their order."""
        ...

    def skip(self, claimed: Sequence[Claimed], reason: str, detail: str, now_ms: int) -> None:
        """Skip claims for a reason the courier found: no_address, erased, render, stale, quiet_hours."""
        ...

    def give_back(self, claimed: Sequence[Claimed], now_ms: int) -> None:
        """Let claims be taken again at once: nothing was written for them."""
        ...

    def settle(self, settlements: Sequence[Settlement], now_ms: int) -> None:
        """Write down the answers: sent, failed, unknown, or pending again with back-off for `temporary`."""
        ...

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
        """Do `settle`, `confirm` and `claim` one behind the other, in one transaction: the answers to one group, the
        next one put in flight, the one behind it claimed (none with a `limit` of 0).

        All or nothing: where it raises, the answers are not written down either, and are to be settled by themselves.
        """
        ...

    def recover(self, now_ms: int, worker: str = "") -> list[Delivery]:
        """At start, and when a worker died: what is in flight of workers without a lease is unknown, and of `worker`,
        who begins anew and claimed nothing yet: what it had claimed before is pending at once. Return all unknown
        (<= MAX_LISTED), oldest first.

        Ask the provider about them (`resolve`), then `resend`.
        """
        ...

    def enlist(self, worker: str) -> None:
        """Let a worker be alive for WORKER_LEASE_MS from now: say it at its start, and every BEAT_MS. A confirmation
        says it too.
        """
        ...

    def retire(self, worker: str) -> None:
        """End a worker's leases: it is gone."""
        ...

    def lead(self, worker: str) -> bool:
        """Say whether the outbox is this worker's to take over: it is if it was nobody's, or its own."""
        ...

    def abandoned(self) -> int:
        """Return how many mails are in flight of workers without a lease: `recover` is for them."""
        ...

    def resend(self, now_ms: int, *, waited: bool = False) -> int:
        """Put transactional unknowns younger than 24 h back to pending; return how many. With `waited` only those
        whose next try is due by RETRY_MS, counted from the first one (host time).
        """
        ...

    def resolve(self, decision: bytes, state: State, detail: str, now_ms: int) -> None:
        """Write what the provider's event or API says of an unknown or held delivery: sent or failed.

        Raises MoveError if the delivery is in another state, StoreError if there is no such delivery.
        """
        ...

    def hold(self, now_ms: int) -> int:
        """After a restore: hold all open deliveries; return how many."""
        ...

    def release(self, decisions: Sequence[bytes], now_ms: int, detail: str) -> None:
        """Let held deliveries be claimed again; `detail` says who said so. Raises MoveError for others."""
        ...

    def say(self, decisions: Sequence[bytes], verdict: Verdict, detail: str, now_ms: int) -> list[bytes]:
        """Move unknown and held deliveries, all or none, as a person says; return those that were not moved so before.

        Of an unknown one it is said that it was sent or not, of a held one that it was sent, goes out, or is dropped.
        Raises StoreError for an unknown id, MoveError for another state.
        """
        ...

    def withdraw(self, person: bytes, purpose: str, now_ms: int, proof: str) -> Withdrawal:
        """Record a withdrawal; later claims see it. A second one before a new grant returns the first.

        Only a grant that the engine reports with a later time lifts it.
        """
        ...

    def unechoed(self, limit: int) -> list[Withdrawal]:
        """Return withdrawals whose echo the log may not have, oldest first."""
        ...

    def echoed(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Note that the log has their echoes."""
        ...

    def choose(
        self, person: bytes, wishes: Mapping[str, bool], now_ms: int, how: str, source: str, shown: str
    ) -> list[Proof]:
        """Record what a person wishes, by purpose and choice, all at once; return what of it is news.

        A refusal is a withdrawal; a grant counts once the engine has told it. `shown` are the words that were shown.
        """
        ...

    def standing(self, person: bytes) -> dict[str, bool]:
        """Return what a person allows and chose, as far as anybody said anything; any of their names will do."""
        ...

    def proofs(self, person: bytes, limit: int = 100) -> list[Proof]:
        """Return the proofs of what a person said, newest first, at most MAX_LISTED."""
        ...

    def shown_words(self, name: str) -> str:
        """Return the words that a proof names; "" if none are known."""
        ...

    def consent_history(self, person: bytes, limit: int = 100) -> list[ConsentEvent]:
        """Return what was said about a person's consents, newest first, at most MAX_LISTED; any of their names do."""
        ...

    def newest_consents(self, limit: int = 100) -> list[ConsentEvent]:
        """Return what was said about anybody's consents, newest first, at most MAX_LISTED."""
        ...

    def consent_counts(self) -> list[ConsentTally]:
        """Return of how many people each purpose and choice is in which state."""
        ...

    def consent_faults(self, limit: int = 100) -> list[ConsentFault]:
        """Return where the history of consents is not what claims read; reads all of it."""
        ...

    def set_consent_terms(self, terms: Mapping[str, int]) -> None:
        """Say how long consents are good (ms), by purpose: claims refuse older ones from now on. One that is not there
        has no end.
        """
        ...

    def expire_consents(self, now_ms: int, limit: int = 100) -> list[Withdrawal]:
        """Withdraw up to `limit` consents that have expired; return them. Their echoes are to be made."""
        ...

    def unechoed_grants(self, limit: int) -> list[Proof]:
        """Return grants whose echo the log may not have, oldest first."""
        ...

    def grants_echoed(self, grants: Sequence[Proof]) -> None:
        """Note that the log has their echoes."""
        ...

    def ask_confirmation(self, one: Confirmation, times: int, per_ms: int) -> bool:
        """Note a wish that has to be confirmed, unless its address was asked `times` within `per_ms`; say which."""
        ...

    def confirmation(self, decision: bytes) -> Confirmation | None:
        """Return the wish that a mail asks to confirm; None if there is none, or it was dropped."""
        ...

    def confirm_wish(
        self, decision: bytes, person: bytes, wishes: Mapping[str, bool], now_ms: int, shown: str
    ) -> list[Proof]:
        """Note that a wish was confirmed and record it as `choose` does, both once."""
        ...

    def suppress_all(self, address_hashes: Sequence[bytes], reason: str, now_ms: int) -> int:
        """Suppress addresses in one transaction; return how many were not yet."""
        ...

    def lift(self, address_hash: bytes, reason: str, now_ms: int) -> bool:
        """Let an address be sent to again, with the reason kept; say whether it was suppressed."""
        ...

    def suppression(self, address_hash: bytes) -> Suppression | None:
        """Return why and since when an address is suppressed; None if it is not."""
        ...

    def suppressions(self, limit: int = 100) -> list[Suppression]:
        """Return suppressions, newest first, at most MAX_LISTED."""
        ...

    def suppression_counts(self) -> dict[str, int]:
        """Return how many addresses are suppressed, by reason."""
        ...

    def lifts(self, address_hash: bytes) -> list[Lift]:
        """Return when and why an address was let go, newest first."""
        ...

    def suppress(self, address_hash: bytes, reason: str, now_ms: int) -> None:
        """Never send to this address again (a keyed hash: it survives erasure). The first reason stays."""
        ...

    def erase(self, subjects: Sequence[bytes], ids: Sequence[bytes], at: int, now_ms: int) -> dict[str, int]:
        """Take a person out of the ledger in one transaction; return how many rows of what were changed.

        Open mails are skipped ("erased"), also those that are decided of the subjects later; addresses, drafts, wishes
        and consents go. `ids` (keyed hashes) and `at` (ms) stay: what happened before does not come in again.
        """
        ...

    def aged(self, before: int) -> dict[str, tuple[int, int]]:
        """Return of what retention takes out, as far as it is older than a time (ms), how many rows there are, and the
        time (ms) of the oldest, 0 for none.
        """
        ...

    def last_decided(self) -> dict[str, int]:
        """Return when each campaign last decided a mail (ms), those that never did left out."""
        ...

    def drop_aged(self, before: int, done: Collection[str] = ()) -> dict[str, int]:
        """Take a part of that out in one transaction, but of kinds that are `done`; return how many rows of what went,
        0 where none is left.
        """
        ...

    def forgotten(self) -> list[bytes]:
        """Return every subject that was erased, those erased last first."""
        ...

    def erased_ids(self) -> dict[bytes, int]:
        """Return the keyed hashes of all ids that were erased, each with the time (ms) of its last erasure."""
        ...

    def values(self) -> Iterator[Any]:
        """Go through every value of every table: for who looks whether something is there that should not be."""
        ...

    def permit_changes(self, after: int, limit: int) -> PermitChanges:
        """Return changes of consents and suppressions with number > `after`, in order, at most MAX_LISTED."""
        ...

    def refusals(self, asked: Sequence[Permit], now_ms: int | None = None) -> list[str]:
        """Return for each the reason against it ("suppressed", "consent"), or "": as claims of marketing see it.

        With `now_ms` a consent that has expired by then is none, whether `expire_consents` has seen to it or not.
        """
        ...

    def limit(self, limit: Limit) -> None:
        """Note what a person limited by right: it counts for whatever is claimed, or leaves, from now on."""
        ...

    def unlimit(self, person: bytes) -> bool:
        """Lift a person's restriction; say whether there was one. An objection stays."""
        ...

    def limits(self, person: bytes) -> list[Limit]:
        """Return what a person limited, by any of their names, oldest first."""
        ...

    def restricted(self, persons: Sequence[bytes]) -> set[bytes]:
        """Return who of these people has their data restricted."""
        ...

    def send(self, send: Send, now_ms: int) -> KnownSend:
        """Insert a mail that a program asks for as pending, unless its key is known: then return what it stands for."""
        ...

    def known_send(self, key: bytes) -> KnownSend | None:
        """Return what a key stands for; None if it never came."""
        ...

    def draft(self, decision: bytes) -> SealedValue | None:
        """Return the draft of a send; None once the delivery is sent, failed or skipped, and for other decisions."""
        ...

    def kill(self, campaign: str, on: bool, now_ms: int) -> None:
        """Stop a campaign, or ALL_MARKETING (or let it go on): the kill switch that every claim and confirm reads."""
        ...

    def kills(self) -> list[Kill]:
        """Return what is stopped, by name."""
        ...

    def ask_broadcast(self, asked: AskedBroadcast) -> AskedBroadcast:
        """Note that a broadcast is asked for, unless its id is known; return it as it is known."""
        ...

    def approve_broadcast(self, id_: bytes, people: int, by: str, now_ms: int) -> None:
        """Note who approved a broadcast, to so many people; the first approval stays."""
        ...

    def begin_broadcast(self, id_: bytes, position: int, now_ms: int) -> None:
        """Note where in the log a broadcast is; the first place stays."""
        ...

    def broadcast(self, id_: bytes) -> AskedBroadcast | None:
        """Return one broadcast, or None."""
        ...

    def broadcasts(self, limit: int = 100) -> list[AskedBroadcast]:
        """Return broadcasts, newest first, at most MAX_LISTED."""
        ...

    def deliveries(
        self,
        *,
        person: bytes | None = None,
        campaign: str | None = None,
        state: State | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Return deliveries, newest first, at most MAX_LISTED; `person` may be a name from before a merge."""
        ...

    def delivery(self, decision: bytes) -> Delivery | None:
        """Return one delivery, or None."""
        ...

    def decided(self, after: int, limit: int) -> list[tuple[int, Decision]]:
        """Return (number, decision) of deliveries with a number > `after`, in the order they were taken over, at most
        MAX_LISTED; sends are among them.
        """
        ...

    def moves(self, after: int, limit: int) -> list[Move]:
        """Return moves with number > `after`, in order, at most MAX_LISTED."""
        ...

    def last_move(self) -> int:
        """Return the number of the newest move; 0 if there is none."""
        ...

    def history(self, decision: bytes) -> list[Move]:
        """Return the moves of one delivery, in order."""
        ...

    def notes(self, decision: bytes) -> list[Note]:
        """Return the cancellations that came too late for a delivery."""
        ...

    def open_until(self, at_ms: int) -> int:
        """Return how many deliveries decided at or before a time (workspace's ms) may still be sent: pending, claimed,
        in flight.
        """
        ...

    def next_wait(self) -> int | None:
        """Return when the first of the mails that wait for a time is let go (workspace's ms), None if none does."""
        ...

    def counts(self) -> list[Tally]:
        """Return how many deliveries there are by campaign, state and reason."""
        ...

    def broadcast_counts(self) -> list[BroadcastTally]:
        """Return what `counts` and `outcome_counts` tell of campaigns for each broadcast by itself."""
        ...

    def outcomes(self, decision: bytes) -> list[Outcome]:
        """Return what happened to one mail, in order of time."""
        ...

    def outcome_counts(self) -> list[OutcomeTally]:
        """Return of how many mails each outcome is known, by campaign."""
        ...

    def measured(self) -> int:
        """Return the seq up to which the log was measured; -1 at first."""
        ...

    def measure(self, told: Measured) -> None:
        """Take what a stretch of the log, the one behind `measured()`, says of mails and orders, each once: outcomes,
        clicks, orders.
        """
        ...

    def earned(self, within_ms: int) -> list[Earned]:
        """Return what each campaign and broadcast earned, by currency: an order goes to the last click of its person
        in the time before it that is shorter than `within_ms`.
        """
        ...

    def exposed(self, campaign: str, within_ms: int) -> Exposed:
        """Return whom a campaign treated and held out, and what they bought within that time after it was drawn."""
        ...

    def hear(self, feedback: Sequence[Feedback], now_ms: int) -> list[Heard]:
        """Take what is told of mails, each once by its key: outcomes, suppressions, withdrawals; return what became
        of each, in order.

        A mail is found by its decision or the provider's id, if the address is that it went to. Of an event whose mail
        is not found, an address that mails went to is still suppressed, and its person's consent withdrawn. Nothing
        that is told lifts anything, or lets a mail go. `complaints` counts them, and the kill switch acts on it in the
        same transaction.
        """
        ...

    def logged(self, keys: Sequence[bytes]) -> None:
        """Note that the log has the records of what was heard under these keys."""
        ...

    def feedback_counts(self) -> list[FeedbackTally]:
        """Return how many events were heard, by provider and what they told."""
        ...

    def complaints(self, now_ms: int) -> ComplaintRate:
        """Return the complaint rate over the rolling window, and what follows of it."""
        ...

    def ease(self, now_ms: int) -> bool:
        """End the pause that complaints made, if their rate fell below the warning; say whether it did.

        A stop is for a person to end.
        """
        ...

    def divergences(self, limit: int = 100) -> list[Divergence]:
        """Return what differed behind the fence, newest first."""
        ...

    def bookmark(self, name: str) -> int:
        """Return how far a reader of `moves` has come; 0 at first."""
        ...

    def set_bookmark(self, name: str, number: int) -> None:
        """Remember how far a reader of `moves` has come; never back."""
        ...

    def close(self) -> None:
        """Release files."""
        ...
