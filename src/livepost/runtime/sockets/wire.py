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
from typing import Any, TypeVar, cast

import msgspec

from livepost.errors import LivepostError, StoreError

FRAME_BYTES_MAX = 256 * 1024 * 1024
TIMEOUT_S = 30.0
CLOSE_S = 2.0
"""How long a server that closes waits for what it is answering."""

READ_AHEAD_BYTES = 256 * 1024
"""What a server reads on a connection beyond the request that it is answering there, about."""

WATCH = "watch"
POLL_S = 0.05
"""How often who waits for a process looks by itself while it is not connected."""

_SOCKADDR_BYTES = 100
_LENGTH = struct.Struct(">I")
_request = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
T = TypeVar("T")
Wait = Callable[[int, float], object]
"""Returns when a descriptor can be read, after so many seconds at the latest."""

Handler = Callable[[msgspec.Raw], Any | Awaitable[Any]]
"""Takes the argument undecoded, returns a plain value or struct."""


class WireError(StoreError):
    """The other process is not there, or did not answer; ask again later."""


class Frames:
    """Frames out of the pieces in which a connection brings them."""

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def held(self) -> int:
        """How many bytes came and were not taken."""
        return len(self._held)

    def add(self, piece: bytes) -> None:
        """Add what came."""
        self._held += piece

    def take(self) -> bytes | None:
        """Return the next frame's body, None while it is not whole; raise ConnectionError if no frame is so long."""
        if len(self._held) < _LENGTH.size:
            return None
        end = _LENGTH.size + _length(self._held)
        if len(self._held) < end:
            return None
        body = bytes(memoryview(self._held)[_LENGTH.size : end])
        del self._held[:end]
        return body


