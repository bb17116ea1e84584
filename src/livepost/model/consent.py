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
"""Before a TC string's name and a purpose: what the string says of it. Before a source: that the word came so."""

SIGNALS = (GPC, TCF)


def is_signal(key: str) -> bool:
    """Say whether a key of consents is a signal that a browser repeats with each call, and not somebody's word.

    >>> is_signal("gpc:ads"), is_signal("ads")
    (True, False)
    """
    return key.startswith(SIGNALS)


def purpose_of(key: str) -> str:
    """Return the purpose that a signal speaks of.

    >>> purpose_of("tcf:00c0ffee:ads")
    'ads'
    """
    return key.rpartition(":")[2]


def way_of(key: str) -> str:
    """Return what stands before the source of a signal's word.

    >>> way_of("tcf:00c0ffee:ads")
    'tcf:'
    """
    return GPC if key.startswith(GPC) else TCF


class TcfRule(msgspec.Struct, frozen=True):
    """Which of IAB's purposes a TC string has to allow for one of ours, by consent or as a legitimate interest."""

    purpose: str
    numbers: tuple[int, ...]
    by_interest: bool = False


class SignalRules(msgspec.Struct, frozen=True, kw_only=True):
    """What signals of browsers speak of: the purposes that are a sale, and those for which TC strings are read."""

    sale: tuple[str, ...] = ()
    tcf: tuple[TcfRule, ...] = ()

    def __bool__(self) -> bool:
        """Say whether any signal speaks of anything."""
        return bool(self.sale or self.tcf)


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
