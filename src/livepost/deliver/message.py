"""The bytes of a mail: RFC 5322 headers, a text and an HTML part, one-click unsubscribe on lines of their
own.

In: validated values. Out: bytes with CRLF. Promised: a value with a newline of any kind or a control
character is refused, never folded into a header; both ways of making the bytes (`compose`, the plain one;
`Skeleton`, the quick one) give the same.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from struct import Struct
from typing import Any

import msgspec

from livepost.errors import LivepostError

MAX_HEADER_CHARS = 998
"""A line of a mail (RFC 5322, 2.1.1)."""

BOUNDARY_CHARS = 34
"""The length of every boundary: with another one the Content-Type header would fold elsewhere."""

_PART_POLICY = SMTP  # 78: base64 lines of 76 characters (RFC 2045, 6.8); with 998 they would be 996 long
_ONE_LINE = frozenset(("list-unsubscribe", "list-unsubscribe-post", "message-id"))
_NO_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # newlines of Unicode, controls, half surrogates
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_DOMAIN = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")


class HeaderError(LivepostError):
    """A value cannot stand in a header; the message names the header, never the value."""


class From(msgspec.Struct, frozen=True):
    """Who sends: a name people read and a bare address."""

    name: str
    address: str


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail is made of. `boundary` is a word of 34 characters that is in neither part.

    `unsubscribe_url` is "" for none.
    """

    recipient: str
    subject: str
    at_ms: int
    message_id: str
    boundary: str
    text: str
    html: str
    unsubscribe_url: str = ""


class _WirePolicy(EmailPolicy):
    """998 characters for headers that must stay on one line, the usual 78 for the others.

    With 998 for all, a subject's encoded words would be longer than the 75 characters of RFC 2047; with 78
    for all, Python folds a long URL into encoded words that no mailbox provider reads.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        policy = _LONG_LINES if name.lower() in _ONE_LINE else SMTP
        return policy.fold_binary(name, value)


_LONG_LINES = SMTP.clone(max_line_length=MAX_HEADER_CHARS)
POLICY = _WirePolicy(linesep="\r\n", max_line_length=MAX_HEADER_CHARS)


def compose(sender: From, parts: Parts) -> bytes:
    """Return the mail's bytes by way of EmailMessage: slow, and obviously right.

    Raises HeaderError if a value cannot stand in a header.
    """
    _check(parts)
    message = EmailMessage(policy=POLICY)
    message["From"] = _from_header(sender)
    message["To"] = parts.recipient
    message["Subject"] = parts.subject
    message["Date"] = datetime.fromtimestamp(parts.at_ms // 1000, UTC)
    message["Message-ID"] = parts.message_id
    if parts.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{parts.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["MIME-Version"] = "1.0"
    message.make_alternative(boundary=parts.boundary)
    for subtype, body in (("plain", parts.text), ("html", parts.html)):
        part = EmailMessage(policy=_PART_POLICY)
        part.set_content(body, subtype=subtype, charset="utf-8", cte="base64")
        del part["MIME-Version"]
        message.attach(part)
    return message.as_bytes()


class Skeleton:
    """The same bytes, fifteen times quicker: made once by `compose` with marks, then filled in.

    Everything that does not change from mail to mail is EmailMessage's own; what does is folded by the same
    policy.
    """

    def __init__(self, sender: From, *, one_click: bool) -> None:
        marked = compose(
            sender,
            Parts(
                recipient="lpto@example.invalid",
                subject="lpsubject",
                at_ms=0,
                message_id="<lpid@example.invalid>",
                boundary=_BOUNDARY.decode(),
                text="lptext",
                html="lphtml",
                unsubscribe_url="https://lpunsubscribe.invalid" if one_click else "",
            ),
        )
        self.one_click = one_click
        self._pieces = _MARKS.split(marked)

    def fill(self, parts: Parts) -> bytes:
        """Return the mail's bytes; raise HeaderError if a value cannot stand in a header."""
        _check(parts)
        if self.one_click != bool(parts.unsubscribe_url):
            raise HeaderError("expected an unsubscribe address for a skeleton with one-click, and none without")
        values = {
            b"To: lpto@example.invalid\r\n": _fold("To", parts.recipient),
            b"Subject: lpsubject\r\n": _fold("Subject", parts.subject),
            b"Thu, 01 Jan 1970 00:00:00 +0000": _date(parts.at_ms // 1000),
            b"<lpid@example.invalid>": parts.message_id.encode(),
            _BOUNDARY: parts.boundary.encode(),
            b"https://lpunsubscribe.invalid": parts.unsubscribe_url.encode(),
            _TEXT: _body(parts.text),
            _HTML: _body(parts.html),
        }
        return b"".join([values.get(piece, piece) for piece in self._pieces])


def is_address(address: str) -> bool:
    """Return whether a bare address can be written to: ASCII, one `@`, a dotted domain (RFC 5321, no
    quoting).
    """
    local, _, domain = address.rpartition("@")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return bool(_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)) and not dots


