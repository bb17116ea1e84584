"""A running house hears what became of its mails: from a provider over HTTP, from a mail server by a report.

The mails go to aiosmtpd, whose envelopes have the addresses that the reports come back to.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from livepost.model.feedback import FeedbackTally
from tests.real.post import Office, wait_until
from tests.real.test_smtp import Shop, clear
from tests.unit.sources.esp.samples import sample
from tests.unit.sources.reports import arf, dsn

LOGIN = "events:0123456789abcdef"
SETTINGS = """bounces = "bounces@shop.example"
[[mail_events]]
provider = "postmark"
secret = "file:../postmark.secret"
"""
TRY_LATER = 75


class Told:
    """A shop whose reminder to ada has arrived at a mail server."""

    def __init__(self, folder: Path, office: Office) -> None:
        self._office = office
        (folder / "postmark.secret").write_text(LOGIN + "\n")
        self.shop = Shop(folder, clear(office.port), SETTINGS)
        self.house = self.shop.house
        self.shop.looks("ada")
        wait_until("the reminder to be settled", lambda: self.shop.states() == {"sent": 1})

    @property
    def path(self) -> str:
        """Whom the mail came from, as its envelope says."""
        return str(self._office.mails[0].mail_from)

    @property
    def raw(self) -> bytes:
        """The mail as it arrived."""
        return self._office.raws()[0]

    def reports(self, raw: bytes, *options: str) -> int:
        """Give a report to the command, as an alias would; return its exit code."""
        command = [sys.executable, "-m", "livepost.cli", "bounce", *options]
        environment = {**os.environ, **self.house._environment}
        folder = self.house.project_folder
        done = subprocess.run(command, input=raw, cwd=folder, env=environment, capture_output=True, check=False)
        return done.returncode

    def posts(self, told: Any, login: str = LOGIN) -> int:
        """Tell an event as Postmark does; return the status."""
        headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.house.folder.port, timeout=20)) as connection:
            connection.request("POST", "/hooks/esp/postmark", json.dumps(told), headers)
            return connection.getresponse().status

    def decision(self) -> bytes:
        with closing(self.house.folder.ledger()) as ledger:
            return next(one.decision.id for one in ledger.deliveries() if one.decision.campaign == "reminder")

    def outcomes(self) -> list[str]:
        with closing(self.house.folder.ledger()) as ledger:
            return [one.outcome for one in ledger.outcomes(self.decision())]

    def counts(self) -> list[FeedbackTally]:
        with closing(self.house.folder.ledger()) as ledger:
            return ledger.feedback_counts()

    def what_a_receipt_comes_to(self) -> tuple[str, str]:
        """Let ada order; return what becomes of the receipt, a transactional mail."""
        self.shop._post("track", {"userId": "ada", "event": "Order Completed", "properties": _ORDER})

        def receipt() -> list[tuple[str, str]]:
            with closing(self.house.folder.ledger()) as ledger:
                found = ledger.deliveries(campaign="receipt")
            return [(one.state, one.reason) for one in found if one.state in ("sent", "skipped")]

        wait_until("the receipt to be settled", lambda: bool(receipt()))
        return receipt()[0]

    def names(self) -> list[str]:
        """Return the names of what the log has of mails, but for their sending."""
        with closing(self.house.folder.log_reader()) as log:
            records = [record for block in log.read(-1, 10_000) for record in block.records()]
        return [one.name for one in records if one.source == "livepost" and one.name != "Email Sent"]


_ORDER = {"order_id": "1", "total": 10, "currency": "USD"}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with closing(Office()) as office:
        one = Told(tmp_path, office)
        with closing(one.shop):
            yield one


def forged(path: str) -> str:
    """Return the address of a bounce with one letter of its token changed."""
    at = path.index("+") + 5
    return path[:at] + ("b" if path[at] == "a" else "a") + path[at + 1 :]


def test_a_bounce_is_of_the_mail_whose_address_it_came_to(told: Told) -> None:
    assert told.path.startswith("bounces+") and told.path.endswith("@shop.example")
    assert b"bounces" not in told.raw, "the address people see stays the shop's"
    assert told.reports(dsn(to=forged(told.path), path=forged(told.path))) == 0
    assert (told.outcomes(), told.names()) == ([], [])
    assert told.reports(dsn(to=told.path)) == 0
    assert (told.outcomes(), told.names()) == (["bounced"], ["Email Bounced"])
    assert told.reports(dsn(to=told.path)) == 0
    assert told.counts() == [
        FeedbackTally(provider="smtp", outcome="bounced", ours=False, count=1),
        FeedbackTally(provider="smtp", outcome="bounced", ours=True, count=1),
    ]
    assert told.what_a_receipt_comes_to() == ("skipped", "suppressed")


def test_without_a_bounce_the_receipt_goes(told: Told) -> None:
    """The negative control: a forged report, and a report that says nothing against the mail, keep nothing back."""
    assert told.reports(dsn(to=forged(told.path))) == 0
    assert told.reports(dsn(to=told.path, status="4.2.2", action="delayed")) == 0
    assert told.what_a_receipt_comes_to() == ("sent", "")


def test_a_complaint_by_mail_takes_back_consent_and_suppresses(told: Told, tmp_path: Path) -> None:
    maildir = tmp_path / "Maildir"
    for name in ("new", "cur", "tmp"):
        (maildir / name).mkdir(parents=True)
    (maildir / "new" / "1.complaint").write_bytes(arf(path=told.path))
    assert told.reports(b"", "--maildir", str(maildir)) == 0
    assert [path.name for path in (maildir / "cur").iterdir()] == ["1.complaint:2,S"]
    assert (told.outcomes(), told.names()) == (["complained"], ["Email Marked as Spam", "Unsubscribed"])
    assert told.what_a_receipt_comes_to() == ("skipped", "suppressed")


def test_while_no_house_runs_a_report_is_for_later(told: Told) -> None:
    told.shop.close()
    assert told.reports(dsn(to=told.path)) == TRY_LATER
    told.house.start()
    wait_until("the front to listen", lambda: told.reports(dsn(to=told.path)) == 0)
    assert told.outcomes() == ["bounced"]


def test_a_providers_event_is_heard_by_the_running_house(told: Told) -> None:
    event = sample("postmark", "complained", told.decision().hex())
    assert told.posts(event, "events:another-password") == 401
    assert (told.outcomes(), told.counts()) == ([], [])
    assert [told.posts(event), told.posts(event)] == [200, 200]
    assert (told.outcomes(), told.names()) == (["complained"], ["Email Marked as Spam", "Unsubscribed"])
    assert told.what_a_receipt_comes_to() == ("skipped", "suppressed")


def test_an_event_is_kept_though_the_front_is_killed_right_after(told: Told) -> None:
    event = sample("postmark", "unsubscribed", told.decision().hex())
    assert told.posts(event) == 200
    told.house.kill("front")
    wait_until("the front to listen", _answers(lambda: told.posts(event) == 200))
    assert (told.outcomes(), told.names()) == (["unsubscribed"], ["Unsubscribed"])


def _answers(ask: Callable[[], bool]) -> Callable[[], bool]:
    def answered() -> bool:
        try:
            return ask()
        except OSError:
            return False

    return answered
