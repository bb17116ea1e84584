"""What is said to an SMTP server and what it answers, over a connection that is there and greeted already.

In: bytes to write, and how many answers they ask for. Out: the answers one by one, in order, whatever packets they come
in: one each, several in one, a byte at a time. Promised: an answer is never taken for that of another command: where a
server says what it was not asked, nothing more is said to it. What it said before it went away is still heard.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from aiosmtplib import SMTPException, SMTPResponse, SMTPServerDisconnected, SMTPTimeoutError

MAX_ANSWER_BYTES = 32_768
"""Of what was not read yet; no server needs as much for the answers to one mail."""


class Dialogue(asyncio.Protocol):
    """One connection, from its greeting (and TLS, and login) on; for one mail at a time."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Take the connection over from whoever made it."""
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._read = bytearray()
        self._answers: deque[SMTPResponse] = deque()
        self._owed = 0
        self._over: SMTPException | None = None
        self._waiting: asyncio.Future[None] | None = None
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether something may be said: nothing is owed, and the server neither went nor said what nobody asked."""
        return self._over is None and self._owed == 0 and not self._transport.is_closing()

    def say(self, words: bytes, answers: int) -> None:
        """Write; raise SMTPServerDisconnected where nobody would hear it. No words need nobody."""
        if not words:
            return
        if self._over is not None or self._transport.is_closing():
            raise SMTPServerDisconnected("the connection is lost")
        self._owed += answers
        self._transport.write(words)

    async def answer(self, patience_s: float) -> SMTPResponse:
        """Return the next answer.

        Raises SMTPTimeoutError if there is none in so many seconds, SMTPServerDisconnected if there will be none,
        SMTPException if what came is none.
        """
        if not self._answers and self._over is None:
            await self._news(patience_s)
        if self._answers:
            return self._answers.popleft()
        raise self._over or SMTPTimeoutError(f"no answer in {patience_s:g} s")

    def abort(self) -> None:
        """End the connection at once: TLS would else wait for the other's good-bye."""
        self._end(SMTPServerDisconnected("the connection was ended"))
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what came; wake who waits for an answer."""
        self._read += data
        try:
            self._take_whole_answers()
        except SMTPException as error:
            self._end(error)
        if self._answers:
            self._wake()

    def eof_received(self) -> bool:
        """Take the server's end for that of the connection."""
        self._end(SMTPServerDisconnected("the server ended the connection"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to who waits."""
        self._end(SMTPServerDisconnected("the connection is lost"))

    async def _news(self, patience_s: float) -> None:
        """Return when an answer is there, or will not come, or the patience is over."""
        self._waiting = self._loop.create_future()
        timer = self._loop.call_later(patience_s, self._wake)
        try:
            await self._waiting
        finally:
            timer.cancel()
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _end(self, why: SMTPException) -> None:
        self._over = self._over or why
        self._wake()

    def _take_whole_answers(self) -> None:
        """Keep the answers that are whole, and forget their bytes; raise SMTPException for what is none."""
        lines: list[bytes] = []
        begin = 0
        while end := self._read.find(b"\n", begin) + 1:
            line = bytes(self._read[begin:end])
            begin = end
            if not line[:3].isdigit():
                raise SMTPException("what the server answers is not SMTP")
            lines.append(line[4:].strip())
            if line[3:4] == b"-":
                continue
            if self._owed == 0:
                raise SMTPException("the server said what it was not asked")
            self._owed -= 1
            self._answers.append(SMTPResponse(int(line[:3]), b"\n".join(lines).decode(errors="surrogateescape")))
            del self._read[:end]
            lines, begin = [], 0
        if len(self._read) > MAX_ANSWER_BYTES:
            raise SMTPException("the server's answer does not end")


def taken_over(transport: asyncio.BaseTransport | None) -> Dialogue:
    """Return the dialogue over a connection; raise SMTPServerDisconnected if it is gone meanwhile."""
    if transport is None or transport.is_closing():
        raise SMTPServerDisconnected("the connection is lost")
    return Dialogue(cast(asyncio.Transport, transport))  # uvloop's is none by type
