"""What every ledger makes of senders: breakers, paces, warm-ups, and who gets a mail. `bench` opens it twice.

`within_pace` and `never_by_two` are the checks to be run against a weakened body too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS, SimulatedClock
from livepost.ids import digest
from livepost.ledger.base import RETRY_MS, Claimed, Ledger, Ready, SenderStanding, Settlement
from livepost.ledger.breakers import FAILURES, OPEN_MS, PROBE_MS
from livepost.ledger.routing import ANY_DOMAIN, Pace, Routing, SenderRule, WarmUp
from livepost.model.message import Receipt
from livepost.testing.contracts.ledger import (
    ADDRESS,
    START_MS,
    DurableLedgerBench,
    consent,
    decision,
    page,
    state_of,
)

TWO = Routing(senders=(SenderRule(name="first"), SenderRule(name="second")))
ONE = Routing(senders=(SenderRule(name="first"),))
SENT = Receipt(state="sent", text="250 ok", provider="smtp")
DOWN = Receipt(state="temporary", text="not there", provider="smtp", trouble=True, untried=True)
SPARED = Receipt(state="temporary", text="spared", provider="smtp", untried=True)
SILENT = Receipt(state="unknown", text="no answer", provider="smtp", trouble=True)
REFUSED = Receipt(state="failed", text="550 no such user", provider="smtp")
ORDER: dict[str, Any] = {"class_": "transactional", "lane": "transactional", "purpose": "orders"}


def filled(ledger: Ledger, count: int, first: int = 1, **also: Any) -> None:
    """Let the ledger have `count` mails, each to a person of its own who allows them."""
    for number in range(first, first + count):
        person = digest("person", number)
        ledger.take_over(page(consent(number, person=person), decision(number, person=person, **also)), START_MS)


def given(
    ledger: Ledger, routing: Routing, now_ms: int = START_MS, *, limit: int = 20, domain: str = ""
) -> list[tuple[Claimed, str]]:
    """Claim and confirm mails; return those in flight with their sender's name."""
    claims = ledger.claim(now_ms, limit, "w", routing=routing)
    hashes = [digest("to", claim.decision.id) for claim in claims]
    answers = ledger.confirm(claims, hashes, now_ms, routing, [domain] * len(claims)) if claims else []
    return [(answer.claim, answer.sender) for answer in answers if not answer.reason]


def answered(ledger: Ledger, mails: Sequence[tuple[Claimed, str]], receipt: Receipt, now_ms: int = START_MS) -> None:
    """Settle mails, all with the same answer."""
    ledger.settle([Settlement(claim=claim, receipt=receipt) for claim, _ in mails], now_ms)


def standing(ledger: Ledger, name: str = "first") -> SenderStanding:
    """Return how a sender of TWO stands."""
    return next(one for one in ledger.senders(TWO) if one.name == name)


