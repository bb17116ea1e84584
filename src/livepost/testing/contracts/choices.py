"""The contract of a ledger as to what people choose, prove and confirm, and whom nothing is sent to.

In: a fixture `bench` that opens the body under test. Out: pass or fail. Promises: `chosen_against` is the check of E3
for choices (what was switched off beats a send), to be run against a weakened body too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import DAY_MS, SimulatedClock
from livepost.ids import digest
from livepost.ledger.base import MAX_IN_FLIGHT, Claimed, Confirmation, Ledger, Lift, Suppression
from livepost.model.decision import ConsentChange, Decision, Merge
from livepost.model.record import HOUSE, SealedValue
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
    parting,
    settled,
    state_of,
)

OFF = "topic:reminders"
WEEKLY = "frequency:1 per 7d"
MONTHLY = "frequency:1 per 30d"


def said(
    position: int, key: str, *, allowed: bool, at: int, person: bytes = ADA, source: str = "server"
) -> ConsentChange:
    """Return the engine's word on a purpose or choice."""
    return ConsentChange(
        person=person,
        purpose=key,
        allowed=allowed,
        at=at,
        position=position,
        source=source,
        message_id=f"m{position}",
    )


def reminder(number: int, person: bytes = ADA, **also: Any) -> Decision:
    """Return the `number`-th decision, of the topic."""
    return decision(number, person=person, **{"topic": "reminders", **also})


CHOICES = ("off", "on", "less", "decide", "claim", "confirm", "merge")


def chosen_against(ledger: Ledger, steps: Sequence[str]) -> list[int]:
    """Run the steps; return those at which a mail went in flight against a choice committed before."""
    at, off, less = START_MS, False, False
    waiting, wrong, person = list[Claimed](), list[int](), digest("person", 0)
    ledger.take_over(page(consent(0, person=person)), at)
    for number, step in enumerate(steps, start=1):
        at += 1
        match step:
            case "off":
                ledger.choose(digest("person", 0), {OFF: False}, at, "preferences", "", "")
                off = True
            case "less":
                ledger.choose(digest("person", 0), {WEEKLY: False}, at, "preferences", "", "")
                less = True
            case "on":
                ledger.take_over(page(said(number, OFF, allowed=True, at=at, person=person)), at)
                off = False
            case "decide":
                ledger.take_over(page(reminder(number, person=person)), at)
            case "merge":
                old, person = person, digest("person", number)
                ledger.take_over(page(consent(number, person=person), Merge(old=old, new=person, position=number)), at)
            case "claim":
                waiting += ledger.claim(at, 1, "w")
            case _:
                group, waiting = waiting[:MAX_IN_FLIGHT], waiting[MAX_IN_FLIGHT:]
                before = sum(one.state == "sent" for one in ledger.deliveries())
                flying = flown(ledger, group)
                settled(ledger, flying, "sent")
                wrong += [number] * (bool(flying) and (off or (less and before + len(flying) > 1)))
    return wrong


