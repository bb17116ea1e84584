"""The rooms of a data folder in this process, on a clock that moves when told: stores on disk, steps one by one.

Between two steps nothing writes, so the state's file can be copied, put back, thrown away.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path

import msgspec

from livepost.clock import SimulatedClock
from livepost.deliver.courier import Courier, report, send_due, take_over
from livepost.deliver.keep import Keep
from livepost.intake.call import Call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.ledger.base import TakenOver
from livepost.ledger.sqlite import SqliteLedger
from livepost.log.sqlite import SqliteLog
from livepost.model.compiled import Compiled
from livepost.model.record import KeyKind, Record
from livepost.runtime.courier import LoggedOutcomes
from livepost.runtime.folder import DataFolder
from livepost.runtime.making import maker_of
from livepost.runtime.project import load_project
from livepost.runtime.worker import Worker
from livepost.settings.load import load
from livepost.state.sqlite import SqliteState
from tests.crash.house import SHOP, SOURCE
from tests.crash.load import calls_of
from tests.crash.replaying import Told, worked_off

START_MS = 1_800_000_000_000
STATE_FILES = ("state.db", "state.db-wal")


class Rooms:
    """Intake, engine and courier over the stores of `folder`."""

    def __init__(self, data: Path) -> None:
        self.folder = DataFolder(load(SHOP, {"LIVEPOST_DATA": str(data)}).settings)
        self.folder.prepare()
        self.project = load_project(SHOP, self.folder.settings)
        self._open = ExitStack()
        self._clock = SimulatedClock(START_MS)
        self._vault = self._open.enter_context(closing(self.folder.vault(readonly=False)))
        self.log = self._open.enter_context(closing(SqliteLog(data / "log", self._clock, host=self._clock)))
        self.ledger = self._open.enter_context(closing(SqliteLedger(data / "ledger.db", self._clock)))
        self._keep = self._open.enter_context(closing(Keep(self.folder.mailbox, self._vault, self._workspace)))
        plan = TrackingPlan(self.project.compiled)
        self._intake = Intake(Stores(self.log, self._vault), plan, workspace=self._workspace)
        self._maker = maker_of(self.project, self.folder.settings, "http://localhost", self._vault)
        self._outcomes = LoggedOutcomes(self._vault, self._log)
        self._calls = calls_of("rooms", random.Random(7))
        self.worker = self.open_engine(self.project.compiled)

    def happen(self, calls: int, after_ms: int) -> None:
        """Let time pass, then take so many of the shoppers' calls as one block."""
        self._clock.advance(after_ms)
        told = [msgspec.convert(call, Call) for call in islice(self._calls, calls)]
        arrival = Arrival(source=SOURCE, key=KeyKind.SECRET, received_at=self._clock.now_ms())
        self._intake.take(told, arrival)

    def append(self, records: Sequence[Record]) -> None:
        """Append ready records as one block."""
        self._intake.append(records)

    def pass_time(self, by_ms: int) -> None:
        """Let time pass until every due time in it is behind a tick."""
        self._clock.advance(by_ms)
        self._intake.tick()

    def rest(self) -> TakenOver:
        """Let engine and courier work until neither has anything to do; return what was taken over."""
        total = TakenOver(inserted=0, compared=0, diverged=0, cursor=-1)
        while True:
            while self.worker.turn():
                pass
            taken = self.take_over()
            total = _summed(total, taken)
            sent = send_due(self._courier)
            if not sent.claimed and not report(self._courier) and taken.cursor == self.worker.shard.complete_to:
                return total

    def take_over(self) -> TakenOver:
        """Let the courier copy what the engine decided."""
        return take_over(self._courier)

    def open_engine(self, compiled: Compiled) -> Worker:
        """Open the engine on the state there is, as a new process would."""
        self._store = SqliteState(self.folder.path / "state.db")
        self.worker = Worker(compiled, self._store, self.log, self._clock, self._workspace)
        self._courier = Courier(
            engine=self.worker,
            ledger=self.ledger,
            maker=self._maker,
            sender=self._keep,
            blind=lambda address: self._vault.blind("suppression", address),
            outcomes=self._outcomes,
            clock=self._clock,
        )
        return self.worker

    def copy_state(self, to: Path) -> Path:
        """Copy the state as it is on disk after the last commit."""
        to.mkdir()
        for name in STATE_FILES:
            if (self.folder.path / name).exists():
                shutil.copy(self.folder.path / name, to / name)
        return to

    def put_back(self, copy: Path | None, compiled: Compiled | None = None) -> None:
        """Put an old state in place of the one there is, none for a replay from the start; open the engine on it."""
        self._store.close()
        for path in self.folder.path.glob("state.db*"):
            path.unlink()
        if copy is not None:
            for path in copy.iterdir():
                shutil.copy(path, self.folder.path / path.name)
        self.open_engine(compiled or self.project.compiled)

    def told(self) -> Told:
        """Return what the engine made of the whole log."""
        return worked_off(self.worker, self._store)

    def close(self) -> None:
        """Release the stores."""
        self._store.close()
        self._open.close()

    @property
    def _workspace(self) -> str:
        return self.folder.settings.workspace

    def _log(self, records: Sequence[Record]) -> None:
        self._intake.append(records)


def _summed(one: TakenOver, other: TakenOver) -> TakenOver:
    return TakenOver(
        inserted=one.inserted + other.inserted,
        compared=one.compared + other.compared,
        diverged=one.diverged + other.diverged,
        cursor=other.cursor,
    )
