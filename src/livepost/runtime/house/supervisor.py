"""The supervisor: starts front, engine, courier and recorders, starts one again that fell over, stops them in order.

The order of stopping is the order of an event's way, so that what was accepted is still decided and sent. A supervisor
that is killed takes its processes along: they read a pipe that only it can write, and end when it is gone. All of them
hold the folder's lock, so that no second house starts beside one that is still ending.
"""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import BinaryIO, Final

from livepost.errors import LivepostError
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.house.processes import Started, Supervised, started, this_process, write_supervised

PROCESSES = ("front", "engine", "courier")
"""The processes of every house, in the order in which they are stopped; recorders come and go beside them."""

READY_S = 30.0
STOP_S = 20.0
BACK_OFF_S = (0.1, 0.5, 2.0, 5.0)
"""Waits before the first, second, ... restart of a process; the last one goes on."""

STEADY_S = 60.0
"""A process that ran for so long starts its back-off anew."""


SUPERVISED = "--supervised"
"""What a process is told so that it ends when its standard input does: with its supervisor."""


class StartError(LivepostError):
    """A process ended while starting; its own words are on the terminal."""


def command_of(name: str) -> list[str]:
    """Return the command that runs one of the processes; recorders are numbered."""
    return [sys.executable, "-m", "livepost.cli", "run", name.partition("-")[0]]


def processes(recorders: int) -> tuple[str, ...]:
    """Return the names of a house's processes."""
    return (*PROCESSES, *recorder_names(recorders))


def recorder_names(recorders: int) -> tuple[str, ...]:
    """Return the names of so many recorders."""
    return tuple(f"recorder-{number}" for number in range(1, recorders + 1))


class Supervisor:
    """The processes of one data folder. `environment` carries the settings given on the command line."""

    def __init__(
        self, project: Path, environment: Mapping[str, str], command: Callable[[str], list[str]] = command_of
    ) -> None:
        self._project = project
        self._environment = dict(environment)
        self._command = command
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: dict[str, list[float]] = {}
        self._folder: DataFolder | None = None
        self._started: dict[str, Started] = {}
        self._held: BinaryIO | None = None
        self._lifeline: tuple[int, int] | None = None

    def hold(self, folder: DataFolder) -> None:
        """Keep other houses off the folder from now on, before anything in it is touched.

        Raises StoreError if another house runs there.
        """
        if self._held is None:
            self._held = folder.hold()
            self._folder = folder
            self._lifeline = os.pipe()

    def start(self, folder: DataFolder) -> None:
        """Start all and return when the front takes events.

        Raises StartError if a process ends before, StoreError if another house runs on this folder.
        """
        self.hold(folder)
        folder.port_file.unlink(missing_ok=True)
        for name in processes(folder.settings.recorders):
            self._start(name)
        deadline = time.monotonic() + READY_S
        while not (folder.port_file.exists() and _answers(folder)):
            fallen = [name for name, process in self._running.items() if process.poll() is not None]
            if fallen or time.monotonic() > deadline:
                self.stop()
                raise StartError(f"{', '.join(fallen) or 'the front'} did not start; its last words are above")
            time.sleep(0.02)

    def watch(self, stop: Event) -> None:
        """Keep all running until `stop` is set."""
        while not stop.wait(0.2):
            self.look_after(stop)

    def look_after(self, stop: Event) -> None:
        """Start again whatever fell over, unless `stop` comes first."""
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                self._restart(name, process.returncode, stop)

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: process.pid for name, process in self._running.items()}

    def stop(self, names: Sequence[str] = ()) -> None:
        """End some processes, or all, in order, each with time to finish what it does."""
        for name in names or list(self._running):
            process = self._running.pop(name, None)
            if process is not None:
                end(process, STOP_S)
                self._started.pop(name, None)
                self._tell()
        if not self._running:
            self._let_go()

    def _start(self, name: str) -> None:
        assert self._held is not None
        assert self._lifeline is not None
        self._running[name] = subprocess.Popen(
            [*self._command(name), SUPERVISED],
            cwd=self._project,
            env=self._environment,
            stdin=self._lifeline[0],
            start_new_session=True,
            pass_fds=(self._held.fileno(),),
        )
        self._note_start(name)

    def _note_start(self, name: str) -> None:
        """Tell that a process was started; it is the same one started again if it was before."""
        self._started[name] = started(name, self._running[name].pid, self._started.get(name))
        self._tell()

    def _tell(self) -> None:
        """Write down what runs, for whoever looks; a disk that takes nothing ends no house."""
        assert self._folder is not None
        told = Supervised(supervisor=this_process("supervisor"), processes=list(self._started.values()))
        with contextlib.suppress(OSError):
            write_supervised(self._folder.processes_file, told)

    def _let_go(self) -> None:
        """Let other houses onto the folder."""
        if self._held is not None and self._folder is not None:
            self._folder.processes_file.unlink(missing_ok=True)
            self._held.close()
            self._held = None
        for end_of_pipe in self._lifeline or ():
            os.close(end_of_pipe)
        self._lifeline = None

    def _restart(self, name: str, code: int, stop: Event) -> None:
        now = time.monotonic()
        lately = [at for at in self._restarts.get(name, []) if now - at < STEADY_S]
        wait_s = BACK_OFF_S[min(len(lately), len(BACK_OFF_S) - 1)]
        self._restarts[name] = [*lately, now]
        print(f"{name} ended with {code}; starting it again in {wait_s:g} s", file=sys.stderr)  # noqa: T201
        if not stop.wait(wait_s):
            self._start(name)


def end(process: subprocess.Popen[bytes], patience_s: float) -> int:
    """Ask a process to end, make it end when patience is over; return its exit code."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""

_NO_PROXY = urllib.request.ProxyHandler({})
_DIRECT = urllib.request.build_opener(_NO_PROXY)
"""Asks our own front, which no proxy of the environment has to do with."""

EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Where a front that listens on all addresses is asked."""


def _answers(folder: DataFolder) -> bool:
    """Return whether the front says that it is ready, by the certificate that it shall serve where it speaks TLS."""
    settings = folder.settings
    host = EVERYWHERE.get(settings.host, settings.host)
    place = f"{f'[{host}]' if ':' in host else host}:{folder.port}/readyz"
    try:
        if not settings.tls_cert:
            with _DIRECT.open(f"http://{place}", timeout=1) as reply:
                return bool(reply.status == 200)
        own = urllib.request.HTTPSHandler(context=_trusting(settings.tls_cert))
        with urllib.request.build_opener(_NO_PROXY, own).open(f"https://{place}", timeout=1) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def _trusting(chain: str) -> ssl.SSLContext:
    """Return what trusts the certificates of a file alone, under whatever name and however old: a house whose
    certificate has run out starts all the same.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME
    context.load_verify_locations(chain)
    return context
