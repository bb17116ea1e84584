"""The story of one mail, over a real ledger: the words of `why`, checks, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from livepost.clock import DAY_MS, HOUR_MS, SimulatedClock
from livepost.ledger.base import Settlement
from livepost.ledger.moves import STATES
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.message import Receipt
from livepost.ops.mail_story import checks, mail_story, todo
from livepost.testing.contracts.feedback import told
from livepost.testing.contracts.ledger import ADDRESS, START_MS, consent, decision, page

WANTED = decision(2, cap_times=2, cap_per_ms=7 * DAY_MS)


@pytest.fixture
def ledger() -> Iterator[SqliteLedger]:
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as one:
        one.take_over(page(consent(1), WANTED), START_MS)
        yield one


def test_a_mail_that_was_sent_tells_who_took_it_and_what_became_of_it(ledger: SqliteLedger) -> None:
    [claim] = ledger.claim(START_MS + 10, 1, "c")
    ledger.confirm([claim], [ADDRESS], START_MS + 11)
    ledger.settle(
        [Settlement(claim=claim, receipt=Receipt(state="sent", provider="smtp", provider_id="A1"))], START_MS + 12
    )
    ledger.hear([told(1, "soft_bounced", decision=WANTED.id, at=START_MS + 20)], START_MS + 20)
    story = mail_story(ledger, WANTED.id)
    assert story is not None
    assert (story.campaign, story.step, story.attempts, story.todo) == ("browse_reminder", 1, 1, "")
    assert (story.reason.provider, story.reason.provider_id) == ("smtp", "A1")
    assert story.reason.text.startswith("sent: entered Shopper.browsing")
    assert [one.text for one in story.reason.moves] == ["pending", "claimed", "in_flight", "sent"]
    assert [(one.at, one.text) for one in story.reason.outcomes] == [(START_MS + 20, "soft bounced")]
    assert msgspec.json.encode(story)


def test_a_mail_that_the_ledger_does_not_know_has_none(ledger: SqliteLedger) -> None:
    assert mail_story(ledger, bytes(16)) is None


def test_checks_are_those_of_the_mail() -> None:
    assert "fewer than 2 of the campaign in 7 days" in checks(WANTED)
    assert "marketing is allowed, by the engine's word and the ledger's" in checks(WANTED)
    plain = decision(3, class_="transactional", purpose="orders", lane="transactional")
    assert checks(plain) == ["the campaign is not stopped", "the address is not suppressed"]
    many = decision(
        4, topic="shoes", entered_at=START_MS, overall=((3, HOUR_MS),), quiet=(21 * 60, 8 * 60 + 30, "Europe/Berlin")
    )
    assert "the topic shoes is not switched off" in checks(many)
    assert "fewer than 3 of all campaigns in 1 hour" in checks(many)
    assert "no quiet hours (21:00 to 08:30, Europe/Berlin)" in checks(many)


def test_what_can_be_done_depends_on_state_class_and_reason() -> None:
    assert "never sent again" in todo("unknown", "marketing")
    assert "same Message-ID" in todo("unknown", "transactional")
    assert "livepost check" in todo("skipped", "marketing", "render")
    assert {state for state in STATES if not todo(state, "marketing")} == {"claimed", "in_flight", "sent", "skipped"}
