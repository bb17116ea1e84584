"""A house without processes in which somebody can be erased: the stores opened as a front has them, and an engine that
works off the log whenever it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livepost.announce.book import Book as Webhooks
from livepost.announce.book import DeadLetter
from livepost.audit.head import Signer
from livepost.clock import WallClock
from livepost.control.approvals import Approval, Approvals
from livepost.control.requests import Requests, RightsRequest
from livepost.control.sqlite import ControlStore
from livepost.intake.call import read_call
from livepost.intake.erased import Erased
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.ledger.base import EVERY_PURPOSE, Limit
from livepost.ledger.stored import StoredLedger
from livepost.log.sqlite import SqliteLog, SqliteLogReader
from livepost.model.person import PersonView
from livepost.model.record import Appended, KeyKind, Origin, Record
from livepost.model.told import Status
from livepost.runtime.data.audits import PURPOSE
from livepost.runtime.engine.worker import Worker
from livepost.runtime.rights.erasing import Erasing, House
from livepost.runtime.rights.reach import Reach
from livepost.runtime.rights.stores import STORES
from livepost.state.base import DurableStateStore
from livepost.sync.book import Book as Audiences
from livepost.sync.card import Row
from livepost.vault.base import USER, ExternalId
from livepost.vault.sqlite import SqliteVault
from tests.crash.scanning import found_in
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, look, make_project

ADDRESS = "ada@example.com"
PERSONAL = (ADDRESS, "Ada of the tests", "device-of-ada")
OPEN = "green-tea"
REQUEST = "ab" * 16
"""The id of what Ada asked for by right."""

DESTINATION = "to-klaviyo"


class Asked:
    """An engine that is at the log's end whenever it is asked."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        return self._there().people(ids, at_least)

    def status(self) -> Status:
        return self._there().status()

    def _there(self) -> Worker:
        while self.worker.turn():
            pass
        return self.worker


@dataclass
class Erasable:
    """The stores, open; `subjects` are Ada's."""

    still: StillHouse
    log: SqliteLog
    vault: SqliteVault
    ledger: StoredLedger
    control: ControlStore
    state: DurableStateStore
    reader: SqliteLogReader
    intake: Intake
    subjects: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        self.engine = Asked(self.worker(self.state))

    def worker(self, state: DurableStateStore) -> Worker:
        """Return an engine of a state over this house's log."""
        workspace = self.still.folder.settings.workspace
        return Worker(self.still.project.compiled, state, self.reader, WallClock(), workspace)

    @property
    def path(self) -> Path:
        return self.still.folder.path

    def erasing(self, passed: Callable[[str], None] = lambda step: None) -> Erasing:
        """Return who erases, as a front that was just started has it."""
        house = House(
            folder=self.still.folder,
            control=self.control,
            ledger=self.ledger,
            intake=self.intake,
            engine=self.engine,
            signer=Signer(self.vault.secret(PURPOSE)),
            clock=WallClock(),
            vault=lambda: self.vault,
            log=lambda: self.log,
            keys=tuple,
            listed=self.listed,
        )
        return Erasing(house, passed)

    def listed(self) -> None:
        self.intake.use_erased(Erased(self.vault.blind, self.ledger.erased_ids()), self.ledger.forgotten())

    def take(self, *calls: dict[str, Any], origin: Origin = Origin.LIVE, at: int | None = None) -> Appended:
        """Take calls in as a server's."""
        return self.intake.append(self.records_of(*calls, origin=origin, at=at))

    def records_of(self, *calls: dict[str, Any], origin: Origin = Origin.LIVE, at: int | None = None) -> list[Record]:
        """Return what calls become, not written yet."""
        received = WallClock().now_ms() if at is None else at
        arrival = Arrival(source="server", key=KeyKind.SECRET, received_at=received, origin=origin)
        return self.intake.recorder.records([read_call(json.dumps(call).encode()) for call in calls], arrival)

    def subject_of(self, user: str) -> bytes | None:
        found = self.vault.find(ExternalId(USER, user))
        return None if found is None else found.subject

    def knows(self, user: str) -> bool:
        """Say whether the engine knows somebody by a userId."""
        subject = self.subject_of(user)
        return subject is not None and bool(self.engine.people([subject], -1))

    def telling(self, words: Sequence[str] = PERSONAL) -> set[str]:
        """Return the stores that tell one of the words to whoever has the vault."""
        with closing(self.still.folder.vault(readonly=True)) as vault:
            reach = Reach(self.still.folder, self.still.project, vault)
            there = [store for store in STORES if (self.path / store.name).exists() and store.name not in OF_ENGINE]
            places = [(store.name, raw) for store in there for raw in store.decodes(reach)]
        return {line.partition(":")[0] for line in found_in(words, places)}