class WireServer:
    """Answers on a socket within an event loop. `changed` wakes all who watch."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._connected: set[_Connection] = set()
        self._watching: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket file left by a crash is replaced (the stores' locks keep a second process out)."""
        self._path.unlink(missing_ok=True)
        with short_name(self._path) as path:
            self._server = await asyncio.get_running_loop().create_unix_server(self._accepted, path)
        self._path.chmod(0o600)

    def changed(self) -> None:
        """Wake everybody who watches; one who does not keep up is woken once."""
        for watching in list(self._watching):
            # One who was killed may be gone for the transport before its connection has noticed.
            if not watching.transport.is_closing() and watching.transport.get_write_buffer_size() == 0:
                watching.transport.write(_LENGTH.pack(0))

    async def close(self) -> None:
        """Stop listening and drop connections; what is being answered has CLOSE_S seconds."""
        if self._server is not None:
            self._server.close()
        answering = [one.answering for one in self._connected if one.answering is not None]
        for one in list(self._connected):
            one.transport.close()
        if answering:
            _, unanswered = await asyncio.wait(answering, timeout=CLOSE_S)
            for task in unanswered:
                task.cancel()
            await asyncio.gather(*unanswered, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def _accepted(self) -> _Connection:
        return _Connection(self._handlers, self._connected, self._watching)


class _Connection(asyncio.Protocol):
    """A connection of a server: requests in, their answers out, in their order and one at a time."""

    def __init__(
        self, handlers: Mapping[str, Handler], connected: set[_Connection], watching: set[_Connection]
    ) -> None:
        self.answering: asyncio.Task[None] | None = None
        self._handlers = handlers
        self._connected = connected
        self._watching = watching
        self._frames = Frames()
        self._has_room = True
        self._is_reading = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by type
        self._connected.add(self)

    def data_received(self, data: bytes) -> None:
        self._frames.add(data)
        self._go_on()

    def pause_writing(self) -> None:
        self._has_room = False

    def resume_writing(self) -> None:
        self._has_room = True
        self._go_on()

    def connection_lost(self, error: Exception | None) -> None:
        self._connected.discard(self)
        self._watching.discard(self)

    def _go_on(self) -> None:
        """Answer what has come, until an answer takes its time or is not read: of what comes then, READ_AHEAD_BYTES
        are read.
        """
        try:
            while self._is_free() and (body := self._frames.take()) is not None:
                self._answer(body)
        except ConnectionError:
            self.transport.close()
        reads = self._is_free() or self._frames.held < READ_AHEAD_BYTES
        if reads is not self._is_reading and not self.transport.is_closing():
            self._is_reading = reads
            (self.transport.resume_reading if reads else self.transport.pause_reading)()

    def _is_free(self) -> bool:
        return self.answering is None and self._has_room and not self.transport.is_closing()

    def _answer(self, body: bytes) -> None:
        name, argument = _request.decode(body)
        if name == WATCH:
            self._watching.add(self)
            self.transport.write(_LENGTH.pack(0))  # what came before it watched is to be looked for
            return
        try:
            answer = self._handlers[name](argument)
            if isinstance(answer, Awaitable):
                self.answering = asyncio.ensure_future(self._answer_later(answer))
                return
            told = _told(answer)
        except LivepostError as error:
            told = _refusal(error)
        self.transport.write(framed(told))

    async def _answer_later(self, answer: Awaitable[Any]) -> None:
        try:
            told = _told(await answer)
        except LivepostError as error:
            told = _refusal(error)
        except BaseException:
            self.transport.close()
            raise
        finally:
            self.answering = None
        if not self.transport.is_closing():  # else who asked did not wait for it, or the server closes
            self.transport.write(framed(told))
            self._go_on()


class WireClient:
    """Asks a process; blocking, for one thread; connects anew after a break.

    Who has something else to do meanwhile says how answers are waited for; none of that may ask with the same client.
    """

    def __init__(self, path: Path, wait: Wait | None = None) -> None:
        self._path = path
        self._wait = wait
        self._socket: socket.socket | None = None

    def call(self, name: str, argument: Any, type: type[T]) -> T:
        """Return the answer as `type`.

        Raises WireError if there is none; StoreError with the other side's sentence, or if the request is too large.
        """
        request = framed(bounded(msgspec.msgpack.encode((name, argument))))
        try:
            connection = self._connected()
            connection.sendall(request)
            if self._wait is not None:
                self._wait(connection.fileno(), TIMEOUT_S)
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


class Asking:
    """A question to a process that answers when it has something to say: asked, and looked after now and then."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._asked = False
        self._socket: socket.socket | None = None
        self._frames = Frames()

    @property
    def stands(self) -> bool:
        """Whether the question is asked, and not answered yet."""
        return self._asked

    @property
    def descriptor(self) -> int | None:
        """What can be read once the answer comes; None where nothing is asked."""
        return self._socket.fileno() if self._asked and self._socket is not None else None

    def ask(self, argument: Any) -> None:
        """Ask; raise WireError if nobody is there."""
        request = framed(bounded(msgspec.msgpack.encode((self._name, argument))))
        try:
            if self._socket is None:
                self._socket, self._frames = _connect(self._path), Frames()
            self._socket.sendall(request)
        except OSError as error:
            self.close()
            raise WireError(f"no answer from {self._path.stem} ({error}); is `livepost run` running?") from error
        self._asked = True

    def answer(self, type: type[T]) -> T | None:
        """Return the answer if it is there, without waiting for it; None if it is not.

        Raises WireError if the other process is gone, StoreError with its sentence.
        """
        if self._socket is None or not select.select([self._socket], [], [], 0)[0]:
            return None
        try:
            piece = self._socket.recv(1 << 20)
        except OSError as error:
            self.close()
            raise WireError(f"no answer from {self._path.stem} ({error})") from error
        if not piece:
            self.close()
            raise WireError(f"no answer from {self._path.stem}, which closed")
        self._frames.add(piece)
        if (body := self._frames.take()) is None:
            return None
        self._asked = False
        refused, value = msgspec.msgpack.decode(body, type=tuple[tuple[str, str] | None, msgspec.Raw])
        if refused is not None:
            raise StoreError(refused[1])
        return msgspec.msgpack.decode(value, type=type)

    def close(self) -> None:
        """Drop the connection."""
        self._asked = False
        if self._socket is not None:
            self._socket.close()
            self._socket = None


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
            self._socket.sendall(framed(msgspec.msgpack.encode((WATCH, None))))
        if select.select([self._socket], [], [], timeout_s)[0] and not self._socket.recv(4096):
            raise ConnectionResetError("the other process closed")


async def watch(path: Path, woken: asyncio.Event) -> None:
    """Set `woken` whenever the process at `path` says that something is new; goes on until cancelled.

    While nobody is there, it is set every POLL_S: what was told meanwhile must be looked for.
    """
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            with short_name(path) as short:
                reader, writer = await asyncio.open_unix_connection(short)
            try:
                writer.write(framed(msgspec.msgpack.encode((WATCH, None))))
                while await reader.read(4096):
                    woken.set()
            finally:
                writer.close()
        await asyncio.sleep(POLL_S)
        woken.set()


def bounded(body: bytes) -> bytes:
    """Return the body of a frame; raise StoreError if it is longer than FRAME_BYTES_MAX."""
    if len(body) > FRAME_BYTES_MAX:
        raise StoreError(
            f"expected at most {FRAME_BYTES_MAX} bytes between two processes, got {len(body)}; ask for less"
        )
    return body


def framed(body: bytes) -> bytes:
    """Return a body as a frame."""
    return _LENGTH.pack(len(body)) + body


@contextlib.contextmanager
def short_name(path: Path) -> Iterator[str]:
    """Yield a name of the socket that fits into a sockaddr (108 bytes on Linux, 104 elsewhere) wherever it lies."""
    if len(os.fsencode(path)) < _SOCKADDR_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _told(answer: Any) -> bytes:
    return bounded(msgspec.msgpack.encode((None, answer)))


def _refusal(error: LivepostError) -> bytes:
    return msgspec.msgpack.encode(((type(error).__name__, str(error)), None))


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT_S)
    try:
        with short_name(path) as short:
            connection.connect(short)
    except OSError:
        connection.close()
        raise
    return connection


def _receive(connection: socket.socket) -> bytes:
    return _exactly(connection, _length(_exactly(connection, _LENGTH.size)))


def _length(head: bytes | bytearray) -> int:
    """Return the length that a frame's head tells; raise ConnectionError if no frame is so long."""
    (length,) = _LENGTH.unpack_from(head)
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