def within_pace(pace: Pace, couriers: Sequence[Ledger], host: SimulatedClock, seed: int, *, by_domain: bool) -> None:
    """Let couriers send 60 mails under one pace, looking at odd times; check with a plain list of times that no window
    has too many, and that all went.
    """
    rule = SenderRule(name="first", pace=None if by_domain else pace)
    routing = Routing(senders=(rule,), domains={"shop.example": pace} if by_domain else {})
    filled(couriers[0], 60, lane="bulk")
    draws = random.Random(seed)  # noqa: S311
    times: list[int] = []
    for _ in range(4_000):
        now_ms = host.now_ms()
        mails = given(draws.choice(couriers), routing, now_ms, limit=draws.randint(1, 20), domain="shop.example")
        answered(couriers[0], mails, SENT, now_ms)
        times += [now_ms] * len(mails)
        if len(times) == 60:
            break
        host.advance(draws.choice((0, 1, 7, pace.per_ms // 3, pace.per_ms)))
    assert len(times) == 60, f"expected all 60 mails to go, {len(times)} went"
    for begin in times:
        window = sum(begin <= at < begin + pace.per_ms for at in times)
        assert window <= pace.times + pace.burst, f"{window} mails within {pace}"


def never_by_two(ledger: Ledger, host: SimulatedClock) -> None:
    """Let the first sender be silent about an order's mail, then be away: nobody else may have that mail."""
    filled(ledger, 1, **ORDER)
    answered(ledger, given(ledger, TWO), SILENT)
    filled(ledger, FAILURES, first=10)
    answered(ledger, given(ledger, TWO), SILENT)
    assert standing(ledger).breaker == "open"
    assert ledger.resend(START_MS) == 1
    assert given(ledger, TWO) == [], "a mail that the first sender may have was given to another"
    host.advance(OPEN_MS)
    [(claim, sender)] = given(ledger, TWO, START_MS + OPEN_MS)
    assert (claim.decision.class_, sender) == ("transactional", "first")


class RoutingContract:
    """Run for each body."""

    @pytest.fixture
    def host(self) -> SimulatedClock:
        """The clock of leases, breakers and paces."""
        return SimulatedClock(START_MS)

    @pytest.fixture
    def ledger(self, bench: DurableLedgerBench, host: SimulatedClock) -> Ledger:
        """A ledger."""
        return bench.new(host)

    def test_the_preferred_sender_gets_the_mail_and_the_ledger_keeps_its_name(self, ledger: Ledger) -> None:
        filled(ledger, 2)
        mails = given(ledger, TWO)
        assert [sender for _, sender in mails] == ["first", "first"]
        delivery = ledger.delivery(mails[0][0].decision.id)
        assert delivery is not None
        assert (delivery.state, delivery.sender) == ("in_flight", "first")
        assert standing(ledger).in_flight == 2

    def test_what_a_sender_answers_counts_for_the_group_that_is_put_in_flight_with_it(self, ledger: Ledger) -> None:
        filled(ledger, FAILURES + 2)
        mails = given(ledger, ONE, limit=FAILURES)
        claims = ledger.claim(START_MS, 1, "w", routing=ONE)
        down = [Settlement(claim=claim, receipt=DOWN) for claim, _ in mails]
        ready = Ready(claims=claims, addresses=[digest("to")], domains=[""])
        done = ledger.advance(down, ready, START_MS, 1, "w", routing=ONE)
        assert [one.reason for one in done.confirmed] == ["breaker"]
        assert done.claimed == []

    def test_a_sender_in_trouble_loses_the_mails_to_the_next(self, ledger: Ledger) -> None:
        filled(ledger, FAILURES)
        answered(ledger, given(ledger, TWO), DOWN)
        assert standing(ledger).breaker == "open"
        assert [sender for _, sender in given(ledger, TWO)] == ["second"] * FAILURES

    def test_refused_recipients_are_no_trouble(self, ledger: Ledger) -> None:
        filled(ledger, 10)
        answered(ledger, given(ledger, TWO), REFUSED)
        assert (standing(ledger).breaker, standing(ledger).answered) == ("closed", 10)

    def test_trouble_below_the_mark_is_forgotten_when_the_sender_is_well(self, ledger: Ledger) -> None:
        for first in (1, 10, 20):
            filled(ledger, FAILURES - 1, first=first)
            answered(ledger, given(ledger, ONE), SILENT)
            filled(ledger, 1, first=first + 5)
            answered(ledger, given(ledger, ONE), SENT)
        assert standing(ledger).breaker == "closed"
        assert standing(ledger).troubled == 3 * (FAILURES - 1)

    def test_while_all_are_open_nothing_is_claimed_and_no_attempt_is_lost(
        self, ledger: Ledger, host: SimulatedClock
    ) -> None:
        filled(ledger, FAILURES + 1, **ORDER)
        for _ in range(12):  # an outage of an hour and more, looked at again and again
            while mails := given(ledger, ONE, host.now_ms()):
                answered(ledger, mails, DOWN, host.now_ms())
            host.advance(10 * MINUTE_MS)
        found = ledger.deliveries()
        assert {(one.state, one.attempts) for one in found} == {("pending", 0)}
        host.advance(HOUR_MS)
        sent: list[str] = []
        while mails := given(ledger, ONE, host.now_ms()):
            answered(ledger, mails, SENT, host.now_ms())
            sent += [sender for _, sender in mails]
        assert sent == ["first"] * (FAILURES + 1)

    def test_one_mail_tries_whether_the_sender_is_well(self, ledger: Ledger, host: SimulatedClock) -> None:
        filled(ledger, 8)
        answered(ledger, given(ledger, ONE), DOWN)
        host.advance(OPEN_MS)
        [probe] = given(ledger, ONE)
        assert standing(ledger).breaker == "half-open"
        assert given(ledger, ONE) == []
        answered(ledger, [probe], DOWN)
        host.advance(OPEN_MS)
        assert given(ledger, ONE) == []  # twice as long
        host.advance(OPEN_MS)
        answered(ledger, given(ledger, ONE), SENT)
        assert standing(ledger).breaker == "closed"
        assert len(given(ledger, ONE)) == 7

    def test_a_try_that_nobody_answers_is_followed_by_another(self, ledger: Ledger, host: SimulatedClock) -> None:
        filled(ledger, 8)
        answered(ledger, given(ledger, ONE), DOWN)
        host.advance(OPEN_MS)
        assert len(given(ledger, ONE)) == 1
        host.advance(PROBE_MS)
        assert len(given(ledger, ONE)) == 1

    def test_a_breaker_that_is_open_for_longer_than_any_is_of_a_clock_set_back(self, bench: DurableLedgerBench) -> None:
        late = SimulatedClock(START_MS + DAY_MS)
        ledger = bench.new(late)
        filled(ledger, FAILURES)
        answered(ledger, given(ledger, ONE), DOWN)
        again = bench.again(ledger, SimulatedClock(START_MS))
        assert len(given(again, ONE)) == 1

    def test_what_a_sender_asks_to_wait_is_waited(self, ledger: Ledger, host: SimulatedClock) -> None:
        filled(ledger, 2)
        busy = Receipt(state="temporary", text="429", trouble=True, wait_ms=20 * MINUTE_MS)
        [first] = given(ledger, ONE, limit=1)
        answered(ledger, [first], busy)
        assert standing(ledger).open_until == START_MS + 20 * MINUTE_MS
        host.advance(20 * MINUTE_MS - 1)
        assert given(ledger, ONE) == []
        host.advance(1)
        assert len(given(ledger, ONE)) == 1

    def test_a_mail_of_which_nobody_knows_is_never_given_to_another(self, ledger: Ledger, host: SimulatedClock) -> None:
        never_by_two(ledger, host)

    def test_nor_after_the_sender_was_away_meanwhile(self, ledger: Ledger, host: SimulatedClock) -> None:
        filled(ledger, 1, **ORDER)
        answered(ledger, given(ledger, TWO), SILENT)
        ledger.resend(START_MS)
        for _ in range(FAILURES):
            answered(ledger, given(ledger, TWO), DOWN)
        assert standing(ledger).breaker == "open"
        assert given(ledger, TWO) == []
        host.advance(OPEN_MS)
        assert [sender for _, sender in given(ledger, TWO)] == ["first"]

    def test_nor_after_a_crash_or_a_restore(self, ledger: Ledger) -> None:
        filled(ledger, 2, **ORDER)
        mails = given(ledger, TWO)
        swapped = Routing(senders=(TWO.senders[1], TWO.senders[0]))
        ledger.recover(START_MS, "w")
        ledger.resend(START_MS)
        assert [sender for _, sender in given(ledger, swapped)] == ["first", "first"]
        ledger.hold(START_MS)
        ledger.release([claim.decision.id for claim, _ in mails], START_MS, "looked at")
        assert [sender for _, sender in given(ledger, swapped)] == ["first", "first"]

    def test_a_mail_whose_sender_is_not_named_any_more_waits(self, ledger: Ledger, host: SimulatedClock) -> None:
        filled(ledger, 1, **ORDER)
        answered(ledger, given(ledger, TWO), SILENT)
        ledger.resend(START_MS)
        assert given(ledger, Routing(senders=TWO.senders[1:])) == []
        [delivery] = ledger.deliveries()
        assert (delivery.state, delivery.detail) == (
            "pending",
            "perhaps first has it, which senders does not name any more",
        )
        host.advance(HOUR_MS)
        assert [sender for _, sender in given(ledger, TWO, host.now_ms())] == ["first"]  # named again

    def test_a_definite_refusal_for_now_may_go_to_another(self, ledger: Ledger, host: SimulatedClock) -> None:
        filled(ledger, FAILURES)
        answered(ledger, given(ledger, TWO), Receipt(state="temporary", text="421", trouble=True))
        host.advance(RETRY_MS[0] - OPEN_MS)
        assert given(ledger, TWO) == []  # the back-off is kept
        host.advance(OPEN_MS)
        senders = [sender for _, sender in given(ledger, TWO)]
        assert senders == ["first", "second", "second"]  # one tries

    def test_a_mail_that_was_spared_costs_no_attempt_and_says_nothing_of_the_sender(self, ledger: Ledger) -> None:
        filled(ledger, 5)
        answered(ledger, given(ledger, ONE), SPARED)
        assert standing(ledger).troubled == 0
        assert {one.attempts for one in ledger.deliveries()} == {0}

    @pytest.mark.parametrize("by_domain", [False, True])
    @pytest.mark.parametrize("pace", [Pace(10, 1_000), Pace(7, 60_000), Pace(1, 5_000), Pace(30, 100)])
    def test_couriers_keep_a_pace_together(
        self, bench: DurableLedgerBench, host: SimulatedClock, pace: Pace, by_domain: bool
    ) -> None:
        ledger = bench.new(host)
        within_pace(pace, [ledger, bench.again(ledger, host)], host, pace.times, by_domain=by_domain)

    def test_a_paced_domain_keeps_no_other_waiting_and_orders_go_first(
        self, ledger: Ledger, host: SimulatedClock
    ) -> None:
        routing = Routing(senders=ONE.senders, domains={"slow.example": Pace(1, MINUTE_MS)})
        filled(ledger, 18, lane="bulk")
        assert len(given(ledger, routing, domain="slow.example")) == 1
        filled(ledger, 5, first=100, lane="bulk")
        assert len(given(ledger, routing)) == 5  # to elsewhere
        filled(ledger, 1, first=200, **ORDER)
        host.advance(MINUTE_MS)
        now_ms = host.now_ms()
        [(claim, _)] = given(ledger, routing, now_ms, domain="slow.example")
        assert claim.decision.class_ == "transactional"

    def test_each_other_domain_has_a_pace_of_its_own(self, ledger: Ledger) -> None:
        routing = Routing(senders=ONE.senders, domains={ANY_DOMAIN: Pace(1, MINUTE_MS)})
        filled(ledger, 4)
        assert len(given(ledger, routing, limit=2, domain="*a")) == 1
        assert len(given(ledger, routing, limit=2, domain="*b")) == 1

    def test_a_sender_without_a_slot_leaves_the_mail_to_the_next(self, ledger: Ledger) -> None:
        routing = Routing(senders=(SenderRule(name="first", pace=Pace(2, MINUTE_MS)), SenderRule(name="second")))
        filled(ledger, 4)
        assert [sender for _, sender in given(ledger, routing)] == ["first", "second", "second", "second"]

    def test_a_new_sender_gets_so_much_marketing_a_day_and_all_orders(
        self, ledger: Ledger, host: SimulatedClock
    ) -> None:
        begins = datetime.fromtimestamp(START_MS / 1_000, UTC).date()
        warm = WarmUp(begins=begins, first=2, factor=2, until=1_000)
        routing = Routing(senders=(SenderRule(name="first", warm_up=warm),))
        filled(ledger, 9)
        assert len(given(ledger, routing)) == 2
        filled(ledger, 1, first=100, **ORDER)
        assert len(given(ledger, routing)) == 1
        assert given(ledger, routing) == []
        [told] = ledger.senders(routing)
        assert (told.quota, told.today) == (2, 3)
        host.advance(DAY_MS - START_MS % DAY_MS)
        assert len(given(ledger, routing, host.now_ms())) == 4

    def test_marketing_that_would_wait_for_a_day_is_not_sent(self, ledger: Ledger, host: SimulatedClock) -> None:
        routing = Routing(senders=ONE.senders, domains={"slow.example": Pace(1, DAY_MS)})
        filled(ledger, 3)
        assert len(given(ledger, routing, domain="slow.example")) == 1
        assert sorted(one.state for one in ledger.deliveries()) == ["in_flight", "pending", "skipped"]

    def test_mails_are_counted_by_sender_and_state_as_they_are_in_the_table(self, ledger: Ledger) -> None:
        filled(ledger, 6)
        mails = given(ledger, ONE)
        assert standing(ledger).by_state == {"in_flight": 6}
        answered(ledger, mails[:3], Receipt(state="sent", at_ms=START_MS))
        answered(ledger, mails[3:5], Receipt(state="failed", text="550", at_ms=START_MS))
        answered(ledger, mails[5:], Receipt(state="unknown", text="lost", at_ms=START_MS))
        told = Counter((one.sender, one.state) for one in ledger.deliveries())
        assert told == {("first", state): count for state, count in standing(ledger).by_state.items()}
        assert standing(ledger).by_state == {"sent": 3, "failed": 2, "unknown": 1}
        ledger.resolve(mails[5][0].decision.id, "sent", "it has it", START_MS)
        assert standing(ledger).by_state == {"sent": 4, "failed": 2}

    def test_without_a_routing_nothing_is_noted(self, ledger: Ledger) -> None:
        filled(ledger, 1)
        [claim] = ledger.claim(START_MS, 1, "w")
        [answer] = ledger.confirm([claim], [ADDRESS], START_MS)
        assert (answer.reason, answer.sender) == ("", "")
        ledger.settle([Settlement(claim=claim, receipt=msgspec.structs.replace(DOWN, untried=False))], START_MS)
        assert state_of(ledger, claim.decision)[0] == "pending"
        assert standing(ledger).troubled == 0
