"""A mail as SMTP commands: the envelope's lines, and the content with its dots doubled (RFC 5321, 4.5.2).

In: a message and what the server offers. Out: bytes, or a sentence saying why it cannot go. Promised: the content ends
up at the server as `raw` is, byte for byte; an address or a newline can never become a command; commands are said
together only to a server that offers it (PIPELINING, RFC 2920).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from livepost.deliver.message import MAX_HEADER_CHARS
from livepost.model.message import Message

MAX_MAIL_BYTES = 4_000_000
"""One mail: as much as `keep:` takes."""

_GRANTED = (2, 2, 3)
"""The first digits of the answers to MAIL, RCPT and DATA that let the content follow."""

_PATH = re.compile(r"[^\s<>@\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}@[^\s<>@\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")


def unfit(message: Message) -> str:
    """Return why no server can be given this mail, or ""."""
    if len(message.raw) > MAX_MAIL_BYTES:
        return f"expected at most {MAX_MAIL_BYTES} bytes, got {len(message.raw)}; shorten the template"
    if not all(_PATH.fullmatch(address) for address in (message.sender, message.recipient)):
        return "expected bare addresses such as name@shop.example, got another form; fix the profile or `from`"
    lines = message.raw.split(b"\r\n")
    if message.raw.count(b"\n") + message.raw.count(b"\r") != 2 * (len(lines) - 1) or b"\0" in message.raw:
        return "expected lines that end in CRLF, got a bare CR, LF or NUL; this is a bug, please report it"
    longest = max(map(len, lines))
    if longest > MAX_HEADER_CHARS:
        return f"expected lines of at most {MAX_HEADER_CHARS} bytes, got {longest}; this is a bug, please report it"
    return ""


def unoffered(message: Message, offered: Mapping[str, str]) -> str:
    """Return why this server cannot be given the mail, or ""; `offered` are its ESMTP extensions in lower case."""
    if not (message.sender + message.recipient).isascii() and "smtputf8" not in offered:
        return "the address has characters beyond ASCII, and the server offers no SMTPUTF8; write to another address"
    if not message.raw.isascii() and "8bitmime" not in offered:
        return "the mail has bytes beyond ASCII, and the server offers no 8BITMIME; encode its parts"
    return ""


def envelope(message: Message, offered: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Return the lines MAIL and RCPT, without their CRLF; options are said only where they are offered and needed."""
    options = b""
    if "size" in offered:
        options += b" SIZE=%d" % len(message.raw)
    if not message.raw.isascii():
        options += b" BODY=8BITMIME"
    if not (message.sender + message.recipient).isascii():
        options += b" SMTPUTF8"
    return b"MAIL FROM:<" + message.sender.encode() + b">" + options, b"RCPT TO:<" + message.recipient.encode() + b">"


class Opening:
    """What is said before one mail's content (MAIL, RCPT, DATA), and what was answered to it so far."""

    def __init__(self, message: Message, offered: Mapping[str, str]) -> None:
        """Take a mail and the server's ESMTP extensions in lower case."""
        self._commands = (*envelope(message, offered), b"DATA")
        self._together = "pipelining" in offered
        self._said = 0
        self._codes: list[int] = []

    def next_words(self) -> tuple[bytes, int]:
        """Return what is to be said before the next answer is heard, and how many answers it asks for: maybe none."""
        if self._said > len(self._codes):
            return b"", 0
        commands = self._commands if self._together else self._commands[self._said : self._said + 1]
        self._said += len(commands)
        return b"\r\n".join(commands) + b"\r\n", len(commands)

    def hear(self, code: int) -> None:
        """Take the next answer's code."""
        self._codes.append(code)

    @property
    def is_over(self) -> bool:
        """Whether all was said and answered."""
        return len(self._codes) == len(self._commands)

    @property
    def is_owed(self) -> bool:
        """Whether an answer is still to come to what was said."""
        return len(self._codes) < self._said

    @property
    def is_granted(self) -> bool:
        """Whether nothing was refused so far."""
        return all(code // 100 == wanted for code, wanted in zip(self._codes, _GRANTED, strict=False))

    @property
    def is_awaited(self) -> bool:
        """Whether the server waits for a content, be it that it refused what came before."""
        return self.is_over and self._codes[2] // 100 == _GRANTED[2]

    @property
    def would_arrive(self) -> bool:
        """Whether a content would go to somebody."""
        return self.is_awaited and self._codes[1] // 100 == _GRANTED[1]


def content(raw: bytes) -> bytes:
    r"""Return what follows DATA: each line that begins with a dot gets another, and a lone dot ends it.

    >>> content(b"A: b\r\n\r\n.hidden\r\n")
    b'A: b\r\n\r\n..hidden\r\n.\r\n'
    """
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    first = b"." if raw.startswith(b".") else b""
    return first + stuffed + (b".\r\n" if raw.endswith(b"\r\n") else b"\r\n.\r\n")
