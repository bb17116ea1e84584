"""Several senders before real servers: one fails amid a bulk, the other takes over, and nobody gets a mail twice."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from livepost.clock import HOUR_MS
from livepost.deliver.courier import send_due
from livepost.deliver.smtp import SmtpSender, route_to
from livepost.ledger.base import RETRY_MS
from livepost.ledger.breakers import OPEN_MS
from livepost.ledger.dispatch import Dispatch
from livepost.ledger.routing import Pace, Routing, SenderRule
from livepost.ledger.store import Row
from livepost.settings.smtp import read_smtp
from tests.real.post import Counter, Office
from tests.unit.deliver.test_smtp import mail

MAILS = 60


class Forgetful(Office):
    """A server that, once `silent`, takes mails and breaks the connection before it says so."""

    silent = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        return await self.told(server, "drop") if self.silent else answer


class Pair:
    """A courier before two servers, the first of which may fail."""

    def __init__(self, folder: Path, open_: ExitStack, routing: Routing | None = None) -> None:
        self.first, self.second = open_.enter_context(closing(Forgetful())), open_.enter_context(closing(Office()))
        senders = {
            name: open_.enter_context(closing(_sender(office)))
            for name, office in (("first", self.first), ("second", self.second))
        }
        self.counter = open_.enter_context(closing(Counter(folder, senders["first"])))
        routing = routing or Routing(senders=tuple(SenderRule(name=name) for name in senders))
        self.counter.courier = msgspec.structs.replace(self.counter.courier, senders=senders, routing=routing)

    def received(self) -> Tally[str]:
        """Return how many mails each person was given, by either server."""
        envelopes = [*self.first.mails, *self.second.mails]
        return Tally(one for envelope in envelopes for one in envelope.rcpt_tos)

    def states(self) -> Tally[tuple[str, str]]:
        """Return how many mails there are by state and sender."""
        return Tally((one.state, one.sender) for one in self.counter.ledger.deliveries(limit=1_000))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as open_:
        yield Pair(tmp_path, open_)


def silent_from_the_third_on(pair: Pair, class_: str) -> None:
    """Send some by the first server, then let it fall silent, and send the rest."""
    pair.counter.wants(MAILS, class_)
    assert send_due(pair.counter.courier, 20).counts == {"sent": 20}
    pair.first.silent = True
    pair.counter.works()


def test_a_server_that_fails_amid_a_bulk_is_followed_by_the_next_and_nobody_gets_two(pair: Pair) -> None:
    silent_from_the_third_on(pair, "marketing")
    states = pair.states()
    unknown = states["unknown", "first"]
    assert 3 <= unknown <= 8  # as many as it has connections
    assert states == {("sent", "first"): 20, ("unknown", "first"): unknown, ("sent", "second"): MAILS - 20 - unknown}
    assert set(pair.received().values()) == {1}
    assert len(pair.received()) == MAILS
    pair.counter.host.advance(HOUR_MS)
    pair.counter.ledger.resend(0)
    assert pair.counter.works() == {}
    assert pair.states() == states  # what nobody knows of stays so


def test_orders_of_which_nobody_knows_wait_for_their_server(pair: Pair) -> None:
    silent_from_the_third_on(pair, "transactional")
    unknown = pair.states()["unknown", "first"]
    assert pair.counter.ledger.resend(0) == unknown
    pair.counter.works()
    assert set(pair.received().values()) == {1}
    assert pair.states()["pending", "first"] == unknown
    pair.first.silent = False
    for _ in range(2):
        pair.counter.host.advance(OPEN_MS)
        pair.counter.works()
    assert pair.states() == {("sent", "first"): 20 + unknown, ("sent", "second"): MAILS - 20 - unknown}


def test_orders_that_were_given_to_another_though_nobody_knows_would_come_twice(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anybody(self: Dispatch, row: Row) -> Sequence[SenderRule]:
        return self._routing.senders

    monkeypatch.setattr(Dispatch, "_candidates", anybody)
    silent_from_the_third_on(pair, "transactional")
    pair.counter.ledger.resend(0)
    pair.counter.works()
    assert 2 in pair.received().values()


def test_an_outage_of_an_hour_of_all_servers_loses_no_order_and_no_attempt(pair: Pair) -> None:
    wanted = pair.counter.wants(MAILS, "transactional")
    for office in (pair.first, pair.second):
        office.answers["MAIL"] = "421 4.3.2 back soon"
    for _ in range(30):
        pair.counter.works()
        pair.counter.host.advance(HOUR_MS // 30)
    attempts = [one.attempts for one in pair.counter.ledger.deliveries(limit=1_000)]
    assert max(attempts) < len(RETRY_MS)
    assert sum(attempts) <= MAILS, "each try of an open breaker is one mail"
    for office in (pair.first, pair.second):
        del office.answers["MAIL"]
    for _ in range(30):
        pair.counter.host.advance(HOUR_MS // 6)
        pair.counter.works()
    assert {pair.counter.state_of(one)[0] for one in wanted} == {"sent"}
    assert set(pair.received().values()) == {1}


def test_a_server_gets_no_more_than_its_pace_and_the_next_one_the_rest(tmp_path: Path) -> None:
    routing = Routing(senders=(SenderRule(name="first", pace=Pace(10, HOUR_MS)), SenderRule(name="second")))
    with ExitStack() as open_:
        pair = Pair(tmp_path, open_, routing)
        pair.counter.wants(MAILS)
        pair.counter.works()
        assert pair.states() == {("sent", "first"): 1, ("sent", "second"): MAILS - 1}


@pytest.mark.parametrize(
    ("command", "answer", "state", "trouble"),
    [
        ("RCPT", "550 5.1.1 no such user", "failed", False),
        ("RCPT", "450 4.2.0 greylisted", "temporary", False),
        ("MAIL", "530 5.7.0 log in first", "temporary", True),
        ("MAIL", "421 4.3.2 going down", "temporary", True),
        ("DATA", "drop", "temporary", True),
        (".", "drop", "unknown", True),
        (".", "451 4.3.0 later", "temporary", False),
        (".", "554 5.6.0 spam", "failed", False),
    ],
)
def test_an_answer_tells_of_the_mail_or_of_the_server(
    pair: Pair, command: str, answer: str, state: str, trouble: bool
) -> None:
    pair.first.answers[command] = answer
    with closing(_sender(pair.first)) as sender:
        [receipt] = sender.send([mail()])
    assert (receipt.state, receipt.trouble, receipt.untried) == (state, trouble, False)


def _sender(office: Office) -> SmtpSender:
    return SmtpSender(route_to(read_smtp(f"smtp://127.0.0.1:{office.port}?tls=none", "test"), "shop.example"))
