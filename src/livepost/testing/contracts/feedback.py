"""What every ledger makes of what is told of mails; mixed into a `LedgerContract`, which gives `bench` and `ledger`.

`taken_away` is the check that nothing told lets a mail go, to be run against a weakened body too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import DAY_MS, HOUR_MS, SimulatedClock
from livepost.ids import digest
from livepost.ledger.base import ALL_MARKETING, COMPLAINTS, Claimed, Ledger, Settlement
from livepost.ledger.feedback import SOFT_BOUNCES, SOFT_WITHIN_MS
from livepost.model.feedback import COMPLAINTS_HOURS, MAILS_MIN, ComplaintRate, Feedback, FeedbackTally, OutcomeKind
from livepost.model.message import Receipt, ReceiptState
from livepost.testing.contracts.ledger import (
    ADA,
    ADDRESS,
    BOB,
    START_MS,
    LedgerBench,
    consent,
    decision,
    flown,
    page,
    settled,
    state_of,
)

OTHER = digest("bob@example.com")
KINDS: tuple[OutcomeKind | None, ...] = (
    None,
    "delivered",
    "opened",
    "clicked",
    "deferred",
    "soft_bounced",
    "bounced",
    "rejected",
    "complained",
    "unsubscribed",
)
SUPPRESS = {"bounced": "bounced", "complained": "complained"}


def told(number: int, outcome: OutcomeKind | None, **also: Any) -> Feedback:
    """Return what is told of the `number`-th decision's mail to ADDRESS, as `measure.feedback` makes it."""
    known: dict[str, Any] = {
        "key": digest("told", number, outcome or "", also.get("at", 0)),
        "provider": "sendgrid",
        "outcome": outcome,
        "at": START_MS + 5,
        "proves": "failed" if outcome == "rejected" else "sent",
        "decision": decision(number).id,
        "address": ADDRESS,
        "suppress": SUPPRESS.get(outcome or "", ""),
        "withdraws": outcome in ("complained", "unsubscribed"),
    }
    return Feedback(**known | also)


def mailed(ledger: Ledger, *numbers: int, state: ReceiptState = "sent", **also: Any) -> None:
    """Let mails to ADDRESS of so many decisions be sent, or whatever the sender answers."""
    for number in numbers:
        one = decision(number, **also)
        ledger.take_over(page(one), START_MS)
        claims = [claim for claim in ledger.claim(START_MS, 10, "w") if claim.decision.id == one.id]
        settled(ledger, flown(ledger, claims), state)


def crowd(ledger: Ledger, mails: int, first: int = 10_000) -> None:
    """Let so many marketing mails be sent, each to a person and an address of its own."""
    persons = [digest("crowd", first + number) for number in range(mails)]
    one = [decision(first + number, person=person) for number, person in enumerate(persons)]
    ledger.take_over(page(*(consent(first, person=person) for person in persons), *one), START_MS)
    while claims := ledger.claim(START_MS, 20, "w"):
        answers = ledger.confirm(claims, [digest("to", claim.decision.id) for claim in claims], START_MS)
        settled(ledger, [answer.claim for answer in answers], "sent")


def complained(ledger: Ledger, number: int, at: int = START_MS) -> None:
    """Let the recipient of the `number`-th mail of a crowd complain."""
    one = decision(number)
    ledger.hear([told(number, "complained", address=digest("to", one.id))], at)


def gone(ledger: Ledger, addresses: dict[bytes, bytes]) -> set[bytes]:
    """Claim all there is and put it in flight; return the decisions of what passed every check."""
    passed = set()
    while claims := ledger.claim(START_MS + DAY_MS, 20, "last"):
        answers = ledger.confirm(claims, [addresses[claim.person] for claim in claims], START_MS + DAY_MS)
        flying = [answer.claim for answer in answers if not answer.reason]
        passed |= {claim.decision.id for claim in flying}
        settled(ledger, flying, "sent")
    return passed


ADDRESSES = {ADA: ADDRESS, BOB: OTHER}


