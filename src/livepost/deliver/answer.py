"""What an SMTP server's answer means for a mail (FORMATS, "Ledger states").

In: the answer's code and text, and whether the mail's content was written before it. Out: a state and words for people.
Promised: 5xx is definite, 4xx is for now, and an answer that is neither is `unknown` once the content was written; the
words hold no address.
"""

from __future__ import annotations

import re

from livepost.model.message import ReceiptState

TEXT_CHARS = 200
"""What is kept of a server's words."""

CLOSING = 421
"""The server ends the connection (RFC 5321, 3.8); said before the content, another connection may do."""

ABOUT_THE_LOGIN = frozenset((530, 534, 535, 538))
"""Refusals of whoever connects, not of the mail (RFC 4954, 6): with the right login the same mail is taken."""

_AT = re.compile(r"@|=40|%40|&#64;", re.IGNORECASE)
_ADDRESS = re.compile(rf"\S*(?:{_AT.pattern})\S*", re.IGNORECASE)
_QUEUED_AS = re.compile(r"(?:queued as |\bid=)([\w.-]+)", re.IGNORECASE)
_HIDDEN = "(address)"


def before_content(code: int) -> ReceiptState:
    """Return what a refusal of MAIL, RCPT or DATA makes of the mail: nothing of it was written yet.

    >>> before_content(550), before_content(450), before_content(535)
    ('failed', 'temporary', 'temporary')
    """
    definite = 500 <= code <= 599 and code not in ABOUT_THE_LOGIN
    return "failed" if definite else "temporary"


def after_content(code: int) -> ReceiptState:
    """Return what the answer to the final dot makes of the mail.

    >>> after_content(250), after_content(452), after_content(554), after_content(354)
    ('sent', 'temporary', 'failed', 'unknown')
    """
    states: dict[int, ReceiptState] = {2: "sent", 4: "temporary", 5: "failed"}
    return states.get(code // 100, "unknown")


def told(code: int, text: str, recipient: str) -> str:
    """Return an answer in one line of at most TEXT_CHARS, without the recipient's or any other address.

    >>> told(550, "5.1.1 <ada@example.com>: no user Ada here", "ada@example.com")
    '550 5.1.1 (address) no user (address) here'
    """
    return one_line(f"{code} {text}", recipient)


def one_line(text: str, recipient: str = "") -> str:
    """Return words of a server in one line of at most TEXT_CHARS, without addresses."""
    printable = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(printable.split())
    if _AT.search(line):
        line = _ADDRESS.sub(_HIDDEN, line)
    local = recipient.rpartition("@")[0]
    if local and _may_name(line, local):
        line = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", _HIDDEN, line, flags=re.IGNORECASE)
    return line[:TEXT_CHARS]


def _may_name(line: str, local: str) -> bool:
    """Say whether a name may be in a line in any case; a pattern for each mail's own costs more than all else here."""
    return not (line.isascii() and local.isascii()) or local.lower() in line.lower()


def queue_id(line: str) -> str:
    """Return the name under which the server says it has the mail, else all it said.

    >>> queue_id("250 2.0.0 Ok: queued as 4F3C2A1")
    '4F3C2A1'
    """
    found = _QUEUED_AS.search(line)
    return found[1] if found else line
