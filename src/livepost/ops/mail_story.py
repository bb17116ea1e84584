"""The story of one mail: why it was decided on, what was checked, each move, who took it, and what became of it.

In: a decision's id, the ledger. Out: a struct fit for JSON. Promised: the words are those of `livepost why`; nothing is
changed, and nothing personal is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from livepost.clock import DAY_MS, HOUR_MS
from livepost.ledger.base import Delivery, Move, Note, Outcome
from livepost.ledger.moves import State
from livepost.model.decision import Decision
from livepost.ops.why import MailReason, mail_reason

MINUTES = 60


class Told(Protocol):
    """The ledger, as far as it tells of one mail."""

    def delivery(self, decision: bytes) -> Delivery | None:
        """Return one delivery, or None."""
        ...

    def history(self, decision: bytes) -> list[Move]:
        """Return the moves of one delivery, in order."""
        ...

    def notes(self, decision: bytes) -> list[Note]:
        """Return the cancellations that came too late for a delivery."""
        ...

    def outcomes(self, decision: bytes) -> list[Outcome]:
        """Return what happened to one mail, in order of time."""
        ...


class MailStory(msgspec.Struct, frozen=True, kw_only=True):
    """One mail, as the ledger knows it.

    person      id in hex; `step` is which of the campaign's mails, from 1
    lane, class_, purpose   what it is, and so in which order and with whose leave it goes
    attempts    how often it was put in flight
    checks      what a claim looks at, in words, the first reason first
    todo        what can be done about its state, "" where nothing has to be
    """

    campaign: str
    person: str
    step: int
    lane: str
    class_: str
    purpose: str
    attempts: int
    checks: tuple[str, ...]
    todo: str
    reason: MailReason


def mail_story(ledger: Told, decision: bytes) -> MailStory | None:
    """Return the story of a mail, None if the ledger does not know it; raise StoreError if it does not answer."""
    delivery = ledger.delivery(decision)
    if delivery is None:
        return None
    wanted = delivery.decision
    reason = mail_reason(delivery, ledger.history(decision), ledger.notes(decision), outcomes=ledger.outcomes(decision))
    return MailStory(
        campaign=wanted.campaign,
        person=delivery.person.hex(),
        step=wanted.step + 1,
        lane=wanted.lane,
        class_=wanted.class_,
        purpose=wanted.purpose,
        attempts=delivery.attempts,
        checks=tuple(checks(wanted)),
        todo=todo(delivery.state, wanted.class_, delivery.reason),
        reason=reason,
    )


def checks(one: Decision) -> Sequence[str]:
    """Return what is looked at when a mail is claimed, and again before its first byte, in the order of REASONS."""
    marketing = one.class_ == "marketing"
    told = {
        "the campaign is not stopped": True,
        "the address is not suppressed": True,
        f"{one.purpose} is allowed, by the engine's word and the ledger's": marketing,
        f"the topic {one.topic} is not switched off": bool(one.topic),
        "none went for the same cause under another name of the person": one.entered_at is not None,
        f"fewer than {one.cap_times} of the campaign in {_span(one.cap_per_ms)}": one.cap_times > 0,
        **{f"fewer than {times} of all campaigns in {_span(per)}": True for times, per in one.overall},
        "no more mails than the person wants": marketing,
        _hours(one): one.quiet is not None,
    }
    return [words for words, is_so in told.items() if is_so]


def todo(state: State, class_: str, reason: str = "") -> str:
    """Return what can be done about a mail in a state, or what happens by itself; "" where nothing has to.

    >>> todo("sent", "marketing")
    ''
    """
    if state == "unknown" and class_ == "transactional":
        return "It is sent again under the same Message-ID until there is an answer, for 24 hours."
    if state == "skipped":
        return _SKIPPED.get(reason, "")
    return _TODO.get(state, "")


_TODO: dict[str, str] = {
    "unknown": "It is never sent again: better none than two. Its provider's event, a bounce, or a person settles it.",
    "held": "It waits since a restore, and nothing sends it by itself: a person lets it go out or drops it.",
    "failed": "It was refused for good. Correct what the words above name; this mail is not tried again.",
    "pending": "A courier takes it when it is due; after a refusal that is later each time.",
}
_SKIPPED = {
    "kill": "The campaign's page lets it mail again; what was skipped stays skipped.",
    "suppressed": "`livepost suppressions lift` lets an address go again, if it is there by mistake.",
    "consent": "Only the person can allow it.",
    "topic": "Only the person can switch the topic on again.",
    "frequency": "Only the person can ask for more mails.",
    "no_address": "Send the address with a secret key: only that makes it sendable.",
    "render": "Correct the template or the campaign's function; `livepost check` and the preview show what is wrong.",
}


def _hours(one: Decision) -> str:
    if one.quiet is None:
        return "no quiet hours"
    start, end, zone = one.quiet
    return f"no quiet hours ({_time_of_day(start)} to {_time_of_day(end)}, {zone})"


def _time_of_day(minute: int) -> str:
    return f"{minute // MINUTES:02}:{minute % MINUTES:02}"


def _span(ms: int) -> str:
    """Return a span as an author writes it.

    >>> _span(7 * DAY_MS), _span(HOUR_MS)
    ('7 days', '1 hour')
    """
    unit, word = (DAY_MS, "day") if ms % DAY_MS == 0 else (HOUR_MS, "hour")
    count = f"{ms / unit:g}"
    return f"{count} {word}" if count == "1" else f"{count} {word}s"
