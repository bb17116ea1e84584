"""The supervisor over small processes of the test's own: a front that answers and two that only wait."""

from __future__ import annotations

import os
import signal
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from livepost.clock import WallClock
from livepost.errors import StoreError
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.house import supervisor as supervisor_module
from livepost.runtime.house.processes import process_standings
from livepost.runtime.house.supervisor import BACK_OFF_S, StartError, Supervisor, command_of
from livepost.settings.load import load
from livepost.settings.settings import Settings
from tests.unit.runtime.front.test_tls import NOW, Made

PATIENCE_S = 10.0
FRONT = """
import http.server, os, pathlib, signal, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
def stopped(*_):
    with open("stopped", "a") as told: told.write("front ")
    sys.exit(0)
signal.signal(signal.SIGTERM, stopped)
server = http.server.HTTPServer(("127.0.0.1", 0), Ready)
port = pathlib.Path("data/port")
port.with_suffix(".new").write_text(str(server.server_address[1]))
os.rename(port.with_suffix(".new"), port)
server.serve_forever()
"""
WAITS = """
import signal, sys, time
def stopped(*_):
    with open("stopped", "a") as told: told.write(sys.argv[1] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, stopped)
open("ready-" + sys.argv[1], "a").close()
while True: time.sleep(60)
"""
ENDS = "raise SystemExit(3)"
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("ready-deaf", "a").close()
while True: time.sleep(60)
"""


def scripts(**changed: str) -> Callable[[str], list[str]]:
    told = {"front": FRONT, "engine": WAITS, "courier": WAITS, **changed}
    return lambda name: [sys.executable, "-c", told[name], name]


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Kept:
    """A supervisor that is watched, as `livepost run` does it."""

    def __init__(self, project: Path, command: Callable[[str], list[str]]) -> None:
        self.project = project
        self.folder = DataFolder(load(project, {}, {"port": 0}).settings)
        self.folder.prepare()
        self.supervisor = Supervisor(project, os.environ, command)
        self._stop = Event()
        self._watching: Thread | None = None

    def start(self) -> None:
        self.supervisor.start(self.folder)
        wait_until(lambda: all((self.project / f"ready-{name}").exists() for name in ("engine", "courier")))

    def watch(self) -> None:
        self._watching = Thread(target=self.supervisor.watch, args=(self._stop,))
        self._watching.start()

    def stop(self) -> None:
        self._stop.set()
        if self._watching is not None:
            self._watching.join()
        self.supervisor.stop()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    one = Kept(tmp_path, scripts())
    yield one
    one.stop()


def test_it_starts_all_three_and_returns_when_the_front_answers(kept: Kept) -> None:
    kept.start()
    assert list(kept.supervisor.pids()) == ["front", "engine", "courier"]
    assert kept.folder.port > 0


def test_it_stops_them_in_the_order_of_an_events_way_and_leaves_none(kept: Kept) -> None:
    kept.start()
    pids = kept.supervisor.pids().values()
    kept.stop()
    assert (kept.project / "stopped").read_text().split() == ["front", "engine", "courier"]
    assert not any(is_alive(pid) for pid in pids)
    assert kept.supervisor.pids() == {}


def test_some_can_be_stopped_before_the_others(kept: Kept) -> None:
    kept.start()
    kept.supervisor.stop(["front", "courier"])
    assert list(kept.supervisor.pids()) == ["engine"]


def test_a_killed_process_is_started_again_and_the_others_are_left_alone(
    kept: Kept, capfd: pytest.CaptureFixture[str]
) -> None:
    kept.start()
    kept.watch()
    before = kept.supervisor.pids()
    os.kill(before["engine"], signal.SIGKILL)
    wait_until(lambda: kept.supervisor.pids()["engine"] != before["engine"])
    after = kept.supervisor.pids()
    assert (after["front"], after["courier"]) == (before["front"], before["courier"])
    assert "engine ended with -9; starting it again in 0.1 s" in capfd.readouterr().err


def test_a_process_that_ends_again_and_again_is_waited_for_longer_each_time(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "BACK_OFF_S", (0.0, 0.001, 0.002))
    one = Kept(tmp_path, scripts())
    one.start()
    (tmp_path / "ready-courier").unlink()
    one.supervisor._command = scripts(courier=ENDS)
    os.kill(one.supervisor.pids()["courier"], signal.SIGKILL)
    said = ""

    def enough() -> bool:
        nonlocal said
        one.supervisor.look_after(Event())
        said += capfd.readouterr().err
        return said.count("courier ended") >= 4

    wait_until(enough)
    one.stop()
    waits = [line.split()[-2] for line in said.splitlines() if line.startswith("courier ended")]
    assert waits[:4] == ["0", "0.001", "0.002", "0.002"]


def test_the_waits_grow_and_the_last_one_goes_on() -> None:
    assert sorted(BACK_OFF_S) == list(BACK_OFF_S)


def test_a_stop_that_comes_during_the_wait_starts_nothing_again(kept: Kept) -> None:
    kept.start()
    pid = kept.supervisor.pids()["engine"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: kept.supervisor._running["engine"].poll() is not None)
    stop = Event()
    stop.set()
    kept.supervisor.look_after(stop)
    assert kept.supervisor.pids()["engine"] == pid


@pytest.mark.parametrize("name", ["front", "engine", "courier"])
def test_a_process_that_ends_at_the_start_is_named_and_the_others_stopped(tmp_path: Path, name: str) -> None:
    front_waits = {"front": WAITS} if name != "front" else {}  # else the front may be ready before the other has ended
    one = Kept(tmp_path, scripts(**{**front_waits, name: ENDS}))
    with pytest.raises(StartError, match=f"{name} did not start; its last words are above"):
        one.supervisor.start(one.folder)
    assert one.supervisor.pids() == {}
    one.folder.hold().close()


def test_a_front_that_never_answers_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "READY_S", 0.3)
    one = Kept(tmp_path, scripts(front=WAITS))
    with pytest.raises(StartError, match="the front did not start"):
        one.supervisor.start(one.folder)


def test_a_process_that_does_not_listen_is_ended_when_patience_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_S", 0.2)
    one = Kept(tmp_path, scripts(courier=DEAF))
    one.supervisor.start(one.folder)
    wait_until((tmp_path / "ready-deaf").exists)
    pid = one.supervisor.pids()["courier"]
    one.supervisor.stop()
    assert not is_alive(pid)


def test_a_second_house_on_the_same_folder_is_refused_and_harms_nothing(kept: Kept) -> None:
    kept.start()
    port = kept.folder.port
    with pytest.raises(StoreError, match="a house runs on"):
        Supervisor(kept.project, os.environ, scripts()).start(kept.folder)
    assert kept.folder.port == port
    assert all(is_alive(pid) for pid in kept.supervisor.pids().values())


def test_processes_that_a_killed_supervisor_left_keep_a_second_house_out(kept: Kept) -> None:
    kept.start()
    assert kept.supervisor._held is not None
    kept.supervisor._held.close()  # as its death does
    with pytest.raises(StoreError, match="a house runs on"):
        kept.folder.hold()
    kept.supervisor.stop()
    kept.folder.hold().close()


def test_a_stopped_house_may_be_started_again(kept: Kept) -> None:
    kept.start()
    kept.stop()
    kept.start()
    assert len(kept.supervisor.pids()) == 3


def test_each_process_is_this_pythons_livepost() -> None:
    assert command_of("front") == [sys.executable, "-m", "livepost.cli", "run", "front"]


def test_what_it_started_is_told_with_each_restart_until_it_stops(kept: Kept) -> None:
    kept.start()
    kept.watch()
    path = kept.folder.processes_file
    first = {one.name: one for one in process_standings(path, WallClock().now_ms())}
    assert {name: one.pid for name, one in first.items()} == kept.supervisor.pids()
    assert all(one.alive and one.supervised and one.restarts == 0 for one in first.values())
    os.kill(first["engine"].pid, signal.SIGKILL)
    wait_until(lambda: kept.supervisor.pids()["engine"] != first["engine"].pid)
    wait_until(lambda: process_standings(path, WallClock().now_ms())[1].restarts == 1)
    engine = process_standings(path, WallClock().now_ms())[1]
    assert (engine.name, engine.pid, engine.since >= first["engine"].since) == (
        "engine",
        kept.supervisor.pids()["engine"],
        True,
    )
    kept.stop()
    assert not path.exists()


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *told: object) -> None:
        """Say nothing."""


def _served(certificate: Made) -> HTTPServer:
    server = HTTPServer(("127.0.0.1", 0), _Ready)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_a_front_that_speaks_tls_is_asked_by_its_own_certificate_which_may_have_run_out(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "other").mkdir()
    own, other = Made(tmp_path / "own", until=NOW), Made(tmp_path / "other")
    server = _served(own)
    port = server.server_address[1]
    try:
        for trusted, answered in ((own, True), (other, False)):
            told = Settings(data=str(tmp_path), host="0.0.0.0", port=port, tls_cert=str(trusted.cert), tls_key="key")
            assert supervisor_module._answers(DataFolder(told)) is answered
    finally:
        server.shutdown()
        server.server_close()
