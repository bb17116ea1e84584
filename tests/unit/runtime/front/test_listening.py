"""The front's port: what it answers is answered, also while it stops."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import httpx
import pytest

from livepost.errors import SettingsError
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.listening import BACKLOG, listen, serve
from livepost.settings.settings import Settings


class Slow:
    """An app that answers when it is let."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.set()
        await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})


def _listening() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(BACKLOG)
    return listening


async def _asked_while_it_stops() -> tuple[str, list[str]]:
    app, stopped = Slow(), []
    listening = _listening()
    port = listening.getsockname()[1]
    serving = asyncio.ensure_future(serve(app, listening, lambda: stopped.append("told")))
    async with httpx.AsyncClient(trust_env=False) as client:
        asking = asyncio.ensure_future(client.get(f"http://127.0.0.1:{port}/"))
        await app.asked.wait()
        serving.cancel()
        await asyncio.sleep(0)
        app.let.set()
        answer = await asking
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    return answer.text, stopped


def test_what_is_being_answered_when_the_front_stops_is_answered() -> None:
    async def story() -> tuple[str, list[str]]:
        async with asyncio.timeout(10):
            return await _asked_while_it_stops()

    assert asyncio.run(story()) == ("done", ["told"])


def test_a_port_that_is_taken_is_said_with_what_to_do(tmp_path: Any) -> None:
    with contextlib.closing(_listening()) as taken:
        settings = Settings(data=str(tmp_path), port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match=r"is taken .*set `port` in livepost.toml"):
            listen(DataFolder(settings))


def test_any_free_port_is_written_down(tmp_path: Any) -> None:
    folder = DataFolder(Settings(data=str(tmp_path), port=0))
    with contextlib.closing(listen(folder)) as listening:
        assert folder.port == listening.getsockname()[1]
