"""A courier: takes decisions over from the engine and sends them; only couriers claim.

There may be several, in seats of their own: each claims and sends, one of them reads the outbox and reports, the first
tells webhooks and measures what mails earn.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Protocol

import msgspec

from livepost.clock import steady
from livepost.deliver.courier import Courier, Sent, ask_again, recover, report, send_due, take_care, take_over
from livepost.deliver.express import SUFFIX as EXPRESS
from livepost.deliver.express import Attentive, Beside, Express
from livepost.deliver.mail import Maker
from livepost.errors import LivepostError, SealError, StoreError
from livepost.intake.writer import Lane
from livepost.ledger.base import Move
from livepost.log.base import LogReader
from livepost.measure.send import sent
from livepost.model.change import Definitions
from livepost.model.compiled import Compiled
from livepost.model.decision import TEST
from livepost.model.record import Record
from livepost.model.told import CourierStatus, Status
from livepost.observe.latencies import Latencies
from livepost.project.gate import Gate, gate_of
from livepost.runtime.author.making import maker_of
from livepost.runtime.author.project import Project, served
from livepost.runtime.courier.announcing import announcing
from livepost.runtime.courier.beating import beating
from livepost.runtime.courier.keeping import keeping
from livepost.runtime.courier.measuring import measuring
from livepost.runtime.courier.refusing import refusing
from livepost.runtime.courier.routing import routing_of
from livepost.runtime.courier.seat import take_seat
from livepost.runtime.courier.sender import senders_of
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient, UrgentClient
from livepost.runtime.sockets.handed import Handed
from livepost.runtime.sockets.wire import WireClient
from livepost.settings.settings import KEEP
from livepost.vault.base import Vault

IDLE_S = 0.5
"""How long the courier waits for the engine's wake-up: what comes due by itself (a retry, a lease) is up to so late."""

PORT_LOOK_S = 0.02

CARE_S = 10.0
"""How often a courier looks for mails of couriers that are gone."""

ASK_S = 300.0
"""How often senders are asked what became of mails that nobody knows of."""


class LoggedOutcomes:
    """Takes the ledger's moves to the log: a mail that was sent becomes an event."""

    def __init__(self, vault: Vault, hand: Callable[[list[Record]], None]) -> None:
        self._vault = vault
        self._hand = hand

    def report(self, moves: Sequence[Move]) -> None:
        """Hand the sends among the moves on; raise StoreError if they are not in the log."""
        records = [
            sent(move.decision, move.person, move.campaign, move.at, known=self._known(move.person))
            for move in moves
            if move.after == "sent" and move.campaign != TEST
        ]
        if records:
            self._hand(records)

    def _known(self, person: bytes) -> bool:
        try:
            return self._vault.keys(person).known
        except SealError:  # forgotten meanwhile: nobody will make anything of it
            return False


def run_courier(folder: DataFolder, project: Project, stop: Event, *, home: Path | None = None) -> None:
    """Work until `stop` is set; `home` is the author's folder, if `project` was loaded from another one.

    Raises StoreError if a store cannot be opened, SettingsError for a `mail` of no use.
    """
    with contextlib.ExitStack() as open_:
        vault = open_.enter_context(contextlib.closing(folder.vault(readonly=True)))
        ledger = open_.enter_context(contextlib.closing(folder.ledger()))
        log = open_.enter_context(contextlib.closing(folder.log_reader()))
        beside = Beside()
        engine = open_.enter_context(contextlib.closing(EngineClient(folder, beside.wait)))
        front = open_.enter_context(contextlib.closing(WireClient(folder.front_socket, beside.wait)))
        seat = open_.enter_context(contextlib.closing(take_seat(folder.path)))
        if not seat.first and folder.settings.keeps_mails:
            raise StoreError(f'with mail = "{KEEP}" one courier writes the mailbox, and it runs already; stop this one')
        beats = open_.enter_context(contextlib.closing(folder.ledger()))
        for worker in (seat.worker, seat.worker + EXPRESS):
            open_.enter_context(beating(beats, worker))
        senders = open_.enter_context(contextlib.closing(senders_of(folder, vault)))
        base_url = _base_url(folder, stop)
        author = Author(
            folder,
            project,
            home or project.folder,
            engine,
            lambda author: maker_of(author, folder.settings, base_url, vault, ledger, refusing(ledger, folder.clock)),
        )
        courier = Courier(
            engine=engine,
            ledger=ledger,
            maker=author.maker,
            sender=senders.first,
            senders=senders,
            routing=routing_of(folder.settings),
            blind=lambda address: vault.blind("suppression", address.casefold()),
            outcomes=LoggedOutcomes(vault, lambda records: _hand(front, records)),
            clock=steady(folder.clock),
            worker=seat.worker,
        )
        beside_mails = (announcing(folder, author.now), keeping(folder, author.now), measuring(folder))
        wakes = [open_.enter_context(one) for one in beside_mails] if seat.first else []
        loop = _Loop(courier, author, log, folder.courier_file(seat.number), lambda: [wake() for wake in wakes])
        urgent = open_.enter_context(contextlib.closing(UrgentClient(folder)))
        engine_beside = open_.enter_context(contextlib.closing(EngineClient(folder)))
        hurrying = msgspec.structs.replace(courier, engine=engine_beside)  # while the other waits for an answer
        if folder.settings.keeps_mails:  # one mailbox, one sender: mails overtake between groups, not beside one
            loop.let_overtake(Express(hurrying, senders, urgent, loop.note), {}, beside)
        else:
            others = open_.enter_context(contextlib.closing(senders_of(folder, vault)))
            attentive = {name: Attentive(sender, beside) for name, sender in senders.items()}
            for one in attentive.values():
                open_.enter_context(contextlib.closing(one))
            loop.let_overtake(Express(hurrying, others, urgent, loop.note), attentive, beside)
        loop.run(folder, stop)


