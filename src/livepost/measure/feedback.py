"""What an event of a provider, or a report of a mail server, means: for the ledger, and for the log.

In: `MailEvent`s; what the ledger made of them. Out: `Feedback`, and records by Segment's names. Promised: one event
always has the same key and message_id, hence is heard and folded once; no address, URL, network address or user agent
is in a record; records have the origin `import`, so that they fold and trigger nothing; what an event takes away
(an address, a consent) it can only take away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from livepost.ids import digest
from livepost.measure.click import CLICKED
from livepost.measure.open import OPENED
from livepost.measure.outcome import outcome_record
from livepost.model.feedback import Feedback, Heard, MailEvent, OutcomeKind
from livepost.model.record import Origin, Record

RECORDED: dict[OutcomeKind, str] = {
    "delivered": "Email Delivered",
    "opened": OPENED,
    "clicked": CLICKED,
    "bounced": "Email Bounced",
    "soft_bounced": "Email Bounced",
    "complained": "Email Marked as Spam",
    "machine_opened": OPENED,
    "machine_clicked": CLICKED,
}
"""Segment's names. `unsubscribed` is told by the withdrawal's echo; the others have no name there."""

NAMES: dict[OutcomeKind, str] = {
    **RECORDED,
    "deferred": "Email Deferred",
    "rejected": "Email Dropped",
    "unsubscribed": "Unsubscribed",
    "machine_opened": "Email Opened by a machine",
    "machine_clicked": "Email Link Clicked by a machine",
}
"""What people read of an outcome."""

OUTCOMES: dict[str, OutcomeKind | None] = {
    "queued": None,
    "sent": None,
    "delivered": "delivered",
    "deferred": "deferred",
    "rejected": "rejected",
    "failed": "rejected",
    "opened": "opened",
    "clicked": "clicked",
    "complained": "complained",
    "unsubscribed": "unsubscribed",
}
"""django-anymail's kinds of events that say something about a mail; `bounced` is hard or soft. None: it was taken."""

GONE: dict[str, str] = {"bounced": "bounced", "invalid": "bounced", "spam": "complained"}
"""Why a provider would not send: what it knows of the address already, and what that makes of it here."""

SIGNED_ID = frozenset(("mailgun",))
"""Providers that sign an event's id, and not what it says."""

_BY_MACHINES_TOO = ("opened", "clicked")


def feedback_of(event: MailEvent, blind: Callable[[str], bytes], now_ms: int) -> Feedback | None:
    """Return what an event means; None if it says nothing about a mail.

    `blind` gives an address's keyed hash; an event of no time, or of one to come, is of `now_ms`.
    """
    outcome = _outcome(event)
    if outcome is None and event.kind not in OUTCOMES:
        return None
    return Feedback(
        key=_key(event),
        provider=event.provider,
        outcome=outcome,
        at=min(event.at_ms if event.at_ms is not None and event.at_ms > 0 else now_ms, now_ms),
        proves="failed" if outcome == "rejected" else "sent",
        decision=event.decision,
        provider_id=event.provider_id,
        address=blind(event.recipient) if event.recipient else None,
        suppress=_suppress(outcome, event.reject_reason),
        withdraws=outcome in ("complained", "unsubscribed") or event.reject_reason == "unsubscribed",
    )


def heard(one: Heard, *, known: bool) -> Record | None:
    """Return the record of what was heard of a mail; None where the log has no name for it, or the mail is not ours.

    `class` stays unknown and `human` open for opens and clicks: a machine may have made them.
    """
    feedback = one.feedback
    name = RECORDED.get(feedback.outcome) if feedback.outcome else None
    if name is None or one.decision is None or one.person is None:
        return None
    properties: dict[str, Any] = {"decision": one.decision.hex(), "provider": feedback.provider}
    if feedback.outcome in _BY_MACHINES_TOO:
        properties |= {"class": "unknown", "human": None}
    if name == RECORDED["bounced"]:
        properties["permanent"] = feedback.outcome == "bounced"
    record = outcome_record(
        name, one.person, known=known, at_ms=feedback.at, cause=(feedback.key,), properties=properties
    )
    return msgspec.structs.replace(record, origin=Origin.IMPORT)


def _outcome(event: MailEvent) -> OutcomeKind | None:
    if event.kind == "bounced":
        return "bounced" if event.hard else "soft_bounced"
    return OUTCOMES.get(event.kind)


def _key(event: MailEvent) -> bytes:
    """Return the event's name: by the provider's id for it, else by what it says.

    The recipient and the kind belong to it: SES has one id for all recipients of a mail. Where the id is all that is
    signed, it stands alone: whoever got hold of it can tell nothing else with it.
    """
    told = (event.kind, event.recipient.casefold())
    if event.provider in SIGNED_ID and event.event_id:
        return digest("mail event", event.provider, event.event_id)
    if event.event_id:
        return digest("mail event", event.provider, event.event_id, *told)
    parts = (event.provider_id, event.decision or b"", event.at_ms if event.at_ms is not None else "")
    return digest("mail event without id", event.provider, *told, *parts, event.reject_reason)


def _suppress(outcome: OutcomeKind | None, reject_reason: str) -> str:
    """Return why the address gets no mail any more; "" if it may get some."""
    if outcome in ("bounced", "complained"):
        return str(outcome)
    return GONE.get(reject_reason, "") if outcome == "rejected" else ""
