"""The same log once more: by another engine, in memory, cut into other steps."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from livepost.clock import WallClock
from livepost.log.sqlite import SqliteLogReader
from livepost.model.block import Block
from livepost.model.compiled import Compiled
from livepost.model.decision import Decision, OutboxItem, Transition
from livepost.model.person import PersonView
from livepost.process.stage import WAVE
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.worker import STEP_RECORDS, Worker
from livepost.state.base import StateStore
from livepost.state.memory import MemoryState

ALL = 1 << 40
_transition = msgspec.msgpack.Decoder(Transition)
_item = msgspec.msgpack.Decoder(OutboxItem)


@dataclass(frozen=True)
class Told:
    """What an engine made of a log."""

    transitions: list[Transition]
    outbox: list[OutboxItem]
    people: list[PersonView]
    counts: dict[str, int]

    @property
    def transition_ids(self) -> list[bytes]:
        """The ids of all transitions, in order."""
        return [transition.id for transition in self.transitions]

    @property
    def decisions(self) -> dict[bytes, Decision]:
        """All decisions by id."""
        return {item.id: item for item in self.outbox if isinstance(item, Decision)}


class CutReader(SqliteLogReader):
    """A log's reader that gives fewer records at a time than it is asked for, and none after `until`."""

    def __init__(self, folder: Path, at_most: int, until: int = ALL) -> None:
        super().__init__(folder)
        self._at_most = at_most
        self._until = until

    def read(self, after: int, limit: int) -> list[Block]:
        """Return the blocks after a seq until the smaller of both limits is reached, those that end by `until`."""
        blocks = super().read(after, min(limit, self._at_most))
        return [block for block in blocks if block.first + block.count - 1 <= self._until]


def replayed(
    folder: DataFolder, compiled: Compiled, at_most: int = STEP_RECORDS, wave: int = WAVE, until: int = ALL
) -> Told:
    """Return what a new engine makes of a folder's log up to `until`, reading at most so many records a step."""
    return replayed_log(folder.path / "log", compiled, folder.settings.workspace, at_most, wave, until)


def replayed_log(
    log: Path, compiled: Compiled, workspace: str, at_most: int = STEP_RECORDS, wave: int = WAVE, until: int = ALL
) -> Told:
    """Do with a log's folder what `replayed` does with a data folder."""
    store = MemoryState()
    with closing(CutReader(log, at_most, until)) as reader:
        return worked_off(Worker(compiled, store, reader, WallClock(), workspace, wave), store)


def worked_off(worker: Worker, store: StateStore) -> Told:
    """Let an engine go on to the end of its log; return all that its state keeps."""
    while worker.turn():
        pass
    return Told(
        transitions=[_transition.decode(body) for body in reversed(store.transitions(None, None, ALL))],
        outbox=[_item.decode(body) for _, body in store.outbox(-1, ALL)],
        people=sorted(worker.everybody(ALL), key=lambda view: view.person),
        counts=worker.status().counts,
    )
