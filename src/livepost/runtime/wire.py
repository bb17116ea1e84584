"""How the processes of one data folder talk: msgpack frames over a Unix socket, and a byte to wake who waits.

A frame is its length (u32, big-endian) and a msgpack body. A request is [name, argument], its reply [error, value].
The request "watch" turns the connection round: from then on the server sends an empty frame whenever something new is
there. Frames are bounded; the socket is readable by the folder's owner only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from livepost.errors import LivepostError, StoreError

FRAME_BYTES_MAX = 256 * 1024 * 1024
TIMEOUT_S = 30.0
CLOSE_S = 2.0
"""How long a server that closes waits for what it is answering."""

WATCH = "watch"
POLL_S = 0.05
"""How often who waits for a process looks by itself while it is not connected."""

_SOCKADDR_BYTES = 100
_LENGTH = struct.Struct(">I")
T = TypeVar("T")
Handler = Callable[[msgspec.Raw], Any | Awaitable[Any]]
"""Takes the argument undecoded, returns a plain value or struct."""


class WireError(StoreError):
    """The other process is not there, or did not answer; ask again later."""


class WireServer:
    """Answers on a socket within an event loop. `changed` wakes all who watch."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._connected: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._watching: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket file left by a crash is replaced (the stores' locks keep a second process out)."""
        self._path.unlink(missing_ok=True)
        with _short(self._path) as path:
            self._server = await asyncio.start_unix_server(self._serve, path)
        self._path.chmod(0o600)

    def changed(self) -> None:
        """Wake everybody who watches; one who does not keep up is woken once."""
        for writer in list(self._watching):
            # One who was killed may be gone for the transport before its connection has noticed.
            if not writer.transport.is_closing() and writer.transport.get_write_buffer_size() == 0:
                writer.write(_LENGTH.pack(0))

    async def close(self) -> None:
        """Stop listening and drop connections; what is being answered has CLOSE_S seconds."""
        if self._server is not None:
            self._server.close()
        answering = [task for task in self._connected.values() if task is not None]
        for writer in list(self._connected):
            writer.close()
        if answering:
            _, unanswered = await asyncio.wait(answering, timeout=CLOSE_S)
            for task in unanswered:
                task.cancel()
            await asyncio.gather(*unanswered, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connected[writer] = asyncio.current_task()
        try:
            while True:
                body = await _read_frame(reader)
                name, argument = msgspec.msgpack.decode(body, type=tuple[str, msgspec.Raw])
                if name == WATCH:
                    self._watching.add(writer)
                    writer.write(_LENGTH.pack(0))  # what came before it watched is to be looked for
                    continue
                answer = await self._answer(name, argument)
                if writer.is_closing():
                    return  # who asked did not wait for it, or the server closes
                writer.write(_framed(answer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._watching.discard(writer)
            del self._connected[writer]
            writer.close()

    async def _answer(self, name: str, argument: msgspec.Raw) -> bytes:
        try:
            answer = self._handlers[name](argument)
            if isinstance(answer, Awaitable):
                answer = await answer
            return _bounded(msgspec.msgpack.encode((None, answer)))
        except LivepostError as error:
            return msgspec.msgpack.encode(((type(error).__name__, str(error)), None))


class WireClient:
    """Asks a process; blocking, for one thread; connects anew after a break."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def call(self, name: str, argument: Any, type: type[T]) -> T:
        """Return the answer as `type`.

        Raises WireError if there is none; StoreError with the other side's sentence, or if the request is too large.
        """
        request = _framed(_bounded(msgspec.msgpack.encode((name, argument))))
        try:
            connection = self._connected()
            connection.sendall(request)
            body = _receive(connection)
        except OSError as error:
            self.close()
            raise WireError(f"no answer from {self._path.stem} ({error}); is `livepost run` running?") from error
        except BaseException:  # whatever came between request and answer: the next one would read this one's
            self.close()
            raise
        refused, value = msgspec.msgpack.decode(body, type=tuple[tuple[str, str] | None, msgspec.Raw])
        if refused is not None:
            raise StoreError(refused[1])
        return msgspec.msgpack.decode(value, type=type)

    def watch(self) -> Watch:
        """Return a watch on the process, over a connection of its own."""
        return Watch(self._path)

    def close(self) -> None:
        """Drop the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = _connect(self._path)
        return self._socket


class Watch:
    """Waits for a process to say that something is new; looks again after POLL_S while nobody is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def wait(self, timeout_s: float) -> None:
        """Return when woken, or after `timeout_s` seconds."""
        try:
            self._wait(timeout_s)
        except OSError:
            self.close()
            time.sleep(min(timeout_s, POLL_S))

    def close(self) -> None:
        """Drop the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _wait(self, timeout_s: float) -> None:
        if self._socket is None:
            self._socket = _connect(self._path)
            self._socket.sendall(_framed(msgspec.msgpack.encode((WATCH, None))))
        if select.select([self._socket], [], [], timeout_s)[0] and not self._socket.recv(4096):
            raise ConnectionResetError("the other process closed")


async def watch(path: Path, woken: asyncio.Event) -> None:
    """Set `woken` whenever the process at `path` says that something is new; goes on until cancelled.

    While nobody is there, it is set every POLL_S: what was told meanwhile must be looked for.
    """
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            with _short(path) as short:
                reader, writer = await asyncio.open_unix_connection(short)
            try:
                writer.write(_framed(msgspec.msgpack.encode((WATCH, None))))
                while await reader.read(4096):
                    woken.set()
            finally:
                writer.close()
        await asyncio.sleep(POLL_S)
        woken.set()


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(_length(await reader.readexactly(_LENGTH.size)))


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT_S)
    try:
        with _short(path) as short:
            connection.connect(short)
    except OSError:
        connection.close()
        raise
    return connection


def _receive(connection: socket.socket) -> bytes:
    return _exactly(connection, _length(_exactly(connection, _LENGTH.size)))


def _length(head: bytes) -> int:
    """Return the length that a frame's head tells; raise ConnectionError if no frame is so long."""
    (length,) = _LENGTH.unpack(head)
    if length > FRAME_BYTES_MAX:
        raise ConnectionError(f"a frame of {length} bytes is above {FRAME_BYTES_MAX}")
    return int(length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        more = connection.recv(min(count - len(parts), 1 << 20))
        if not more:
            raise ConnectionResetError("the other process closed")
        parts += more
    return bytes(parts)


def _bounded(body: bytes) -> bytes:
    if len(body) > FRAME_BYTES_MAX:
        raise StoreError(
            f"expected at most {FRAME_BYTES_MAX} bytes between two processes, got {len(body)}; ask for less"
        )
    return body


def _framed(body: bytes) -> bytes:
    return _LENGTH.pack(len(body)) + body


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Yield a name of the socket that fits into a sockaddr (108 bytes on Linux, 104 elsewhere) wherever it lies."""
    if len(os.fsencode(path)) < _SOCKADDR_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
