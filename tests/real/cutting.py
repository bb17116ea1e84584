"""A line to PostgreSQL that breaks at a word: a TCP proxy that drops the connection when a client says it.

In: the server's port. Out: a port in front of it. Promised: with BEFORE the server never hears the word; with AFTER it
has answered it, and the client never hears the answer.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from enum import Enum

CHUNK = 65_536
ANSWER_S = 5.0


class Cut(Enum):
    """When the line breaks."""

    NEVER = "goes through"
    BEFORE = "the word is not forwarded"
    AFTER = "the word was answered, the answer is not forwarded"


class Line:
    """A proxy on a port of its own; `cut` breaks the connection at the next `word`, once."""

    def __init__(self, target: int) -> None:
        self.cut, self.word = Cut.NEVER, b""
        self.broken = 0
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)
        self._thread.start()

    def break_at(self, cut: Cut, word: bytes) -> None:
        """Break the line when a client says the word next."""
        self.cut, self.word = cut, word

    def close(self) -> None:
        """Listen no more; lines that stand go on until their ends close them."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except ConnectionRefusedError:
                    client.close()
                    continue
                threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, contextlib.suppress(OSError):
            while True:
                readable, _, _ = select.select([client, server], [], [])
                for end in readable:
                    said = end.recv(CHUNK)
                    if not said or (end is client and self._breaks(said, server)):
                        return
                    (server if end is client else client).sendall(said)

    def _breaks(self, said: bytes, server: socket.socket) -> bool:
        if self.cut is Cut.NEVER or self.word not in said:
            return False
        if self.cut is Cut.AFTER:
            server.sendall(said)
            server.settimeout(ANSWER_S)
            server.recv(CHUNK)
        self.cut = Cut.NEVER
        self.broken += 1
        return True