OF_ENGINE = ("state.db", "state.db.images")
"""Open in this process: asked by `knows`."""


def lived(project: Path) -> None:
    """Let Ada look at things and get a mail, and be known to a vendor; a webhook's target refused a message of her."""
    still = StillHouse(make_project(project))
    told = ada()
    told["traits"]["firstName"] = PERSONAL[1]
    still.take({**told, "anonymousId": PERSONAL[2]}, *THREE_LOOKS, look("bob's", person="bob"))
    still.work()
    with closing(still.folder.vault(readonly=True)) as vault:
        found = vault.find(ExternalId(USER, "ada"))
        assert found is not None
        _beside(still, found.subject)


@contextmanager
def erasable(project: Path) -> Iterator[Erasable]:
    """Yield the stores of a house that lived, open."""
    still = StillHouse(project)
    with ExitStack() as opened:
        log = opened.enter_context(closing(still.folder.log()))
        vault = opened.enter_context(closing(still.folder.vault(readonly=False)))
        ledger = opened.enter_context(closing(still.folder.ledger()))
        control = opened.enter_context(closing(still.folder.control()))
        state = opened.enter_context(closing(still.folder.state()))
        reader = opened.enter_context(closing(still.folder.log_reader()))
        plan = TrackingPlan(still.project.compiled, still.folder.settings.undeclared)
        intake = Intake(Stores(log, vault), plan, workspace=still.folder.settings.workspace)
        house = Erasable(still, log, vault, ledger, control, state, reader, intake)
        subject = house.subject_of("ada")
        assert subject is not None
        house.subjects = tuple(house.engine.people([subject], -1)[subject].subjects)
        yield house


def _beside(still: StillHouse, subject: bytes) -> None:
    with closing(Webhooks(still.folder.webhooks_file)) as webhooks:
        webhooks.begin("shop", "0")
        body = json.dumps({"person": subject.hex()}).encode()
        webhooks.die(DeadLetter(0, "shop", "transition_1", "transition", body, at=1, sent=9, error="gone"), "1")
    with closing(Audiences(still.folder.audiences_file)) as audiences:
        audiences.write(DESTINATION, [Row(handle=b"h" * 16, person=subject, ident=b"sealed")])
    with closing(still.folder.control()) as control:
        Requests(control).enter(request_of(subject))
        Requests(control).enter(request_of(b"b" * 16, id="ef" * 16))
        Approvals(control).ask(_approval_of(subject))
    with closing(still.folder.ledger()) as ledger:
        ledger.limit(Limit(person=subject, kind="restricted", purpose=EVERY_PURPOSE, at=1, request=REQUEST))


def request_of(*subjects: bytes, id: str = REQUEST) -> RightsRequest:
    """Return a request that waits, with what came in."""
    return RightsRequest(
        id=id,
        kind="erasure",
        regulation="gdpr",
        way="api",
        subjects=subjects,
        submitted_at=1,
        received_at=1,
        due_at=2,
        verified="by a call back",
        entered_by="key:server",
        body=b"sealed",
    )


def _approval_of(subject: bytes) -> Approval:
    return Approval(
        id="cd" * 16,
        kind="export",
        hash=b"h" * 32,
        told=("an export",),
        people=(subject, b"b" * 16),
        asked_by="user:ops",
        reason="they asked",
        asked_at=1,
        until=2,
    )
