"""A house as one who asks sees it: the one place where personal values are masked, for the console and the API.

In: a house, somebody's sight. Out: the same house, with values as they are shown to them. Promised: what is not named
here as free of personal values, or masked here, cannot be asked at all; a mail that is hidden is not even rendered.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from livepost.deliver.mail import NotMade
from livepost.govern.access.sight import Sight
from livepost.ledger.base import AskedBroadcast
from livepost.model.letter import LetterDetail
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.model.standing import PersonLine
from livepost.ops.mailbox import MailLine, MailPage, MailShown

House = TypeVar("House")

OPEN = frozenset(
    (
        "approvals",
        "audit",
        "audit_verdict",
        "broadcast_standings",
        "broadcasts",
        "campaigns",
        "changed_pages",
        "choose",
        "comparison",
        "complaints",
        "consent_counts",
        "consent_records",
        "deliveries",
        "delivery",
        "divergences",
        "echo",
        "enter_request",
        "glass",
        "holdings",
        "keeps_mails",
        "keys",
        "kill",
        "kills",
        "letters",
        "mail_story",
        "members",
        "newest_consents",
        "pace",
        "person",
        "policies",
        "processes",
        "project",
        "purposed",
        "read",
        "reasons",
        "receipt",
        "receipts",
        "rectify",
        "relaxed",
        "replay",
        "retention",
        "revoke_key",
        "rights_request",
        "rights_requests",
        "rotate_vault_key",
        "said",
        "say",
        "segment_history",
        "segments",
        "senders",
        "settings",
        "settle_request",
        "standing",
        "stores",
        "story",
        "suppressed",
        "suppression_counts",
        "webhooks",
    )
)
"""What a house answers without a personal value in it: ids of subjects are random, what is sealed is only named."""

TOLD = ("From", "Date")
"""Headers of a mail that say nothing of who got it."""


def seen_by(house: House, sight: Sight, by: str = "") -> House:
    """Return the house as somebody with this sight sees it; `by` names the user, whose name goes with what they ask."""
    return cast(House, Seen(house, sight, by))


class Seen:
    """Answers what is OPEN as the house does, and the rest masked."""

    def __init__(self, house: Any, sight: Sight, by: str = "") -> None:
        """Take the house, the sight of who asks, and the name of the user that they are, "" for none."""
        self._house = house
        self._by = by
        self._sight = sight

    def __getattr__(self, question: str) -> Any:
        if question not in OPEN:
            raise AttributeError(f"say in livepost.ops.seen whether `{question}` answers with personal values")
        return getattr(self._house, question)

    def broadcast(self, campaign: str, message_id: str, by: str) -> AskedBroadcast:
        """Ask for a broadcast, as the user who does."""
        asked: AskedBroadcast = self._house.broadcast(campaign, message_id, self._by or by)
        return asked

    def approve(self, id_: bytes, by: str) -> AskedBroadcast:
        """Approve a broadcast, as the user who does."""
        approved: AskedBroadcast = self._house.approve(id_, self._by or by)
        return approved

    def break_glass(self, reason: str, minutes: int, by: str) -> None:
        """Break the glass, as the user who does."""
        self._house.break_glass(reason, minutes, self._by or by)

    def end_glass(self, id: str, by: str) -> None:
        """End what somebody sees by a broken glass, as the user who does."""
        self._house.end_glass(id, self._by or by)

    def settle_approval(self, id: str, kind: str, what: str, by: str) -> None:
        """Approve or refuse what was asked for, as the user who does."""
        self._house.settle_approval(id, kind, what, self._by or by)

    def people(self, limit: int) -> list[PersonLine]:
        """Return who moved lately, by names that may be shown."""
        return [self._line(one) for one in self._house.people(limit)]

    def preview(self, view: PersonView, campaign: str) -> RenderedMail | NotMade:
        """Return a mail made of values as they are shown."""
        made: RenderedMail | NotMade = self._house.preview(view, campaign, self._sight)
        return made

    def test_send(self, view: PersonView, campaign: str, to: str, by: str, once: str) -> Any:
        """Send a test of values as they are shown: it goes to whoever is typed in."""
        return self._house.test_send(view, campaign, to, by, once, self._sight)

    def letter(self, position: int, *, open: bool) -> LetterDetail:
        """Return a dead letter, opened only for who reads texts."""
        letter: LetterDetail = self._house.letter(position, open=open and self._sight.reads_texts)
        return letter

    def mails(
        self, subjects: tuple[bytes, ...] | None, campaign: str | None, before: str | None, limit: int
    ) -> MailPage:
        """Return kept mails, with addresses and subjects as they may be shown."""
        page: MailPage = self._house.mails(subjects, campaign, before, limit)
        return msgspec.structs.replace(page, mails=[self._mail_line(one) for one in page.mails])

    def mail(self, id: str) -> MailShown | None:
        """Return a kept mail; for who does not read texts, only when and why it was sent."""
        mail: MailShown | None = self._house.mail(id)
        if mail is None or self._sight.reads_texts:
            return mail
        hidden = self._sight.text("a mail")
        return msgspec.structs.replace(
            mail,
            to=self._sight.shown("address", mail.to),
            subject=hidden,
            headers=[(name, value) for name, value in mail.headers if name in TOLD],
            text=hidden,
            html="",
            raw=b"",
        )

    def _line(self, one: PersonLine) -> PersonLine:
        name = one.name and self._sight.shown("address" if "@" in one.name else "id", one.name)
        return msgspec.structs.replace(one, name=name)

    def _mail_line(self, one: MailLine) -> MailLine:
        subject = one.subject and self._sight.text(one.subject)
        return msgspec.structs.replace(one, to=self._sight.shown("address", one.to), subject=subject)
