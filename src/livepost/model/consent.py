"""One word about a consent, as the ledger's history keeps it, and what reads the history.

States are those of DPV's consent statuses, one word each: given, refused, withdrawn, expired, invalidated (nobody knows
any more whose word it was) and moved (the person has another name since a merge).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

ConsentState: TypeAlias = Literal["given", "refused", "withdrawn", "expired", "invalidated", "moved"]
STATES: tuple[ConsentState, ...] = ("given", "refused", "withdrawn", "expired", "invalidated", "moved")

Layer: TypeAlias = Literal["engine", "ledger", "page"]
"""Who holds the word: the engine (as it was told through the outbox), the ledger (withdrawals of links, pages and
complaints), a page (a grant that counts once the engine has told it).
"""

GPC = "gpc:"
"""Before a purpose: that a browser's Global Privacy Control refused it. Before a source: that the word came so."""

TCF = "tcf:"
"""Before a source: that the word was read in a TC string."""

ECHO = "echo"
"""How the engine's word came, if it is what a page or a link had said before."""


class ConsentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the history; `step` counts the words of a person about a purpose from 1, without a gap.

    state      what stands of the purpose since then
    allowed    what was said: yes, no, or None where the word was taken away from this name (merge, parting)
    at         when it was said, or took effect (UTC ms)
    how        "event", "gpc", "tcf", "echo", "one-click", "page", "preferences", "confirmation", "complained",
               "unsubscribed", "api", "console", "expired", "merge", "parting", "before" (known before there was a
               history)
    source     who told it: a mail's decision in hex for a link, an event's source, a key's or a user's name
    message_id, position   of the record that told it; "" and -1 for what came another way
    words      names the words that were shown (`shown_words`), "" where none are known
    """

    number: int
    person: bytes
    purpose: str
    channel: str
    step: int
    layer: Layer
    state: ConsentState
    allowed: bool | None
    at: int
    how: str
    source: str
    message_id: str
    position: int
    words: str


class ConsentTally(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many people a purpose is in a state."""

    purpose: str
    channel: str
    state: ConsentState
    people: int


class ConsentFault(msgspec.Struct, frozen=True, kw_only=True):
    """A purpose of a person of which history and the tables that claims read say different things, and what."""

    person: bytes
    purpose: str
    why: str


class ConsentTerm(msgspec.Struct, frozen=True):
    """How long a consent to a purpose is good (ms); afterwards it has expired."""

    purpose: str
    valid_ms: int
