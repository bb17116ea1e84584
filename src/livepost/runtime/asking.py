"""Ask the engine, running or not: over its socket, or, when no engine runs, from its state on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

from livepost.clock import WallClock
from livepost.errors import StoreError
from livepost.model.decision import Transition
from livepost.model.person import PersonView
from livepost.runtime.engine_client import EngineClient
from livepost.runtime.folder import DataFolder
from livepost.runtime.project import Project
from livepost.runtime.told import Status
from livepost.runtime.wire import WireError
from livepost.runtime.worker import Worker


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

    def dead(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Return dead letters (seq, reason) with seq > `after`."""
        ...

    def status(self) -> Status:
        """Return where the engine stands."""
        ...


@contextmanager
def engine_of(folder: DataFolder, project: Project) -> Iterator[Engine]:
    """Yield the folder's engine: the running one, else its state on disk (nothing is processed then).

    Raises StoreError if the state is that of another project: running it once brings it up to date.
    """
    with closing(EngineClient(folder)) as running:
        try:
            running.status()
        except WireError:
            pass
        else:
            yield running
            return
    with closing(folder.log_reader()) as log, closing(folder.state()) as store:
        loaded = store.loaded()
        if loaded is not None and loaded.program != project.compiled.hash():
            raise StoreError("the project was changed since it ran last; `livepost run` brings the state up to date")
        yield Worker(project.compiled, store, log, WallClock(), folder.settings.workspace)
