"""Ask the engine, running or not: over its socket, or, when no engine runs, from its state on disk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

from livepost.clock import WallClock
from livepost.errors import HeldError
from livepost.model.decision import Transition
from livepost.model.letter import Letter
from livepost.model.person import PersonView
from livepost.model.told import Status
from livepost.model.unlink import Apart
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.engine.snapshot import take_snapshot
from livepost.runtime.engine.worker import Worker
from livepost.runtime.sockets.wire import POLL_S, WireError
from livepost.state.base import DurableStateStore

STARTING_S = 10.0
"""How long an engine that has the state open may take until it answers."""


class Engine(Protocol):
    """What can be asked."""

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        """Return persons by any of their subjects."""
        ...

    def everybody(self, limit: int) -> list[PersonView]:
        """Return up to `limit` persons."""
        ...

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[Transition]:
        """Return transitions, newest first."""
        ...

    def dead(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters with seq > `after`."""
        ...

    def letter(self, position: int, at_least: int = -1) -> Letter | None:
        """Return the dead letter at a position, None if there is none."""
        ...

    def apart(self) -> list[Apart]:
        """Return the merges that were undone, in log order."""
        ...

    def status(self) -> Status:
        """Return where the engine stands."""
        ...


@contextmanager
def engine_of(folder: DataFolder, project: Project) -> Iterator[Engine]:
    """Yield the folder's engine: the running one, else its state on disk (nothing is processed then)."""
    with closing(EngineClient(folder)) as running:
        state = _state_or_running(folder, running, time.monotonic() + STARTING_S)
        if state is None:
            yield running
            return
    with closing(state) as store, closing(folder.log_reader()) as log:
        yield Worker(project.compiled, store, log, WallClock(), folder.settings.workspace, images=folder.images)


def keep_snapshot(folder: DataFolder) -> int:
    """Keep a snapshot of the folder's state, whether its engine runs or not; return the position it is of.

    Raises StoreError if there is nothing to keep yet, or it cannot be written.
    """
    with closing(EngineClient(folder)) as running:
        state = _state_or_running(folder, running, time.monotonic() + STARTING_S)
        if state is None:
            return running.snapshot()
    with closing(state) as store:
        return take_snapshot(folder, store).position


def _state_or_running(folder: DataFolder, running: EngineClient, deadline: float) -> DurableStateStore | None:
    """Return the state on disk; None if an engine runs and answers. One that has the state may just be starting."""
    while True:
        try:
            running.status()
            return None
        except WireError:
            pass
        try:
            return folder.state()
        except HeldError:
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)