def lived(ledger: Ledger, steps: Sequence[tuple[str, int]]) -> None:
    """Live a part of a ledger's life: decide, send with some answer, withdraw, suppress, stop."""
    for number, (step, which) in enumerate(steps, 1):
        person = (ADA, BOB)[which % 2]
        match step:
            case "decide":
                cap = {"cap_times": 1, "cap_per_ms": DAY_MS} if which % 3 == 0 else {}
                class_ = "transactional" if which % 5 == 0 else "marketing"
                ledger.take_over(page(decision(number, person=person, class_=class_, **cap)), START_MS)
            case "send":
                _send(ledger, ledger.claim(START_MS, 1 + which, "w"), which)
            case "withdraw":
                ledger.withdraw(person, "marketing", START_MS + 1, "link")
            case "suppress":
                ledger.suppress(ADDRESSES[person], "asked", START_MS)
            case _:
                ledger.kill(ALL_MARKETING, True, START_MS)


def _send(ledger: Ledger, claims: Sequence[Claimed], which: int) -> None:
    states: tuple[ReceiptState, ...] = ("sent", "unknown", "failed", "temporary")
    answers = ledger.confirm(claims, [ADDRESSES[claim.person] for claim in claims], START_MS)
    flying = [answer.claim for answer in answers if not answer.reason]
    receipts = [Receipt(state=states[(which + at) % 4], provider="sendgrid") for at in range(len(flying))]
    ledger.settle([Settlement(claim=c, receipt=r) for c, r in zip(flying, receipts, strict=True)], START_MS)


STEPS = st.tuples(st.sampled_from(("decide", "decide", "send", "withdraw", "suppress", "kill")), st.integers(0, 9))
TOLD = st.tuples(st.integers(1, 12), st.sampled_from(KINDS), st.sampled_from((ADDRESS, OTHER, digest("nobody"), None)))


def taken_away(new: Callable[[], Ledger], steps: Sequence[tuple[str, int]], events: Sequence[Any]) -> set[bytes]:
    """Return the mails that go after some events and would not have gone without them: there must be none."""
    sets = []
    for hears in (False, True):
        ledger = new()
        ledger.take_over(page(consent(0), consent(0, person=BOB)), START_MS)
        lived(ledger, steps)
        if hears:
            ledger.hear([told(number, kind, address=address) for number, kind, address in events], START_MS + 10)
            ledger.ease(START_MS + 10)
        sets.append(gone(ledger, ADDRESSES))
        ledger.close()
    without, with_events = sets
    return with_events - without


