"""A shop's counter: intake, engine and courier over the four stores of a folder, in this process, on a told clock.

All that happens there is a list of moments; at each the same calls come, whoever stands at the counter by then. So a
counter can be opened on what a crash left of another, repeat the moment that was cut short, as clients do, and live on.
What the house answers is said to whoever wants to hold it to its word.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal

import apsw
import msgspec

from livepost.clock import SimulatedClock
from livepost.deliver.courier import Courier, recover, report, send_due, take_over
from livepost.deliver.memory import MemoryKeep
from livepost.errors import LivepostError
from livepost.ids import new_subject_id
from livepost.intake.call import Call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.ledger.base import TakenOver
from livepost.ledger.sqlite import SqliteLedger
from livepost.log.sqlite import SqliteLog
from livepost.model.compiled import Compiled
from livepost.model.message import Message, Receipt
from livepost.model.record import KeyKind, Record
from livepost.runtime.author.making import maker_of
from livepost.runtime.author.project import Project, load_project
from livepost.runtime.courier.process import LoggedOutcomes
from livepost.runtime.engine.worker import Worker
from livepost.settings.load import load
from livepost.settings.settings import Settings
from livepost.state.sqlite import SqliteState
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.sqlite import SqliteVault
from tests.conservation import vanished_between
from tests.crash.house import SHOP, SOURCE
from tests.crash.load import calls_of
from tests.crash.replaying import Told, worked_off

START_MS = 1_800_000_000_000
BETWEEN_MS = 300
WAL_PAGES = 12
"""Few enough that a short life sees WALs moved."""

ROLL_BYTES = 30_000
STATE_WAL_BYTES = 200_000
KEKS = MemoryKeks(bytes(range(32)))


@dataclass(frozen=True)
class Acked:
    """These messages were answered with 200."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Stepped:
    """The engine's state is at this position."""

    position: int


@dataclass(frozen=True)
class Copied:
    """The ledger has come so far: its cursor, and the number of its newest move."""

    cursor: int
    move: int


@dataclass(frozen=True)
class Forgetting:
    """A person is about to be forgotten: their seals may open, or not."""

    subject: bytes


@dataclass(frozen=True)
class Forgotten:
    """A person was forgotten: their key must not come back."""

    subject: bytes


@dataclass(frozen=True)
class Mailed:
    """A mail went out."""

    message: Message


@dataclass(frozen=True)
class Begun:
    """This moment has begun, by its number."""

    moment: int


@dataclass(frozen=True)
class Forget:
    """A moment at which a user is forgotten."""

    user: str


@dataclass(frozen=True)
class Restart:
    """A moment at which all stores are closed and opened again."""


Word = Acked | Stepped | Copied | Forgetting | Forgotten | Mailed | Begun
Moment = tuple[Call, ...] | Forget | Restart
"""What comes as one request, or what else happens."""


class VaultLast(Intake):
    """The fault put in: the log is committed first, and the vault after it."""

    def _write(self, batches):  # type: ignore[no-untyped-def, override]
        records = [record for batch in batches for record in batch]
        appended = self._stores.log.append(records)
        self._stores.vault.commit()
        return appended


@dataclass(frozen=True)
class Faults:
    """What is put in for negative controls."""

    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    acks_first: bool = False
    intake: type[Intake] = Intake


