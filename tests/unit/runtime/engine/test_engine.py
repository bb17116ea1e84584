import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from livepost.clock import WallClock
from livepost.log.sqlite import SqliteLogReader
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine import process
from livepost.runtime.engine.attempts import Attempts
from livepost.runtime.engine.calling import Standing
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.engine.process import _Engine, _worker
from livepost.runtime.engine.worker import STEP_RECORDS, Worker
from livepost.runtime.sockets.wire import watch
from livepost.state.image import ImageError
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, make_project, swept


def test_who_waits_for_the_engine_can_be_woken_through_it(tmp_path: Path) -> None:
    async def wake(folder: DataFolder, engine: _Engine) -> bool:
        woken = asyncio.Event()
        await engine._server.start()
        watching = asyncio.create_task(watch(folder.engine_socket, woken))
        await woken.wait()  # what came before it watched
        woken.clear()
        with closing(EngineClient(folder)) as client:
            await asyncio.to_thread(client.wake)
        async with asyncio.timeout(5):
            await woken.wait()
        watching.cancel()
        await engine._server.close()
        return True

    house = StillHouse(make_project(tmp_path / "shop"))
    house.engine_works()
    with closing(house.folder.log_reader()) as log, closing(house.folder.state()) as state:
        worker = Worker(house.project.compiled, state, log, WallClock(), "shop", images=house.folder.images)
        assert asyncio.run(wake(house.folder, _Engine(house.folder, worker, state)))


def test_a_wake_up_at_the_very_moment_of_stopping_does_not_keep_the_engine_going(tmp_path: Path) -> None:
    """`asyncio.wait_for` loses a cancellation that comes together with what it waits for (Python 3.11)."""

    async def stop_while_woken(engine: _Engine) -> bool:
        for work in (engine._work(), engine._tell_due()):
            task = asyncio.create_task(work)
            await asyncio.sleep(0.05)
            async with engine._stepped:
                engine._stepped.notify_all()
            engine._woken.set()
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=0.3)
            task.cancel()
            if not done:
                return False
        return True

    house = StillHouse(make_project(tmp_path / "shop"))
    house.engine_works()
    with closing(house.folder.log_reader()) as log, closing(house.folder.state()) as state:
        worker = Worker(house.project.compiled, state, log, WallClock(), "shop", images=house.folder.images)
        assert asyncio.run(stop_while_woken(_Engine(house.folder, worker, state)))


def test_a_wave_stands_still_until_the_courier_asks_for_the_next_urgent_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GIVE_WAY_URGENT_S", 60.0)

    async def stood_still(engine: _Engine, *, told: bool, asked_again: bool) -> bool:
        """Say whether the engine still stands still behind an answer (or none), asked again or not."""
        urgent: Standing[str, str] = Standing(lambda what: "a mail" if what == "first" else None, engine._woken.set)
        engine._urgent = urgent  # type: ignore[assignment]
        engine._woken.clear()
        if told:
            await urgent.ask("first")
            engine._turn()
        giving_way = asyncio.create_task(engine._give_way())
        asking = asyncio.create_task(urgent.ask("next")) if asked_again else None
        done, _ = await asyncio.wait({giving_way}, timeout=0.1)
        for task in (giving_way, asking):
            if task is not None:
                task.cancel()
        return not done

    house = StillHouse(make_project(tmp_path / "shop"))
    house.engine_works()
    with closing(house.folder.log_reader()) as log, closing(house.folder.state()) as state:
        worker = Worker(house.project.compiled, state, log, WallClock(), "shop", images=house.folder.images)
        stands = [
            asyncio.run(stood_still(_Engine(house.folder, worker, state), told=told, asked_again=asked))
            for told, asked in ((False, False), (True, False), (True, True))
        ]
    assert stands == [False, True, False]


def settled_and_spoilt(tmp_path: Path) -> StillHouse:
    """Return a house whose state names an image that is not there."""
    house = StillHouse(swept(make_project(tmp_path / "shop")))
    house.take(ada(), *THREE_LOOKS)
    house.engine_works()
    (image,) = house.folder.images.folder.iterdir()
    image.unlink()
    return house


def test_a_state_without_its_image_is_rebuilt_from_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house = settled_and_spoilt(tmp_path)
    with closing(house.folder.log_reader()) as log, closing(house.folder.state()) as state:
        before = [*reversed(state.transitions(None, None, 100))]
        with closing(_worker(house.folder, house.project, state, log, Attempts(STEP_RECORDS))) as worker:
            while worker.turn():
                pass
        assert [*reversed(state.transitions(None, None, 100))] == before != []
    assert "it is being rebuilt" in capsys.readouterr().err


def test_a_state_without_its_image_is_left_alone_where_the_log_is_not_whole(tmp_path: Path) -> None:
    class Pruned(SqliteLogReader):
        def first(self) -> int:
            return 1

    house = settled_and_spoilt(tmp_path)
    with closing(Pruned(house.folder.path / "log")) as log, closing(house.folder.state()) as state:
        with pytest.raises(ImageError, match="expected a whole image of people"):
            _worker(house.folder, house.project, state, log, Attempts(STEP_RECORDS))
        assert state.loaded() is not None
