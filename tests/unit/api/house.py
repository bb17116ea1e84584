"""The API over a house in memory: the rooms that run live, asked as HTTP asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from livepost.api.app import api_routes
from livepost.api.feed import Feed
from livepost.api.problem import http_error
from livepost.audit.deed import Deed, by_session
from livepost.audit.head import Signer
from livepost.clock import SimulatedClock
from livepost.control import erasures
from livepost.control.approvals import Approval
from livepost.control.requests import Requests, RightsRequest
from livepost.control.sqlite import ControlStore
from livepost.deliver.mail import NotMade
from livepost.errors import RejectedError, StoreError
from livepost.govern.access.rules import default_rules
from livepost.govern.access.sight import EVERYTHING, Sight
from livepost.govern.rights.correction import Correction
from livepost.govern.rights.deadline import SOON_MS
from livepost.govern.rights.entry import Entry
from livepost.govern.rights.holdings import Holdings
from livepost.govern.rights.receipt import CheckedReceipt, checked
from livepost.govern.rights.store import Held
from livepost.govern.rights.summary import HeldLine
from livepost.intake.call import read_call
from livepost.intake.plan import TrackingPlan
from livepost.intake.writer import Intake, Stores
from livepost.ledger.base import (
    AskedBroadcast,
    Delivery,
    Kill,
    KnownSend,
    Ledger,
    Proof,
    SenderStanding,
    Verdict,
)
from livepost.ledger.moves import State
from livepost.ledger.routing import Routing, SenderRule
from livepost.model.choice import Said
from livepost.model.consent_record import ConsentExport
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.model.principal import Holder, Principal, Role
from livepost.model.record import KeyKind
from livepost.model.standing import CampaignStanding
from livepost.model.told import Member, SegmentCount, Standing
from livepost.ops.audit_trail import EntryLine
from livepost.ops.by_hand import say
from livepost.ops.campaigns import broadcast_standings, campaign_standings
from livepost.ops.evidence import gather
from livepost.ops.lift import Comparison, compare
from livepost.ops.standing import standing
from livepost.ops.why import PersonReason, why_person
from livepost.project.gate import gate_of
from livepost.runtime.author.project import load_project
from livepost.runtime.courier.refusing import refusing
from livepost.runtime.data.definitions import Named
from livepost.runtime.front.broadcasting import Broadcasting
from livepost.runtime.front.purposed import purposed
from livepost.runtime.front.reasons import with_records
from livepost.runtime.front.said import exported, said_by
from livepost.runtime.front.sending import Sending, template_names
from livepost.runtime.front.trying import Trying
from livepost.runtime.rights.entering import Entering
from livepost.runtime.rights.rectifying import Rectifying
from livepost.runtime.simulated import SimulatedHouse
from livepost.settings.settings import Settings
from tests.unit.api.happenings import Stores as Stored

START = 1_767_603_600_000
SECRET, WRITE = "lp_secret_abc", "lp_write_abc"
PAGE = """
from livepost import Email, Event, Identified, Profile, campaign, count, days, latest, segment

class Viewed(Event):
    product: str

class Visitor(Profile):
    first_name = latest(Identified.first_name)
    last_product = latest(Viewed.product)
    views_7d = count(Viewed, over=days(7))
    keen = segment(views_7d >= 2)
    idle = segment(views_7d == 0)

@campaign(audience=Visitor.keen, cap=None)
def nudge(visitor):
    return Email("note", subject="Still looking?")
"""
NOTE = "<mjml><mj-body><mj-section><mj-column><mj-text>Note</mj-text></mj-column></mj-section></mj-body></mjml>"
SESSION = "0f" * 8
SIGNER = Signer(b"s" * 32)


def sending_of(house: SimulatedHouse, settings: Settings, ledger: Ledger | None = None) -> Sending:
    """Return who takes mails that programs ask for, over a house's stores; `advance` lets them go out."""
    plan = TrackingPlan(house.project.compiled)
    stores = Stores(house.log, house.vault)
    return Sending(
        intake=Intake(stores, plan, workspace=settings.workspace, reopen=lambda: stores),
        vault=lambda: house.vault,
        ledger=ledger or house.ledger,
        templates=template_names(house.project.folder),
        clock=house.clock,
        workspace=settings.workspace,
    )


def broadcasting_of(house: SimulatedHouse, *, approve_above: int = 2, **eyes: Any) -> Broadcasting:
    """Return who broadcasts, over a house's stores; `advance` lets the mails go out."""
    stores = Stores(house.log, house.vault)
    return Broadcasting(
        intake=Intake(stores, TrackingPlan(house.project.compiled), workspace="shop", reopen=lambda: stores),
        ledger=house.ledger,
        named=lambda: Named(serving=house.project.compiled, project_at=0),
        members=lambda: {one.segment: one.people for one in house.worker.segments()},
        clock=house.clock,
        approve_above=approve_above,
        **eyes,
    )


