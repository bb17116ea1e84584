"""A house to measure: the real processes on a project and data folder of their own, which go when it is over.

In: which of front, engine and courier to start. Out: their port, key, folder and process ids. Promised: nothing of a
benchmark is left on disk.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType, TracebackType

import msgspec

from livepost.bench import small_shop
from livepost.bench.load import Job, Told
from livepost.clock import WallClock
from livepost.errors import LivepostError
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.house.supervisor import PROCESSES, command_of, end
from livepost.settings.load import load

STOP_S = 20.0
PATIENCE_S = 60.0
"""How long anything a benchmark waits for may take."""

_WITH_BYTECODE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed Livepost has bytecode; without it each process compiles for a second before it does anything."""

_SETTINGS = 'workspace = "bench"\nshop_address = "1 Market Square, Springfield"\n'


class BenchError(LivepostError):
    """A benchmark cannot go on; the sentence says why."""


class House:
    """Processes of one data folder below `place`; a context manager that ends them."""

    def __init__(self, place: Path, page: ModuleType = small_shop) -> None:
        """Write the project, whose page is that module, and make its data folder ready; nothing runs yet."""
        project = place / "project"
        (project / "templates").mkdir(parents=True)
        (project / "shop.py").write_text(Path(str(page.__file__)).read_text())
        (project / "livepost.toml").write_text(_SETTINGS)
        for template in (Path(__file__).parent / "templates").iterdir():
            (project / "templates" / template.name).write_text(template.read_text())
        self.project = project
        self.environment = {**_WITH_BYTECODE, "LIVEPOST_PORT": "0"}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.folder = DataFolder(load(project, self.environment).settings)
        self.folder.prepare()
        self.key = self.folder.keys.new("secret", "bench", WallClock().now_ms()).key

    def __enter__(self) -> House:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End what runs."""
        self.stop()

    def start(self, names: Sequence[str] = PROCESSES) -> None:
        """Start processes; return when the front, if it is among them, listens."""
        for name in names:
            self._running[name] = subprocess.Popen(command_of(name), cwd=self.project, env=self.environment)
        if "front" in names:
            wait("the front to listen", self.folder.port_file.exists)

    def supervise(self) -> None:
        """Start `livepost run`, which starts the others; return at once."""
        command = [sys.executable, "-m", "livepost.cli", "run"]
        quiet = subprocess.DEVNULL
        self._running["supervisor"] = subprocess.Popen(command, cwd=self.project, env=self.environment, stdout=quiet)

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: process.pid for name, process in self._running.items()}

    def children(self) -> list[int]:
        """Return the process ids of what the supervisor started (Linux: proc(5))."""
        pid = self._running["supervisor"].pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def stop(self, names: Sequence[str] = ()) -> None:
        """End some processes, or all in the order in which they were started."""
        for name in names or list(self._running):
            end(self._running.pop(name), STOP_S)


@contextlib.contextmanager
def house(place: Path | None, page: ModuleType = small_shop) -> Iterator[House]:
    """Yield a house in a new folder below `place` (the system's temporary folder if None), removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="livepost-bench-", dir=place) as made, House(Path(made), page) as new:
        yield new


def send(job: Job) -> Told:
    """Have a job sent by a load generator of its own; raise BenchError unless every request was answered with 200."""
    with sender(job) as running:
        return told_by(running)


@contextlib.contextmanager
def sender(job: Job) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a load generator that has begun with a job; `told_by` waits for it."""
    command = [sys.executable, "-m", "livepost.bench.load"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert running.stdin is not None
        running.stdin.write(msgspec.json.encode(job))
        running.stdin.close()
        running.stdin = None
        yield running
    finally:
        end(running, STOP_S)
        if running.stdout is not None:
            running.stdout.close()


def told_by(running: subprocess.Popen[bytes]) -> Told:
    """Return what a load generator tells at its end; raise BenchError if it failed or a request was refused."""
    out, _ = running.communicate()
    if running.returncode != 0:
        raise BenchError(f"the load generator ended with {running.returncode}; its last words are above")
    told = msgspec.json.decode(out, type=Told)
    if told.refused:
        raise BenchError(f"expected every request to be answered with 200, {told.refused} were not")
    return told


def wait(what: str, holds: Callable[[], bool]) -> None:
    """Return once `holds`; raise BenchError if it does not within PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise BenchError(f"expected {what} within {PATIENCE_S:g} s, it did not; see the processes' words above")
        time.sleep(0.01)
