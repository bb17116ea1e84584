"""A receiver on this machine that counts who connects, and answers as it is told."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Request:
    """What came: method, path, headers (names as they were sent), body, and when (monotonic s)."""

    def __init__(
        self, path: str, headers: dict[str, str], body: bytes, connection: socket.socket, method: str = "POST"
    ) -> None:
        self.method = method
        self.path, self.headers, self.body, self.at = path, headers, body, time.monotonic()
        self._connection = connection

    def hang_up(self) -> None:
        """Break the connection off."""
        self._connection.shutdown(socket.SHUT_RDWR)

    def is_awaited(self) -> bool:
        """Say whether whoever sent it is still there."""
        if not select.select([self._connection], [], [], 0)[0]:
            return True
        try:
            return bool(self._connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False


class Reply:
    """What is answered: `pieces` are written one after the other, `pause_s` after each."""

    def __init__(
        self,
        status: int = 200,
        headers: dict[str, str] | None = None,
        pieces: tuple[bytes, ...] = (),
        pause_s: float = 0.0,
    ) -> None:
        self.status, self.headers, self.pieces, self.pause_s = status, headers or {}, pieces, pause_s


class Receiver(ThreadingHTTPServer):
    """Listens on 127.0.0.1; `reply` is asked for each request."""

    daemon_threads = True

    def __init__(self, reply: Callable[[Request], Reply] = lambda request: Reply(), port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.reply = reply
        self.connections = 0
        self.requests: list[Request] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def get_request(self) -> Any:
        """Count a connection."""
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client go that hung up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        request = Request(self.path, dict(self.headers.items()), body, self.connection, self.command)
        self.server.requests.append(request)
        reply = self.server.reply(request)
        with contextlib.suppress(OSError):
            self._answer(reply)

    do_GET = do_PUT = do_DELETE = do_POST

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(sum(map(len, reply.pieces))), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in reply.pieces:
            self.wfile.write(piece)
            time.sleep(reply.pause_s)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def receiving(
    reply: Callable[[Request], Reply] = lambda request: Reply(), *, tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[Receiver]:
    """Yield a receiver that listens."""
    receiver = Receiver(reply, port)
    if tls is not None:
        receiver.socket = tls.wrap_socket(receiver.socket, server_side=True)
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()