class Asked:
    """A house, its API, and who asks it."""

    def __init__(self, folder: Path, page: str = PAGE, also: Mapping[str, str] = MappingProxyType({})) -> None:
        (folder / "templates").mkdir()
        for name, text in {"note.mjml": NOTE, **also}.items():
            (folder / "templates" / name).write_text(text)
        (folder / "shop.py").write_text(page)
        settings = Settings()
        self.noted: list[tuple[str, Deed]] = []
        self.audit_fails = False
        self.entries: list[EntryLine] = []
        self.role: Role = "owner"
        self.clock = SimulatedClock(START)
        self.control = ControlStore(folder / "control.db")
        self.house = SimulatedHouse(load_project(folder, settings), settings, self.clock)
        self.sending = sending_of(self.house, settings)
        self.broadcasting = broadcasting_of(self.house)
        parts = (self, self, self.sending, self.broadcasting, Feed(Stored()))
        routes = api_routes(*parts, self.session, self, default_rules())
        self.app = Starlette(routes=routes, exception_handlers={HTTPException: http_error})

    def session(self, request: HTTPConnection) -> Principal | None:
        holds = request.cookies.get("session") == "holds"
        return Principal(by=by_session(SESSION), role=self.role) if holds else None

    async def note(self, by: str, deed: Deed) -> None:
        if self.audit_fails:
            raise StoreError("the audit cannot be written")
        self.noted.append((by, deed))

    def lookup(self, token: str) -> tuple[str, KeyKind] | None:
        return {SECRET: ("server", KeyKind.SECRET), WRITE: ("website", KeyKind.WRITE)}.get(token)

    def holder(self, token: str) -> Holder | None:
        return {SECRET: Holder("server", secret=True), WRITE: Holder("website", secret=False)}.get(token)

    def person(self, name: str, at_least: int) -> PersonView | None:
        if at_least > self.house.log.last().seq:
            raise RejectedError(f"the log does not reach {at_least}", code="position", status=409)
        subject = self.house.subject(name)
        return None if subject is None else self.house.worker.people([subject], at_least).get(subject)

    async def read(self, name: str, at_least: int) -> PersonView | None:
        return self.person(name, at_least)

    def purposed(self, view: PersonView, purpose: str) -> PersonView:
        project = self.house.project
        return purposed(
            gate_of(project.policy, project.compiled), refusing(self.house.ledger, self.clock), view, purpose
        )

    def said(self, person: bytes, limit: int) -> list[Said]:
        return said_by(self.house.ledger, person, limit)

    def consent_records(self, person: bytes) -> ConsentExport:
        return exported(self.house.ledger, person, self.house.project.policy, self.clock.now_ms())

    def choose(self, person: bytes, wishes: Mapping[str, bool], source: str, shown: str) -> list[Proof]:
        return self.house.ledger.choose(person, wishes, self.clock.now_ms(), "api", source, shown)

    def holdings(self, view: PersonView) -> Holdings:
        line = HeldLine(
            what="event", store="log", count=1, purposes=(), since=1, newest=1, sources=(), kept="", goes=(2, 3)
        )
        accesses = [Held(store="audit.db", what="access", at=at, values={"number": at}) for at in (1, 2)]
        return Holdings(lines=[line], travels=[], elsewhere=[], accesses=accesses)

    def receipts(self, limit: int) -> list[CheckedReceipt]:
        return [checked(one, SIGNER.public) for one in erasures.receipts(self.control, limit)]

    def receipt(self, id: str) -> CheckedReceipt | None:
        raw = erasures.receipt_of(self.control, bytes.fromhex(id))
        return None if raw is None else checked(raw, SIGNER.public)

    def rights_requests(self, limit: int) -> tuple[list[RightsRequest], dict[str, int]]:
        requests = Requests(self.control)
        return requests.listed(limit=limit), requests.standing(self.clock.now_ms(), SOON_MS)

    def enter_request(self, view: PersonView, entry: Entry) -> tuple[RightsRequest, bool]:
        requests, ledger, policy = Requests(self.control), self.house.ledger, self.house.project.policy
        first = requests.by_outside(entry.outside) is None
        return Entering(requests, ledger, policy, clock=self.clock, host=self.clock).enter(view, entry), first

    async def rectify(self, told: Correction) -> RightsRequest:
        stores = Stores(self.house.log, self.house.vault)
        plan = TrackingPlan(self.house.project.compiled)
        rectifying = Rectifying(
            requests=Requests(self.control),
            intake=Intake(stores, plan, workspace="shop", reopen=lambda: stores),
            vault=lambda: self.house.vault,
            compiled=lambda: self.house.project.compiled,
            notary=self,
            clock=self.clock,
            host=self.clock,
        )
        return await rectifying.rectify(told)

    async def echo(self) -> None:
        if self.house.ledger.unechoed(1) or self.house.ledger.unechoed_grants(1):
            self.house._echo()

    def reasons(self, view: PersonView, *, records: bool = False) -> PersonReason:
        evidence = gather(view, self.house.ledger, self.house.worker)
        if records:
            evidence = with_records(evidence, self.house.log, self.house.worker)
        return why_person(self.house.project.compiled, evidence)

    def preview(self, view: PersonView, campaign: str, sight: Sight = EVERYTHING) -> RenderedMail | NotMade:
        return self.house.preview(view, campaign, sight)

    def of(self, campaign: str, view: PersonView, sight: Sight = EVERYTHING) -> RenderedMail | NotMade:
        return self.preview(view, campaign, sight)

    def test_send(
        self, view: PersonView, campaign: str, to: str, by: str, once: str, sight: Sight = EVERYTHING
    ) -> KnownSend:
        trying = Trying(previews=self, ledger=self.house.ledger, workspace="test", clock=self.clock)
        return trying.send(self.house.vault, view, campaign, to, by, once, sight)

    def segments(self) -> list[SegmentCount]:
        return self.house.worker.segments()

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        return self.house.worker.members(segment, after, limit)

    def deliveries(self, person: bytes | None, campaign: str | None, state: State | None, limit: int) -> list[Delivery]:
        return self.house.ledger.deliveries(person=person, campaign=campaign, state=state, limit=limit)

    def comparison(self, campaign: str) -> Comparison | None:
        return compare(self.house.ledger.exposed(campaign, Settings().attribution_ms))

    def broadcasts(self, limit: int) -> list[AskedBroadcast]:
        return [one.as_of(self.house.clock.now_ms()) for one in self.house.ledger.broadcasts(limit)]

    def broadcast_standings(self) -> dict[bytes, CampaignStanding]:
        ledger = self.house.ledger
        return broadcast_standings(ledger.broadcast_counts(), ledger.earned(Settings().attribution_ms))

    def campaigns(self) -> list[CampaignStanding]:
        declared = [one.name for one in self.house.project.compiled.campaigns]
        return campaign_standings(declared, self.house.ledger.counts(), [], {})

    def audit(self, person: bytes | None, limit: int) -> list[EntryLine]:
        return [one for one in self.entries if person is None or person.hex() in one.people][:limit]

    def approvals(self, limit: int) -> list[Approval]:
        return []

    def senders(self) -> list[SenderStanding]:
        return self.house.ledger.senders(Routing(senders=(SenderRule(name="mail"),)))

    def delivery(self, decision: bytes) -> Delivery | None:
        return self.house.ledger.delivery(decision)

    def say(self, decisions: Sequence[bytes], verdict: Verdict, by: str, note: str) -> list[bytes]:
        return say(self.house.ledger, self.clock, decisions, verdict, by, note)

    def kills(self) -> list[Kill]:
        return self.house.ledger.kills()

    def kill(self, campaign: str, *, on: bool) -> None:
        self.house.ledger.kill(campaign, on, self.clock.now_ms())

    def standing(self) -> Standing:
        return standing(
            self.house.worker.status(),
            self.house.log,
            ledger=self.house.ledger.cursor(),
            records_per_s={1: 0.0, 10: 0.0, 60: 0.0},
            event_to_mail={},
            trouble=None,
            complaints=self.house.ledger.complaints(self.house.clock.now_ms()),
        )

    def knows(self, name: str) -> None:
        """Let a person be known by name, address and consent."""
        consent = {"consent": {"categoryPreferences": {"marketing": True}}}
        traits = {"email": f"{name}@example.com", "firstName": name.title()}
        self.tell({"type": "identify", "userId": name, "traits": traits, "context": consent})

    def views(self, name: str, *products: str) -> None:
        """Let a person look at products."""
        for product in products:
            self.tell({"type": "track", "event": "Viewed", "userId": name, "properties": {"product": product}})

    def tell(self, call: dict[str, Any]) -> None:
        self.house.take([read_call(json.dumps(call).encode())], KeyKind.SECRET)

    def send(self, body: Any, key: str | None = "k-1", by: str | None = SECRET) -> httpx.Response:
        """Ask for a mail and let the house come to rest; a body of bytes goes as it is."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if key is None else {"Idempotency-Key": key}
        reply = self.ask("/api/send", "POST", by, raw, **headers)
        self.house.advance(0)
        return reply

    def act(self, path: str, body: Any, key: str) -> httpx.Response:
        """Do something else under an idempotency key; the house does not come to rest."""
        return self.ask(path, "POST", SECRET, json.dumps(body).encode(), **{"Idempotency-Key": key})

    def ask(
        self, path: str, method: str = "GET", key: str | None = SECRET, body: bytes = b"", **headers: str
    ) -> httpx.Response:
        """Ask the API; return the reply."""
        given = {**({"Authorization": f"Bearer {key}"} if key else {}), **headers}
        return asyncio.run(self._ask(method, path, given, body))

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://m.example") as client:
            return await client.request(method, path, headers=headers, content=body)
