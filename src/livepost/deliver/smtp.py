"""`smtp:` and `smtps:`: mails given to a server, over a few connections at a time.

In: mails. Out: receipts. Promised: a mail is written at most once for one call of `send`; `sent` and `failed` are the
server's own words; what was lost after the content's first byte is `unknown`, what was lost before is `temporary`;
certificates are always checked. Signing (DKIM) is left to the server.

Where the server offers PIPELINING (RFC 2920), MAIL, RCPT and DATA are one write, and their answers mean what they mean
one by one. The courier's loop is synchronous; the connections live on an event loop that turns while `send` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import uvloop
from aiosmtplib import SMTP, SMTPException, SMTPResponse, SMTPResponseException, SMTPTimeoutError

from livepost.clock import Clock, WallClock
from livepost.deliver.answer import ABOUT_THE_LOGIN, CLOSING, after_content, before_content, one_line, queue_id, told
from livepost.deliver.dialogue import taken_over
from livepost.deliver.envelope import Opening, content, unfit, unoffered
from livepost.errors import SettingsError
from livepost.model.message import Message, Receipt, ReceiptState
from livepost.settings.smtp import SmtpAddress

CONNECTION_MAILS = 500
"""Mails after which a connection is ended and another opened: servers that share their load want that."""

LOST_BEFORE = "the connection to the server was lost before the mail was written"
LOST_AFTER = "the connection to the server was lost after the mail was written, before its answer: nobody can know"
SPARED = "the server failed another mail just now, so this one was not written"

_PROVIDER = "smtp"


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long is waited, in seconds, before the connection is given up."""

    connect_s: float = 10.0
    """For name, TCP, TLS, greeting and login together."""
    command_s: float = 10.0
    """For the answer to MAIL, RCPT, DATA and RSET."""
    answer_s: float = 60.0
    """For the answer to the mail itself; whoever waits less makes more mails `unknown`."""
    idle_s: float = 30.0
    """A connection that stood so long is not used again."""
    quit_s: float = 2.0
    """For a word of good-bye."""


@dataclass(frozen=True)
class Route:
    """How a server is reached: its address, the name we say in EHLO, the login, what certificates are checked with."""

    address: SmtpAddress
    ehlo: str
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = None


def route_to(address: SmtpAddress, ehlo: str, password: str = "") -> Route:
    """Return the route; `ehlo` is said where the address names nothing else.

    Raises SettingsError if the certificates to check with cannot be read.
    """
    context = None if address.tls == "none" else _context(address.cafile)
    return Route(address, address.ehlo or ehlo, password, context)