class Counter:
    """Opened on a folder, as at a start; `moment` is the number of the first moment that it sees."""

    def __init__(
        self,
        folder: Path,
        say: Callable[[Word], None] = lambda word: None,
        *,
        vfs: str | None = None,
        faults: Faults | None = None,
        mails: Sequence[Message] = (),
        moment: int = 0,
        compiled: Compiled | None = None,
        new_id: Callable[[], bytes] = new_subject_id,
        later_ms: int = 0,
    ) -> None:
        """`later_ms` is how much later it is on the host's clock, which leases and back-off go by: after `LEASE_MS`
        nobody waits for a courier that died.
        """
        self.folder = folder
        self.clock = SimulatedClock(START_MS + moment * BETWEEN_MS)
        self._host = SimulatedClock(START_MS + later_ms)
        self.mailbox = MemoryKeep(self.clock)
        self.mailbox.send(mails)
        self._faults = faults or Faults()
        self._say = say
        self._vfs = vfs
        self._new_id = new_id
        self.moment = moment
        folder.mkdir(exist_ok=True)
        self._settings, self._project = shop()
        self.compiled = compiled or self._project.compiled
        self.workspace = self._settings.workspace
        self._open()

    def live(self, moments: Sequence[Moment], until: int | None = None) -> None:
        """See the moments from its own on, up to `until`; after each all comes to rest."""
        for moment in moments[self.moment : until]:
            self._say(Begun(self.moment))
            match moment:
                case Restart():
                    self.close()
                    self._open()
                case Forget(user=user):
                    self._forget(user)
                case calls:
                    self._take(calls)
            self.rest()
            self.moment += 1
            self.clock.advance(BETWEEN_MS)

    @staticmethod
    def usual() -> Compiled:
        """Return the shop as it is compiled."""
        return shop()[1].compiled

    def take(self, calls: Sequence[Call]) -> None:
        """Take calls at this moment, as one request."""
        self._intake.take(calls, Arrival(source=SOURCE, key=KeyKind.SECRET, received_at=self.clock.now_ms()))

    def pass_time(self, by_ms: int) -> None:
        """Let time pass until every due time in it is behind a tick."""
        self.clock.advance(by_ms)
        self._intake.tick()
        self.rest()

    def rest(self) -> TakenOver:
        """Let engine and courier work until neither has anything to do; return what the first taking over took."""
        self._turn()
        first = self.take_over()
        taken = first
        while True:
            sent = send_due(self._courier)
            reported = report(self._courier)
            self._say(Copied(self.ledger.cursor(), self.ledger.last_move()))
            if not sent.claimed and not reported and taken.cursor == self.worker.shard.complete_to:
                return first
            self._turn()
            taken = self.take_over()

    def take_over(self) -> TakenOver:
        """Let the courier copy what the engine decided."""
        taken = take_over(self._courier)
        self._say(Copied(taken.cursor, self.ledger.last_move()))
        return taken

    def told(self) -> Told:
        """Return what the engine made of the whole log."""
        return worked_off(self.worker, self.state)

    def fall_over(self) -> None:
        """Release the stores after an error, whatever state they are in."""
        with contextlib.suppress(LivepostError, apsw.Error):
            self._opened.close()

    def close(self) -> None:
        """Release the stores; nothing may have vanished."""
        vanished = vanished_between(self.log, self.state)
        self._opened.close()
        assert vanished == ""

    def _open(self) -> None:
        data = self.folder
        with ExitStack() as opened:
            self.vault = opened.enter_context(
                closing(SqliteVault(data / "vault.db", KEKS, new_id=self._new_id, wal_pages=WAL_PAGES, vfs=self._vfs))
            )
            log = SqliteLog(
                data / "log",
                self.clock,
                host=self.clock,
                roll_bytes=ROLL_BYTES,
                synchronous=self._faults.synchronous,
                wal_pages=WAL_PAGES,
                vfs=self._vfs,
            )
            self.log = opened.enter_context(closing(log))
            self.state = opened.enter_context(
                closing(SqliteState(data / "state.db", checkpoint_bytes=STATE_WAL_BYTES, vfs=self._vfs))
            )
            self.ledger = opened.enter_context(
                closing(SqliteLedger(data / "ledger.db", self._host, vfs=self._vfs, wal_pages=WAL_PAGES))
            )
            plan = TrackingPlan(self._project.compiled)
            self._intake = self._faults.intake(Stores(self.log, self.vault), plan, workspace=self.workspace)
            self.worker = Worker(self.compiled, self.state, self.log, self.clock, self.workspace)
            self._courier = Courier(
                engine=self.worker,
                ledger=self.ledger,
                maker=maker_of(self._project, self._settings, "http://localhost", self.vault),
                sender=_Heard(self.mailbox, self._say),
                blind=lambda address: self.vault.blind("suppression", address),
                outcomes=LoggedOutcomes(self.vault, self._report),
                clock=self.clock,
            )
            recover(self._courier)
            self._opened = opened.pop_all()

    def _take(self, calls: Sequence[Call]) -> None:
        acked = Acked(tuple(str(call.message_id) for call in calls))
        if self._faults.acks_first:
            self._say(acked)
        self.take(calls)
        self._say(acked)

    def _turn(self) -> None:
        while self.worker.turn():
            self._say(Stepped(self.worker.shard.position))

    def _forget(self, user: str) -> None:
        keys = self.vault.find(ExternalId(USER, user))
        if keys is not None:
            self._say(Forgetting(keys.subject))
            self.vault.forget([keys.subject])
            self._say(Forgotten(keys.subject))

    def _report(self, records: Sequence[Record]) -> None:
        self._intake.append(records)


class _Heard:
    """A sender whose mails are said."""

    def __init__(self, keep: MemoryKeep, say: Callable[[Word], None]) -> None:
        self._keep = keep
        self._say = say

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        receipts = self._keep.send(messages)
        for message in messages:
            self._say(Mailed(message))
        return receipts

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        return self._keep.lookup(decisions)


def moments_of(name: str, count: int, calls: int) -> list[Moment]:
    """Return so many moments of so many of the shoppers' calls."""
    told = calls_of(name, random.Random(name))
    return [tuple(msgspec.convert(call, Call) for call in islice(told, calls)) for _ in range(count)]


@cache
def shop() -> tuple[Settings, Project]:
    """Return the crash tests' shop; it is read once."""
    settings = load(SHOP, {}).settings
    return settings, load_project(SHOP, settings)
