"""The same log once more: by another engine, in memory, cut into other steps."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from livepost.clock import WallClock
from livepost.log.base import LogReader
from livepost.log.sqlite import SqliteLogReader
from livepost.model.block import Block
from livepost.model.compiled import Compiled
from livepost.model.decision import Decision, OutboxItem, Transition
from livepost.model.person import PersonView
from livepost.process.stage import WAVE
from livepost.runtime.worker import STEP_RECORDS, Worker
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
    """A log's reader that gives fewer records at a time than it is asked for."""

    def __init__(self, folder: Path, at_most: int) -> None:
        super().__init__(folder)
        self._at_most = at_most

    def read(self, after: int, limit: int) -> list[Block]:
        """Return the blocks after a seq until the smaller of both limits is reached."""
        return super().read(after, min(limit, self._at_most))


def replayed(
    log_folder: Path, compiled: Compiled, workspace: str, at_most: int = STEP_RECORDS, wave: int = WAVE
) -> Told:
    """Return what a new engine makes of a whole log, reading at most so many records a step."""
    with closing(CutReader(log_folder, at_most)) as log:
        return worked_off(compiled, MemoryState(), log, workspace, wave)


def worked_off(compiled: Compiled, store: StateStore, log: LogReader, workspace: str, wave: int = WAVE) -> Told:
    """Let an engine go on from its state to the end of a log; return all that the state keeps."""
    worker = Worker(compiled, store, log, WallClock(), workspace, wave)
    while worker.turn():
        pass
    assert worker.status().complete_to == log.last().seq
    return Told(
        transitions=[_transition.decode(body) for body in reversed(store.transitions(None, None, ALL))],
        outbox=[_item.decode(body) for _, body in store.outbox(-1, ALL)],
        people=sorted(worker.everybody(ALL), key=lambda view: view.person),
        counts=worker.status().counts,
    )
