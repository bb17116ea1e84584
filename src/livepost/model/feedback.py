"""What somebody says became of a mail: a provider by its events, a mail server by a report; and what that means.

In: nothing. Out: structs that cross rooms. Promised: only `MailEvent` has a personal value, the recipient, and lives in
memory only; `Feedback` has a keyed hash in its place.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

OutcomeKind: TypeAlias = Literal[
    "delivered",
    "opened",
    "clicked",
    "deferred",
    "soft_bounced",
    "bounced",
    "rejected",
    "complained",
    "unsubscribed",
    "machine_opened",
    "machine_clicked",
]
"""What can happen to a mail later.

delivered      the recipient's server took it
opened, clicked   a picture was loaded, a link followed: by somebody who is not known to be a machine
machine_opened, machine_clicked   by a machine: a scanner, a proxy that loads all pictures
deferred       the recipient's server asked to try later, and it is being tried
soft_bounced   it was given up, for a reason that may pass (a full mailbox)
bounced        it was given up, for a reason that will not pass (no such mailbox)
rejected       the provider took it and did not send it (its own list, its rules)
complained     the recipient called it spam
unsubscribed   the recipient unsubscribed at the provider or by mail
"""


class MailEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it was read, of a request that was proven to be the provider's.

    `kind` is django-anymail's word; `hard`: a bounce of which the provider says that it will not pass. `at_ms` is the
    provider's time, None for none; `event_id` "" for none. `decision` is what travelled with the mail, `provider_id`
    the provider's name for it.
    """

    provider: str
    kind: str
    hard: bool = False
    at_ms: int | None = None
    event_id: str = ""
    recipient: str = ""
    decision: bytes | None = None
    provider_id: str = ""
    reject_reason: str = ""


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What an event means for the ledger.

    key        16 bytes; the same for the same event, however often it is told
    outcome    None where an event only proves that the mail was taken
    at         when it happened (workspace's ms)
    proves     what becomes of a mail of which nobody knew whether it was sent
    address    keyed hash of the recipient's address, None if the event names none
    suppress   the reason why this address gets no mail any more, "" for none
    withdraws  whether the recipient takes back consent for the mail's purpose
    """

    key: bytes
    provider: str
    outcome: OutcomeKind | None
    at: int
    proves: Literal["sent", "failed"] = "sent"
    decision: bytes | None = None
    provider_id: str = ""
    address: bytes | None = None
    suppress: str = ""
    withdraws: bool = False


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger made of a feedback: the mail it is of, if it is ours, and whether the log still needs it."""

    feedback: Feedback
    new: bool
    unlogged: bool = False
    decision: bytes | None = None
    person: bytes | None = None


class FeedbackTally(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of a provider were heard; `ours`: the mail they are of was found."""

    provider: str
    outcome: str
    ours: bool
    count: int


ComplaintLevel: TypeAlias = Literal["", "warn", "pause", "stop"]

WARN_PER_10K, PAUSE_PER_10K, STOP_PER_10K = 8, 10, 30
"""Complaints per 10,000 mails: 0.08 %, 0.1 % and 0.3 %."""

MAILS_MIN = 500
"""Marketing mails below which there is no rate to speak of."""

COMPLAINTS_MIN = 2
"""Complaints below which nothing is done: one person's is no rate."""

COMPLAINTS_HOURS = 168
"""The rolling window: so many hours, the one under way among them."""


class ComplaintRate(msgspec.Struct, frozen=True, kw_only=True):
    """Complaints and marketing mails sent within the window, and what follows; `paused_at` (ms) while it pauses."""

    sent: int = 0
    complained: int = 0
    level: ComplaintLevel = ""
    paused_at: int | None = None


def complaint_level(sent: int, complained: int) -> ComplaintLevel:
    """Return what a rate asks for.

    >>> [complaint_level(10_000, complained) for complained in (7, 8, 9, 10, 29, 30)]
    ['', 'warn', 'warn', 'pause', 'pause', 'stop']
    """
    if sent < MAILS_MIN or complained < COMPLAINTS_MIN:
        return ""
    told = complained * 10_000
    if told >= STOP_PER_10K * sent:
        return "stop"
    if told >= PAUSE_PER_10K * sent:
        return "pause"
    return "warn" if told >= WARN_PER_10K * sent else ""


def rate_sentence(rate: ComplaintRate) -> str:
    """Return a rate in words, and what it has led to.

    >>> rate_sentence(ComplaintRate(sent=20_000, complained=17, level="warn"))
    '17 complaints about 20,000 marketing mails in 7 days (0.085 %): from 0.1 % on marketing is paused'
    """
    share = f" ({100 * rate.complained / rate.sent:.3f} %)" if rate.sent else ""
    counted = (
        f"{rate.complained:,} complaints about {rate.sent:,} marketing mails in {COMPLAINTS_HOURS // 24} days{share}"
    )
    if rate.level == "stop":
        return f"{counted}: all marketing is stopped until a person says `livepost kill --all --off`"
    if rate.level == "pause" or rate.paused_at is not None:
        return f"{counted}: marketing is paused until it is below 0.08 %, or a person says `livepost kill --all --off`"
    return f"{counted}: from 0.1 % on marketing is paused" if rate.level == "warn" else counted


def has_eased(sent: int, complained: int) -> bool:
    """Say whether a pause may end: the rate is below the warning again, of however few mails.

    >>> has_eased(10_000, 7), has_eased(300, 1), has_eased(0, 0)
    (True, False, True)
    """
    return complained == 0 or complained * 10_000 < WARN_PER_10K * sent
