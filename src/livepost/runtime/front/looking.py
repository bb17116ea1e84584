"""What people and programs may see of a running house, over its stores and its engine.

In: questions of the API and the console, from any thread. Out: structs that cross rooms. Promised: nothing is changed;
as many look at a time as there are looks, the others wait.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Literal

import msgspec

from livepost.api.consents import HOW
from livepost.audit.deed import source_of
from livepost.audit.head import Signer
from livepost.audit.verify import Verdict as AuditVerdict
from livepost.clock import DAY_MS, WallClock
from livepost.control import erasures
from livepost.control.approvals import Approval, ApprovalKind, Approvals
from livepost.control.glass import Glass, Glasses
from livepost.control.requests import Requests, RequestStory, RightsRequest
from livepost.control.retention import runs
from livepost.deliver.mail import NotMade
from livepost.deliver.mailbox import Mailbox
from livepost.errors import RejectedError, StoreError
from livepost.govern.access.rules import load_rules
from livepost.govern.access.sight import EVERYTHING, Sight
from livepost.govern.approval.desk import FourEyes
from livepost.govern.policy.finding import Report
from livepost.govern.policy.records import Records, records_of
from livepost.govern.policy.unread import Unread, unread
from livepost.govern.rights.deadline import SOON_MS, due_at, is_extendable
from livepost.govern.rights.entry import Entry
from livepost.govern.rights.holdings import Holdings
from livepost.govern.rights.receipt import CheckedReceipt, checked
from livepost.govern.rights.retention import terms_of
from livepost.govern.rights.standing import RetentionStanding
from livepost.ledger.base import (
    MAX_LISTED,
    AskedBroadcast,
    Delivery,
    Divergence,
    Kill,
    KnownSend,
    Ledger,
    Lift,
    Proof,
    SenderStanding,
    Suppression,
    Verdict,
)
from livepost.ledger.moves import State
from livepost.model.choice import Said
from livepost.model.compiled import Compiled
from livepost.model.consent import ConsentEvent, ConsentTally
from livepost.model.consent_record import ConsentExport
from livepost.model.earning import Earned
from livepost.model.feedback import ComplaintRate
from livepost.model.letter import Letter, LetterDetail
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.model.record import Record
from livepost.model.standing import CampaignStanding, Pace, PersonLine, ProcessStanding, StoreStanding
from livepost.model.story import PersonStory
from livepost.model.told import CourierStatus, Member, SegmentCount, SegmentHistory, Standing, Status
from livepost.observe.exposition import Family
from livepost.observe.rates import Rates
from livepost.ops.audit_trail import EntryLine, newest_entries, whole
from livepost.ops.by_hand import say
from livepost.ops.campaigns import broadcast_standings, campaign_standings
from livepost.ops.evidence import gather
from livepost.ops.keyed import Keys
from livepost.ops.lately import people_lately
from livepost.ops.lift import Comparison, compare
from livepost.ops.mail_story import MailStory, mail_story
from livepost.ops.mailbox import MailPage, MailShown, mail_page, mail_shown
from livepost.ops.pace import pace, totals
from livepost.ops.search import search
from livepost.ops.standing import standing
from livepost.ops.story import story_of
from livepost.ops.webhooks import WebhookStanding, webhook_standings
from livepost.ops.why import PersonReason, why_person
from livepost.project.gate import Gate, gate_of
from livepost.project.purposes import Purposes
from livepost.runtime.author.governing import given_by, report_of
from livepost.runtime.author.project import Project
from livepost.runtime.courier.refusing import refusing
from livepost.runtime.courier.routing import routing_of
from livepost.runtime.data.audits import PURPOSE
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.kept_pages import changed_pages
from livepost.runtime.data.kept_policy import wider
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front import keying
from livepost.runtime.front.kept import Kept
from livepost.runtime.front.letters import kept, letters_of
from livepost.runtime.front.metering import Metering
from livepost.runtime.front.preview import Previews
from livepost.runtime.front.purposed import purposed
from livepost.runtime.front.reasons import id_in_hex, named_person, with_records
from livepost.runtime.front.said import exported, said_by
from livepost.runtime.front.sampling import Sampling
from livepost.runtime.front.trying import Trying
from livepost.runtime.house.processes import process_standings
from livepost.runtime.rights.entering import Entering
from livepost.runtime.rights.exporting import holdings_of
from livepost.runtime.rights.retaining import mail_days, next_run
from livepost.runtime.rights.stores import store_standings
from livepost.settings.load import Shown, shown

LOOKS = 8
"""Questions answered at a time; each has stores of its own open."""

WAIT_S = 5.0
"""How long a question waits for its turn."""

EARNED_S = 5.0
"""How old what is shown of earnings may be."""

POLICIES_S = 10.0
"""How old what is shown of policies may be."""

UNREAD_DAYS = 90
"""After so long without a reader a personal field is told."""

RATES_OVER_S = (1, 10, 60)


class Look:
    """The stores of a house opened for reading, and its engine; for one thread at a time."""

    def __init__(self, folder: DataFolder) -> None:
        """Open them; raises StoreError if one cannot be."""
        with contextlib.ExitStack() as opened:
            self.vault = opened.enter_context(closing(folder.vault(readonly=True)))
            self.log = opened.enter_context(closing(folder.log_reader()))
            self.engine = opened.enter_context(closing(EngineClient(folder)))
            self._open = opened.pop_all()

    def close(self) -> None:
        """Release them."""
        self._open.close()


class Looking:
    """Answers questions about one house; see `livepost.api.house.House` and `livepost.console.house.House`."""

    def __init__(
        self,
        folder: DataFolder,
        project: Project,
        ledger: Ledger,
        rates: Rates,
        trouble: Callable[[], str | None],
        *,
        outcomes: Callable[[], int],
        home: Path | None = None,
    ) -> None:
        """Take the ledger that the process has open; `rates` count what it commits, `outcomes` what of it came of
        mails, `trouble` says what keeps it; `home` is the author's folder, that of `project` if left out.
        """
        self._folder = folder
        self._home = home or project.folder
        self._rules = load_rules(self._home, data=folder.path)
        self._project = project
        self._gate = gate_of(project.policy, project.compiled)
        self._ledger = ledger
        self._routing = routing_of(folder.settings)
        self._rates = rates
        self._trouble = trouble
        self._outcomes = outcomes
        self._sampling = Sampling(self._totals)
        self._searching = threading.Lock()
        self._previews = Previews(folder, project)
        self._earnings: Kept[list[Earned]] = Kept(EARNED_S)
        self._unread: Kept[list[Unread]] = Kept(POLICIES_S)
        self._policies: Kept[tuple[Report, Records | None]] = Kept(POLICIES_S)
        self._compared: Kept[Comparison | None] = Kept(EARNED_S)
        self._trying = Trying(
            previews=self._previews, ledger=ledger, workspace=folder.settings.workspace, clock=folder.clock
        )
        self._mailbox = Mailbox(folder.mailbox, folder.settings.workspace)
        self._metering = Metering(folder, ledger, self._routing, engine=self._engine_and_log, couriers=self._couriers)
        self._looks: queue.LifoQueue[Look | None] = queue.LifoQueue(LOOKS)
        for _ in range(LOOKS):
            self._looks.put(None)  # opened by whoever needs it first

    def use(self, project: Project) -> None:
        """Speak of another project from now on: it serves."""
        self._previews.use(project)
        self._project = project
        self._gate = gate_of(project.policy, project.compiled)

    @property
    def gate(self) -> Gate | None:
        """What may travel where by the project that serves; None for one without a policy."""
        return self._gate

    @property
    def _compiled(self) -> Compiled:
        return self._project.compiled

    def purposed(self, view: PersonView, purpose: str) -> PersonView:
        """Return what of a person may be used for a purpose of the policy, nothing where they do not allow it."""
        return purposed(self._gate, refusing(self._ledger, self._folder.clock), view, purpose)

    def said(self, person: bytes, limit: int) -> list[Said]:
        """Return what a person said about purposes and choices, newest first, each with its proof."""
        return said_by(self._ledger, person, limit)

    def consent_records(self, person: bytes) -> ConsentExport:
        """Return a person's consent records."""
        return exported(self._ledger, person, self._project.policy, self._folder.clock.now_ms())

    def choose(self, person: bytes, wishes: Mapping[str, bool], source: str, shown: str) -> list[Proof]:
        """Record what a person wishes, as the server of `source` tells it; return what of it is news."""
        return self._ledger.choose(person, wishes, self._folder.clock.now_ms(), HOW, source, shown)

    def consent_counts(self) -> list[ConsentTally]:
        """Return of how many people each purpose and choice is in which state."""
        return self._ledger.consent_counts()

    def newest_consents(self, limit: int) -> list[ConsentEvent]:
        """Return what was said about anybody's consents, newest first."""
        return self._ledger.newest_consents(limit)

    def webhooks(self) -> list[WebhookStanding]:
        """Return how webhooks stand, in the settings' order."""
        return webhook_standings(self._folder.settings.webhooks, self._folder.webhooks_file)

    def keys(self) -> Keys:
        """Return the keys of programs and of the vault, as people see them."""
        with self._look() as look:
            return keying.keys_of(self._folder, look.vault)

    def revoke_key(self, id_: str) -> None:
        """Make a program's key invalid; raise RejectedError (404) if there is none of that id."""
        keying.revoke(self._folder, id_)

    def rotate_vault_key(self) -> None:
        """Begin a rotation of the key-encryption key, or go on with one."""
        keying.rotate(self._folder)

    def senders(self) -> list[SenderStanding]:
        """Return how each sender stands, the preferred one first."""
        return self._ledger.senders(self._routing)

    def audit(self, person: bytes | None, limit: int) -> list[EntryLine]:
        """Return the newest entries of the audit, about one person alone if a subject's id is given."""
        return newest_entries(self._folder.audit_file, self._folder.settings.workspace, person, limit)

    def audit_verdict(self) -> AuditVerdict:
        """Look through the whole audit; return whether it is whole and its heads say the same."""
        with self._look() as look:
            public = Signer(look.vault.secret(PURPOSE)).public
            return whole(self._folder.audit_file, self._folder.settings.workspace, self._folder.audit_heads, public)

    def suppression_counts(self) -> dict[str, int]:
        """Return how many addresses are suppressed, by reason."""
        return self._ledger.suppression_counts()

    def suppressed(self, address: str) -> tuple[Suppression | None, list[Lift]]:
        """Return why and since when an address is suppressed, None if it is not, and when it was let go."""
        with self._look() as look:
            hashed = look.vault.blind("suppression", address.casefold())
        return self._ledger.suppression(hashed), self._ledger.lifts(hashed)

    def project(self) -> Compiled:
        """Return the project as the house runs it."""
        return self._compiled

    def person(self, name: str, at_least: int) -> PersonView | None:
        """Return a person as of position `at_least` or later; None if nobody is known by that name.

        Raises RejectedError if the log does not reach that far: waiting for it would be in vain.
        """
        with self._look() as look:
            if at_least >= 0 and at_least > (last := look.log.last().seq):
                raise RejectedError(
                    f"expected a position of the log, which ends at {last}, got {at_least}; "
                    "take it from `X-Livepost-Position`",
                    code="position",
                    status=HTTPStatus.CONFLICT,
                )
            return named_person(look.vault, look.engine, name, self._compiled.keys(), at_least)

    def reasons(self, view: PersonView, *, records: bool = False) -> PersonReason:
        """Return why a person is in each segment or not, and got each campaign's mail or did not.

        With `records` the log is searched for what is behind that, in turn as for a story.
        """
        with self._search_turn() if records else contextlib.nullcontext(), self._look() as look:
            evidence = gather(view, self._ledger, look.engine)
            if records:
                evidence = with_records(evidence, look.log, look.engine)
        return why_person(self._compiled, evidence)

    def preview(self, view: PersonView, campaign: str, sight: Sight = EVERYTHING) -> RenderedMail | NotMade:
        """Return what a campaign would say to a person now, or why it cannot; nothing is sent."""
        return self._previews.of(campaign, view, sight)

    def test_send(
        self, view: PersonView, campaign: str, to: str, by: str, once: str, sight: Sight = EVERYTHING
    ) -> KnownSend:
        """Send a campaign's mail as a person would get it now to an address; see `Trying`. The courier is woken."""
        with self._look() as look:
            known = self._trying.send(look.vault, view, campaign, to, by, once, sight)
            if known.new:
                with contextlib.suppress(StoreError):  # then the courier looks by itself a moment later
                    look.engine.wake()
            return known

    def segments(self) -> list[SegmentCount]:
        """Return how many people are in each segment."""
        with self._look() as look:
            return look.engine.segments()

    def segment_history(self, since_ms: int) -> list[SegmentHistory]:
        """Return how many people were in each segment at the ends of hours since, and what held at `since_ms`."""
        with self._look() as look:
            return look.engine.segment_history(since_ms)

    def campaigns(self) -> list[CampaignStanding]:
        """Return where each campaign stands, in the project's order, then those that only the ledger remembers."""
        with self._look() as look:
            under_way = look.engine.under_way()
        declared = [one.name for one in self._compiled.campaigns]
        return campaign_standings(
            declared, self._ledger.counts(), self._ledger.outcome_counts(), under_way, self._earned()
        )

    def comparison(self, campaign: str) -> Comparison | None:
        """Return what a campaign's treated people bought beside those held out; None where nobody is held out.

        It is made anew once in EARNED_S.
        """
        within_ms = self._folder.settings.attribution_ms
        return self._compared.get(campaign, lambda: compare(self._ledger.exposed(campaign, within_ms)))

    def _policies_now(self) -> tuple[Report, Records | None]:
        settings = self._folder.settings
        project = self._project
        given = given_by(project.policy, self._home, project.declarations, settings)
        return report_of(self._home, project.declarations, settings), None if given is None else records_of(given)

    def _earned(self) -> list[Earned]:
        """Return what campaigns earned, as of at most EARNED_S ago: it is counted over all clicks."""
        within_ms = self._folder.settings.attribution_ms
        return self._earnings.get("", lambda: self._ledger.earned(within_ms))

    def delivery(self, decision: bytes) -> Delivery | None:
        """Return one delivery, None if the ledger does not know it."""
        return self._ledger.delivery(decision)

    def say(self, decisions: Sequence[bytes], verdict: Verdict, by: str, note: str) -> list[bytes]:
        """Say of unknown and held mails what became of them or shall; see `ops.by_hand`."""
        return say(self._ledger, self._folder.clock, decisions, verdict, by, note)

    def rights_requests(self, limit: int) -> tuple[list[RightsRequest], dict[str, int]]:
        """Return rights requests, those that fall due first on top, and how many wait, are due soon, overdue."""
        with self._requests() as requests:
            return requests.listed(limit=limit), requests.standing(WallClock().now_ms(), SOON_MS)

    def rights_request(self, id: str) -> RequestStory | None:
        """Return a request with what was done about it; None if there is none."""
        with self._requests() as requests:
            return requests.story(id)

    def receipts(self, limit: int) -> list[CheckedReceipt]:
        """Return the receipts of erasures, the newest first."""
        with contextlib.closing(self._folder.control()) as store:
            return self._checked(erasures.receipts(store, limit))

    def receipt(self, id: str) -> CheckedReceipt | None:
        """Return a receipt by its id in hex, None if there is none."""
        with contextlib.closing(self._folder.control()) as store:
            raw = erasures.receipt_of(store, bytes.fromhex(id))
        return None if raw is None else self._checked([raw])[0]

    def _checked(self, kept: Sequence[bytes]) -> list[CheckedReceipt]:
        with self._look() as look:
            public = Signer(look.vault.secret(PURPOSE)).public
        return [checked(one, public) for one in kept]

    def settle_request(self, id: str, what: Literal["completed", "cancelled", "extend"], told: str) -> bool:
        """Answer a request, or extend its time; say whether it could be."""
        with self._requests() as requests:
            one, now_ms = requests.get(id), WallClock().now_ms()
            if one is None:
                return False
            if what == "extend":
                if not is_extendable(one.regulation, one.kind):
                    return False
                due = due_at(one.regulation, one.received_at, extended=True)
                return requests.extend(id, due, why=told, now_ms=now_ms, by="console")
            return requests.move(id, what, now_ms=now_ms, by="console", told=told)

    def approvals(self, limit: int) -> list[Approval]:
        """Return what was asked for that a second person has to approve, the newest first."""
        with contextlib.closing(self._folder.control()) as store:
            return Approvals(store).listed(limit)

    def glass(self, limit: int) -> list[Glass]:
        """Return when the glass was broken, the newest first."""
        with contextlib.closing(self._folder.control()) as store:
            return Glasses(store).listed(limit)

    def break_glass(self, reason: str, minutes: int, by: str) -> None:
        """Let a user see everything for so many minutes; raises RejectedError (403)."""
        with contextlib.closing(self._folder.control()) as store:
            Glasses(store).break_(by, reason, WallClock().now_ms(), minutes)

    def end_glass(self, id: str, by: str) -> None:
        """End what somebody sees by a broken glass; raises RejectedError (404)."""
        with contextlib.closing(self._folder.control()) as store:
            Glasses(store).end(id, by, WallClock().now_ms())

    def settle_approval(self, id: str, kind: ApprovalKind, what: Literal["approve", "refuse"], by: str) -> None:
        """Approve or refuse what was asked for; raises RejectedError (403, 404, 409)."""
        with contextlib.closing(self._folder.control()) as store:
            desk = FourEyes(store, self._rules, WallClock())
            known = desk.approvals.get(id)
            if known is not None and known.kind != kind:
                raise RejectedError(
                    f"expected something of the kind {kind}, got {known.kind}; open /approvals anew",
                    code="approval",
                    status=404,
                )
            (desk.approve if what == "approve" else desk.refuse)(id, by)

    def enter_request(self, view: PersonView, entry: Entry) -> tuple[RightsRequest, bool]:
        """Enter a person's request as a server took it, once by its key, of which a keyed hash is kept; return it, and
        whether it is new.
        """
        source = source_of(entry.by)
        with self._look() as look:
            outside = "api:" + look.vault.blind("request key", f"{len(source)} {source} {entry.outside}").hex()
        with self._requests() as requests:
            first = requests.by_outside(outside) is None
            entering = Entering(
                requests, self._ledger, self._project.policy, clock=self._folder.clock, host=WallClock()
            )
            return entering.enter(view, msgspec.structs.replace(entry, outside=outside)), first

    def holdings(self, view: PersonView) -> Holdings:
        """Return what is held on a person, where it went, who saw it; the log is read as a whole."""
        with self._search_turn():
            return holdings_of(self._folder, self._project, tuple(view.subjects))

    @contextlib.contextmanager
    def _requests(self) -> Iterator[Requests]:
        with contextlib.closing(self._folder.control()) as store:
            yield Requests(store)

    def kills(self) -> list[Kill]:
        """Return which campaigns are stopped."""
        return self._ledger.kills()

    def broadcasts(self, limit: int) -> list[AskedBroadcast]:
        """Return broadcasts, newest first."""
        now_ms = self._folder.clock.now_ms()
        return [one.as_of(now_ms) for one in self._ledger.broadcasts(limit)]

    def broadcast_standings(self) -> dict[bytes, CampaignStanding]:
        """Return what became of each broadcast by its id, those that anything was decided of."""
        return broadcast_standings(self._ledger.broadcast_counts(), self._earned())

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return people of a segment by number."""
        with self._look() as look:
            return look.engine.members(segment, after, limit)

    def deliveries(self, person: bytes | None, campaign: str | None, state: State | None, limit: int) -> list[Delivery]:
        """Return deliveries, newest first."""
        return self._ledger.deliveries(person=person, campaign=campaign, state=state, limit=limit)

    def people(self, limit: int) -> list[PersonLine]:
        """Return the people who entered or left a segment last, at most `limit` (1 to 100)."""
        with self._look() as look:
            return people_lately(look.engine, look.vault, limit)

    def processes(self) -> list[ProcessStanding]:
        """Return the house's processes; this one alone where nobody supervises."""
        return process_standings(self._folder.processes_file, WallClock().now_ms())

    def stores(self) -> list[StoreStanding]:
        """Return the stores of the data folder."""
        return store_standings(self._folder.path)

    def changed_pages(self) -> list[str]:
        """Return the pages of the author's folder that are not as they were when they were applied, by name."""
        return changed_pages(self._folder, self._home)

    def relaxed(self) -> list[str]:
        """Return what the folder's policy.toml allows that the one in force does not, in sentences."""
        return wider(self._folder, self._home)

    def policies(self) -> tuple[Report, Records | None]:
        """Return how the author's folder fares under the rules of its policy, and its records of processing.

        What was found POLICIES_S ago at most is told again.
        """
        return self._policies.get("", self._policies_now)

    def retention(self) -> RetentionStanding:
        """Return how retention stands, with what was unread POLICIES_S ago at most."""
        settings, policy = self._folder.settings, self._project.policy
        with contextlib.closing(self._folder.control()) as store:
            last = runs(store)
        now = WallClock().now_ms()
        return RetentionStanding(
            terms=terms_of(policy, Purposes(self._compiled, policy)).all if policy else (),
            log_days=settings.retention_days,
            mail_days=mail_days(self._folder, policy),
            next_at=next_run(last[0].begun_at if last else now, settings.off_peak_hour),
            runs=last,
            unread=self._unread.get("", self._unread_now),
            unread_days=UNREAD_DAYS,
        )

    def _unread_now(self) -> list[Unread]:
        project = self._project
        given = given_by(project.policy, self._home, project.declarations, self._folder.settings)
        since = self._folder.clock.now_ms() - UNREAD_DAYS * DAY_MS
        return [] if given is None else unread(given, self._ledger.last_decided(), since)

    def divergences(self, limit: int) -> list[Divergence]:
        """Return decisions that an engine took otherwise once more, behind the fence, at most `limit`."""
        return self._ledger.divergences(limit)

    def settings(self) -> list[Shown]:
        """Return every setting as this process has it, with where it came from; no secret is in it."""
        return shown(self._folder.settings, self._folder.origins)

    def story(self, view: PersonView, limit: int) -> PersonStory:
        """Return what happened to a person, the newest first: at most `limit` (1 to MAX_LISTED) things.

        The log has no index by person and is searched backwards, within `ops.story`'s bounds, for one question at
        a time: searching takes turns with what the front does besides.
        """
        if not 1 <= limit <= MAX_LISTED:
            raise ValueError(f"expected a limit of 1 to {MAX_LISTED}, got {limit}")
        with self._search_turn(), self._look() as look:  # who waits for the turn keeps no look from others
            evidence = gather(view, self._ledger, look.engine)
            outcomes = {one.decision.id: self._ledger.outcomes(one.decision.id) for one in evidence.deliveries}
            searched = search(look.log, view.subjects, limit)
        return story_of(evidence, outcomes, searched, limit)

    def standing(self) -> Standing:
        """Return where the house stands."""
        with self._look() as look:
            return standing(
                look.engine.status(),
                look.log,
                ledger=self._ledger.cursor(),
                records_per_s={over: round(self._rates.per_s(over), 1) for over in RATES_OVER_S},
                event_to_mail=self._couriers().event_to_mail,
                trouble=self._trouble(),
                complaints=self.complaints(),
            )

    def metrics(self) -> list[Family]:
        """Return what a monitor is told; see `ops.metrics`."""
        return self._metering.families()

    def complaints(self) -> ComplaintRate:
        """Return the complaint rate of marketing mails, and what follows of it."""
        return self._ledger.complaints(self._folder.clock.now_ms())

    def letters(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters with position > `after`, at most `limit` and LETTERS_MAX of them."""
        with self._look() as look:
            return look.engine.dead(after, limit)

    def letter(self, position: int, *, open: bool) -> LetterDetail:
        """Return one dead letter with its call, as it was told or masked; raise StoreError if there is none."""
        with self._look() as look:
            row, record = kept(look.engine, look.log, position)
            return letters_of(self._folder, self._compiled, look.vault).detail(row, record, open=open)

    def kept(self, position: int, at_least: int) -> tuple[Letter, Record]:
        """Return a dead letter as of position `at_least` or later, and its record; raise StoreError without."""
        with self._look() as look:
            return kept(look.engine, look.log, position, at_least)

    def put_aside(self, position: int) -> Letter | None:
        """Return the dead letter that a record has become once the engine has folded it, None if none."""
        with self._look() as look:
            return look.engine.letter(position, position)

    def pace(self) -> Pace:
        """Return how fast events go through the house; the first question begins to look, once a second."""
        series = self._sampling.points()
        with self._look() as look:
            return pace(look.engine.status(), look.log, self._ledger.counts(), series, self._couriers().event_to_mail)

    def keeps_mails(self) -> bool:
        """Return whether mails are kept instead of sent, as the settings say."""
        return self._folder.settings.keeps_mails

    def mails(
        self, subjects: tuple[bytes, ...] | None, campaign: str | None, before: str | None, limit: int
    ) -> MailPage:
        """Return kept mails, newest first: of a person's subjects, of a campaign, from before a place, if given."""
        with self._look() as look:
            return mail_page(self._mailbox, look.vault, self._ledger, subjects, campaign, before, limit)

    def mail(self, id: str) -> MailShown | None:
        """Return the kept mail of a decision (its id in hex); None if there is none, or its person was forgotten."""
        decision = id_in_hex(id)
        if decision is None:
            return None
        with self._look() as look:
            return mail_shown(self._mailbox, look.vault, self._ledger, decision)

    def mail_story(self, id: str) -> MailStory | None:
        """Return what the ledger knows of a mail by its decision's id in hex; None if it knows none."""
        decision = id_in_hex(id)
        return None if decision is None else mail_story(self._ledger, decision)

    def close(self) -> None:
        """Release the looks that nobody uses, and what previews need; look no more."""
        self._sampling.close()
        self._previews.close()
        with contextlib.suppress(queue.Empty):
            while True:
                look = self._looks.get_nowait()
                if look is not None:
                    look.close()

    def _totals(self) -> dict[str, int]:
        with self._look() as look:
            return totals(look.engine.status(), look.log, self._ledger.counts(), self._outcomes())

    def _engine_and_log(self) -> tuple[Status, int]:
        with self._look() as look:
            return look.engine.status(), look.log.last().seq

    def _couriers(self) -> CourierStatus:
        """Return the couriers' histograms, added up; empty ones before their first mail."""
        event_to_mail: Counter[int] = Counter()
        claim_to_sent: Counter[int] = Counter()
        for file in self._folder.courier_files:
            told = msgspec.json.decode(file.read_bytes(), type=CourierStatus)
            event_to_mail.update(told.event_to_mail)
            claim_to_sent.update(told.claim_to_sent)
        return CourierStatus(event_to_mail, claim_to_sent)

    @contextlib.contextmanager
    def _search_turn(self) -> Iterator[None]:
        if not self._searching.acquire(timeout=WAIT_S):
            raise StoreError(f"expected a turn to search the log within {WAIT_S:g} s, got none; ask again")
        try:
            yield
        finally:
            self._searching.release()

    @contextlib.contextmanager
    def _look(self) -> Iterator[Look]:
        try:
            look = self._looks.get(timeout=WAIT_S)
        except queue.Empty:
            raise StoreError(
                f"expected a turn within {WAIT_S:g} s, got none: {LOOKS} questions are being answered; ask again"
            ) from None
        try:
            look = look or Look(self._folder)
            yield look
        finally:
            self._looks.put(look)
