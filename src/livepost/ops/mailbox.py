"""Kept mails as people see them: page by page, and one whole, with what the ledger says of it.

In: the mailbox, the vault's part that opens mails, the ledger. Out: structs. Promised: a question looks at a bounded
number of mails, however many there are; nothing is changed, no click and no open is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from itertools import islice
from typing import Protocol

import msgspec

from livepost.deliver.keep import KeptMail, Keys
from livepost.deliver.mailbox import Found, Mailbox
from livepost.ledger.base import Delivery, Move, Note
from livepost.ops.why import MailReason, mail_reason

MAILS_MAX = 100
"""Mails of one page."""

FRAMES_MAX = 200_000
"""Kept mails that a page looks at, unopened, to find its own; there is a link to look further back."""

ASKED_MAX = 5_000
"""Mails of which a page asks the ledger for their campaign."""


class Mailed(Protocol):
    """The ledger, as far as it tells of mails."""

    def delivery(self, decision: bytes) -> Delivery | None:
        """Return one delivery, or None."""
        ...

    def history(self, decision: bytes) -> list[Move]:
        """Return the moves of one delivery, in order."""
        ...

    def notes(self, decision: bytes) -> list[Note]:
        """Return the cancellations that came too late for a delivery."""
        ...


class MailLine(msgspec.Struct, frozen=True, kw_only=True):
    """A kept mail in a list.

    id         the decision's, in hex; `person` the subject's that it was written to, in hex
    at         when its state came about, UTC ms on the workspace's clock; None if the ledger does not know the mail
    kept_at    when it was written, UTC ms on the host's clock
    campaign, state   as the ledger has them, "" if it does not know the mail
    """

    id: str
    person: str
    at: int | None
    kept_at: int
    to: str
    subject: str
    campaign: str
    state: str


class MailPage(msgspec.Struct, frozen=True, kw_only=True):
    """Kept mails, the newest first.

    older       the place to ask from for the mails before these; None if there are none
    looked_at   how many kept mails were looked at to find these
    """

    mails: list[MailLine]
    older: str | None
    looked_at: int


class MailShown(MailLine, frozen=True, kw_only=True):
    """A kept mail whole; `html` is "" for a mail of text alone, `reason` None if the ledger does not know it."""

    headers: list[tuple[str, str]]
    text: str
    html: str
    raw: bytes
    reason: MailReason | None


class _Chosen(msgspec.Struct):
    """What a page has found so far."""

    mails: list[MailLine]
    looked_at: int = 0
    asked: int = 0


def mail_page(
    mailbox: Mailbox,
    keys: Keys,
    ledger: Mailed,
    subjects: Sequence[bytes] | None,
    campaign: str | None,
    before: str | None,
    limit: int,
) -> MailPage:
    """Return a page of mails: of a person's subjects, of a campaign, from before a place, where these are given.

    It may have fewer than `limit` mails (at most MAILS_MAX) and yet not be the last. Raises StoreError if a store
    cannot be read, RejectedError for a place that is none.
    """
    chosen = _Chosen(mails=[])
    persons = None if subjects is None else frozenset(subjects)
    found = iter(mailbox.newest_first(before))
    last: Found | None = None
    for last in islice(found, FRAMES_MAX):
        chosen.looked_at += 1
        if persons is None or last.person in persons:
            _choose(chosen, last, mailbox, keys, ledger, campaign)
        if len(chosen.mails) >= min(limit, MAILS_MAX) or chosen.asked >= ASKED_MAX:
            break
    goes_on = last is not None and next(found, None) is not None
    return MailPage(
        mails=chosen.mails, older=last.place if goes_on and last is not None else None, looked_at=chosen.looked_at
    )


def mail_shown(mailbox: Mailbox, keys: Keys, ledger: Mailed, decision: bytes) -> MailShown | None:
    """Return the mail of a decision; None if it is not kept, or its person was forgotten."""
    found = mailbox.find(decision)
    kept = mailbox.open(found, keys) if found is not None else None
    if kept is None:
        return None
    delivery = ledger.delivery(decision)
    mail = message_from_bytes(kept.raw, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    return MailShown(
        **msgspec.structs.asdict(_line(kept, delivery)),
        headers=[(name, str(value)) for name, value in mail.items()],
        text=_part(mail, "plain"),
        html=_part(mail, "html"),
        raw=kept.raw,
        reason=mail_reason(delivery, ledger.history(decision), ledger.notes(decision)) if delivery else None,
    )


def _choose(chosen: _Chosen, found: Found, mailbox: Mailbox, keys: Keys, ledger: Mailed, campaign: str | None) -> None:
    chosen.asked += 1
    delivery = ledger.delivery(found.frame.decision)
    if campaign is not None and (delivery is None or delivery.decision.campaign != campaign):
        return
    kept = mailbox.open(found, keys)
    if kept is not None:
        chosen.mails.append(_line(kept, delivery))


def _line(kept: KeptMail, delivery: Delivery | None) -> MailLine:
    headers = BytesHeaderParser(policy=SMTP).parsebytes(kept.raw.partition(b"\r\n\r\n")[0])
    return MailLine(
        id=kept.decision.hex(),
        person=kept.person.hex(),
        at=delivery.changed_at if delivery else None,
        kept_at=kept.at_ms,
        to=str(headers["To"] or ""),
        subject=str(headers["Subject"] or ""),
        campaign=delivery.decision.campaign if delivery else "",
        state=delivery.state if delivery else "",
    )


def _part(mail: EmailMessage, subtype: str) -> str:
    body = mail.get_body((subtype,))
    return str(body.get_content()) if body is not None else ""
