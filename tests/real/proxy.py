"""A bad line to the front: a TCP proxy of its own that spoils posts on their way.

In: requests of any HTTP/1.1 client with a Content-Length. Out: what the front answers, or, post by post in the order of
a list, a fault. Only posts are spoilt, so that a browser's OPTIONS and GET pass. What it did is counted by fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain, cycle, repeat


class Fault(Enum):
    """What becomes of a post."""

    NONE = "goes through"
    OVERLOADED = "answered with 429, never forwarded"
    UNAVAILABLE = "answered with 503, never forwarded"
    CUT_BEFORE = "the connection drops, nothing was forwarded"
    CUT_AFTER = "the connection drops when the front has acknowledged"
    EATEN = "answered with 200, never forwarded: no honest server does that"


LINE = (Fault.OVERLOADED, Fault.NONE, Fault.UNAVAILABLE, Fault.NONE, Fault.CUT_BEFORE, Fault.NONE, Fault.CUT_AFTER)
"""Every fault an SDK must survive, never two in a row: one of them gives up after three tries."""

RETRY_AFTER_S = 1
_HEAD = (
    "HTTP/1.1 {status}\r\nretry-after: {retry}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
    "access-control-allow-origin: *\r\naccess-control-expose-headers: Retry-After\r\n\r\n"
)
_ANSWERS = {
    Fault.OVERLOADED: ("429 Too Many Requests", '{"code": "overloaded", "message": "the line is busy"}'),
    Fault.UNAVAILABLE: ("503 Service Unavailable", '{"code": "unavailable", "message": "the line is down"}'),
    Fault.EATEN: ("200 OK", '{"success": true}'),
}


@dataclass(frozen=True)
class _Message:
    """A request or a reply as it came."""

    first: str
    raw: bytes


class Proxy:
    """A proxy on a port of its own in front of `target`; `faults` fall on the posts in turn, then none does."""

    def __init__(self, target: int, faults: Sequence[Fault] = (), *, again: bool = False) -> None:
        """With `again` the faults begin anew when they are through."""
        self.happened: Counter[Fault] = Counter()
        self._target = target
        self._faults: Iterator[Fault] = cycle(faults) if again else chain(faults, repeat(Fault.NONE))
        self._loop = asyncio.new_event_loop()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="proxy")

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        """Let everything through from now on."""
        self._faults = repeat(Fault.NONE)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._listening))
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's requests, one after the other, until it or a fault ends the connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._carry(await _read(reader), writer):
                pass
        writer.close()

    async def _carry(self, request: _Message, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; say whether the connection is still good."""
        fault = next(self._faults) if request.first.startswith("POST") else Fault.NONE
        self.happened[fault] += request.first.startswith("POST")
        if fault in _ANSWERS:
            status, body = _ANSWERS[fault]
            head = _HEAD.format(status=status, retry=RETRY_AFTER_S, length=len(body))
            writer.write(f"{head}{body}".encode())
            await writer.drain()
            return True
        if fault is Fault.CUT_BEFORE:
            return False
        reply = await self._forwarded(request)
        if fault is Fault.CUT_AFTER and " 200 " in reply.first:
            return False
        writer.write(reply.raw)
        await writer.drain()
        return True

    async def _forwarded(self, request: _Message) -> _Message:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            writer.write(request.raw)
            await writer.drain()
            return await _read(reader)
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> _Message:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    assert "transfer-encoding" not in headers, "expected a Content-Length, got a chunked message"
    return _Message(lines[0], head + await reader.readexactly(int(headers.get("content-length", "0"))))
