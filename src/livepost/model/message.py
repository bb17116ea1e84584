"""A mail on its way out, and what became of it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec


class EmailDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What an author's function returns, as data: a template's name, a Liquid subject and the template's variables."""

    template: str
    subject: str
    variables: dict[str, Any] = {}
    preheader: str = ""


class AskedMail(EmailDraft, frozen=True, kw_only=True):
    """One mail that a program asked for, with the bare address it goes to; on disk it is sealed."""

    to: str


class AskedTest(msgspec.Struct, frozen=True, kw_only=True):
    """One test send: a mail as it was made for a person, with the bare address it goes to instead; on disk it is sealed
    with that person's key.
    """

    to: str
    subject: str
    html: str
    text: str


class RenderedMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail made for one person: plain values, so it lives in memory only or sealed.

    `preheader` is what mail programs show behind the subject; it stands in `html` already.
    """

    subject: str
    html: str
    text: str
    preheader: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A complete mail: `raw` are the RFC 5322 bytes with CRLF; addresses are bare (envelope)."""

    decision: bytes
    person: bytes
    sender: str
    recipient: str
    message_id: str
    raw: bytes


ReceiptState: TypeAlias = Literal["sent", "failed", "temporary", "unknown"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's answer: definite (sent, failed, temporary) or `unknown`, never a guess. `text` holds no address.

    trouble   it tells of the sender, not of the mail: another mail would fare no better
    untried   the sender was told nothing of the mail
    wait_ms   how long the sender asked to wait
    """

    state: ReceiptState
    text: str = ""
    provider: str = ""
    provider_id: str = ""
    at_ms: int = 0
    trouble: bool = False
    untried: bool = False
    wait_ms: int = 0
