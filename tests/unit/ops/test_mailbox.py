"""Kept mails with what the ledger says of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livepost.deliver.keep import Keep
from livepost.deliver.mailbox import Mailbox
from livepost.ledger.stored import StoredLedger
from livepost.model.message import Message
from livepost.ops import mailbox as rule
from livepost.ops.mailbox import MailPage, mail_page, mail_shown
from livepost.vault.sqlite import SqliteVault
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, look, make_project


class Kept:
    """A house in which Ada and Bob got a reminder each, and a mail lies that no ledger knows."""

    def __init__(self, folder: Path) -> None:
        self.house = StillHouse(make_project(folder / "shop"))
        for name in ("ada", "bob"):
            known = {**ada(f"{name}-1"), "userId": name}
            known["traits"] = {"email": f"{name}@example.com", "firstName": name.title()}
            self.house.take(known, *(look(one["properties"]["productId"], name) for one in THREE_LOOKS))
        self.house.work()
        of = self.house.folder
        self.vault: SqliteVault = of.vault(readonly=True)
        self.ledger: StoredLedger = of.ledger()
        self.mailbox = Mailbox(of.mailbox, of.settings.workspace)

    def stray(self, person: bytes) -> None:
        """Keep a mail of which the ledger knows nothing."""
        raw = b"To: ada@example.com\r\nSubject: Stray\r\n\r\nText alone\r\n"
        with closing(Keep(self.house.folder.mailbox, self.vault, self.house.folder.settings.workspace)) as writer:
            mail = Message(
                decision=bytes(16),
                person=person,
                sender="a@shop.example",
                recipient="ada@example.com",
                message_id="<1@shop.example>",
                raw=raw,
            )
            assert writer.send([mail])[0].state == "sent"

    def page(
        self,
        subjects: tuple[bytes, ...] | None = None,
        campaign: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> MailPage:
        """Return a page."""
        return mail_page(self.mailbox, self.vault, self.ledger, subjects, campaign, before, limit)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    house = Kept(tmp_path)
    with closing(house.vault), closing(house.ledger):
        yield house


def test_a_mail_is_listed_with_campaign_and_state_of_the_ledger(kept: Kept) -> None:
    page = kept.page()
    assert {mail.to for mail in page.mails} == {"ada@example.com", "bob@example.com"}
    assert {(mail.campaign, mail.state) for mail in page.mails} == {("browse_reminder", "sent")}
    assert all(mail.at is not None and mail.subject.startswith("Still thinking it over, ") for mail in page.mails)
    assert (page.older, page.looked_at) == (None, 2)


def test_a_mail_that_the_ledger_does_not_know_is_listed_as_such(kept: Kept) -> None:
    kept.stray(bytes.fromhex(kept.page().mails[0].person))
    [stray] = kept.page(limit=1).mails
    assert (stray.subject, stray.campaign, stray.state, stray.at) == ("Stray", "", "", None)
    shown = mail_shown(kept.mailbox, kept.vault, kept.ledger, bytes(16))
    assert shown is not None
    assert (shown.html, shown.text, shown.reason) == ("", "Text alone\r\n", None)


def test_a_page_is_of_a_person_or_a_campaign(kept: Kept) -> None:
    first = kept.page().mails[0]
    person = bytes.fromhex(first.person)
    assert [mail.id for mail in kept.page(subjects=(bytes(16), person)).mails] == [first.id]
    assert len(kept.page(campaign="browse_reminder").mails) == 2
    assert kept.page(campaign="another").mails == []


def test_pages_follow_one_another_to_the_end(kept: Kept) -> None:
    first = kept.page(limit=1)
    assert first.older is not None
    second = kept.page(limit=1, before=first.older)
    assert second.older is None
    assert [mail.id for mail in (*first.mails, *second.mails)] == [mail.id for mail in kept.page().mails]


@pytest.mark.parametrize("bound", ["FRAMES_MAX", "ASKED_MAX"])
def test_a_page_looks_at_so_many_mails_and_leads_further_back(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(rule, bound, 1)
    page = kept.page(campaign="another")
    assert (page.mails, page.looked_at) == ([], 1)
    assert page.older is not None
    assert kept.page(campaign="another", before=page.older).older is None


def test_a_page_has_at_most_so_many_mails(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "MAILS_MAX", 1)
    assert len(kept.page(limit=1_000).mails) == 1


def test_a_mail_is_shown_whole_with_why_it_was_sent(kept: Kept) -> None:
    mail = mail_shown(kept.mailbox, kept.vault, kept.ledger, bytes.fromhex(kept.page().mails[0].id))
    assert mail is not None and mail.reason is not None
    assert mail.raw.startswith(b"From: ")
    assert ("To", mail.to) in mail.headers and ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click") in mail.headers
    assert "oolong" in mail.text and "<html" in mail.html
    assert mail.reason.text.startswith("sent: entered Shopper.browsing, decided ")
    assert [move.text for move in mail.reason.moves] == ["pending", "claimed", "in_flight", "sent"]


def test_a_look_at_a_mail_changes_nothing_of_it(kept: Kept) -> None:
    decision = bytes.fromhex(kept.page().mails[0].id)
    before = kept.ledger.history(decision)
    mail_shown(kept.mailbox, kept.vault, kept.ledger, decision)
    assert kept.ledger.history(decision) == before


def test_what_is_not_kept_is_not_shown(kept: Kept) -> None:
    assert mail_shown(kept.mailbox, kept.vault, kept.ledger, bytes(16)) is None
