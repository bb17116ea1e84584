"""Bodies: ASGI messages in, the plain bytes of a request out, never more than MAX_BODY_BYTES at any moment.

Gzip is told by its first two bytes, whatever the headers say: SDKs label it, browsers forget to, proxies
unpack it and leave the label.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from livepost.collect.limits import (
    BODY_TIMEOUT_S,
    DRAIN_TIMEOUT_S,
    MAX_BODY_BYTES,
    MAX_BUFFERED_BYTES,
    MAX_DRAINED_BYTES,
    MAX_REQUESTS,
)
from livepost.errors import LivepostError, OverloadedError, RejectedError

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

SWEEPS = 16
"""How often a body's time is divided: it gets up to so much longer."""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_BITS = 31


class ClientGoneError(LivepostError):
    """The client closed the connection before its body was whole; nobody waits for an answer."""


class UnfinishedBodyError(RejectedError):
    """A body refused while more of it was to come: the client may be sending still."""


class BodyReader:
    """Reads bodies of all requests, within bounds on how many, how large together and how slow they are.

    One sweep looks for the slow ones: a timer for each request would cost as much as reading its body.
    """

    def __init__(
        self,
        *,
        max_buffered: int = MAX_BUFFERED_BYTES,
        max_requests: int = MAX_REQUESTS,
        timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._max_buffered = max_buffered
        self._max_requests = max_requests
        self._timeout_s = timeout_s
        self._buffered = 0
        self._reading: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._is_sweeping = False

    async def read(self, receive: Receive, declared: bytes | None) -> bytes:
        """Return the body, unpacked. `declared` is the Content-Length header.

        Raises RejectedError (400, 408, 413), OverloadedError, or ClientGoneError.
        """
        if declared is not None and declared.isdigit() and _over(declared):
            raise _too_large(UnfinishedBodyError)
        if len(self._reading) >= self._max_requests:
            raise OverloadedError(f"{len(self._reading)} requests are being received; send it again in a second")
        task = self._begin()
        try:
            return unpacked(await self._whole(receive))
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() == 0:
                raise _too_slow(self._timeout_s) from None
            raise
        finally:
            del self._reading[task]
            self._late.discard(task)

    def _begin(self) -> asyncio.Task[Any]:
        """Note when the running task has to have its body."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        self._reading[task] = loop.time() + self._timeout_s
        if not self._is_sweeping:
            self._is_sweeping = True
            loop.call_later(self._timeout_s / SWEEPS, self._sweep, loop)
        return task

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel the tasks whose time is over; they stand in the order of their deadlines. Come again while any is."""
        now = loop.time()
        for task, deadline in self._reading.items():
            if deadline > now:
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        self._is_sweeping = bool(self._reading)
        if self._is_sweeping:
            loop.call_later(self._timeout_s / SWEEPS, self._sweep, loop)

    async def _whole(self, receive: Receive) -> bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError("the client closed the connection before it had sent its body")
        if message.get("more_body", False):
            return await self._pieces(receive, message)
        body: bytes = message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
        return body

    async def _pieces(self, receive: Receive, message: MutableMapping[str, Any]) -> bytes:
        """Return a body that comes in pieces, of which `message` is the first, counted with all others that
        do.
        """
        held = 0
        pieces: list[bytes] = []
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise ClientGoneError("the client closed the connection in the middle of its body")
                piece: bytes = message.get("body", b"")
                pieces.append(piece)
                held += len(piece)
                self._buffered += len(piece)
                self._require_room(held, more=message.get("more_body", False))
                if not message.get("more_body", False):
                    return b"".join(pieces)
                message = await receive()
        finally:
            self._buffered -= held

    def _require_room(self, held: int, *, more: bool) -> None:
        if held > MAX_BODY_BYTES:
            raise _too_large(UnfinishedBodyError if more else RejectedError)
        if self._buffered > self._max_buffered:
            raise OverloadedError(f"{self._buffered} bytes are being received; send it again in a second")


def unpacked(body: bytes) -> bytes:
    """Return a gzipped body unpacked (all its members), any other as it is.

    Raises RejectedError: 413 as soon as it unpacks to more than MAX_BODY_BYTES, 400 if it is cut or damaged.
    """
    plain: list[bytes] = []
    room = MAX_BODY_BYTES
    if not body.startswith(_GZIP_MAGIC):
        return body
    while body.startswith(_GZIP_MAGIC):
        member = zlib.decompressobj(_GZIP_BITS)
        try:
            piece = member.decompress(body, room + 1)
        except zlib.error as error:
            raise _damaged(str(error)) from None
        if len(piece) > room:
            raise _too_large()
        if not member.eof:
            raise _damaged("it ends too early")
        plain.append(piece)
        room -= len(piece)
        body = member.unused_data
    return b"".join(plain)


async def drain(receive: Receive) -> None:
    """Throw away what still comes of a refused body, within bounds.

    Closing a socket with unread data makes the system reset the connection, and the client loses the reply.
    """
    left = MAX_DRAINED_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            while left > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))


def _over(declared: bytes) -> bool:
    return len(declared) > 18 or int(declared) > MAX_BODY_BYTES


def _too_large(kind: type[RejectedError] = RejectedError) -> RejectedError:
    return kind(
        f"expected a body of at most {MAX_BODY_BYTES} bytes, got more; split the batch",
        code="too_large",
        status=413,
    )


def _too_slow(timeout_s: float) -> RejectedError:
    return RejectedError(
        f"expected the whole body within {timeout_s:g} s, got a part of it; send it again",
        code="timeout",
        status=408,
    )


def _damaged(why: str) -> RejectedError:
    return RejectedError(f"expected a gzip body, got a damaged one: {why}; send it again", code="unreadable")
