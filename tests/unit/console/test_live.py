"""Live parts of pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from livepost.console.live import STREAMS_MAX, Live


async def _read(stream: AsyncIterator[object], count: int) -> list[str]:
    return [str(await anext(stream)) for _ in range(count)]


def _stream(live: Live, told: list[str], every_s: float = 60.0) -> AsyncIterator[object]:
    async def look() -> str:
        return told.pop(0) if len(told) > 1 else told[0]

    answer = live.answer(look, every_s)
    assert isinstance(answer, StreamingResponse)
    return aiter(answer.body_iterator)


def test_what_changed_is_sent_and_nothing_else() -> None:
    async def story() -> list[str]:
        return await _read(_stream(Live(), ["one", "one", "two\nlines"], every_s=0.001), 4)

    assert asyncio.run(story()) == [
        "retry: 2000\n\n",
        "data: one\n\n",
        ": as before\n\n",
        "data: two\ndata: lines\n\n",
    ]


def test_a_stream_ends_when_the_house_does() -> None:
    async def story() -> int:
        live = Live()
        stream = _stream(live, ["one"])
        await _read(stream, 2)
        asyncio.get_running_loop().call_later(0.01, live.close)
        async with asyncio.timeout(5):
            return len([event async for event in stream])

    assert asyncio.run(story()) == 0


def test_there_are_as_many_streams_as_there_may_be() -> None:
    async def story() -> tuple[int, int]:
        live = Live()
        streams = [_stream(live, ["one"]) for _ in range(STREAMS_MAX)]
        for stream in streams:
            await _read(stream, 1)
        refused = live.answer(lambda: asyncio.sleep(0, "one")).status_code
        await streams[0].aclose()  # type: ignore[attr-defined]
        return refused, live.answer(lambda: asyncio.sleep(0, "one")).status_code

    assert asyncio.run(story()) == (204, 200)
