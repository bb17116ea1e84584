"""What the engine hands to the courier through the outbox: decisions, cancellations, consents, who is one or two."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Transition(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A person entered or left a segment, at time `at` (ms), at log position `position`."""

    id: bytes
    person: bytes
    segment: str
    version: str
    number: int
    entered: bool
    at: int
    position: int
    origin: int
    triggers: bool = True


class Decision(msgspec.Struct, frozen=True, array_like=True, tag="decision", gc=False):
    """A campaign wants one mail for one person because of one cause; `skip` is a reason not to, from REASONS.

    at        when it was decided on the engine's time (ms); position as FORMATS defines it for events and due times
    cause     transition id, event id or broadcast id; `cause_text` says it in words without personal values
    variant   "" or the arm of an experiment; "holdout" people have skip == "holdout"
    entered_at, reentry_ms   when its journey began (ms; None: it has none), and the campaign's re-entry: for the
              ledger, which alone sees what went to the person under another name
    overall   caps on mails of all campaigns that have any: (times, per ms)
    quiet     the campaign's quiet hours in the person's zone: (first minute of the day, minute of their end, zone)
    over_ms   of a broadcast: how long its mails are spread over; the ledger does it
    topic     what the mail is about, if the person can switch that off
    """

    id: bytes
    campaign: str
    version: str
    step: int
    person: bytes
    cause: bytes
    cause_text: str
    at: int
    position: int
    purpose: str
    class_: str
    lane: str
    skip: str = ""
    detail: str = ""
    variant: str = ""
    cap_times: int = 0
    cap_per_ms: int = 0
    entered_at: int | None = None
    reentry_ms: int | None = 0
    overall: tuple[tuple[int, int], ...] = ()
    quiet: tuple[int, int, str] | None = None
    over_ms: int = 0
    topic: str = ""


class Cancellation(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="cancel"):
    """A decision already taken is not wanted any more: `until` was met, the person left, or the campaign was killed."""

    decision: bytes
    reason: str
    detail: str
    at: int
    position: int


class ConsentChange(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="consent"):
    """What a person said about a purpose, folded by the engine, for the ledger's own check; `at` is when (ms)."""

    person: bytes
    purpose: str
    allowed: bool
    at: int
    position: int
    source: str
    message_id: str


class Merge(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="merge"):
    """Person `old` is now called `new`."""

    old: bytes
    new: bytes
    position: int


class Parting(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="part"):
    """The merge of a person was undone: `person` goes on without `subjects`, who are a person called `other`.

    lost   purposes for which `person` was allowed, and is no more: it was the other who said so, or nobody knows who
    """

    person: bytes
    other: bytes
    subjects: tuple[bytes, ...]
    lost: tuple[str, ...]
    at: int
    position: int


OutboxItem: TypeAlias = Decision | Cancellation | ConsentChange | Merge | Parting


SEND = "$send"
"""The campaign of mails that programs ask for one by one: a name that no author can declare."""

TEST = "$test"
"""The campaign, and the purpose, of test sends: a campaign's mail as a person would get it, to another's address. What
becomes of one says nothing about that person.
"""

ASKED_FOR = (SEND, TEST)
"""Campaigns of mails whose draft the ledger keeps until they are final; no engine decides on them."""

REASONS: tuple[tuple[str, str], ...] = (
    ("erased", "the person was erased"),
    ("kill", "the campaign was stopped"),
    ("no_address", "no address that a secret key made sendable"),
    ("suppressed", "the address is suppressed"),
    ("restricted", "the person had the use of their data restricted"),
    ("objected", "the person objected to this purpose"),
    ("consent", "no consent for this purpose"),
    ("topic", "they switched the topic off"),
    ("until", "what the campaign was waiting for happened"),
    ("exit", "the person left the audience"),
    ("unlink", "the person is two people again"),
    ("holdout", "held out to measure the campaign's effect"),
    ("merged", "the same mail went to them under another name"),
    ("cap", "the cap is reached"),
    ("frequency", "they want mails less often"),
    ("stale", "too late to be of use"),
    ("quiet_hours", "quiet hours would have kept it for too long"),
    ("render", "the mail could not be made"),
    ("dropped", "somebody dropped it while it was held"),
)
"""Reasons for which a decision is skipped, in order of precedence, with the words people read."""

_WORDS = dict(REASONS)


def reason_words(reason: str, detail: str = "") -> str:
    """Return a reason with its detail as people read them; "" if there is none.

    >>> reason_words("cap", "2 of 2 in 7 days")
    'the cap is reached, 2 of 2 in 7 days'
    """
    return ", ".join(part for part in (_WORDS.get(reason, reason), detail) if part)