def _check(parts: Parts) -> None:
    if not is_address(parts.recipient):
        raise HeaderError("To: expected a bare address such as name@shop.example, got something else; fix the profile")
    _require_line("Subject", parts.subject)
    if len(parts.boundary) != BOUNDARY_CHARS:
        raise HeaderError(f"Content-Type: expected a boundary of {BOUNDARY_CHARS} characters")
    for name, value in (("Message-ID", parts.message_id), ("List-Unsubscribe", parts.unsubscribe_url)):
        _require_line(name, value)
        if not value.isascii() or " " in value or len(name) + len(value) + 4 > MAX_HEADER_CHARS:
            raise HeaderError(f"{name}: expected ASCII without spaces on a line of {MAX_HEADER_CHARS} characters")


def _require_line(name: str, value: str) -> None:
    if _NO_LINE.search(value):
        raise HeaderError(f"{name}: expected one line of printable characters, got a newline or control; remove it")
    if "=?" in value:  # an encoded word: the email library would decode it, newlines and all
        raise HeaderError(f"{name}: expected plain text, got `=?`; write it apart")


def _from_header(sender: From) -> Address:
    _require_line("From", sender.name)
    if not is_address(sender.address):
        raise HeaderError("From: expected a bare address such as hello@shop.example; set `from` in livepost.toml")
    return Address(display_name=sender.name, addr_spec=sender.address)


def _fold(name: str, value: str) -> bytes:
    if value and value.isascii() and len(name) + 2 + len(value) <= 78 and value == value.strip():
        return f"{name}: {value}\r\n".encode()
    return POLICY.fold_binary(name, POLICY.header_factory(name, value))


@lru_cache(16)
def _date(seconds: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(seconds, UTC)).encode()


def _body(text: str) -> bytes:
    """Return base64 in lines of 76 characters, of text with CRLF at its line ends (RFC 2045, 6.8)."""
    raw = b"\r\n".join(text.encode().splitlines()) + b"\r\n"
    encoded = b2a_base64(raw, newline=False)
    whole = len(encoded) // _LINE.size * _LINE.size
    lines = [line for (line,) in _LINE.iter_unpack(memoryview(encoded)[:whole])]
    if whole < len(encoded):
        lines.append(encoded[whole:])
    return b"\r\n".join(lines) + b"\r\n"


_LINE = Struct("76s")
_BOUNDARY = b"=_lpboundary".ljust(BOUNDARY_CHARS, b"x")
_TEXT, _HTML = _body("lptext"), _body("lphtml")
_MARKS = re.compile(
    b"("
    + b"|".join(
        re.escape(mark)
        for mark in (
            b"To: lpto@example.invalid\r\n",
            b"Subject: lpsubject\r\n",
            b"Thu, 01 Jan 1970 00:00:00 +0000",
            b"<lpid@example.invalid>",
            _BOUNDARY,
            b"https://lpunsubscribe.invalid",
            _TEXT,
            _HTML,
        )
    )
    + b")"
)
