"""The courier's loop, as plain functions: take over, claim, make, confirm, send, settle, report.

In: the engine's outbox and people. Out: mails at the sender, moves in the ledger. Promised: at most
MAX_IN_FLIGHT mails are in flight at a time; a crash at any point leaves marketing mails unsent or unknown,
never sent twice.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from livepost.clock import HOUR_MS, Clock, WallClock
from livepost.deliver.mail import Maker, NotMade
from livepost.deliver.sender import Sender
from livepost.errors import FencedError, LivepostError, OutcomeUnknownError, StoreError
from livepost.ledger.base import (
    ALL_LANES,
    MAX_IN_FLIGHT,
    Claimed,
    Confirmed,
    Delivery,
    Ledger,
    Move,
    Ready,
    Settlement,
    TakenOver,
)
from livepost.ledger.moves import MoveError
from livepost.ledger.routing import Routing, domain_key
from livepost.model.message import Message, Receipt
from livepost.model.outbox import OutboxPage
from livepost.model.person import PersonView

PAGE_ITEMS = 200
"""Outbox items asked for at a time: who has to overtake waits for one page at most."""

MAX_PAGES = 20
"""Pages taken over before mails get their turn."""

BATCH = 100
"""Mails sent before the outbox is looked at again; a group of them is claimed at a time."""

REPORTED = 500
"""Moves handed on at a time: those of a batch, four a mail, and some of what was taken over. Each time is a commit."""

MAX_REPORTS = 20
"""How many times that before mails get their turn: more moves than `MAX_PAGES` and a batch bring, or the oldest would
wait ever longer, and with them the news of what was sent.
"""

MAX_ASKED = 20
"""Mails that senders are asked about at a time while mails go."""

ASK_FOR_MS = HOUR_MS
"""How long after it became unknown a mail is asked about (workspace's time)."""

BOOKMARK = "outcomes"


class Engine(Protocol):
    """What the engine answers over its socket."""

    def decisions(self, after: int, limit: int) -> OutboxPage:
        """Return outbox items with a number > `after`."""
        ...

    def served(self, upto: int) -> None:
        """Forget outbox items with position <= `upto`: the ledger has them, or has compared them."""
        ...

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        """Return persons by the id asked for, as of log position `at_least` or later; unknown ones are left
        out.

        Raises StoreError if the engine is not that far within 500 ms.
        """
        ...


class Outcomes(Protocol):
    """Takes the ledger's moves to the log."""

    def report(self, moves: Sequence[Move]) -> None:
        """Hand on the moves; raise LivepostError if they are not safely there (they come again)."""
        ...


class Place(msgspec.Struct):
    """How far the outbox is read: all items up to a number of an epoch, the urgent ones up to `urgent`; whether it is
    this courier that reads it.
    """

    epoch: str = ""
    after: int = 0
    leads: bool = False
    urgent: int = 0


def nothing() -> None:
    """Let nothing overtake."""


def whole(usual: int) -> int:
    """Return how much is done at a time where nobody waits for it."""
    return usual


def later(work: Callable[[], None]) -> None:
    """Leave work to be done when it is its turn."""


class Courier(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a courier; `blind` gives an address's keyed hash (suppressions); `worker` names a
    connection; `place` moves on as the outbox is read. Only of the first `lanes` mails are claimed. `attend` is called
    often, between steps of milliseconds, and lets mails go that are to overtake (`deliver.express`). `ahead` is told
    what may be done while the next mails are at their server, and need not do it. `piece` says how many items or mails
    of a bulk are done between two calls of `attend`, of so many at most. `host` is the clock of senders' receipts.

    `senders` by name, as `routing` knows them; without a routing everything goes by `sender`.
    """

    engine: Engine
    ledger: Ledger
    maker: Maker
    sender: Sender
    blind: Callable[[str], bytes]
    outcomes: Outcomes
    clock: Clock
    worker: str = "courier"
    senders: Mapping[str, Sender] = {}
    routing: Routing = Routing()
    place: Place = msgspec.field(default_factory=Place)
    lanes: int = ALL_LANES
    attend: Callable[[], object] = nothing
    ahead: Callable[[Callable[[], None]], None] = later
    piece: Callable[[int], int] = whole
    host: Clock = msgspec.field(default_factory=WallClock)


Flying: TypeAlias = dict[str, list[tuple[Claimed, Message]]]
"""Mails in flight, by their sender's name."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What a round did: deliveries by their state or reason; (position, host ms) of each mail accepted, and how long
    after its claim that was (ms).
    """

    claimed: int = 0
    counts: dict[str, int] = {}
    accepted: list[tuple[int, int]] = []
    claim_to_sent: list[int] = []


def recover(courier: Courier) -> int:
    """At start: find out what became of mails in flight, of the courier of this name before and of any that is gone;
    return how many nobody can know about.
    """
    now_ms = courier.clock.now_ms()
    return _look_up(courier, courier.ledger.recover(now_ms, courier.worker), now_ms)


def take_care(courier: Courier) -> int:
    """Find out what became of mails in flight of couriers that are gone; return how many nobody can know about.
    Transactional mails of which nobody could say it are tried again when they have waited.
    """
    now_ms = courier.clock.now_ms()
    if not courier.ledger.abandoned():
        courier.ledger.resend(now_ms, waited=True)
        return 0
    return _look_up(courier, courier.ledger.recover(now_ms), now_ms)


def ask_again(courier: Courier) -> int:
    """Ask the senders once more what became of mails that became unknown lately; return how many are known now.

    A provider may list a mail minutes after it took it. Nothing is sent again for what it does not find.
    """
    now_ms = courier.clock.now_ms()
    lost = courier.ledger.deliveries(state="unknown", limit=MAX_ASKED)
    lately = [delivery for delivery in lost if now_ms - delivery.changed_at < ASK_FOR_MS]
    return _resolve(courier, lately, _ask(courier, lately, now_ms), now_ms)


def take_over(courier: Courier) -> TakenOver:
    """Copy what the outbox has into the ledger; return the sums.

    Nothing is read twice: while a wave is served, `complete_to` waits far behind what the ledger has. But where a
    process began anew, engine or courier, the outbox is read from its beginning, not from the ledger's cursor: an
    engine that was rolled back or replays decides once more what lies behind the fence, and that is to be compared.

    Of several couriers one leads, and only that one reads the outbox; the next to lead begins where it begins.
    """
    courier.place.leads = courier.ledger.lead(courier.worker)
    if not courier.place.leads:
        courier.place.epoch = ""
    total = TakenOver(inserted=0, compared=0, diverged=0, cursor=courier.ledger.cursor())
    for _ in range(MAX_PAGES if courier.place.leads else 0):
        courier.attend()
        page = _next_page(courier)
        if not page.items and page.complete_to <= total.cursor:
            break
        try:
            taken = courier.ledger.take_over(page, courier.clock.now_ms(), courier.worker)
        except FencedError:
            courier.place.epoch = ""
            raise
        courier.place.after = page.last
        courier.engine.served(page.complete_to)
        total = TakenOver(
            inserted=total.inserted + taken.inserted,
            compared=total.compared + taken.compared,
            diverged=total.diverged + taken.diverged,
            cursor=taken.cursor,
        )
        if not page.more:
            break
    return total


def send_due(courier: Courier, limit: int = BATCH) -> Sent:
    """Claim, make and send up to `limit` mails; `claimed` is 0 when there was nothing to do. All answers that came are
    written down when it returns or raises.
    """
    groups = Groups(courier, limit)
    groups.claim()
    while (made := groups.take()) is not None:
        flying = groups.advance(made)
        courier.ahead(groups.prepare)
        groups.send(flying)
    return Sent(
        claimed=groups.claimed,
        counts=dict(groups.counts),
        accepted=groups.accepted,
        claim_to_sent=groups.claim_to_sent,
    )


def report(courier: Courier) -> int:
    """Hand new moves on to the log; return how many. They come again if handing on fails."""
    reported = 0
    for _ in range(MAX_REPORTS):
        courier.attend()
        most = courier.piece(REPORTED)
        moves = courier.ledger.moves(courier.ledger.bookmark(BOOKMARK), most)
        if moves:
            courier.outcomes.report(moves)
            courier.ledger.set_bookmark(BOOKMARK, moves[-1].number)
        reported += len(moves)
        if len(moves) < most:
            break
    return reported


def _look_up(courier: Courier, lost: Sequence[Delivery], now_ms: int) -> int:
    receipts = _ask(courier, lost, now_ms)
    _resolve(courier, lost, receipts, now_ms)
    courier.ledger.resend(now_ms)
    return sum(receipt.state == "unknown" for receipt in receipts)


def _resolve(courier: Courier, lost: Sequence[Delivery], receipts: Sequence[Receipt], now_ms: int) -> int:
    """Write down what the senders know; return of how many mails."""
    known = 0
    for delivery, receipt in zip(lost, receipts, strict=True):
        if receipt.state == "sent" or (receipt.state == "failed" and delivery.decision.class_ == "marketing"):
            with contextlib.suppress(MoveError):  # another courier asked too, and was first
                courier.ledger.resolve(delivery.decision.id, receipt.state, receipt.text, now_ms)
                known += 1
    return known


def _ask(courier: Courier, lost: Sequence[Delivery], now_ms: int) -> list[Receipt]:
    """Return what each mail's own sender says became of it; nobody else could know, so nobody else is asked."""
    by_sender: defaultdict[str, list[bytes]] = defaultdict(list)
    for delivery in lost:
        by_sender[delivery.sender].append(delivery.decision.id)
    told: dict[bytes, Receipt] = {}
    for name, decisions in by_sender.items():
        sender = _sender(courier, name)
        receipts = sender.lookup(decisions) if sender else _nobody(name, len(decisions), now_ms)
        told.update(zip(decisions, receipts, strict=True))
    return [told[delivery.decision.id] for delivery in lost]


def _nobody(name: str, count: int, now_ms: int) -> list[Receipt]:
    return [Receipt(state="unknown", text=f"the settings name no sender {name} any more", at_ms=now_ms)] * count


def _sender(courier: Courier, name: str) -> Sender | None:
    """Return the sender of a name; "" is the only one, of before mails kept the name of theirs."""
    return courier.senders.get(name) if name else courier.sender


def _next_page(courier: Courier) -> OutboxPage:
    """Return the page behind the last one; the first one where the engine's numbers began anew."""
    place = courier.place
    page = courier.engine.decisions(place.after, courier.piece(PAGE_ITEMS))
    if page.epoch != place.epoch:
        page = courier.engine.decisions(0, courier.piece(PAGE_ITEMS))
        place.epoch, place.after, place.urgent = page.epoch, 0, 0
    return page


def _people(courier: Courier, claims: Sequence[Claimed]) -> Mapping[bytes, PersonView] | None:
    """Return the freshest profiles, or None if the engine is not there: then it is another's turn."""
    at_least = max(claim.decision.position for claim in claims)
    try:
        return courier.engine.people(list({claim.person for claim in claims}), at_least)
    except StoreError:
        return None


class Groups:
    """The mails of one batch, a group at a time: while one is at its server the next, claimed already, may be made.

    What the answers to one say, that the next is in flight, and that one more is claimed is one transaction. Answers do
    not wait for it: where the next group is not made yet, they are written down alone.
    """

    def __init__(self, courier: Courier, limit: int) -> None:
        """Begin with nothing claimed, of `limit` mails in all."""
        self.counts: Counter[str] = Counter()
        self.accepted: list[tuple[int, int]] = []
        self.claim_to_sent: list[int] = []
        self.claimed = 0
        self._claimed_ms: dict[bytes, int] = {}
        self._courier = courier
        self._left = limit
        self._claims: Sequence[Claimed] = ()
        self._made: list[tuple[Claimed, Message]] | None = None
        self._answers: list[Settlement] = []
        self._failed: Exception | None = None

    def claim(self) -> None:
        """Claim the first group."""
        self._courier.attend()
        self.advance([])

    def take(self) -> list[tuple[Claimed, Message]] | None:
        """Return the next group, made; None when there is nothing to do, or the batch is done."""
        if self._failed is not None:
            raise self._failed
        self._make_next()
        made, self._made = self._made, None
        return made

    def prepare(self) -> None:
        """Make the next group while others are in flight: what goes wrong is raised by `take`, once their answers are
        written down.
        """
        try:
            self._make_next()
        except Exception as error:
            self._failed = error

    def advance(self, made: Sequence[tuple[Claimed, Message]]) -> Flying:
        """Write down the answers there are, put a group's mails in flight and claim the next; return those that may be
        written, by their sender's name.
        """
        try:
            return self._advance(made)
        except FencedError:  # another courier took this one for gone: which group is no longer its own is found out
            self.settle()
        try:
            return self._advance(made)
        except FencedError:
            self.counts["fenced"] += len(made)
            return self._advance([])

    def send(self, flying: Flying) -> None:
        """Send mails in flight; their answers are written down at once, unless the next group is ready to go."""
        self._answers = [one for name, mails in flying.items() for one in _send_by(self._courier, name, mails)]
        if self._made is None:
            self.settle()

    def settle(self) -> None:
        """Write down the answers there are, alone."""
        answers, self._answers = self._answers, []
        if not answers:
            return
        try:
            self._courier.ledger.settle(answers, self._courier.clock.now_ms())
        except FencedError:
            self.counts["fenced"] += len(answers)
        else:
            self._note(answers)

    def _advance(self, made: Sequence[tuple[Claimed, Message]]) -> Flying:
        courier, now_ms = self._courier, self._courier.clock.now_ms()
        wanted = min(self._left, courier.piece(2 * MAX_IN_FLIGHT), MAX_IN_FLIGHT)
        try:
            done = courier.ledger.advance(
                self._answers, _ready(courier, made), now_ms, wanted, courier.worker, courier.lanes, courier.routing
            )
        except (FencedError, OutcomeUnknownError):
            raise
        except Exception:  # of the mails behind them: the answers stand by themselves
            with contextlib.suppress(LivepostError):
                self.settle()
            raise
        answers, self._answers = self._answers, []
        self._note(answers)
        self.counts.update(answer.reason for answer in done.confirmed if answer.reason)
        self._claims = done.claimed
        self._claimed_ms |= dict.fromkeys((claim.decision.id for claim in done.claimed), courier.host.now_ms())
        self.claimed += len(done.claimed)
        self._left = self._left - len(done.claimed) if done.claimed else 0
        return _by_sender(made, done.confirmed)

    def _make_next(self) -> None:
        if self._made is not None:  # answers may wait for it to go: nothing else is done before
            return
        courier = self._courier
        courier.attend()
        claims, self._claims = self._claims, ()
        if not claims:
            return
        people = _people(courier, claims)
        if people is None:
            courier.ledger.give_back(claims, courier.clock.now_ms())
            self.counts["given back"] += len(claims)
            self._left = 0
            return
        try:
            self._made = _make(courier, claims, people, self.counts)
        except FencedError:
            self.counts["fenced"] += len(claims)
            self._made = []

    def _note(self, answers: Sequence[Settlement]) -> None:
        for claim, receipt in ((one.claim, one.receipt) for one in answers):
            self.counts[receipt.state] += 1
            if receipt.state == "sent":
                self.accepted.append((claim.decision.position, receipt.at_ms))
                self.claim_to_sent.append(receipt.at_ms - self._claimed_ms[claim.decision.id])


def _send_by(courier: Courier, name: str, mails: Sequence[tuple[Claimed, Message]]) -> list[Settlement]:
    """Give mails in flight to their sender; return the answers."""
    sender = courier.senders[name] if name else courier.sender
    receipts = sender.send([message for _, message in mails])
    return [Settlement(claim=claim, receipt=receipt) for (claim, _), receipt in zip(mails, receipts, strict=True)]


def _make(
    courier: Courier, claims: Sequence[Claimed], people: Mapping[bytes, PersonView], counts: Counter[str]
) -> list[tuple[Claimed, Message]]:
    """Return the mails that could be made; the other claims are skipped, a transaction for each reason."""
    now_ms = courier.clock.now_ms()
    made: list[tuple[Claimed, Message]] = []
    skipped: defaultdict[NotMade, list[Claimed]] = defaultdict(list)
    for claim in claims:
        courier.attend()
        mail = courier.maker.make(claim, people.get(claim.person), now_ms)
        if isinstance(mail, NotMade):
            skipped[mail].append(claim)
            counts[mail.reason] += 1
        else:
            made.append((claim, mail))
    for why, several in skipped.items():
        courier.ledger.skip(several, why.reason, why.detail, now_ms)
    return made


def _ready(courier: Courier, made: Sequence[tuple[Claimed, Message]]) -> Ready:
    recipients = [message.recipient for _, message in made]
    return Ready(
        claims=[claim for claim, _ in made],
        addresses=[courier.blind(one) for one in recipients],
        domains=[domain_key(courier.routing, one, courier.blind) for one in recipients],
    )


def _by_sender(made: Sequence[tuple[Claimed, Message]], answers: Sequence[Confirmed]) -> Flying:
    """Return the mails that may be written: the ledger has them in flight."""
    flying: Flying = {}
    for one, answer in zip(made, answers, strict=True):
        if not answer.reason:
            flying.setdefault(answer.sender, []).append(one)
    return flying
