"""What a provider's answer over HTTP means for a mail (FORMATS, "Ledger states").

In: status, headers and body, and what django-anymail read in them. Out: a state and words for people. Promised: `sent`
and `failed` are the provider's own word; an answer that proves neither that the mail was taken nor that it was not is
`unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from livepost.clock import SECOND_MS
from livepost.deliver.answer import told
from livepost.model.message import ReceiptState

MAX_DEPTH = 8
"""How deep an answer's JSON is looked through."""

ABOUT_US = frozenset((401, 402, 403, 404, 405, 407, 408, 420, 421, 423, 425, 429))
"""Refusals of whoever asks (login, right, address, pace, credit), not of the mail: later the same mail may be taken.

408 says that the request did not arrive whole; 420 is SparkPost's word for 429.
"""

CONFLICT = 409
"""Another request is in the way, which may be an earlier one of the same mail."""

UNAVAILABLE = 503

_TAKEN = frozenset(("sent", "queued"))
_REFUSED = frozenset(("failed", "invalid", "rejected"))
_NAMES = ("ErrorCode", "__type", "code", "error_code", "name", "type")
_WORDS = ("Message", "message", "ErrorMessage", "error", "errors", "detail", "description", "reject_reason")
_ERROR_TYPE = "x-amzn-errortype"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: `headers` have names in small letters."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""


def meaning(answer: Answer, read: str, codes: Mapping[str, ReceiptState]) -> ReceiptState:
    """Return what the answer makes of the mail.

    `read` is the recipient's status as django-anymail read it, "" where it could not; `codes` are what the provider's
    own names for refusals mean. The first that fits decides:

    >>> meaning(Answer(status=202), "queued", {})
    'sent'
    >>> meaning(Answer(status=200), "rejected", {})
    'failed'
    >>> meaning(Answer(status=500, body=b'{"name": "ValidationError"}'), "", {"ValidationError": "failed"})
    'failed'
    >>> [meaning(Answer(status=status), "", {}) for status in (422, 429, 500, 200)]
    ['failed', 'temporary', 'unknown', 'unknown']
    """
    if 200 <= answer.status <= 299 and read in _TAKEN:
        return "sent"
    known = next((codes[name] for name in names(answer) if name in codes), None)
    if known is not None:
        return known
    if 200 <= answer.status <= 299 and read in _REFUSED:
        return "failed"
    return by_status(answer.status, asks_to_wait="retry-after" in answer.headers)


def by_status(status: int, *, asks_to_wait: bool) -> ReceiptState:
    """Return what a status alone proves.

    A 5xx proves nothing: a gateway says 502 or 504 of a mail that was taken behind it, and a service may say 500 after
    it queued the mail. Only 503 that names a time to wait was said on purpose, by someone who did not take it.
    """
    if status in ABOUT_US or (status == UNAVAILABLE and asks_to_wait):
        return "temporary"
    if 400 <= status <= 499 and status != CONFLICT:
        return "failed"
    return "unknown"


def asked_wait_ms(said: str, now_ms: int) -> int:
    """Return how long `Retry-After` (RFC 9110, 10.2.3) asks to wait in ms, 0 for what cannot be read.

    >>> asked_wait_ms("120", 0), asked_wait_ms("Thu, 01 Jan 1970 00:01:00 GMT", 0), asked_wait_ms("soon", 0)
    (120000, 60000, 0)
    """
    if said.isascii() and said.isdigit():
        return int(said[:9]) * SECOND_MS
    try:
        at = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return 0
    return max(0, int(at.timestamp() * SECOND_MS) - now_ms)


def names(answer: Answer) -> list[str]:
    """Return the provider's own names for what happened, in the order of the answer."""
    error_type = answer.headers.get(_ERROR_TYPE, "").partition(":")[0]
    found = [error_type, *(str(value) for value in _values(_json(answer.body), _NAMES))]
    return [name.rpartition("#")[2] for name in found if name]


def words(answer: Answer, read: str, recipient: str, secret: str) -> str:
    """Return the answer in one line, without addresses and without the key.

    >>> words(Answer(status=422, body=b'{"Message": "No ada@example.com"}'), "", "ada@example.com", "hunter2")
    '422 No (address)'
    """
    said = [value for value in _values(_json(answer.body), _WORDS) if isinstance(value, str)]
    refused = [read] if read in _REFUSED else []
    text = ": ".join(dict.fromkeys([*names(answer)[:1], *refused, *said]))
    return told(answer.status, without(text, secret), recipient)


def without(text: str, secret: str) -> str:
    """Return the text without the key, should a provider or a library have repeated it."""
    return text.replace(secret, "(key)") if secret else text


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def _values(found: Any, wanted: tuple[str, ...], depth: int = 0) -> Iterator[str | int]:
    """Yield the texts and numbers that stand under one of the wanted keys."""
    if depth > MAX_DEPTH:
        return
    if isinstance(found, list):
        for one in found:
            yield from _values(one, wanted, depth + 1)
    elif isinstance(found, dict):
        for key, value in found.items():
            if key in wanted:
                yield from (one for one in _flat(value) if one)
            if isinstance(value, (dict, list)):
                yield from _values(value, wanted, depth + 1)


def _flat(value: Any) -> list[str | int]:
    """Return a text or number, or those of a list."""
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, (str, int)) and not isinstance(one, bool)]
