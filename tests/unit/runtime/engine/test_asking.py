"""Questions to the engine of a folder: of one that runs in a process of its own, and of its state on disk."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from livepost.errors import HeldError, StoreError
from livepost.runtime.engine import asking
from livepost.runtime.engine.asking import Engine, engine_of
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.engine.worker import Worker
from livepost.runtime.house.supervisor import command_of, end
from livepost.runtime.sockets.wire import WireError
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, make_project

PATIENCE_S = 20.0
BROKEN = {"type": "track", "userId": "bob", "messageId": "broken", "event": "Product Viewed"}


class EngineProcess:
    """The engine of a still house, running; nobody else is there."""

    def __init__(self, house: StillHouse) -> None:
        self.client = EngineClient(house.folder)
        self._house = house
        self._process = subprocess.Popen(
            command_of("engine"), cwd=house.project.folder, env=os.environ, stdin=subprocess.DEVNULL
        )

    def wait_served(self) -> int:
        """Wait until the whole log is served; return its last position."""
        with closing(self._house.folder.log_reader()) as log:
            last = log.last().seq
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_at(last):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return last

    def stop(self) -> int:
        """End the process as the supervisor does; return its exit code."""
        self.client.close()
        return end(self._process, PATIENCE_S)

    def _is_at(self, position: int) -> bool:
        try:
            return self.client.status().complete_to == position
        except WireError:
            return False


@pytest.fixture
def house(tmp_path: Path) -> StillHouse:
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(ada(), *THREE_LOOKS, BROKEN)
    return still


@pytest.fixture
def running(house: StillHouse) -> Iterator[EngineProcess]:
    process = EngineProcess(house)
    yield process
    process.stop()


def answers(engine: Engine) -> dict[str, Any]:
    """What everybody may ask, but for what is measured."""
    (view,) = engine.everybody(10)
    status = engine.status()
    return {
        "people": engine.people([view.person, bytes(16)], -1),
        "everybody": [view],
        "transitions": engine.transitions(view.person, "browsing", 10),
        "all": engine.transitions(None, None, 10),
        "dead": engine.dead(-1, 10),
        "letters": [engine.letter(position) for position in range(-1, status.position + 2)],
        "status": (status.position, status.as_of, status.people, status.counts, status.program),
    }


def test_a_running_engine_and_its_state_on_disk_give_the_same_answers(
    house: StillHouse, running: EngineProcess
) -> None:
    last = running.wait_served()
    with engine_of(house.folder, house.project) as engine:
        assert isinstance(engine, EngineClient)
        live = answers(engine)
        assert engine.decisions(-1, 100).complete_to == last
    assert running.stop() == 0
    with engine_of(house.folder, house.project) as engine:
        assert isinstance(engine, Worker)
        assert answers(engine) == live
    assert [letter.reason.split(",")[0] for letter in live["dead"]] == [
        "expected field `product_id` in `Product Viewed`"
    ]
    assert [one.entered for one in live["transitions"]] == [True]


def test_a_running_engine_says_so_when_it_does_not_get_as_far_as_asked_in_time(
    house: StillHouse, running: EngineProcess
) -> None:
    last = running.wait_served()
    began = time.monotonic()
    with pytest.raises(StoreError, match=f"the engine is at position {last}, asked for 99; ask again"):
        running.client.people([bytes(16)], 99)
    with pytest.raises(StoreError, match=f"the engine is at position {last}, asked for 99; ask again"):
        running.client.letter(last, 99)
    assert time.monotonic() - began >= 0.4


def test_what_the_courier_has_is_forgotten_by_a_running_engine(house: StillHouse, running: EngineProcess) -> None:
    last = running.wait_served()
    assert running.client.decisions(-1, 100).items
    running.client.served(last)
    assert running.client.decisions(-1, 100).items == []


def test_an_engine_that_runs_keeps_a_second_one_from_its_state(house: StillHouse, running: EngineProcess) -> None:
    running.wait_served()
    with pytest.raises(StoreError):
        house.folder.state()


def test_an_engine_that_is_starting_is_waited_for(house: StillHouse) -> None:
    house.engine_works()
    state = house.folder.state()  # as an engine has it before it listens
    letting_go = Timer(0.3, state.close)
    letting_go.start()
    with engine_of(house.folder, house.project) as engine:
        assert len(engine.everybody(10)) == 1
    letting_go.join()


def test_who_has_the_state_and_never_answers_is_named_after_a_time(
    house: StillHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "STARTING_S", 0.1)
    asked = engine_of(house.folder, house.project)
    with closing(house.folder.state()), pytest.raises(HeldError, match="another engine has the state"), asked:
        pass


def test_nothing_is_processed_when_the_state_on_disk_is_asked(house: StillHouse) -> None:
    house.engine_works()
    house.take({**BROKEN, "messageId": "broken-2"})
    with engine_of(house.folder, house.project) as engine:
        assert len(engine.dead(-1, 10)) == 1


def test_a_state_is_read_with_the_project_that_it_serves_whatever_the_folder_has(
    house: StillHouse, tmp_path: Path
) -> None:
    house.engine_works()
    changed = StillHouse(make_project(tmp_path / "changed", **{">= 3": ">= 2"})).project
    with engine_of(house.folder, changed) as engine:
        assert len(engine.everybody(10)) == 1
        assert engine.status().program == house.project.compiled.hash()
