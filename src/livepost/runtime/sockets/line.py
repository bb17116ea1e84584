"""A line to another process, for who asks it within an event loop: many questions at a time over one connection.

In: questions. Out: their answers, as the other side's `WireServer` gives them, one after the other. Promises: nobody's
thread waits; at most WAITING_MAX questions wait for an answer; where the other side is gone, or silent for TIMEOUT_S,
all that wait hear it, and the next question connects anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from livepost.errors import StoreError
from livepost.runtime.sockets.wire import TIMEOUT_S, Frames, WireError, bounded, framed, short_name

WAITING_MAX = 1_000
"""Questions that may wait for their answers at a time."""

_reply = msgspec.msgpack.Decoder(tuple[tuple[str, str] | None, msgspec.Raw])
T = TypeVar("T")


class Line:
    """Asks one process; for one event loop. A question that takes the other side long holds up those behind it."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened before the first question."""
        self._path = path
        self._talk: _Talk | None = None
        self._connecting = asyncio.Lock()

    async def call(self, name: str, argument: Any, answer: msgspec.msgpack.Decoder[T]) -> T:
        """Return the answer, read by a decoder of its type.

        Raises WireError if there is none; StoreError with the other side's sentence, if the request is too large, or if
        WAITING_MAX questions wait already.
        """
        request = framed(bounded(msgspec.msgpack.encode((name, argument))))
        try:
            body = await (self._open_talk() or await self._connected()).ask(request)
        except OSError as error:
            raise WireError(f"no answer from {self._path.stem} ({error}); is `livepost run` running?") from error
        refused, value = _reply.decode(body)
        if refused is not None:
            raise StoreError(refused[1])
        return answer.decode(value)

    def close(self) -> None:
        """Drop the connection; who waits for an answer hears it."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None

    def _open_talk(self) -> _Talk | None:
        return self._talk if self._talk is not None and self._talk.is_open else None

    async def _connected(self) -> _Talk:
        async with self._connecting:
            if (talk := self._open_talk()) is None:
                with short_name(self._path) as path:
                    _, talk = await asyncio.get_running_loop().create_unix_connection(_Talk, path)
                self._talk = talk
            return talk


class _Talk(asyncio.Protocol):
    """One connection: what was asked, in the order in which it will be answered."""

    def __init__(self) -> None:
        self.is_open = True
        self._frames = Frames()
        self._waiting: deque[tuple[float, asyncio.Future[bytes]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._watched = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by type

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a question; the future gives the body of its answer, or raises OSError."""
        if len(self._waiting) >= WAITING_MAX:
            raise StoreError(
                f"expected at most {WAITING_MAX} questions to wait for an answer, got one more; ask again in a second"
            )
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting.append((self._loop.time(), answer))
        self._transport.write(request)
        if not self._watched:
            self._watched = True
            self._loop.call_later(TIMEOUT_S, self._look)
        return answer

    def close(self) -> None:
        self._end(ConnectionResetError("the connection was closed here"))

    def data_received(self, data: bytes) -> None:
        self._frames.add(data)
        try:
            while self._waiting and (body := self._frames.take()) is not None:
                _, answer = self._waiting.popleft()
                if not answer.done():  # who asked may be gone
                    answer.set_result(body)
        except ConnectionError as error:
            self._end(error)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(ConnectionResetError("the other process closed"))

    def _look(self) -> None:
        """End a connection whose other side says nothing; come again while somebody waits."""
        self._watched = bool(self._waiting) and self.is_open
        if not self._watched:
            return
        left_s = self._waiting[0][0] + TIMEOUT_S - self._loop.time()
        if left_s <= 0:
            self._end(TimeoutError(f"nothing came for {TIMEOUT_S:g} s"))
        else:
            self._loop.call_later(left_s, self._look)

    def _end(self, error: OSError) -> None:
        self.is_open = False
        self._transport.close()
        while self._waiting:
            _, answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error)
