"""How webhooks stand, from the settings and the book that the courier keeps of them.

In: targets as they are declared, their book. Out: a standing each, in their order. Promised: no path, query or secret
of a target is in it, and no message.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from livepost.announce.book import Book, Standing
from livepost.settings.webhook import Webhook

LETTERS_SHOWN = 20


class DeadMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that its target did not take: its number in the book, what it tells of, since when (host ms), why."""

    number: int
    kind: str
    at: int
    sent: int
    error: str


class WebhookStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A target: its name, whom it is told to without what can be a secret, of what; `standing` is None before it was
    told anything, `dead` are messages that wait for somebody, of which the oldest are `letters`.
    """

    name: str
    target: str
    events: tuple[str, ...]
    standing: Standing | None = None
    dead: int = 0
    letters: tuple[DeadMessage, ...] = ()


def webhook_standings(webhooks: Sequence[Webhook], path: Path) -> list[WebhookStanding]:
    """Return how each stands; raise StoreError if the book cannot be read. None is made where there is none."""
    declared = [
        WebhookStanding(name=one.name, target=str(one).partition(" -> ")[2], events=one.events) for one in webhooks
    ]
    if not declared or not path.exists():
        return declared
    book = Book(path)
    try:
        letters = book.letters(waiting=True, limit=1_000)
        return [
            msgspec.structs.replace(
                one,
                standing=book.standing(one.name),
                dead=book.waiting(one.name),
                letters=tuple(
                    DeadMessage(number=of.number, kind=of.kind, at=of.at, sent=of.sent, error=of.error)
                    for of in letters
                    if of.target == one.name
                )[:LETTERS_SHOWN],
            )
            for one in declared
        ]
    finally:
        book.close()
