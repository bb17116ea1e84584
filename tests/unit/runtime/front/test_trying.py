"""Test sends, from a wish to a kept mail: sent to the typed address, counted nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest

from livepost.clock import WallClock
from livepost.deliver.keep import read
from livepost.deliver.mail import NotMade
from livepost.errors import RejectedError
from livepost.ledger.base import Delivery
from livepost.model.decision import TEST
from livepost.model.feedback import Feedback
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.front.reasons import person_of
from livepost.runtime.front.trying import Trying
from tests.unit.runtime.still import StillHouse, ada, make_project

TO = "grace@example.com"
MAIL = RenderedMail(subject="Hello Ada", html='<a href="#">Unsubscribe</a>', text="Hello")


class Made:
    """Makes always the same."""

    def __init__(self, made: RenderedMail | NotMade = MAIL) -> None:
        self.made = made

    def of(self, campaign: str, view: PersonView, shown: object = None) -> RenderedMail | NotMade:
        return self.made


class Asking:
    """A house in which somebody asks for tests as Ada."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.house = StillHouse(make_project(folder / "shop"))
        self.house.take(ada())
        self.house.work()
        self.vault = opened.enter_context(closing(self.house.folder.vault(readonly=True)))
        self.ledger = opened.enter_context(closing(self.house.folder.ledger()))
        with engine_of(self.house.folder, self.house.project) as engine:
            self.view = person_of(self.vault, engine, "ada", ())

    def ask(self, to: str = TO, once: str = "1", made: RenderedMail | NotMade = MAIL) -> Delivery:
        workspace = self.house.folder.settings.workspace
        trying = Trying(previews=Made(made), ledger=self.ledger, workspace=workspace, clock=WallClock())
        return trying.send(self.vault, self.view, "browse_reminder", to, "console", once).delivery

    def became(self, one: Delivery) -> tuple[str, str]:
        self.house.work()
        found = self.ledger.delivery(one.decision.id)
        assert found is not None
        return found.state, found.reason


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    with ExitStack() as opened:
        yield Asking(tmp_path, opened)


def test_the_mail_as_it_was_made_goes_to_the_address_marked_and_once(asking: Asking) -> None:
    one = asking.ask()
    assert asking.ask() == one and asking.ask(once="2") != one
    assert asking.became(one) == ("sent", "")
    folder = asking.house.folder
    [kept] = read(folder.mailbox, asking.vault, folder.settings.workspace, decision=one.decision.id, limit=1)
    mail = message_from_bytes(kept.raw, policy=SMTP)
    assert (mail["To"], mail["Subject"], mail["List-Unsubscribe"]) == (TO, "[Test] Hello Ada", None)
    assert b"/c/" not in kept.raw and b"/u/" not in kept.raw
    assert asking.ledger.draft(one.decision.id) is None


def test_it_counts_as_no_mail_of_the_campaign_and_nothing_of_it_is_told_of_the_person(asking: Asking) -> None:
    with closing(asking.house.folder.log_reader()) as log:
        before = log.last().seq
        asking.became(asking.ask())
        assert log.last().seq == before
    assert {one.campaign for one in asking.ledger.counts() if one.count} == {TEST}


def test_a_suppressed_address_gets_none(asking: Asking) -> None:
    asking.ledger.suppress_all([asking.vault.blind("suppression", TO)], "bounced", 0)
    assert asking.became(asking.ask()) == ("skipped", "suppressed")


def test_a_complaint_about_it_takes_nothing_from_the_person_it_was_made_as(asking: Asking) -> None:
    one = asking.ask()
    asking.became(one)
    before = asking.ledger.standing(asking.view.person)
    told = Feedback(
        key=b"k" * 16,
        provider="keep",
        outcome="complained",
        at=0,
        decision=one.decision.id,
        suppress="complained",
        withdraws=True,
    )
    [heard] = asking.ledger.hear([told], 1)
    assert heard.new and not heard.unlogged
    assert asking.ledger.standing(asking.view.person) == before
    assert asking.ledger.suppression(asking.vault.blind("suppression", TO)) is not None


def test_what_cannot_be_sent_is_refused_and_leaves_nothing(asking: Asking) -> None:
    with pytest.raises(RejectedError, match="expected a bare ASCII address"):
        asking.ask(to="grace")
    with pytest.raises(RejectedError, match="the mail could not be made, a filter"):
        asking.ask(made=NotMade("render", "a filter"))
    assert asking.ledger.deliveries() == []


def test_a_test_that_was_taken_stands_even_where_its_mail_could_not_be_made_now(asking: Asking) -> None:
    one = asking.ask()
    assert asking.ask(made=NotMade("render", "gone")) == one
    with pytest.raises(RejectedError, match="expected the test that this idempotency key came with first"):
        asking.ask(to="eve@example.com")
