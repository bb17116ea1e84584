"""The same rooms in one process, in memory, on a clock that moves when told: what a rehearsal runs.

In: calls, as the collector would have decoded them, and time. Out: mails in memory, the ledger, people. Promised: after
each call the house comes to rest; moving the clock stops at every due time on the way; the same calls at the same
times give the same ids, since subjects and message ids are counted, not drawn.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from livepost.api.mail import PROOF, MailDesk, echo_of
from livepost.api.preferences import HOW
from livepost.clock import SimulatedClock
from livepost.deliver.courier import Courier, report, send_due, take_over
from livepost.deliver.mail import NotMade
from livepost.deliver.memory import MemoryKeep
from livepost.deliver.token import Tokens
from livepost.errors import LivepostError
from livepost.govern.access.sight import EVERYTHING, Sight
from livepost.govern.consent.rules import signals_of
from livepost.ids import digest
from livepost.intake.call import Call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.ledger.base import MAX_LISTED, Proof, Withdrawal
from livepost.ledger.sqlite import SqliteLedger
from livepost.log.memory import MemoryLog
from livepost.model.decision import Decision
from livepost.model.message import EmailDraft, RenderedMail
from livepost.model.person import PersonView
from livepost.model.record import Appended, KeyKind, Kind, Origin, Record
from livepost.runtime.author.look import look_of, offer_of
from livepost.runtime.author.making import Seals, maker_of
from livepost.runtime.author.project import Project
from livepost.runtime.courier.process import LoggedOutcomes
from livepost.runtime.engine.worker import Worker
from livepost.runtime.front.preview import shown_in, supposed
from livepost.settings.settings import Settings
from livepost.state.memory import MemoryState
from livepost.vault.base import ANONYMOUS, USER, ExternalId
from livepost.vault.memory import MemoryVault

ROUNDS_MAX = 250
"""Rounds of engine and courier within one moment: a mail whose sending brings the next mail never comes to rest."""


class RestlessError(LivepostError):
    """The house does not come to rest within a moment, or time does not go on."""


class SimulatedHouse:
    """One workspace in memory; for one thread."""

    def __init__(self, project: Project, settings: Settings, clock: SimulatedClock) -> None:
        """Open the house for a project; nothing has happened yet."""
        self.project = _Noting(**{name: getattr(project, name) for name in Project.__struct_fields__})
        self.clock = clock
        self.vault = MemoryVault(root=digest("a simulated house", size=32), new_id=_counted_subjects())
        self.log = MemoryLog(clock, host=clock)
        self.ledger = SqliteLedger(":memory:", host=clock)
        self.keep = MemoryKeep(clock)
        self.worker = Worker(project.compiled, MemoryState(), self.log, clock, settings.workspace)
        self.seals = Seals(self.vault, settings.workspace)
        self._accepted = 0
        self._settings = settings
        self._intake = Intake(
            Stores(self.log, self.vault),
            TrackingPlan(project.compiled, settings.undeclared, signals_of(project.policy)),
            workspace=settings.workspace,
            new_id=_counted_message_ids(),
        )
        self._courier = Courier(
            engine=self.worker,
            ledger=self.ledger,
            maker=maker_of(self.project, settings, settings.base_url, self.vault, self.ledger),
            sender=self.keep,
            blind=lambda address: self.vault.blind("suppression", address.casefold()),
            outcomes=LoggedOutcomes(self.vault, self._log),
            clock=clock,
        )

    def take(self, calls: Sequence[Call], key: KeyKind, origin: Origin = Origin.LIVE, *, gpc: bool = False) -> Appended:
        """Take calls as one request that came with this kind of key, and come to rest; `gpc` is its Sec-GPC."""
        arrival = Arrival(source=key.name.lower(), key=key, received_at=self.clock.now_ms(), origin=origin, gpc=gpc)
        appended = self._intake.take(calls, arrival)
        self._accepted += len(calls)
        self._rest()
        return appended

    def append(self, records: Sequence[Record]) -> None:
        """Append ready records, such as outcomes, and come to rest."""
        self._log(records)
        self._rest()

    def advance(self, by_ms: int) -> None:
        """Let `by_ms` milliseconds pass, stopping at every due time on the way."""
        until = self.clock.now_ms() + by_ms
        served = -1
        while (due := self._next_due()) is not None and due <= until:
            if due <= served:
                raise RestlessError(f"expected a due time after {served} ms, got {due}; please report this page")
            served = due
            self.clock.advance(max(due - self.clock.now_ms(), 0))
            self._tick()
        self.clock.advance(until - self.clock.now_ms())
        self._tick()

    def stand_still(self, for_ms: int) -> None:
        """Let time pass as if all processes were down for `for_ms` milliseconds, then work on."""
        self.clock.advance(for_ms)
        self._tick()

    def withdraw(self, person: bytes, purpose: str) -> None:
        """Take back a person's consent as the link of a mail does: in the ledger first, then in the log."""
        self.ledger.withdraw(person, purpose, self.clock.now_ms(), PROOF)
        self._echo()

    def choose(self, person: bytes, wishes: Mapping[str, bool]) -> None:
        """Let a person choose as on the page behind a mail's link: in the ledger first, then in the log."""
        self.ledger.choose(person, wishes, self.clock.now_ms(), HOW, "", "")
        self._echo()

    def subject(self, name: str) -> bytes | None:
        """Return the subject of a userId, else of a declared key, else of an anonymousId; None for one never seen."""
        kinds = (USER, *self.project.compiled.keys(), ANONYMOUS)
        found = (self.vault.find(ExternalId(kind, name)) for kind in kinds)
        return next((keys.subject for keys in found if keys is not None), None)

    def person(self, subject: bytes) -> PersonView | None:
        """Return the person a subject belongs to; None while the engine knows none."""
        return self.worker.people([subject]).get(subject)

    def preview(self, view: PersonView, campaign: str, sight: Sight = EVERYTHING) -> RenderedMail | NotMade:
        """Return what a campaign would say to a person now, or why it cannot; nothing is sent."""
        shown = shown_in(self.project.compiled, sight)
        return self._courier.maker.preview(supposed(self.project, campaign, view), view, shown)

    def desk(self) -> MailDesk:
        """Return what the public endpoints of mails need, over this house."""

        async def append(records: Sequence[Record]) -> None:
            self.append(records)

        return MailDesk(
            tokens=Tokens(self.vault.secret("tokens")),
            ledger=self.ledger,
            append=append,
            known=lambda subject: self.vault.keys(subject).known,
            clock=self.clock,
            shop_name=self._settings.shop_name,
            look=look_of(self.project.folder, self._settings),
            offer=lambda: offer_of(self.project.compiled, self._settings),
        )

    def fates(self) -> dict[str, int]:
        """Return how many events were accepted, and where they ended, each counted from its own records."""
        in_flight = self.log.events_after(self.worker.status().position)
        return {"accepted": self._accepted, **self.worker.status().counts, "in_flight": in_flight}

    def close(self) -> None:
        """Release the ledger."""
        self.ledger.close()

    def _next_due(self) -> int | None:
        """Return when something happens by itself next: somebody is due, or a mail that waits is let go."""
        times = (self.worker.next_due(), self.ledger.next_wait())
        return min((time for time in times if time is not None), default=None)

    def _echo(self) -> None:
        withdrawals, grants = self.ledger.unechoed(MAX_LISTED), self.ledger.unechoed_grants(MAX_LISTED)
        said: list[Withdrawal | Proof] = [*withdrawals, *grants]
        self._log([echo_of(self.desk(), one) for one in said])
        self.ledger.echoed(withdrawals)
        self.ledger.grants_echoed(grants)
        self._rest()

    def _tick(self) -> None:
        self._intake.tick()
        self._rest()

    def _log(self, records: Sequence[Record]) -> None:
        self._intake.append(records)
        self._accepted += sum(record.kind is Kind.EVENT for record in records)

    def _rest(self) -> None:
        """Let engine and courier work until neither has anything to do."""
        for _ in range(ROUNDS_MAX):
            if not self._round():
                return
        raise RestlessError(
            f"engine and courier did not come to rest in {ROUNDS_MAX} rounds at one moment: does a campaign start "
            "on an event that its own mail brings? Give it a cap or a wait"
        )

    def _round(self) -> bool:
        while self.worker.turn():
            pass
        cursor = take_over(self._courier).cursor
        sent = send_due(self._courier)
        return report(self._courier) > 0 or sent.claimed > 0 or cursor < self.worker.shard.complete_to


class _Noting(Project, frozen=True, kw_only=True):
    """A project that notes which template each decision's mail was made from: the mail itself does not tell."""

    template_of: dict[bytes, str] = msgspec.field(default_factory=dict)

    def draft(self, decision: Decision, person: PersonView, opened: Mapping[str, Any]) -> EmailDraft:
        draft = super().draft(decision, person, opened)
        self.template_of[decision.id] = draft.template
        return draft


def _counted_subjects() -> Callable[[], bytes]:
    numbers = itertools.count()
    return lambda: digest("subject", next(numbers))


def _counted_message_ids() -> Callable[[], str]:
    """Ids that grow: of two things told at one moment the later one counts, and an outcome's id comes after both."""
    numbers = itertools.count()
    return lambda: f"{next(numbers):012d}"
