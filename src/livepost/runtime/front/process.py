"""The front's process: collector, links of mails, health, API, console; the only writer of the log.

Others hand it records over its socket, in lanes of lower priority. It lets time pass: when a due time has come and
nothing newer is in the log, it appends a tick.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from starlette.routing import BaseRoute

from livepost.api.mail import MailDesk, echo
from livepost.api.opendsr import dsr_routes
from livepost.api.subscribe import SubscribeDesk
from livepost.audit.deed import Deed
from livepost.audit.head import Signer
from livepost.clock import DAY_MS, SECOND_MS, Clock, WallClock, steady
from livepost.collect.app import Collect
from livepost.collect.whole import whole_calls
from livepost.control.requests import Requests
from livepost.deliver.token import Tokens
from livepost.errors import LivepostError, SealError, StoreError
from livepost.fetch.fetcher import Fetcher
from livepost.govern.consent.rules import signals_of, terms_of
from livepost.ids import digest
from livepost.intake.erased import Erased
from livepost.intake.plan import TrackingPlan
from livepost.intake.writer import Intake, Lane, Stores
from livepost.ledger.stored import StoredLedger
from livepost.log.base import Position
from livepost.model.compiled import Compiled
from livepost.model.feedback import MailEvent
from livepost.model.letter import Replay, Replayed
from livepost.model.record import Appended, Record
from livepost.model.told import Due
from livepost.observe.rates import Rates
from livepost.runtime.author.look import look_of, offer_of
from livepost.runtime.author.project import Project, served
from livepost.runtime.courier.targets import allowed_of
from livepost.runtime.data.audits import PURPOSE
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.kept_pages import fitting, keep_pages
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front.auditing import Auditing
from livepost.runtime.front.broadcasting import APPROVE, BROADCAST, Broadcasting
from livepost.runtime.front.changing import CUT, NAMED, READY, SEED, Changing
from livepost.runtime.front.hearing import HEAR, Hearing, hooks_of
from livepost.runtime.front.letters import letters_of
from livepost.runtime.front.listening import listen, serve
from livepost.runtime.front.pages import Pages
from livepost.runtime.front.replaying import REPLAY, Replaying
from livepost.runtime.front.requesting import Requesting, signer_of
from livepost.runtime.front.rotating import MOVE, ROTATE, ROTATION, Rotating
from livepost.runtime.front.sending import Sending, template_names, wake_courier
from livepost.runtime.front.subscribing import Subscribing
from livepost.runtime.front.tending import Tending
from livepost.runtime.front.tls import certificate_of
from livepost.runtime.front.undoing import UNLINK, Undoing
from livepost.runtime.house.conduct import collect_seldom, stopped
from livepost.runtime.recorder.job import ADMIT, JOB, PLAN, Planned
from livepost.runtime.recorder.recorders import Recorders
from livepost.runtime.rights.erasing import ERASE, Erasing, House
from livepost.runtime.rights.patient import PatientEngine
from livepost.runtime.rights.rectifying import RECTIFY, Rectifying
from livepost.runtime.rights.retaining import RETAIN, Retaining
from livepost.runtime.rights.retaining import House as RetainingHouse
from livepost.runtime.sockets.handed import Handed
from livepost.runtime.sockets.wire import POLL_S, Handler, WireServer
from livepost.sources.esp.hooks import hook_routes
from livepost.vault.base import ExternalId

TICK_CHECK_S = 0.005
"""How late a tick may be, and how often one is thought of while the engine has not told what comes next."""

TICK_SLEEP_S = 1.0
"""How long time is left alone at most: a host that slept, or a clock set right, is noticed by then."""

PRUNE_EVERY_S = 3600.0
RECOVER_EVERY_S = 1.0
EASE_EVERY_S = 60.0
EXPIRE_EVERY_S = 60.0


async def run_front(
    folder: DataFolder, project: Project, *, home: Path | None = None, more: Sequence[BaseRoute] = ()
) -> None:
    """Serve until told to stop. Raises LivepostError if a store or the port cannot be had.

    `home` is the author's folder, if `project` was loaded from another one; `more` are routes of whoever starts it,
    behind the house's own.
    """
    collect_seldom()
    clock = steady(folder.clock)
    with contextlib.ExitStack() as open_:
        writing = open_.enter_context(contextlib.closing(_Writing(folder, clock)))
        ledger = open_.enter_context(contextlib.closing(folder.ledger()))
        listening = open_.enter_context(contextlib.closing(listen(folder)))
        await _Front(folder, project, home or project.folder, clock, writing, ledger, more).run(listening)


class _Writing:
    """Vault and log as the front writes them; opened anew after a write of which nobody knows whether it was."""

    def __init__(self, folder: DataFolder, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._open = contextlib.ExitStack()
        self._open_both()

    def reopen(self) -> Stores:
        self.close()
        self._open_both()
        return Stores(self.log, self.vault)

    def close(self) -> None:
        self._open.close()

    def _open_both(self) -> None:
        with contextlib.ExitStack() as opened:
            self.vault = opened.enter_context(contextlib.closing(self._folder.vault(readonly=False)))
            self.log = opened.enter_context(contextlib.closing(self._folder.log(self._clock)))
            self._open = opened.pop_all()


class _Front:
    def __init__(
        self,
        folder: DataFolder,
        project: Project,
        home: Path,
        clock: Clock,
        writing: _Writing,
        ledger: StoredLedger,
        more: Sequence[BaseRoute],
    ) -> None:
        self._folder = folder
        self._home = home
        self._policy = project.policy
        self._signals = signals_of(self._policy)
        ledger.set_consent_terms(terms_of(self._policy))
        self._certificate = certificate_of(folder.settings)
        self._clock = clock
        self._writing = writing
        self._ledger = ledger
        self._due = Due(next_due=None, log_needed_after=-1)
        self._due_told = asyncio.Event()
        self._recorders = Recorders()
        self._rates = Rates()
        self._outcomes = 0
        self._planned = Planned("", Compiled())
        self._erased = self._listed_erased()
        self._intake = self._new_intake()
        self._changing = Changing(folder.definitions_file, self._intake, lambda: writing.log, self._use_plan)
        self._undoing = Undoing(self._intake, lambda: writing.log, self._changing.known)
        self._broadcasting = self._new_broadcasting()
        self._rotating = Rotating(lambda: folder.keks, lambda: writing.vault, folder.move_keks)
        self._control = folder.control()
        self._erasing = self._new_erasing()
        self._use_erased()
        self._auditing = Auditing(folder.audits(writing.vault))
        self._retaining = self._new_retaining()
        self._rectifying = self._new_rectifying()
        self._server = WireServer(folder.front_socket, self._handlers())
        self._changing.start(project.compiled)
        self._project = fitting(folder, project, self._changing.named.serving)
        if self._project is project:
            self._keep_pages()
        self._house = self._new_house()
        self._replaying = self._new_replaying()
        self._sending = self._new_sending()
        self._desk = self._new_desk()
        self._house.brings = lambda: echo(self._desk)
        self._hearing = self._new_hearing()
        self._requesting = self._new_requesting()
        self._pages = self._new_pages(more)

    async def run(self, listening: socket.socket) -> None:
        await self._server.start()
        waking = wake_courier(self._folder, self._sending.taken)
        tending = (
            self._tick(),
            self._prune(),
            self._recover(),
            self._echo(),
            self._ease(),
            self._resume(),
            self._expire(),
        )
        lasting = (self._rotating.resume(), self._auditing.keep_heads(), self._erasing.run(), self._retaining.run())
        renewing = () if self._certificate is None else (self._certificate.keep(),)
        answering = () if self._requesting is None else (self._requesting.run(),)
        works = (*tending, self._follow(), *lasting, *renewing, *answering, waking)
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await stopped(self._serve(listening))
        finally:
            for task in tasks:
                task.cancel()
            self._rotating.close()
            self._recorders.close()
            self._house.close()
            self._pages.close()
            self._auditing.close()
            self._control.close()
            await self._server.close()

    def _handlers(self) -> dict[str, Handler]:
        return {
            "append": self._handed,
            "due": self._told_due,
            "tick": self._ticked,
            "link": lambda raw: self._pages.new_link(),
            JOB: self._recorders.next,
            ADMIT: self._admit,
            REPLAY: self._replay,
            PLAN: lambda raw: self._planned,
            NAMED: self._changing.handle_named,
            CUT: self._changing.handle_cut,
            SEED: self._changing.handle_seed,
            READY: self._changing.handle_ready,
            UNLINK: self._undoing.handle,
            ERASE: self._erasing.handle,
            RECTIFY: self._rectifying.handle,
            RETAIN: self._retaining.handle,
            BROADCAST: self._broadcasting.handle,
            APPROVE: self._broadcasting.handle_approval,
            HEAR: self._hear,
            ROTATE: self._rotating.begin,
            MOVE: self._rotating.move,
            ROTATION: self._rotating.told,
        }

    def _new_intake(self) -> Intake:
        """Return the writer of the log; whose tracking plan it judges by is told when it is known what serves."""
        return Intake(
            Stores(self._writing.log, self._writing.vault),
            TrackingPlan(Compiled()),
            workspace=self._folder.settings.workspace,
            on_commit=self._committed,
            reopen=self._writing.reopen,
        )

    def _new_erasing(self) -> Erasing:
        """Return who erases people, and goes on with what a crash left of it."""
        folder = self._folder
        house = House(
            folder=folder,
            control=self._control,
            ledger=self._ledger,
            intake=self._intake,
            engine=PatientEngine(folder),
            signer=Signer(self._writing.vault.secret(PURPOSE)),
            clock=self._clock,
            vault=lambda: self._writing.vault,
            log=lambda: self._writing.log,
            keys=self._declared_keys,
            listed=self._use_erased,
        )
        return Erasing(house)

    def _new_rectifying(self) -> Rectifying:
        """Return who sets right what people are known by."""
        return Rectifying(
            requests=Requests(self._control),
            intake=self._intake,
            vault=lambda: self._writing.vault,
            compiled=lambda: self._changing.named.serving,
            notary=self._auditing,
            clock=self._clock,
            host=WallClock(),
        )

    def _new_replaying(self) -> Replaying:
        return Replaying(
            self._house,
            self._intake,
            log=lambda: self._writing.log,
            letters=lambda: letters_of(self._folder, self._project.compiled, self._writing.vault),
        )

    def _new_pages(self, more: Sequence[BaseRoute]) -> Pages:
        parts = (self._house, self._sending, self._broadcasting, self._desk, self._new_subscribing())
        routes = [*hook_routes(hooks_of(self._folder.settings, self._hearing)), *more]
        if self._requesting is not None:
            routes[:0] = dsr_routes(self._requesting, self._folder.keys, self._auditing)
        return Pages(
            self._folder,
            self._writing.vault,
            self._ledger,
            *parts,
            self._auditing,
            self._trouble,
            self._home,
            routes,
        )

    def _new_retaining(self) -> Retaining:
        """Return who takes out what is older than is promised, once a day."""
        house = RetainingHouse(
            folder=self._folder,
            control=self._control,
            ledger=self._ledger,
            notary=self._auditing,
            policy=lambda: self._policy,
            compiled=lambda: self._project.compiled,
            tick=self._intake.tick,
            clock=self._clock,
        )
        return Retaining(house)

    def _listed_erased(self) -> Erased:
        return Erased(self._writing.vault.blind, self._ledger.erased_ids())

    def _declared_keys(self) -> Sequence[str]:
        return self._changing.named.serving.keys()

    def _use_erased(self) -> None:
        """Let nothing of before an erasure in from now on, here and in the recorders."""
        self._erased = self._listed_erased()
        self._intake.use_erased(self._erased, self._ledger.forgotten())
        self._plan_told(self._planned.project)

    def _plan_told(self, plan: Compiled) -> None:
        listed = digest(msgspec.msgpack.encode(sorted(self._erased.ids.items()))).hex()
        self._planned = Planned(f"{plan.hash()} {listed}", plan, self._erased.ids, self._signals)
        self._recorders.plan = self._planned.hash

    def _is_known(self, subject: bytes) -> bool:
        """Say whether a subject is a known one; nobody who was forgotten is."""
        try:
            return self._writing.vault.keys(subject).known
        except SealError:
            return False

    def _new_broadcasting(self) -> Broadcasting:
        return Broadcasting(
            intake=self._intake,
            ledger=self._ledger,
            named=self._changing.known,
            members=self._members,
            clock=self._clock,
            approve_above=self._folder.settings.approve_above,
            users=self._folder.users,
            alone=self._approved_alone,
        )

    async def _approved_alone(self, by: str, broadcast: bytes) -> None:
        whose = by if ":" in by else f"local:{by}"
        await self._auditing.note(whose, Deed("broadcast.approved_alone", about=broadcast.hex()))

    def _members(self) -> dict[str, int]:
        with contextlib.closing(EngineClient(self._folder)) as engine:
            return {one.segment: one.people for one in engine.segments()}

    def _new_house(self) -> Tending:
        return Tending(
            self._folder,
            self._project,
            self._ledger,
            self._rates,
            self._trouble,
            outcomes=lambda: self._outcomes,
            vault=lambda: self._writing.vault,
            replay=self._replayed,
            broadcasting=self._broadcasting,
            rectifying=self._rectifying,
            home=self._home,
        )

    def _new_sending(self) -> Sending:
        return Sending(
            intake=self._intake,
            vault=lambda: self._writing.vault,
            ledger=self._ledger,
            templates=template_names(self._project.folder),
            clock=self._clock,
            workspace=self._folder.settings.workspace,
        )

    def _new_desk(self) -> MailDesk:
        return MailDesk(
            tokens=Tokens(self._writing.vault.secret("tokens")),
            ledger=self._ledger,
            append=self._append,
            known=self._is_known,
            clock=self._clock,
            shop_name=self._folder.settings.shop_name,
            look=look_of(self._home, self._folder.settings),
            offer=lambda: offer_of(self._project.compiled, self._folder.settings, self._policy),
            opens=self._folder.settings.opens,
        )

    def _new_subscribing(self) -> SubscribeDesk:
        subscribing = Subscribing(
            intake=self._intake,
            vault=lambda: self._writing.vault,
            ledger=self._ledger,
            templates=lambda: self._sending.templates,
            tokens=self._desk.tokens,
            clock=self._clock,
            workspace=self._folder.settings.workspace,
            base_url=lambda: self._folder.base_url,
            offer=self._desk.offer,
            taken=self._sending.taken.set,
        )
        return SubscribeDesk(
            desk=self._desk,
            keys=self._folder.keys,
            subscriptions=subscribing,
            confirmation=self._ledger.confirmation,
        )

    def _new_hearing(self) -> Hearing:
        return Hearing(
            ledger=self._ledger,
            blind=lambda address: self._writing.vault.blind("suppression", address.strip().casefold()),
            append=self._append,
            echo=lambda: echo(self._desk),
            known=self._is_known,
            clock=self._clock,
        )

    def _new_requesting(self) -> Requesting | None:
        """Return OpenDSR's desk, None where the settings have none."""
        signer = signer_of(self._folder.settings.opendsr)
        if signer is None:
            return None
        return Requesting(
            folder=self._folder,
            project=lambda: self._project,
            requests=Requests(self._control),
            vault=lambda: self._writing.vault,
            signer=signer,
            fetch=Fetcher(allowed_of(self._folder.settings)),
            erases=self._erasing,
            notary=self._auditing,
            host=WallClock(),
        )

    async def _serve(self, listening: socket.socket) -> None:
        app = Collect(self._intake, self._folder.keys, self._clock, self._pages.app, recorders=self._recorders)
        await serve(
            app,
            listening,
            self._pages.end_streams,
            whole_calls(app),
            tls=None if self._certificate is None else self._certificate.context,
            behind_proxy=self._folder.settings.behind_proxy,
        )

    def _trouble(self) -> str | None:
        clock = self._writing.log.clock_trouble
        return self._intake.trouble or clock

    def _committed(self, appended: Appended) -> None:
        self._rates.add(appended.last - appended.first + 1)
        self._server.changed()

    async def _append(self, records: Sequence[Record]) -> None:
        await self._intake.admit_records(records, Lane.OUTCOME)
        self._outcomes += len(records)

    async def _handed(self, raw: msgspec.Raw) -> int:
        handed = msgspec.msgpack.decode(raw, type=Handed)
        position = await self._intake.admit_records(handed.records, handed.lane)
        if handed.lane is Lane.OUTCOME:
            self._outcomes += len(handed.records)
        return position

    def _admit(self, raw: msgspec.Raw) -> None:
        """Make subjects of external ids for a recorder, which finds them in the vault then."""
        ids = msgspec.msgpack.decode(raw, type=list[ExternalId])
        if self._erased.names(ids):
            raise StoreError("expected ids that nobody erased, got another; the front reads this batch itself")
        self._intake.make_subjects(ids)

    async def _hear(self, raw: msgspec.Raw) -> None:
        """Hear what another process of this machine was told of mails."""
        await self._hearing(msgspec.msgpack.decode(raw, type=list[MailEvent]))

    async def _replay(self, raw: msgspec.Raw) -> Replayed:
        return await self._replayed(msgspec.msgpack.decode(raw, type=Replay))

    async def _replayed(self, wish: Replay) -> Replayed:
        return await self._replaying.replay(wish)

    def _ticked(self, raw: msgspec.Raw) -> Position:
        appended = self._intake.tick()
        return Position(appended.last, appended.stamp)

    def _told_due(self, raw: msgspec.Raw) -> None:
        self._due = msgspec.msgpack.decode(raw, type=Due)
        self._due_told.set()

    def _use_plan(self, project: Compiled) -> None:
        """Judge calls by a project's tracking plan from now on, here and in the recorders."""
        plan = Compiled(currency=project.currency, events=project.events)
        self._plan_told(plan)
        self._intake.use_plan(TrackingPlan(plan, self._folder.settings.undeclared, self._signals))

    async def _follow(self) -> None:
        """Speak of the project that was made ready, and use the folder's pages as they are by then, once it serves."""
        while True:
            await self._changing.ready.wait()
            self._changing.ready.clear()
            while not await asyncio.to_thread(self._is_served, self._changing.named.serving.hash()):
                await asyncio.sleep(POLL_S)
            await asyncio.to_thread(self._take_up, self._changing.named.serving)

    def _is_served(self, hash: str) -> bool:
        with contextlib.suppress(StoreError), contextlib.closing(EngineClient(self._folder)) as engine:
            return engine.status().program == hash
        return False

    def _keep_pages(self) -> None:
        """Keep the pages of what serves; a disk that takes none ends no house."""
        with contextlib.suppress(StoreError):
            keep_pages(self._folder, self._project)

    def _take_up(self, serving: Compiled) -> None:
        before = self._project
        self._project = served(before, self._home, serving, self._folder.settings, self._folder.speed)
        self._house.use(self._project)
        self._sending.templates = template_names(self._project.folder)
        if self._project.declarations is not before.declarations:
            self._keep_pages()

    async def _tick(self) -> None:
        """Append a tick whenever a due time has passed and nothing newer is in the log."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until_due_s()):
                    await self._due_told.wait()
            self._due_told.clear()
            due = self._due.next_due
            if due is not None and due <= self._clock.now_ms() and self._writing.log.last().stamp < due:
                with contextlib.suppress(LivepostError):
                    self._intake.tick()

    def _until_due_s(self) -> float:
        """Return how long (s of the host) nothing comes due, within the bounds."""
        due = self._due.next_due
        if due is None:
            return TICK_SLEEP_S
        left_s = (due - self._clock.now_ms()) / SECOND_MS / self._folder.speed
        return min(max(left_s, TICK_CHECK_S), TICK_SLEEP_S)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            if self._changing.under_way:
                continue  # its seeds are made of the whole log
            before = min(self._due.log_needed_after, await asyncio.to_thread(self._ledger.cursor))
            self._writing.log.prune(before, self._clock.now_ms() - self._folder.settings.retention_days * DAY_MS)
            with contextlib.suppress(StoreError):
                self._changing.name_again()

    async def _recover(self) -> None:
        while True:
            await asyncio.sleep(RECOVER_EVERY_S)
            if self._intake.trouble:
                with contextlib.suppress(LivepostError):
                    self._intake.recover()

    async def _resume(self) -> None:
        """Begin broadcasts that a crash kept from the log, once the engine says how many people there are."""
        while not await self._broadcasting.resume():
            await asyncio.sleep(RECOVER_EVERY_S)

    async def _ease(self) -> None:
        """End the pause that complaints made, once their rate has fallen."""
        while True:
            with contextlib.suppress(StoreError):
                if await asyncio.to_thread(self._ledger.ease, self._clock.now_ms()):
                    print("livepost: fewer recipients complain, marketing goes on", file=sys.stderr)  # noqa: T201
            await asyncio.sleep(EASE_EVERY_S)

    async def _expire(self) -> None:
        """Withdraw consents that are too old, for whoever reads changes; claims see by themselves that they are."""
        while True:
            with contextlib.suppress(LivepostError):
                while await asyncio.to_thread(self._ledger.expire_consents, self._clock.now_ms()):
                    await echo(self._desk)
            await asyncio.sleep(EXPIRE_EVERY_S)

    async def _echo(self) -> None:
        """Bring withdrawals that a crash kept from the log to it."""
        with contextlib.suppress(LivepostError):
            while await echo(self._desk):
                pass