class ChoicesContract:
    """What every ledger does about choices. A subclass gives the fixture `bench`."""

    @pytest.fixture
    def bench(self) -> LedgerBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `bench`; return a LedgerBench from it")

    @pytest.fixture
    def ledger(self, bench: LedgerBench) -> Ledger:
        """Return a new ledger in which ada and bob allow marketing; its fence is 0."""
        ledger = bench.new(SimulatedClock(START_MS))
        ledger.take_over(page(consent(0), consent(0, person=BOB)), START_MS)
        return ledger

    def test_a_topic_that_nobody_spoke_of_is_on(self, ledger: Ledger) -> None:
        ledger.take_over(page(reminder(1)), START_MS)
        assert len(ledger.claim(START_MS, 10, "w")) == 1

    @pytest.mark.parametrize("by", ["page", "event"])
    def test_a_topic_switched_off_is_skipped_with_its_reason(self, ledger: Ledger, by: str) -> None:
        if by == "page":
            ledger.choose(ADA, {OFF: False}, START_MS + 1, "preferences", "", "")
        else:
            ledger.take_over(page(said(1, OFF, allowed=False, at=START_MS + 1)), START_MS)
        other, receipt = decision(3), reminder(4, class_="transactional", lane="transactional")
        ledger.take_over(page(reminder(2), other, receipt), START_MS)
        assert {claim.decision.id for claim in ledger.claim(START_MS, 10, "w")} == {other.id, receipt.id}
        assert state_of(ledger, reminder(2)) == ("skipped", "topic")

    def test_a_topic_switched_off_beats_a_claim_that_came_before_it(self, ledger: Ledger) -> None:
        ledger.take_over(page(reminder(1)), START_MS)
        claims = ledger.claim(START_MS, 10, "w")
        ledger.choose(ADA, {OFF: False}, START_MS + 1, "preferences", "", "")
        [answer] = ledger.confirm(claims, [ADDRESS], START_MS + 2)
        assert answer.reason == "topic"

    def test_only_the_engines_later_word_switches_a_topic_on(self, ledger: Ledger) -> None:
        ledger.choose(ADA, {OFF: False}, START_MS + 5, "preferences", "", "")
        [grant] = ledger.choose(ADA, {OFF: True}, START_MS + 5, "preferences", "", "")
        assert grant.at == START_MS + 6
        ledger.take_over(page(said(1, OFF, allowed=True, at=START_MS + 5), reminder(2)), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []
        ledger.take_over(page(said(3, OFF, allowed=True, at=grant.at), reminder(4)), START_MS)
        assert len(ledger.claim(START_MS, 10, "w")) == 1

    def test_what_is_switched_off_again_before_the_engine_told_the_on_stays_off(self, ledger: Ledger) -> None:
        ledger.choose(ADA, {OFF: False}, START_MS + 1, "preferences", "", "")
        [grant] = ledger.choose(ADA, {OFF: True}, START_MS + 5, "preferences", "", "")
        [refusal] = ledger.choose(ADA, {OFF: False}, START_MS + 5, "preferences", "", "")
        assert refusal.at > grant.at
        ledger.take_over(page(said(1, OFF, allowed=True, at=grant.at), reminder(2)), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []

    def test_an_unsubscribe_after_a_yes_that_the_engine_has_not_told_counts(self, ledger: Ledger) -> None:
        ledger.withdraw(ADA, "marketing", START_MS + 1, "one-click")
        [grant] = ledger.choose(ADA, {"marketing": True}, START_MS + 5, "preferences", "", "")
        ledger.withdraw(ADA, "marketing", START_MS + 5, "one-click")
        ledger.take_over(page(consent(1, at=grant.at), decision(2)), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []

    @pytest.mark.parametrize(("days", "goes"), [(6, False), (8, True)])
    def test_one_mail_a_week_counts_marketing_of_all_campaigns(self, ledger: Ledger, days: int, goes: bool) -> None:
        ledger.choose(ADA, {WEEKLY: False}, START_MS, "preferences", "", "")
        first, later = decision(1), decision(2, at=START_MS + days * DAY_MS, campaign="other")
        receipt = decision(3, at=START_MS, class_="transactional", lane="transactional")
        ledger.take_over(page(first, later, receipt), START_MS)
        ids = {claim.decision.id for claim in ledger.claim(START_MS, 10, "w")}
        assert ids == {first.id, receipt.id} | ({later.id} if goes else set())
        assert goes or state_of(ledger, later) == ("skipped", "frequency")

    def test_without_the_choice_both_mails_go(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), decision(2, campaign="other")), START_MS)
        assert len(ledger.claim(START_MS, 10, "w")) == 2

    @pytest.mark.parametrize("first", ["refusal", "grant"])
    def test_merged_persons_keep_the_refusal_of_a_choice_whichever_came_first(self, ledger: Ledger, first: str) -> None:
        refused_at, allowed_at = (1, 9) if first == "refusal" else (9, 1)
        words = (
            said(1, OFF, allowed=False, at=START_MS + refused_at),
            said(1, OFF, allowed=True, at=START_MS + allowed_at, person=BOB),
        )
        ledger.take_over(page(*words, Merge(old=ADA, new=BOB, position=2), reminder(3, person=BOB)), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []
        assert ledger.standing(ADA)[OFF] is False
        ledger.take_over(
            page(said(4, OFF, allowed=True, at=START_MS + 10, person=BOB), reminder(5, person=BOB)), START_MS
        )
        assert len(ledger.claim(START_MS, 10, "w")) == 1

    def test_merged_persons_keep_the_fewest_mails_of_both(self, ledger: Ledger) -> None:
        ledger.choose(ADA, {WEEKLY: False, MONTHLY: True}, START_MS, "preferences", "", "")
        ledger.choose(BOB, {WEEKLY: True, MONTHLY: False}, START_MS + 1, "preferences", "", "")
        both = decision(2, person=BOB), decision(3, person=BOB, at=START_MS + 8 * DAY_MS, campaign="other")
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=1), *both), START_MS)
        assert [claim.decision.id for claim in ledger.claim(START_MS, 10, "w")] == [both[0].id]

    @pytest.mark.parametrize("by", ["page", "event"])
    @pytest.mark.parametrize("of", [ADA, BOB])
    def test_what_was_refused_as_a_choice_is_refused_by_both_once_the_merge_is_undone(
        self, ledger: Ledger, by: str, of: bytes
    ) -> None:
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=1)), START_MS)
        if by == "page":
            ledger.choose(of, {OFF: False}, START_MS + 1, "preferences", "", "")
        else:
            ledger.take_over(page(said(2, OFF, allowed=False, at=START_MS + 1, person=of)), START_MS)
        both = consent(3), reminder(4), reminder(5, person=BOB)
        ledger.take_over(page(parting(3, at=START_MS + 9), *both), START_MS)
        assert ledger.claim(START_MS + 9, 10, "w") == []

    def test_what_stands_is_what_was_said_last_and_only_news_is_recorded(self, ledger: Ledger) -> None:
        assert ledger.standing(ADA) == {"marketing": True}
        told = ledger.choose(ADA, {"marketing": True, OFF: True, WEEKLY: False}, START_MS + 1, "preferences", "d", "")
        assert [(one.purpose, one.allowed, one.how, one.source, one.channel) for one in told] == [
            (WEEKLY, False, "preferences", "d", "email")
        ]
        assert ledger.standing(ADA) == {"marketing": True, WEEKLY: False}
        assert ledger.choose(ADA, {WEEKLY: False}, START_MS + 2, "preferences", "d", "") == []

    def test_of_a_purpose_a_first_no_is_news(self, ledger: Ledger) -> None:
        assert len(ledger.choose(ADA, {"news": False}, START_MS + 1, "preferences", "", "")) == 1
        assert ledger.standing(ADA)["news"] is False

    def test_a_grant_waits_for_its_echo_and_a_refusal_for_its_own(self, ledger: Ledger) -> None:
        ledger.choose(ADA, {"news": True, OFF: False}, START_MS + 1, "preferences", "", "")
        [grant] = ledger.unechoed_grants(10)
        assert (grant.purpose, [one.purpose for one in ledger.unechoed(10)]) == ("news", [OFF])
        ledger.grants_echoed([grant])
        assert ledger.unechoed_grants(10) == []

    def test_every_word_leaves_a_proof_once_with_the_words_that_were_shown(self, ledger: Ledger) -> None:
        ledger.withdraw(ADA, "marketing", START_MS + 1, f"one-click {b'd'.hex()}")
        ledger.withdraw(ADA, "marketing", START_MS + 2, "one-click other")
        [grant] = ledger.choose(ADA, {"marketing": True}, START_MS + 3, "preferences", "d2", '{"shown": "yes"}')
        echo = said(1, "marketing", allowed=True, at=grant.at, source=HOUSE)
        ledger.take_over(page(echo, said(2, "news", allowed=True, at=START_MS + 4)), START_MS)
        ledger.take_over(page(echo, said(2, "news", allowed=True, at=START_MS + 4)), START_MS)
        told = [(one.purpose, one.allowed, one.how, one.source) for one in ledger.proofs(ADA)]
        assert told == [
            ("news", True, "event", "server"),
            ("marketing", True, "preferences", "d2"),
            ("marketing", False, "one-click", b"d".hex()),
            ("marketing", True, "event", "web"),
        ]
        assert ledger.shown_words(grant.words) == '{"shown": "yes"}'
        assert ledger.shown_words("") == ""

    def test_proofs_follow_their_person_through_merges_and_back(self, ledger: Ledger) -> None:
        ledger.choose(ADA, {OFF: False}, START_MS + 1, "preferences", "", "")
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=1)), START_MS)
        assert OFF in {one.purpose for one in ledger.proofs(BOB)}
        assert ledger.proofs(ADA) == ledger.proofs(BOB)
        ledger.take_over(page(parting(2, at=START_MS + 9)), START_MS)
        assert OFF in {one.purpose for one in ledger.proofs(ADA)}
        assert OFF not in {one.purpose for one in ledger.proofs(BOB)}

    def test_no_mail_goes_in_flight_against_a_choice_committed_before(self, bench: LedgerBench) -> None:
        @settings(max_examples=60, deadline=None)
        @given(st.lists(st.sampled_from(CHOICES), max_size=25))
        def check(steps: list[str]) -> None:
            ledger = bench.new(SimulatedClock(START_MS))
            assert chosen_against(ledger, steps) == []
            ledger.close()

        check()

    def test_a_wish_is_asked_so_often_and_confirmed_once(self, ledger: Ledger) -> None:
        assert [ledger.ask_confirmation(wish(n), 2, DAY_MS) for n in range(3)] == [True, True, False]
        assert ledger.ask_confirmation(wish(0), 2, DAY_MS)
        assert ledger.confirmation(wish(1).decision) == wish(1)
        assert ledger.confirmation(wish(2).decision) is None
        [proof] = ledger.confirm_wish(wish(1).decision, ADA, {"news": True}, START_MS + 5, "words")
        assert (proof.how, proof.source) == ("confirmation", wish(1).decision.hex())
        assert ledger.confirm_wish(wish(1).decision, ADA, {"news": True}, START_MS + 6, "words") == []
        found = ledger.confirmation(wish(1).decision)
        assert found is not None
        assert found.confirmed_at == START_MS + 5

    def test_what_was_not_confirmed_in_time_is_dropped_and_what_was_stays(self, ledger: Ledger) -> None:
        for number in (0, 1):
            ledger.ask_confirmation(wish(number), 9, DAY_MS)
        ledger.confirm_wish(wish(1).decision, ADA, {"news": True}, START_MS + 5, "")
        ledger.ask_confirmation(wish(2, at=START_MS + DAY_MS), 9, DAY_MS)
        assert [ledger.confirmation(wish(n).decision) is not None for n in range(3)] == [False, True, True]

    def test_suppressions_are_counted_found_and_lifted_with_their_reasons(self, ledger: Ledger) -> None:
        other = digest("other@example.com")
        assert ledger.suppress_all([ADDRESS, other, ADDRESS], "imported", START_MS) == 2
        ledger.suppress(ADDRESS, "complained", START_MS + 1)
        assert ledger.suppression(ADDRESS) == Suppression(ADDRESS, "imported", START_MS)
        assert (ledger.suppression_counts(), len(ledger.suppressions())) == ({"imported": 2}, 2)
        assert ledger.lift(ADDRESS, "asked for it", START_MS + 2)
        assert not ledger.lift(ADDRESS, "again", START_MS + 3)
        assert ledger.lifts(ADDRESS) == [Lift(ADDRESS, "imported", "asked for it", START_MS + 2)]
        assert (ledger.suppression(ADDRESS), ledger.suppression_counts()) == (None, {"imported": 1})

    def test_nothing_goes_to_a_suppressed_address_and_to_one_let_go_it_does(self, ledger: Ledger) -> None:
        ledger.suppress_all([ADDRESS], "imported", START_MS)
        ledger.take_over(page(decision(1), decision(2)), START_MS)
        [first] = ledger.claim(START_MS, 1, "w")
        assert [answer.reason for answer in ledger.confirm([first], [ADDRESS], START_MS)] == ["suppressed"]
        ledger.lift(ADDRESS, "asked for it", START_MS)
        assert len(flown(ledger, ledger.claim(START_MS, 1, "w"))) == 1


def wish(number: int, at: int = START_MS) -> Confirmation:
    """Return the `number`-th wish of one address, good for a day."""
    return Confirmation(
        decision=digest("wish", number),
        address=ADDRESS,
        person=ADA,
        wish=SealedValue("website", ADA, f"m{number}", "$wish", b"sealed"),
        asked_at=at + number,
        expires_at=at + DAY_MS,
    )
