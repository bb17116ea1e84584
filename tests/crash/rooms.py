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
from livepost.runtime.author.making import maker_of
from livepost.runtime.author.project import load_project
from livepost.runtime.courier.process import LoggedOutcomes
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.sweep import Pace
from livepost.runtime.engine.worker import Worker
from livepost.settings.load import load
from tests.conservation import vanished_between
from tests.crash.house import SHOP, SOURCE
from tests.crash.load import calls_of
from tests.crash.replaying import Told, worked_off

START_MS = 1_800_000_000_000
NOT_COPIED = (".lock", "-shm")


class Rooms:
    """Intake, engine and courier over the stores of `folder`."""

    def __init__(self, data: Path, state: str = "sqlite:", pace: Pace | None = None) -> None:
        self.folder = DataFolder(load(SHOP, {"LIVEPOST_DATA": str(data), "LIVEPOST_STATE": state}).settings)
        self._pace = pace
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
        self.store = self.folder.state()
        images = self.folder.images
        self.worker = Worker(
            compiled, self.store, self.log, self._clock, self._workspace, images=images, pace=self._pace
        )
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
        for path in self._state_files():
            if path.is_dir():
                shutil.copytree(path, to / path.name)
            else:
                shutil.copy(path, to / path.name)
        return to

    def put_back(self, copy: Path | None, compiled: Compiled | None = None) -> None:
        """Put an old state in place of the one there is, none for a replay from the start; open the engine on it."""
        self.close_engine()
        for path in self._state_files():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if copy is not None:
            shutil.copytree(copy, self.folder.path, dirs_exist_ok=True)
        self.open_engine(compiled or self.project.compiled)

    def told(self) -> Told:
        """Return what the engine made of the whole log."""
        return worked_off(self.worker, self.store)

    def close_engine(self) -> None:
        """Let go of the state, as a process that ends does."""
        self.worker.close()
        self.store.close()

    def close(self) -> None:
        """Release the stores; nothing may have vanished."""
        assert vanished_between(self.log, self.store) == ""
        self.close_engine()
        self._open.close()

    def _state_files(self) -> list[Path]:
        """Return files and folders of the state that say what it is."""
        found = self.folder.path.glob(self.folder.state_path.name + "*")
        return [path for path in found if not path.name.endswith(NOT_COPIED)]

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