class SmtpSender:
    """A sender for one thread; a body of `deliver.sender.Sender`."""

    def __init__(self, route: Route, clock: Clock | None = None, patience: Patience | None = None) -> None:
        """Take the route; nothing is connected to before there is a mail."""
        self._clock = clock or WallClock()
        self._loop = uvloop.new_event_loop()
        self._pool = _Pool(route, patience or Patience(), self._clock)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Give the mails to the server, side by side over its connections; return a receipt for each, in order."""
        return self._loop.run_until_complete(self._pool.send(messages))

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        """Return `unknown` for each: SMTP has no question for what became of a mail."""
        text = "SMTP cannot tell what became of a mail"
        now_ms = self._clock.now_ms()
        return [Receipt(state="unknown", text=text, provider=_PROVIDER, at_ms=now_ms) for _ in decisions]

    def close(self) -> None:
        """End the connections."""
        self._loop.run_until_complete(self._pool.close())
        self._loop.close()


class _LostError(Exception):
    """The connection is gone, or of no use, and nothing of the mail was written."""

    def __init__(self, text: str, *, silent: bool = False, untried: bool = False, spared: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.silent = silent
        """The server did not answer in time, so that the next mail would wait as long."""
        self.untried = untried
        """The server was told nothing of the mail."""
        self.spared = spared
        """It was not even connected to, since another mail has just failed."""


class _Line:
    """One connection: written to by one mail at a time."""

    def __init__(self, client: SMTP, patience: Patience, clock: Clock) -> None:
        """Take a client that has greeted; raise SMTPServerDisconnected if its server is gone again."""
        self._offered = client.esmtp_extensions
        self._dialogue = taken_over(client.transport)
        self._patience = patience
        self._clock = clock
        self._mails = 0
        self._used_s = asyncio.get_running_loop().time()

    @property
    def fresh(self) -> bool:
        """Whether no mail was tried over it yet."""
        return self._mails == 0

    @property
    def usable(self) -> bool:
        """Whether another mail may go over it."""
        idle_s = asyncio.get_running_loop().time() - self._used_s
        return self._dialogue.is_open and self._mails < CONNECTION_MAILS and idle_s < self._patience.idle_s

    async def carry(self, message: Message) -> Receipt:
        """Give the mail to the server; raise _LostError if nothing of it was written."""
        self._mails += 1
        self._used_s = asyncio.get_running_loop().time()
        if why := unoffered(message, self._offered):
            return self._receipt("failed", why)
        opening = Opening(message, self._offered)
        while not opening.is_over:
            answer = await self._ask(opening)
            if not opening.is_granted:
                return await self._refused(answer, message, opening)
        return await self._write(message)

    def drop(self) -> None:
        """End the connection without a word."""
        self._dialogue.abort()

    async def end(self) -> None:
        """End the connection politely."""
        with contextlib.suppress(SMTPException):
            await self._said(b"QUIT\r\n", self._patience.quit_s)
        self.drop()

    async def _ask(self, opening: Opening) -> SMTPResponse:
        """Return the next answer before the content; raise _LostError without a sensible one."""
        try:
            self._dialogue.say(*opening.next_words())
            answer = await self._dialogue.answer(self._patience.command_s)
        except SMTPException as error:
            self.drop()
            raise _LostError(LOST_BEFORE, silent=isinstance(error, SMTPTimeoutError)) from error
        opening.hear(answer.code)
        if answer.code == CLOSING:
            self.drop()
            raise _LostError(told(answer.code, answer.message, ""))
        return answer

    async def _refused(self, answer: SMTPResponse, message: Message, opening: Opening) -> Receipt:
        """Return the receipt for a mail that was refused before its content, and make the connection ready again."""
        if answer.code // 100 in (4, 5):
            await self._hear_out(opening)
        else:
            self.drop()
        receipt = self._receipt(before_content(answer.code), told(answer.code, answer.message, message.recipient))
        return msgspec.structs.replace(receipt, trouble=answer.code in ABOUT_THE_LOGIN)

    async def _hear_out(self, opening: Opening) -> None:
        """Hear what is still owed, then forget the mail that was refused, or the connection.

        Where the server waits for a content all the same, a lone dot ends it (RFC 2920, 3.1); unless it knows somebody
        to give that to, who would get an empty mail.
        """
        try:
            while opening.is_owed:
                opening.hear((await self._dialogue.answer(self._patience.command_s)).code)
            if opening.would_arrive:
                self.drop()
                return
            if opening.is_awaited:
                await self._said(b".\r\n", self._patience.command_s)
        except SMTPException:
            self.drop()
            return
        await self._reset()

    async def _write(self, message: Message) -> Receipt:
        """Write the content and return what its answer means: from the first byte on, silence means `unknown`."""
        try:
            self._dialogue.say(content(message.raw), 1)
        except SMTPException as error:
            self.drop()
            raise _LostError(LOST_BEFORE) from error
        try:
            answer = await self._dialogue.answer(self._patience.answer_s)
        except SMTPException:
            self.drop()
            return msgspec.structs.replace(self._receipt("unknown", LOST_AFTER), trouble=True)
        state = after_content(answer.code)
        if state == "unknown" or answer.code == CLOSING:
            self.drop()
        elif state != "sent":
            await self._reset()
        text = told(answer.code, answer.message, message.recipient)
        receipt = self._receipt(state, text, queue_id(text) if state == "sent" else "")
        return msgspec.structs.replace(receipt, trouble=True) if answer.code == CLOSING else receipt

    async def _reset(self) -> None:
        """Forget the mail that was refused, or the connection."""
        try:
            answer = await self._said(b"RSET\r\n", self._patience.command_s)
        except SMTPException:
            self.drop()
            return
        if answer.code // 100 != 2:
            self.drop()

    async def _said(self, words: bytes, patience_s: float) -> SMTPResponse:
        """Return the answer to one command."""
        self._dialogue.say(words, 1)
        return await self._dialogue.answer(patience_s)

    def _receipt(self, state: ReceiptState, text: str, provider_id: str = "") -> Receipt:
        return Receipt(state=state, text=text, provider=_PROVIDER, provider_id=provider_id, at_ms=self._clock.now_ms())


class _Pool:
    """The connections: at most `connections` of them, each used by one mail at a time; lives on the loop's thread."""

    def __init__(self, route: Route, patience: Patience, clock: Clock) -> None:
        self._route = route
        self._patience = patience
        self._clock = clock
        self._idle: list[_Line] = []
        self._trouble = ""

    async def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Return the receipts, in order; once the server cannot be reached or is silent, the rest is `temporary`."""
        self._trouble = ""
        await asyncio.sleep(0)  # what servers said or did to connections that stood by is seen first
        todo = deque(enumerate(messages))
        receipts: dict[int, Receipt] = {}

        async def work() -> None:
            while todo:
                number, message = todo.popleft()
                receipts[number] = await self._send_one(message)

        await asyncio.gather(*(work() for _ in range(min(self._route.address.connections, len(messages)))))
        return [receipts[number] for number in range(len(messages))]

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(*(line.end() for line in self._idle))
        self._idle.clear()
        await asyncio.sleep(0)  # transports close in the loop's next turn

    async def _send_one(self, message: Message) -> Receipt:
        if why := unfit(message):
            return self._receipt("failed", why)
        try:
            return await self._carry(message)
        except _LostError as lost:
            if lost.silent:
                self._trouble = lost.text
            receipt = self._receipt("temporary", lost.text)
            return msgspec.structs.replace(receipt, trouble=not lost.spared, untried=lost.untried)

    async def _carry(self, message: Message) -> Receipt:
        """Send over a connection that is there, or over a new one if that turns out to be gone: nothing was written."""
        line = await self._line()
        fresh = line.fresh
        try:
            receipt = await line.carry(message)
        except _LostError as lost:
            if fresh or lost.silent:
                raise
            line = await self._open()
            receipt = await line.carry(message)
        if receipt.state == "unknown":
            self._trouble = SPARED
        await self._put_back(line)
        return receipt

    async def _line(self) -> _Line:
        """Return a connection that stood by, or a new one."""
        while self._idle:
            line = self._idle.pop()
            if line.usable:
                return line
            await line.end()
        return await self._open()

    async def _put_back(self, line: _Line) -> None:
        if line.usable:
            self._idle.append(line)
        else:
            await line.end()

    async def _open(self) -> _Line:
        """Return a new connection, ready for mail; raise _LostError if there is none to be had."""
        if self._trouble:
            raise _LostError(self._trouble, untried=True, spared=True)
        address = self._route.address
        client = SMTP(
            hostname=address.host,
            port=address.port,
            local_hostname=self._route.ehlo,
            timeout=self._patience.connect_s,
            use_tls=address.tls == "implicit",
            start_tls=False,
            tls_context=self._route.context,
        )
        try:
            async with asyncio.timeout(self._patience.connect_s):
                await self._greet(client)
            return _Line(client, self._patience, self._clock)
        except (SMTPException, OSError) as error:  # OSError: TimeoutError, names, TLS
            transport = client.transport
            client.close()
            _abort(transport)
            raise _LostError(_unreached(address, error), silent=True, untried=True) from error

    async def _greet(self, client: SMTP) -> None:
        """Connect, make it safe, log in; step by step, so that a failed connection can be dropped at once."""
        await client.connect()
        if self._route.address.tls == "starttls":
            await client.starttls()
        if self._route.address.user:
            await client.login(self._route.address.user.encode(), self._route.password.encode())
        elif client.is_ehlo_or_helo_needed:
            await client.ehlo()

    def _receipt(self, state: ReceiptState, text: str) -> Receipt:
        return Receipt(state=state, text=text, provider=_PROVIDER, at_ms=self._clock.now_ms())


def _abort(transport: asyncio.BaseTransport | None) -> None:
    """Close at once: a TLS connection would else wait for the other's good-bye, and the loop may not."""
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _unreached(address: SmtpAddress, error: Exception) -> str:
    """Return why there is no connection, as the ledger tells it."""
    why = f"{error.code} {error.message}" if isinstance(error, SMTPResponseException) else str(error)
    return one_line(f"{address.host}:{address.port} cannot be used: {why or 'no answer in time'}")


def _context(cafile: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=cafile or None)
    except OSError as error:  # a file that is not there, or holds no certificate
        raise SettingsError(
            f"mail names the cafile {cafile}, expected certificates in PEM there, got: {error.strerror or error}; "
            "write the authority's certificate to it"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
