"""A complete mail taken apart again, for providers that put it together themselves.

In: a message. Out: its subject, parts and the headers that must arrive. Promised: values are what the mail's bytes say;
nothing is added that is not in them.
"""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import msgspec

from livepost.model.message import Message

CARRIED = ("Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")
"""Headers that providers are told; they make the others from their own fields."""


class Plain(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as values: `sender` with the name people read, `html` is "" for none."""

    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]


def plain(message: Message) -> Plain:
    """Return the mail's values; the recipient is the envelope's."""
    parsed = email.message_from_bytes(message.raw, policy=email.policy.default)
    return Plain(
        sender=str(parsed["From"] or message.sender),
        recipient=message.recipient,
        subject=str(parsed["Subject"] or ""),
        text=_body(parsed, "plain"),
        html=_body(parsed, "html"),
        headers={name: str(parsed[name]) for name in CARRIED if parsed[name]},
    )


def unsubscribe_url(headers: dict[str, str]) -> str:
    """Return the address of one-click unsubscribe, without its brackets, or "".

    >>> unsubscribe_url({"List-Unsubscribe": "<https://m.shop.example/u/1>"})
    'https://m.shop.example/u/1'
    """
    return headers.get("List-Unsubscribe", "").strip("<>")


def _body(parsed: EmailMessage, subtype: str) -> str:
    part = parsed.get_body((subtype,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
