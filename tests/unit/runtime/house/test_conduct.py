import asyncio
import os
import signal

import pytest

from livepost.runtime.house.conduct import stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_the_work_and_it_may_clean_up(number: signal.Signals) -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    asyncio.run(stopped(work()))
    assert seen == ["cleaned up"]


def test_work_that_fails_fails() -> None:
    async def work() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        asyncio.run(stopped(work()))


def test_work_that_ends_ends() -> None:
    seen: list[int] = []

    async def work() -> None:
        seen.append(1)

    asyncio.run(stopped(work()))
    assert seen == [1]
