"""What a person chooses beside consent: topics, and how often. Each is kept where consents are, under a key of its own.

A key is a permission: `topic:reminders` to send mails of the topic, `frequency:1 per 7d` to send more than that. Unlike
a purpose, what nobody said anything about is allowed; so a choice can only ever take mails away.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

TOPIC = "topic:"
FREQUENCY = "frequency:"
EXPIRED = "expired"
"""The proof of a withdrawal that nobody made: the consent was too old."""

_DAY_MS = 24 * 3_600_000
_FREQUENCY = re.compile(r"frequency:([1-9][0-9]{0,2}) per ([1-9][0-9]{0,2})d")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said about a purpose or a choice, with its proof as people and programs see it.

    how     "one-click", "page" or "preferences" (a link of a mail), "confirmation" (double opt-in), "event",
            "complained" or "unsubscribed" (told by a provider or a mail server)
    source  the mail it came from (a decision's id in hex), or the event's source with `message_id`
    words   what the person was shown, with its language; None where that is not known
    """

    purpose: str
    channel: str
    allowed: bool
    at: int
    how: str
    source: str
    message_id: str
    words: Any = None


def is_choice(key: str) -> bool:
    """Say whether a key of consents is a choice, and not a purpose.

    >>> is_choice("topic:reminders"), is_choice("marketing")
    (True, False)
    """
    return key.startswith((TOPIC, FREQUENCY))


@lru_cache(1_024)
def cap_of(key: str) -> tuple[int, int] | None:
    """Return how many mails in how many ms a refused key leaves; None where it is no frequency.

    >>> cap_of("frequency:1 per 7d")
    (1, 604800000)
    """
    found = _FREQUENCY.fullmatch(key)
    return (int(found[1]), int(found[2]) * _DAY_MS) if found else None
