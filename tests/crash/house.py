"""A house of processes on a data folder of its own: started, killed, drained, stopped, looked into."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event, Thread

import apsw

from livepost.clock import WallClock
from livepost.errors import StoreError
from livepost.log.base import Position
from livepost.runtime.author.project import Project, load_project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.house.supervisor import Supervisor, command_of
from livepost.runtime.sockets.wire import WireClient
from livepost.settings.load import load
from tests.conservation import vanished_in

SHOP = Path(__file__).parent / "shop"
ROOT = Path(__file__).parents[2]
DRAIN_S = 120.0
RESTART_S = 60.0
SOURCE = "server"
RECORDERS = 1
OPEN = ("pending", "claimed", "in_flight")


class House:
    """The processes of one project. `front`, `engine` and `courier` are modules to run in place of Livepost's own;
    `settings` are variables that say otherwise than the defaults.
    """

    def __init__(
        self,
        data: Path,
        project: Path = SHOP,
        front: str = "",
        engine: str = "",
        courier: str = "",
        settings: Mapping[str, str] = {},
    ) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.project_folder = project
        outside = {name: value for name, value in os.environ.items() if not name.startswith("LIVEPOST_")}
        self._environment = {**outside, "LIVEPOST_DATA": str(data), "LIVEPOST_PORT": str(_free_port())}
        self._environment["LIVEPOST_RECORDERS"] = str(RECORDERS)
        self._environment.update(settings)
        self._environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(
            os.pathsep
        )
        self._instead = {"front": front, "engine": engine, "courier": courier}
        self.folder = DataFolder(load(project, self._environment).settings)
        self.folder.prepare()
        now_ms = WallClock().now_ms()
        self.secret_key = self.folder.keys.new("secret", SOURCE, now_ms).key
        self.write_key = self.folder.keys.new("write", SOURCE, now_ms).key
        self._stop = Event()
        self._watching: Thread | None = None

    @property
    def project(self) -> Project:
        """The project as the processes compile it."""
        return load_project(self.project_folder, self.folder.settings)

    def start(self) -> None:
        """Start the processes; from now on whatever falls over is started again."""
        self.supervisor = Supervisor(self.project_folder, self._environment, self._command)
        self.supervisor.start(self.folder)
        self._stop.clear()
        self._watching = Thread(target=self.supervisor.watch, args=(self._stop,), name="supervisor")
        self._watching.start()

    def kill(self, *names: str) -> None:
        """Kill processes with SIGKILL, at one moment, and wait until others stand in their places."""
        killed = {name: self.supervisor.pids()[name] for name in names}
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        for name, pid in killed.items():
            wait_until(f"{name} to be started again", partial(self._is_another, name, pid), RESTART_S)

    def drain(self) -> Position:
        """Wait until all that was accepted is decided, sent and reported; return the log's end."""
        with (
            closing(WireClient(self.folder.front_socket)) as front,
            closing(EngineClient(self.folder)) as engine,
            closing(self.folder.ledger()) as ledger,
            closing(self.folder.log_reader()) as log,
        ):
            wait_until("the front to let time pass", lambda: front.call("tick", None, Position).seq >= 0)

            def at_rest() -> bool:
                last = log.last()
                return (
                    engine.status().complete_to >= last.seq
                    and ledger.cursor() >= last.seq
                    and not any(tally.state in OPEN for tally in ledger.counts())
                    and not ledger.moves(ledger.bookmark("outcomes"), 1)
                )

            wait_until("the house to come to rest", at_rest, moving=ledger.counts)
            return log.last()

    def stop(self) -> None:
        """Stop everything; nothing may have vanished."""
        self._stop.set()
        if self._watching is not None:
            self._watching.join()
            self._watching = None
            self.supervisor.stop()
            assert vanished_in(self.folder.path) == ""

    def _is_another(self, name: str, pid: int) -> bool:
        return self.supervisor.pids()[name] != pid

    def _command(self, name: str) -> list[str]:
        module = self._instead.get(name)
        return [sys.executable, "-m", module] if module else command_of(name)


def wait_until(
    what: str, done: Callable[[], bool], patience_s: float = DRAIN_S, moving: Callable[[], object] = lambda: None
) -> None:
    """Return when `done` says so; a store that is just being started again counts as not yet.

    The patience begins anew whenever what `moving` returns has changed.
    """
    deadline, seen = time.monotonic() + patience_s, moving()
    while not _holds(done):
        now = moving()
        if now != seen:
            deadline, seen = time.monotonic() + patience_s, now
        assert time.monotonic() < deadline, f"expected {what} within {patience_s:g} s"
        time.sleep(0.02)


def rows_of(path: Path, sql: str) -> list[tuple[apsw.SQLiteValue, ...]]:
    """Return what a question gives of a database that no process writes."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    with closing(connection):
        return list(connection.execute(sql).fetchall())


def _holds(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except StoreError:
        return False


def _free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