class FeedbackContract:
    """What every ledger does with what is told of mails."""

    def test_what_is_long_over_is_forgotten_and_what_is_not_stays(self, ledger: Ledger) -> None:
        mailed(ledger, 1)
        ledger.take_over(page(decision(2)), START_MS)
        ledger.hear([told(1, "delivered"), told(1, "opened")], START_MS)
        ledger.logged([told(1, "delivered").key])
        assert ledger.last_decided() == {decision(1).campaign: decision(2).at}
        later = START_MS + 400 * DAY_MS
        assert set(ledger.drop_aged(START_MS - 1).values()) == {0}
        there = {what: count for what, (count, _) in ledger.aged(later).items() if count}
        assert there == {"addresses": 1, "answers of servers": 1, "answers in moves": 1, "events of providers": 1}
        assert {what: count for what, count in ledger.drop_aged(later).items() if count} == there
        assert set(ledger.drop_aged(later).values()) == {0}
        assert [state_of(ledger, decision(number))[0] for number in (1, 2)] == ["sent", "pending"]
        assert sum(one.count for one in ledger.feedback_counts()) == 2

    def test_what_is_told_of_a_mail_is_its_outcome_and_goes_to_the_log_once(self, ledger: Ledger) -> None:
        mailed(ledger, 1)
        [first] = ledger.hear([told(1, "delivered")], START_MS + 9)
        assert (first.new, first.unlogged, first.decision, first.person) == (True, True, decision(1).id, ADA)
        assert [(one.outcome, one.at) for one in ledger.outcomes(decision(1).id)] == [("delivered", START_MS + 5)]
        [again] = ledger.hear([told(1, "delivered")], START_MS + 99)
        assert (again.new, again.unlogged, again.person) == (False, True, ADA)
        ledger.logged([again.feedback.key])
        [again] = ledger.hear([told(1, "delivered")], START_MS + 99)
        assert (again.new, again.unlogged) == (False, False)
        assert ledger.feedback_counts() == [FeedbackTally(provider="sendgrid", outcome="delivered", ours=True, count=1)]

    def test_a_mail_is_found_by_its_providers_id_too(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        [claim] = flown(ledger, ledger.claim(START_MS, 1, "w"))
        receipt = Receipt(state="sent", provider="ses", provider_id="0100-a")
        ledger.settle([Settlement(claim=claim, receipt=receipt)], START_MS)
        by_id = told(1, "delivered", decision=None, provider="ses", provider_id="0100-a")
        assert ledger.hear([by_id], START_MS)[0].decision == decision(1).id
        others = {"another provider": {"provider": "resend"}, "another id": {"provider_id": "0100-b"}}
        for name, also in others.items():
            other = msgspec.structs.replace(by_id, key=digest(name), **also)
            assert ledger.hear([other], START_MS)[0].decision is None, name

    def test_an_event_for_another_address_than_the_mail_went_to_is_not_that_mails(self, ledger: Ledger) -> None:
        mailed(ledger, 1)
        [heard] = ledger.hear([told(1, "bounced", address=OTHER)], START_MS)
        assert (heard.new, heard.decision, ledger.outcomes(decision(1).id)) == (True, None, [])
        mailed(ledger, 2)
        assert state_of(ledger, decision(2)) == ("sent", "")
        assert [one.ours for one in ledger.feedback_counts()] == [False]

    @pytest.mark.parametrize("outcome", ["bounced", "complained"])
    def test_a_hard_bounce_and_a_complaint_suppress_the_address_at_once(
        self, ledger: Ledger, outcome: OutcomeKind
    ) -> None:
        mailed(ledger, 1)
        ledger.hear([told(1, outcome)], START_MS)
        mailed(ledger, 2, class_="transactional")
        assert state_of(ledger, decision(2)) == ("skipped", "suppressed")

    @pytest.mark.parametrize("outcome", ["delivered", "opened", "clicked", "deferred", "rejected", "soft_bounced"])
    def test_other_events_suppress_nothing(self, ledger: Ledger, outcome: OutcomeKind) -> None:
        mailed(ledger, 1)
        ledger.hear([told(1, outcome)], START_MS)
        mailed(ledger, 2)
        assert state_of(ledger, decision(2)) == ("sent", "")

    @pytest.mark.parametrize("outcome", ["unsubscribed", "complained"])
    def test_an_unsubscribe_and_a_complaint_take_back_consent_and_wait_for_their_echo(
        self, ledger: Ledger, outcome: OutcomeKind
    ) -> None:
        mailed(ledger, 1)
        ledger.hear([told(1, outcome, suppress="")], START_MS + 7)
        [withdrawal] = ledger.unechoed(10)
        assert (withdrawal.person, withdrawal.purpose, withdrawal.at) == (ADA, "marketing", START_MS + 7)
        assert withdrawal.proof == f"{outcome} sendgrid {decision(1).id.hex()}"
        mailed(ledger, 2)
        assert state_of(ledger, decision(2)) == ("skipped", "consent")

    def test_a_complaint_without_its_mail_counts_for_an_address_that_mails_went_to(self, ledger: Ledger) -> None:
        mailed(ledger, 1)
        ledger.hear([told(9, "complained", decision=None)], START_MS)
        assert [one.person for one in ledger.unechoed(10)] == [ADA]
        mailed(ledger, 2, class_="transactional")
        assert state_of(ledger, decision(2)) == ("skipped", "suppressed")

    def test_an_address_that_no_mail_went_to_is_nobody(self, ledger: Ledger) -> None:
        mailed(ledger, 1)
        ledger.hear([told(9, "complained", decision=None, address=OTHER)], START_MS)
        assert ledger.unechoed(10) == []
        ledger.take_over(page(decision(2, person=BOB)), START_MS)
        [answer] = ledger.confirm(ledger.claim(START_MS, 1, "w"), [OTHER], START_MS)
        assert answer.reason == ""

    def test_so_many_soft_bounces_with_no_delivery_in_between_suppress(self, ledger: Ledger) -> None:
        for number in range(1, SOFT_BOUNCES + 1):
            mailed(ledger, number)
            assert state_of(ledger, decision(number)) == ("sent", "")
            ledger.hear([told(number, "soft_bounced", at=START_MS + number)], START_MS + DAY_MS)
        mailed(ledger, 99)
        assert state_of(ledger, decision(99)) == ("skipped", "suppressed")

    @pytest.mark.parametrize("spared", ["a delivery in between", "too long ago", "one mail told of often"])
    def test_soft_bounces_that_do_not_belong_together_suppress_nothing(self, ledger: Ledger, spared: str) -> None:
        numbers = range(1, SOFT_BOUNCES + 1)
        mailed(ledger, *numbers, 50)
        told_ = [told(number, "soft_bounced", at=START_MS + number) for number in numbers]
        if spared == "a delivery in between":
            told_.append(told(50, "delivered", at=START_MS + 2))
            told_.reverse()
        if spared == "too long ago":
            told_[-1] = told(SOFT_BOUNCES, "soft_bounced", at=START_MS + 2 + SOFT_WITHIN_MS)
        if spared == "one mail told of often":
            told_ = [told(1, "soft_bounced", at=START_MS + number) for number in numbers]
        ledger.hear(told_, START_MS + 2 * SOFT_WITHIN_MS)
        mailed(ledger, 99)
        assert state_of(ledger, decision(99)) == ("sent", "")

    @pytest.mark.parametrize(("outcome", "state"), [(None, "sent"), ("delivered", "sent"), ("bounced", "sent")])
    def test_an_unknown_mail_was_sent_if_its_provider_says_so(
        self, ledger: Ledger, outcome: OutcomeKind | None, state: str
    ) -> None:
        mailed(ledger, 1, state="unknown")
        ledger.hear([told(1, outcome)], START_MS)
        assert state_of(ledger, decision(1)) == (state, "")

    @pytest.mark.parametrize(("outcome", "state"), [("delivered", "sent"), ("rejected", "held")])
    def test_a_mail_held_since_a_restore_was_sent_if_its_provider_says_so(
        self, ledger: Ledger, outcome: OutcomeKind, state: str
    ) -> None:
        mailed(ledger, 1, state="unknown")
        ledger.hold(START_MS)
        ledger.hear([told(1, outcome)], START_MS)
        assert state_of(ledger, decision(1))[0] == state

    def test_an_unknown_mail_that_its_provider_rejected_failed_and_still_counts_for_the_cap(
        self, ledger: Ledger
    ) -> None:
        cap: dict[str, Any] = {"cap_times": 1, "cap_per_ms": DAY_MS}
        mailed(ledger, 1, state="unknown", **cap)
        ledger.hear([told(1, "rejected")], START_MS)
        assert state_of(ledger, decision(1)) == ("failed", "rejected")
        mailed(ledger, 2, **cap)
        assert state_of(ledger, decision(2)) == ("skipped", "cap")

    @pytest.mark.parametrize(("outcome", "state"), [("delivered", ("sent", "")), ("rejected", ("failed", "rejected"))])
    def test_what_was_told_of_a_mail_in_flight_holds_when_its_answer_is_lost(
        self, ledger: Ledger, outcome: OutcomeKind, state: tuple[str, str]
    ) -> None:
        for number, lost in ((1, "crash"), (2, "time-out")):
            ledger.take_over(page(decision(number)), START_MS)
            flying = flown(ledger, ledger.claim(START_MS, 1, "w"))
            ledger.hear([told(number, outcome)], START_MS)
            assert state_of(ledger, decision(number))[0] == "in_flight"
            if lost == "crash":
                ledger.recover(START_MS)
            else:
                settled(ledger, flying, "unknown")
            assert state_of(ledger, decision(number)) == state

    def test_a_group_is_heard_as_a_whole_or_not_at_all(self, ledger: Ledger) -> None:
        mailed(ledger, 1)
        broken = told(1, "bounced", provider=object())
        with pytest.raises(Exception):  # noqa: B017 - whatever the store says of a key that is none
            ledger.hear([told(1, "complained"), broken], START_MS)
        assert (ledger.outcomes(decision(1).id), ledger.unechoed(10), ledger.feedback_counts()) == ([], [], [])
        assert ledger.hear([told(1, "complained")], START_MS)[0].new

    @pytest.mark.parametrize(
        ("mails", "complaints", "level", "stopped"),
        [
            (2_501, 2, "", ()),
            (2_500, 2, "warn", ()),
            (2_001, 2, "warn", ()),
            (2_000, 2, "pause", (COMPLAINTS,)),
            (1_001, 3, "pause", (COMPLAINTS,)),
            (1_000, 3, "stop", (ALL_MARKETING, COMPLAINTS)),
            (MAILS_MIN, 1, "", ()),
            (MAILS_MIN - 1, 9, "", ()),
            (MAILS_MIN, 2, "stop", (ALL_MARKETING, COMPLAINTS)),
        ],
    )
    def test_complaints_warn_pause_and_stop_at_their_bounds(
        self, ledger: Ledger, mails: int, complaints: int, level: str, stopped: tuple[str, ...]
    ) -> None:
        crowd(ledger, mails)
        for number in range(complaints):
            complained(ledger, 10_000 + number)
        paused_at = START_MS if stopped else None
        rate = ComplaintRate(sent=mails, complained=complaints, level=level, paused_at=paused_at)  # type: ignore[arg-type]
        assert ledger.complaints(START_MS) == rate
        assert tuple(kill.campaign for kill in ledger.kills()) == stopped
        mailed(ledger, 90_001)
        assert state_of(ledger, decision(90_001)) == (("skipped", "kill") if stopped else ("sent", ""))
        mailed(ledger, 90_002, class_="transactional")
        assert state_of(ledger, decision(90_002)) == ("sent", "")

    def test_a_complaint_is_counted_once_a_mail_and_transactional_mails_are_not_counted(self, ledger: Ledger) -> None:
        mailed(ledger, 1)
        mailed(ledger, 2, class_="transactional")
        ledger.hear([told(1, "complained"), told(1, "complained", at=START_MS + 1), told(2, "complained")], START_MS)
        assert (ledger.complaints(START_MS).sent, ledger.complaints(START_MS).complained) == (1, 1)

    def test_a_pause_ends_when_the_rate_has_fallen_and_a_stop_does_not(self, ledger: Ledger) -> None:
        crowd(ledger, 1_000)
        for number in range(3):
            complained(ledger, 10_000 + number)
        later = START_MS + COMPLAINTS_HOURS * HOUR_MS
        assert not ledger.ease(later - HOUR_MS)
        assert ledger.ease(later)
        assert [kill.campaign for kill in ledger.kills()] == [ALL_MARKETING]
        assert not ledger.ease(later)

    def test_a_pause_leaves_a_persons_own_switch_alone(self, ledger: Ledger) -> None:
        ledger.kill(ALL_MARKETING, True, START_MS - 5)
        crowd_paused = START_MS + COMPLAINTS_HOURS * HOUR_MS
        ledger.kill(COMPLAINTS, True, START_MS)
        assert ledger.ease(crowd_paused)
        assert [(kill.campaign, kill.at) for kill in ledger.kills()] == [(ALL_MARKETING, START_MS - 5)]

    def test_the_mails_of_the_rate_are_those_that_a_senders_answer_made_sent(
        self, bench: LedgerBench, host: SimulatedClock
    ) -> None:
        @settings(max_examples=40, deadline=None)
        @given(st.lists(STEPS, max_size=15), st.lists(TOLD, max_size=8))
        def check(steps: list[tuple[str, int]], events: list[Any]) -> None:
            ledger = bench.new(host)
            ledger.take_over(page(consent(0), consent(0, person=BOB)), START_MS)
            lived(ledger, steps)
            ledger.hear([told(number, kind, address=address) for number, kind, address in events], START_MS + 10)
            marketing = {one.decision.id for one in ledger.deliveries() if one.decision.class_ == "marketing"}
            sent = [move for move in ledger.moves(0, 1_000) if (move.before, move.after) == ("in_flight", "sent")]
            assert ledger.complaints(START_MS).sent == sum(move.decision in marketing for move in sent)
            ledger.close()

        check()

    def test_nothing_that_is_told_lets_a_mail_go(self, bench: LedgerBench, host: SimulatedClock) -> None:
        @settings(max_examples=60, deadline=None)
        @given(st.lists(STEPS, max_size=12), st.lists(TOLD, max_size=8))
        def check(steps: list[tuple[str, int]], events: list[Any]) -> None:
            assert taken_away(lambda: bench.new(host), steps, events) == set()

        check()
