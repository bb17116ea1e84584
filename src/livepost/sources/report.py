"""Reports of mail servers on mails that we sent through them: on delivery (DSN, RFC 3464), on abuse (ARF, RFC 5965).

In: a mail's bytes. Out: what it reports and the addresses that may name the mail it is of, or None for another mail.
Promised: pure; whatever bytes come, an answer; nothing in a report is believed here: whether an address names one of
our mails is for who has the key of its token.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage, Message

import msgspec

from livepost.ids import digest

REPORT_BYTES_MAX = 1_000_000
"""Of a report; what is behind is not read."""

ADDRESSES_MAX = 32
FIELD_CHARS = 500

KINDS: dict[str, str] = {"failed": "bounced", "delayed": "deferred", "delivered": "delivered"}
"""Actions of RFC 3464, 2.3.3, as django-anymail's kinds of events."""

COMPLAINTS: dict[str, str] = {
    "abuse": "complained",
    "fraud": "complained",
    "virus": "complained",
    "opt-out": "unsubscribed",
}
"""Feedback types of RFC 5965 and its registry; `not-spam` and others say nothing against a mail."""

_TO_US = ("delivered-to", "x-original-to", "envelope-to", "to")
_OF_OURS = ("return-path", "original-mail-from")
_ADDRESS = re.compile(r"[^\s<>,;:\"()@]{1,64}@[A-Za-z0-9.-]{1,253}")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_GONE = (("1", None), ("2", "1"))
"""Enhanced status codes (RFC 3463) of class 5 that will not pass: the address is none, the mailbox is disabled."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail reports: `kind` and `hard` as `MailEvent` has them; `id` is the same for the same report.

    `addresses` are those by which the mail that it is of may be known.
    """

    kind: str
    id: str
    hard: bool = False
    addresses: tuple[str, ...] = ()


def read_report(raw: bytes, recipient: str = "") -> Report | None:
    """Return what a mail reports, None if it is no report; `recipient` is whom the server says it is for."""
    try:
        mail = email.message_from_bytes(raw[:REPORT_BYTES_MAX], policy=email.policy.default)
        told = _told(mail)
        if told is None:
            return None
        kind, hard = told
        addresses = dict.fromkeys((*_ADDRESS.findall(recipient[:FIELD_CHARS]), *_addresses(mail)))
        return Report(kind=kind, hard=hard, id=_id(mail, raw), addresses=tuple(addresses)[:ADDRESSES_MAX])
    except Exception:  # of the email library: some headers that are none make it raise what it likes
        return None


def _told(mail: EmailMessage) -> tuple[str, bool] | None:
    """Return kind and hardness of what a mail reports."""
    if mail.get_content_type() != "multipart/report":
        return None
    for part in mail.walk():
        match part.get_content_type():
            case "message/delivery-status":
                return _status(part)
            case "message/feedback-report":
                kind = COMPLAINTS.get(_field(_fields(part)[0], "feedback-type").lower())
                return (kind, False) if kind else None
    return None


def _status(part: Message) -> tuple[str, bool] | None:
    """Return what the first recipient's fields tell: a mail of ours has one."""
    for fields in _fields(part):
        if kind := KINDS.get(_field(fields, "action").lower()):
            return kind, kind == "bounced" and _will_not_pass(fields)
    return None


def _will_not_pass(fields: Message) -> bool:
    """Say whether the status is one of an address that is none; where it says nothing, the server's own words count."""
    found = _STATUS.search(_field(fields, "status"))
    if found is None or found[2] == found[3] == "0":
        found = _STATUS.search(_field(fields, "diagnostic-code")) or found
    if found is None or found[1] != "5":
        return False
    return any(found[2] == subject and detail in (None, found[3]) for subject, detail in _GONE)


def _fields(part: Message) -> list[Message]:
    """Return the groups of fields of a report's machine-readable part, as the email library has parsed them or not."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [one for one in payload if isinstance(one, Message)]
    text = part.get_payload(decode=True)
    blocks = (text if isinstance(text, bytes) else b"").replace(b"\r\n", b"\n").split(b"\n\n")
    return [email.message_from_bytes(block, policy=email.policy.default) for block in blocks]


def _addresses(mail: EmailMessage) -> Iterator[str]:
    """Yield addresses that may name the mail: whom the report is for, and whom the mail that it is of came from."""
    for name in _TO_US:
        for value in mail.get_all(name, [])[:ADDRESSES_MAX]:
            yield from _ADDRESS.findall(str(value)[:FIELD_CHARS])
    for part in mail.walk():
        groups = _fields(part) if part.get_content_type() == "message/feedback-report" else [part]
        for name in _OF_OURS:
            for group in groups:
                yield from _ADDRESS.findall(_field(group, name))
        if part.get_content_type() == "text/rfc822-headers":
            yield from _ADDRESS.findall(_headers(part))


def _headers(part: Message) -> str:
    """Return the Return-Path of a mail's headers that came as text."""
    text = part.get_payload(decode=True)
    if not isinstance(text, bytes):
        return ""
    return _field(email.message_from_bytes(text, policy=email.policy.default), "return-path")


def _field(fields: Message, name: str) -> str:
    return str(fields.get(name) or "").strip()[:FIELD_CHARS]


def _id(mail: EmailMessage, raw: bytes) -> str:
    return digest("report", _field(mail, "message-id") or raw).hex()
