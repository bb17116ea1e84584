"""What the front does in its event loop, beside an engine that runs in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from livepost.errors import RejectedError, StoreError
from livepost.model.letter import Replay, Replayed
from livepost.observe.rates import Rates
from livepost.runtime.front.tending import Tending
from livepost.runtime.sockets.wire import WireError
from tests.unit.runtime.engine.test_asking import EngineProcess
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, make_project


@pytest.fixture
def house(tmp_path: Path) -> StillHouse:
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(ada(), *THREE_LOOKS)
    return still


@pytest.fixture
def running(house: StillHouse) -> Iterator[EngineProcess]:
    process = EngineProcess(house)
    process.wait_served()
    yield process
    process.stop()


async def replayed_nothing(wish: Replay) -> Replayed:
    raise AssertionError("nobody wished for it")


def tended(house: StillHouse, asking: Callable[[Tending], Awaitable[Any]]) -> Any:
    """Let `asking` have a tended house in an event loop, as the front has it."""

    async def asked() -> Any:
        with ExitStack() as opened:
            ledger = opened.enter_context(closing(house.folder.ledger()))
            vault = opened.enter_context(closing(house.folder.vault(readonly=False)))
            tending = Tending(
                house.folder,
                house.project,
                ledger,
                Rates(),
                lambda: None,
                outcomes=lambda: 0,
                vault=lambda: vault,
                replay=replayed_nothing,
                broadcasting=None,  # type: ignore[arg-type]
                rectifying=None,  # type: ignore[arg-type]
            )
            return await asking(opened.enter_context(closing(tending)))

    return asyncio.run(asked())


def test_a_person_read_in_the_loop_is_the_one_that_a_thread_would_get_by_any_name(
    house: StillHouse, running: EngineProcess
) -> None:
    async def asking(tending: Tending) -> list[Any]:
        known = tending.person("ada", -1)
        assert known is not None
        names = ("ada", "ADA@example.com", known.person.hex())
        assert [await tending.read(name, -1) for name in names] == [known] * 3
        return [await tending.read(name, -1) for name in ("nobody", bytes(16).hex())]

    assert tended(house, asking) == [None, None]


def test_who_waits_for_a_position_is_told_when_it_is_reached_or_why_it_is_not(
    house: StillHouse, running: EngineProcess
) -> None:
    last = running.wait_served()

    async def asking(tending: Tending) -> None:
        view = await tending.read("ada", last)
        assert view is not None and view.position >= last
        with pytest.raises(RejectedError, match=f"which ends at {last}, got {last + 1}"):
            await tending.read("ada", last + 1)

    tended(house, asking)


def test_without_an_engine_it_is_said_that_none_answers(house: StillHouse) -> None:
    async def asking(tending: Tending) -> None:
        with pytest.raises(WireError, match="no answer from engine"):
            await tending.read("ada", -1)

    tended(house, asking)


def test_readers_do_not_wait_for_each_other_beyond_the_bound_on_those_who_wait(
    house: StillHouse, running: EngineProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livepost.runtime.sockets.line.WAITING_MAX", 3)

    async def asking(tending: Tending) -> list[Any]:
        await tending.read("ada", -1)
        return await asyncio.gather(*(tending.read("ada", -1) for _ in range(5)), return_exceptions=True)

    told = tended(house, asking)
    assert [isinstance(one, StoreError) for one in told] == [False] * 3 + [True] * 2
