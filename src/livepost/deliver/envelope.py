"""A mail as SMTP commands: the envelope's lines, and the content with its dots doubled (RFC 5321, 4.5.2).

In: a message and what the server offers. Out: bytes, or a sentence saying why it cannot go. Promised: the content ends
up at the server as `raw` is, byte for byte; an address or a newline can never become a command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from livepost.deliver.message import MAX_HEADER_CHARS
from livepost.model.message import Message

MAX_MAIL_BYTES = 4_000_000
"""One mail: as much as `keep:` takes."""

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


def content(raw: bytes) -> bytes:
    r"""Return what follows DATA: each line that begins with a dot gets another, and a lone dot ends it.

    >>> content(b"A: b\r\n\r\n.hidden\r\n")
    b'A: b\r\n\r\n..hidden\r\n.\r\n'
    """
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    first = b"." if raw.startswith(b".") else b""
    return first + stuffed + (b".\r\n" if raw.endswith(b"\r\n") else b"\r\n.\r\n")
