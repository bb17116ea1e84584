"""The collector behind its real server: keep-alive, chunked bodies, and refusals that the client gets to see."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import uvicorn

from livepost.collect.limits import MAX_BODY_BYTES

KEY = ("WK", "")


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run uvicorn as the front does, on a free port of this machine, and give a client for it."""
    config = uvicorn.Config(app, port=0, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=None))
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=KEY, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        await task


def test_positions_come_back_over_one_connection(collector: Any) -> None:
    async def story() -> list[str]:
        async with serving(collector.app) as client:
            replies = [await client.post("/v1/track", json={"userId": "u", "event": "X"}) for _ in range(3)]
            return [reply.headers["x-livepost-position"] for reply in replies]

    assert asyncio.run(story()) == ["0", "1", "2"]


def test_a_chunked_gzip_body_is_read(collector: Any) -> None:
    packed = gzip.compress(b'{"batch":[{"type":"track","userId":"u","event":"X"}]}')

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(packed), 10):
            yield packed[start : start + 10]

    async def story() -> int:
        async with serving(collector.app) as client:
            return (await client.post("/v1/batch", content=pieces())).status_code

    assert asyncio.run(story()) == 200


@pytest.mark.parametrize("extra", [1, 5_000_000])
def test_the_client_sees_413_for_a_body_that_says_it_is_too_large(collector: Any, extra: int) -> None:
    async def story() -> int:
        async with serving(collector.app) as client:
            return (await client.post("/v1/batch", content=b"x" * (MAX_BODY_BYTES + extra))).status_code

    assert asyncio.run(story()) == 413


def test_the_client_sees_413_for_a_stream_that_becomes_too_large(collector: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(60):
            yield b"x" * 10_000

    async def story() -> int:
        async with serving(collector.app) as client:
            return (await client.post("/v1/batch", content=pieces())).status_code

    assert asyncio.run(story()) == 413


def test_the_connection_is_good_for_another_request_after_a_refusal(new_collector: Callable[..., Any]) -> None:
    async def story() -> list[int]:
        async with serving(new_collector().app) as client:
            first = await client.post("/v1/track", content=b"not json")
            second = await client.post("/v1/track", json={"userId": "u", "event": "X"})
            return [first.status_code, second.status_code]

    assert asyncio.run(story()) == [400, 200]
