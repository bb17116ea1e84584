import asyncio
from contextlib import closing
from pathlib import Path

from livepost.clock import WallClock
from livepost.runtime.engine import _Engine
from livepost.runtime.engine_client import EngineClient
from livepost.runtime.folder import DataFolder
from livepost.runtime.wire import watch
from livepost.runtime.worker import Worker
from tests.unit.runtime.still import StillHouse, make_project


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
        worker = Worker(house.project.compiled, state, log, WallClock(), "shop")
        assert asyncio.run(wake(house.folder, _Engine(house.folder, worker)))


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
        worker = Worker(house.project.compiled, state, log, WallClock(), "shop")
        assert asyncio.run(stop_while_woken(_Engine(house.folder, worker)))