class Serving(Protocol):
    """The engine, as far as it says what serves."""

    def status(self) -> Status:
        """Return where it stands, with the hash of what serves (`program`)."""
        ...

    def definitions(self) -> Definitions:
        """Return what it computes with."""
        ...


class Author:
    """The campaigns' functions and templates that mails are made with: those of the project that serves."""

    def __init__(
        self,
        folder: DataFolder,
        project: Project,
        home: Path,
        engine: Serving,
        make: Callable[[Project], Maker],
    ) -> None:
        """Take the project to begin with, the author's folder, who knows what serves, and what makes mails of it."""
        self.maker = make(project)
        self._gate = gate_of(project.policy, project.compiled)
        self._folder = folder
        self._project = project
        self._home = home
        self._engine = engine
        self._make = make

    def now(self) -> Gate | None:
        """Return what may travel where by the project that serves; from any thread."""
        return self._gate

    def follow(self) -> None:
        """Take the folder's pages anew if another project serves by now: before its first decision is a mail."""
        with contextlib.suppress(StoreError):  # the engine is not there: nobody can be asked for people either
            if self._engine.status().program != self._project.compiled.hash():
                self._take_up(self._engine.definitions().serving)

    def _take_up(self, serving: Compiled) -> None:
        self._project = served(self._project, self._home, serving, self._folder.settings, self._folder.speed)
        self._gate = gate_of(self._project.policy, self._project.compiled)
        with contextlib.suppress(LivepostError):  # a template that cannot be compiled: the mails stay as they were
            self.maker = self._make(self._project)


class _Loop:
    def __init__(
        self, courier: Courier, author: Author, log: LogReader, status: Path, turned: Callable[[], object]
    ) -> None:
        self._courier = courier
        self._author = author
        self._log = log
        self._status = status
        self._turned = turned
        self._express: Express | None = None
        self._event_to_mail, self._claim_to_sent = Latencies(), Latencies()
        self._cared_s = self._asked_s = time.monotonic()

    def let_overtake(self, express: Express, senders: Mapping[str, Attentive], beside: Beside) -> None:
        """Let urgent mails overtake, while those of the senders given are at their servers as well."""
        self._express = express
        self._courier = msgspec.structs.replace(self._courier, attend=express.attend, piece=express.piece)
        beside.attend = express.attend_beside
        beside.heard_on = lambda: express.heard_on
        if senders:
            first = next(iter(senders.values()))
            self._courier = msgspec.structs.replace(self._courier, sender=first, senders=senders, ahead=beside.ahead)

    def note(self, done: Sent) -> None:
        """Note how long mails took that were sent."""
        committed_ms = {position: self._log.committed_ms(position) for position in {at for at, _ in done.accepted}}
        for position, accepted_ms in done.accepted:
            self._event_to_mail.add(accepted_ms - committed_ms[position])
        for waited_ms in done.claim_to_sent:
            self._claim_to_sent.add(waited_ms)
        if done.accepted:
            self._write_status()

    def run(self, folder: DataFolder, stop: Event) -> None:
        if self._express is not None:
            recover(self._express.courier)
        recover(self._courier)
        with contextlib.closing(WireClient(folder.engine_socket).watch()) as watch:
            while not stop.is_set():
                if not self._turn():
                    watch.wait(IDLE_S)
        self._write_status()

    def _turn(self) -> bool:
        """Take over, send, report; say whether there was something to do."""
        with contextlib.suppress(StoreError):  # the engine is not there yet, or not any more
            take_over(self._courier)
        self._author.follow()
        if self._courier.maker is not self._author.maker:
            self._courier = msgspec.structs.replace(self._courier, maker=self._author.maker)
            if self._express is not None:
                self._express.follow(self._author.maker)
        done = send_due(self._courier)
        self.note(done)
        if self._courier.place.leads:
            with contextlib.suppress(StoreError):  # the front is not there: they are reported later
                report(self._courier)
        self._take_care()
        self._turned()
        return done.claimed > 0

    def _take_care(self) -> None:
        now_s = time.monotonic()
        if now_s - self._cared_s >= CARE_S:
            self._cared_s = now_s
            take_care(self._courier)
        if now_s - self._asked_s >= ASK_S and self._courier.place.leads:
            self._asked_s = now_s
            ask_again(self._courier)

    def _write_status(self) -> None:
        beside = self._status.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(CourierStatus(self._event_to_mail.counts, self._claim_to_sent.counts)))
        beside.rename(self._status)


def _base_url(folder: DataFolder, stop: Event) -> str:
    """Return what links in mails begin with; where the port is any free one, once the front has got it."""
    while folder.settings.port == 0 and not folder.port_file.exists() and not stop.wait(PORT_LOOK_S):
        pass
    return folder.base_url


def _hand(front: WireClient, records: list[Record]) -> None:
    front.call("append", Handed(records, Lane.OUTCOME), int)
