"""`livepost run` where it cannot start; the running house is in tests/real."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.errors import StoreError
from livepost.model.record import Kind, Record
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.kept_pages import keep_pages
from livepost.runtime.engine.client import EngineClient
from livepost.settings.load import load
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse

RUN = [sys.executable, "-m", "livepost.cli", "run"]


@pytest.fixture(autouse=True)
def handlers_kept() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_taken_port_is_said_with_what_to_do(project: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {**os.environ, "LIVEPOST_PORT": str(port)}
        told = subprocess.run(
            RUN, cwd=project, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert told.returncode == 1
    first, *_, last = told.stderr.splitlines()
    assert first.startswith(f"livepost: port {port} on 127.0.0.1 is taken (")
    assert first.endswith("stop what uses it, or set `port` in livepost.toml or LIVEPOST_PORT")
    assert last == "livepost: front did not start; its last words are above"


def test_a_house_that_runs_is_asked_for_no_policy_by_a_second_one(livepost: Command, promising: Path) -> None:
    folder = DataFolder(load(promising, {}).settings)
    folder.prepare()
    with closing(folder.hold()):
        told = livepost("run")
    assert (told.code, "a house runs on" in told.err) == (1, True)
    assert not (folder.path / "policy.toml").exists()
    assert not folder.home_file.exists()


def test_a_project_that_does_not_compile_is_said_once_and_nothing_is_made(livepost: Command, project: Path) -> None:
    page = (project / "shop.py").read_text()
    (project / "shop.py").write_text(page.replace(">= 3", '>= "three"'))
    told = livepost("run")
    assert told.code == 1
    assert told.err.count("got 'three'") == len(told.err.splitlines()) == 1
    assert not (project / "data").exists()


def test_a_second_house_on_the_same_folder_is_refused(livepost: Command, project: Path) -> None:
    with closing(StillHouse(project).folder.hold()):
        told = livepost("run")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("livepost: a house runs on ")


def test_a_process_of_another_name_is_refused(livepost: Command, project: Path) -> None:
    told = livepost("run", "kitchen")
    assert told.code == 2
    assert "front" in told.err and "courier" in told.err


def test_a_first_project_that_check_refuses_is_refused_in_its_words_and_nothing_is_made(
    livepost: Command, project: Path
) -> None:
    (project / "templates" / "browse_reminder.mjml").unlink()
    said = livepost("check").out
    told = livepost("run")
    assert (told.code, told.out) == (1, "")
    assert told.err == said and "browse_reminder" in said
    assert not (project / "data").exists()


def test_an_engine_is_started_beside_a_broken_page_by_what_is_applied(project: Path) -> None:
    house = StillHouse(project)
    with closing(house.folder.log()) as log:
        log.append([Record(kind=Kind.PROJECT, control={"project": msgspec.to_builtins(house.project.compiled)})])
    keep_pages(house.folder, house.project)
    (project / "shop.py").write_text("half a page (")
    with subprocess.Popen([*RUN, "engine"], cwd=project, stdin=subprocess.DEVNULL) as engine:
        try:
            with closing(EngineClient(house.folder)) as running:
                deadline = time.monotonic() + 20
                while not _is_at_0(running):
                    assert time.monotonic() < deadline and engine.poll() is None
                    time.sleep(0.05)
        finally:
            engine.terminate()


def _is_at_0(engine: EngineClient) -> bool:
    try:
        return engine.status().position == 0
    except StoreError:
        return False
