"""The contract of a ledger: `LedgerContract` for every body, `DurableLedgerContract` for those on disk.

In: a fixture `bench` that opens the body under test. Out: pass or fail. Promises: nothing of one test is seen by
another; `interleaved` is the check of E3 (unsubscribe beats send), to be run against a weakened body too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import DAY_MS, HOUR_MS, SimulatedClock
from livepost.errors import FencedError, StoreError
from livepost.ids import digest
from livepost.ledger.base import (
    ALL_LANES,
    ALL_MARKETING,
    LEASE_MS,
    MAX_CLAIMS,
    MAX_IN_FLIGHT,
    RETRY_MS,
    TRANSACTIONAL_RETRY_MS,
    WAITS,
    WORKER_LEASE_MS,
    Advanced,
    AskedBroadcast,
    Claimed,
    Kill,
    Ledger,
    Outcome,
    OutcomeTally,
    Permit,
    PermitChanges,
    Ready,
    Send,
    Settlement,
)
from livepost.ledger.moves import MoveError
from livepost.model.decision import SEND, Cancellation, ConsentChange, Decision, Merge, OutboxItem, Parting
from livepost.model.earning import Hit, Measured
from livepost.model.message import Receipt, ReceiptState
from livepost.model.outbox import OutboxPage
from livepost.model.record import SealedValue

START_MS = 1_700_000_000_000
ADA = digest("ada")
BOB = digest("bob")
ADDRESS = digest("ada@example.com")
QUIET_END_MS = 1_700_031_600_000
"""When it is eight in the morning in Berlin, after START_MS."""


class LedgerBench(Protocol):
    """Opens ledgers of the body under test."""

    def new(self, host: SimulatedClock) -> Ledger:
        """Return a new, empty ledger whose leases run on `host`."""
        ...


class DurableLedgerBench(LedgerBench, Protocol):
    """Opens ledgers that outlive their process."""

    def again(self, ledger: Ledger, host: SimulatedClock) -> Ledger:
        """Return the same ledger, opened once more beside the first, as another process would."""
        ...


def decision(number: int, position: int | None = None, person: bytes = ADA, **also: Any) -> Decision:
    """Return the `number`-th decision, at START_MS + number, for a marketing campaign."""
    told: dict[str, Any] = {
        "id": digest("decision", number),
        "campaign": "browse_reminder",
        "version": "v1",
        "step": 0,
        "person": person,
        "cause": digest("cause", number),
        "cause_text": "entered Shopper.browsing",
        "at": START_MS + number,
        "position": number if position is None else position,
        "purpose": "marketing",
        "class_": "marketing",
        "lane": "triggered",
    }
    return Decision(**told | also)


def consent(position: int, *, allowed: bool = True, at: int = START_MS, person: bytes = ADA) -> ConsentChange:
    """Return the engine's word on a person's consent to marketing."""
    return ConsentChange(
        person=person,
        purpose="marketing",
        allowed=allowed,
        at=at,
        position=position,
        source="web",
        message_id=f"m{position}",
    )


def parting(
    position: int, *, subjects: tuple[bytes, ...] = (ADA,), lost: tuple[str, ...] = (), at: int = START_MS
) -> Parting:
    """Return the engine's word that Bob goes on without some subjects, whom Ada is the name of."""
    return Parting(person=BOB, other=ADA, subjects=subjects, lost=lost, at=at, position=position)


def cancellation(of: Decision, position: int, reason: str = "until") -> Cancellation:
    """Return the engine's word that a decision is not wanted any more."""
    return Cancellation(decision=of.id, reason=reason, detail="Order Completed", at=START_MS, position=position)


def page(*items: OutboxItem, complete_to: int | None = None) -> OutboxPage:
    """Return a page that is complete up to its last item."""
    last = max((item.position for item in items), default=-1)
    return OutboxPage(complete_to=last if complete_to is None else complete_to, as_of=START_MS, items=list(items))


def asked(number: int, body: str = "body", person: bytes = ADA) -> Send:
    """Return the `number`-th mail that a program asks for."""
    told = decision(number, person=person, campaign=SEND, class_="transactional", lane="transactional")
    draft = SealedValue("server", person, f"m{number}", "$draft", b"sealed")
    return Send(key=digest("key", number), body=digest(body), decision=told, draft=draft)


def flown(ledger: Ledger, claims: Sequence[Claimed]) -> list[Claimed]:
    """Confirm claims, all to the same address; return those in flight."""
    answers = ledger.confirm(claims, [ADDRESS] * len(claims), START_MS)
    return [answer.claim for answer in answers if not answer.reason]


def settled(ledger: Ledger, claims: Sequence[Claimed], state: ReceiptState) -> None:
    """Settle claims, all with the same answer."""
    receipt = Receipt(state=state, text="250 ok", provider="keep")
    ledger.settle([Settlement(claim=claim, receipt=receipt) for claim in claims], START_MS)


def advanced(ledger: Ledger, out: Sequence[Claimed], made: Sequence[Claimed], limit: int) -> Advanced:
    """Settle claims as sent, confirm others, all to the same address, and claim more, in one transaction."""
    settlements = [Settlement(claim=claim, receipt=Receipt(state="sent", text="250 ok")) for claim in out]
    return ledger.advance(settlements, Ready(claims=made, addresses=[ADDRESS] * len(made)), START_MS, limit, "w")


def flying_of(done: Advanced) -> list[Claimed]:
    """Return those that were put in flight."""
    return [one.claim for one in done.confirmed if not one.reason]


def granted(*persons: bytes) -> list[ConsentChange]:
    """Return consent of each to marketing, before everything else."""
    return [consent(0, person=person) for person in persons]


def brought(ledger: Ledger, claims: Sequence[Claimed], state: str) -> None:
    """Bring claims into a state behind `claimed`, or leave them there."""
    if state == "claimed":
        return
    claims = flown(ledger, claims)
    if state == "unknown":
        ledger.recover(START_MS)
    elif state != "in_flight":
        settled(ledger, claims, "sent" if state == "sent" else "failed")


def clicked(ledger: Ledger, mail: bytes, at: int) -> bool:
    """Have the log tell of a click at a mail of a decision; return whether that is news of the mail."""
    before = ledger.outcomes(mail)
    hit = Hit(id=digest("click", mail, at), decision=mail, kind="clicked", at=at)
    ledger.measure(Measured(upto=max(ledger.measured(), 0), hits=[hit]))
    return ledger.outcomes(mail) != before


def state_of(ledger: Ledger, one: Decision) -> tuple[str, str]:
    """Return a delivery's state and reason."""
    found = ledger.delivery(one.id)
    assert found is not None
    return found.state, found.reason


def recounted(ledger: Ledger) -> Counter[tuple[str, str, str]]:
    """Return the counts by campaign, state and reason, counted from the deliveries themselves."""
    return Counter((one.decision.campaign, one.state, one.reason) for one in ledger.deliveries(limit=1_000))


STEPS = ("grant", "decide", "withdraw", "claim", "confirm", "advance", "merge")


def interleaved(ledger: Ledger, steps: Sequence[str]) -> list[int]:
    """Run the steps; return those at which a mail went in flight against a withdrawal committed before (E3)."""
    at, allowed, waiting, wrong, merges = START_MS, False, list[Claimed](), list[int](), 0
    person, out = digest("person", 0), list[Claimed]()
    for number, step in enumerate(steps):
        at += 1
        match step:
            case "grant":
                ledger.take_over(page(consent(number, at=at, person=person)), at)
                allowed = True
            case "decide":
                ledger.take_over(page(decision(number, person=person)), at)
            case "withdraw":
                ledger.withdraw(digest("person", 0), "marketing", at, "link")
                allowed = False
            case "merge":
                merges += 1
                old, person = person, digest("person", merges)
                ledger.take_over(page(Merge(old=old, new=person, position=number)), at)
            case "claim":
                waiting += ledger.claim(at, 5, "w")
            case _:
                group, waiting = waiting[:MAX_IN_FLIGHT], waiting[MAX_IN_FLIGHT:]
                if step == "advance":
                    done = advanced(ledger, out, group, limit=5)
                    out, waiting = flying_of(done), waiting + done.claimed
                else:
                    settled(ledger, out, "sent")
                    out = flown(ledger, group)
                wrong += [number] * (bool(out) and not allowed)
    settled(ledger, out, "sent")
    return wrong


class LedgerContract:
    """What every ledger does. A subclass gives the fixture `bench`."""

    @pytest.fixture
    def bench(self) -> LedgerBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `bench`; return a LedgerBench from it")

    @pytest.fixture
    def host(self) -> SimulatedClock:
        """Return the host's clock."""
        return SimulatedClock(START_MS)

    @pytest.fixture
    def ledger(self, bench: LedgerBench, host: SimulatedClock) -> Ledger:
        """Return a new ledger in which ada and bob allow marketing; its fence is 0."""
        ledger = bench.new(host)
        ledger.take_over(page(consent(0), consent(0, person=BOB)), START_MS)
        return ledger

    def test_a_new_ledger_has_its_fence_before_the_first_record(self, bench: LedgerBench, host: SimulatedClock) -> None:
        ledger = bench.new(host)
        assert (ledger.cursor(), ledger.deliveries(), ledger.counts(), ledger.moves(0, 10)) == (-1, [], [], [])

    def test_a_decision_goes_from_pending_to_sent_and_each_move_is_a_row(self, ledger: Ledger) -> None:
        one = decision(1)
        taken = ledger.take_over(page(one, complete_to=7), START_MS)
        assert (taken.inserted, taken.compared, taken.diverged, taken.cursor) == (1, 0, 0, 7)
        [claim] = ledger.claim(START_MS, 10, "w")
        assert (claim.decision, claim.person, claim.attempt) == (one, ADA, 1)
        settled(ledger, flown(ledger, [claim]), "sent")
        moves = [(move.before, move.after) for move in ledger.history(one.id)]
        assert moves == [("", "pending"), ("pending", "claimed"), ("claimed", "in_flight"), ("in_flight", "sent")]
        found = ledger.delivery(one.id)
        assert found is not None
        assert (found.state, found.detail, found.provider, found.attempts) == ("sent", "250 ok", "keep", 1)

    def test_a_decision_with_a_reason_is_skipped_when_it_is_taken_over(self, ledger: Ledger) -> None:
        one = decision(1, skip="holdout", detail="5 %")
        ledger.take_over(page(one), START_MS)
        assert state_of(ledger, one) == ("skipped", "holdout")
        assert [move.after for move in ledger.history(one.id)] == ["pending", "skipped"]
        assert ledger.claim(START_MS, 10, "w") == []

    def test_the_same_pages_again_insert_nothing(self, ledger: Ledger) -> None:
        pages = [page(decision(1), decision(2), cancellation(decision(1), 2)), page(decision(3))]
        for told in pages:
            ledger.take_over(told, START_MS)
        before = ledger.deliveries()
        for told in pages * 2:
            taken = ledger.take_over(told, START_MS)
            assert (taken.inserted, taken.diverged, taken.cursor) == (0, 0, 3)
        assert ledger.deliveries() == before
        assert ledger.divergences() == []

    def test_decisions_are_told_in_the_order_they_were_taken_over_page_by_page_sends_among_them(
        self, ledger: Ledger
    ) -> None:
        taken = [decision(1), decision(2, skip="holdout"), decision(3)]
        for one in taken:
            ledger.take_over(page(one), START_MS)
        ledger.send(asked(9), START_MS)
        found = ledger.decided(0, 2)
        assert [one for _, one in found] == taken[:2]
        rest = ledger.decided(found[-1][0], 1_000)
        assert [one.campaign for _, one in rest] == [taken[2].campaign, SEND]
        assert ledger.decided(rest[-1][0], 10) == []

    def test_a_decision_that_a_page_has_twice_is_taken_once_and_a_name_counts_from_its_merge_on(
        self, ledger: Ledger
    ) -> None:
        first, then = decision(1), decision(3)
        told = ledger.take_over(page(first, first, Merge(old=ADA, new=BOB, position=2), then, decision(4)), START_MS)
        assert (told.inserted, told.compared, told.diverged) == (3, 1, 0)
        assert [one.person for one in ledger.deliveries()] == [BOB] * 3
        assert [one.after for one in ledger.history(first.id)] == ["pending"]

    def test_a_changed_decision_behind_the_fence_is_told_and_not_inserted(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), complete_to=5), START_MS)
        changed = decision(1, version="v2", skip="consent", cause_text="other words")
        taken = ledger.take_over(page(changed, decision(2)), START_MS)
        assert (taken.inserted, taken.compared, taken.diverged, taken.cursor) == (0, 2, 2, 5)
        assert ledger.delivery(decision(2).id) is None
        assert [(one.position, one.fields) for one in ledger.divergences()] == [
            (2, ("missing",)),
            (1, ("version", "skip")),
        ]
        assert state_of(ledger, decision(1)) == ("pending", "")
        ledger.take_over(page(changed), START_MS)
        assert [one.times for one in ledger.divergences()] == [1, 2]

    def test_decisions_beyond_complete_to_are_taken_once(self, ledger: Ledger) -> None:
        told = page(decision(1), decision(9), complete_to=4)
        assert ledger.take_over(told, START_MS).cursor == 4
        again = ledger.take_over(page(decision(9), complete_to=9), START_MS)
        assert (again.inserted, again.compared, again.diverged) == (0, 1, 0)

    def test_the_fence_never_goes_back(self, ledger: Ledger) -> None:
        ledger.take_over(page(complete_to=50), START_MS)
        assert ledger.take_over(page(complete_to=20), START_MS).cursor == 50
        assert ledger.cursor() == 50

    def test_a_page_is_wholly_in_or_not_at_all(self, ledger: Ledger) -> None:
        broken = decision(2, cap_times="many")
        with pytest.raises(StoreError):
            ledger.take_over(page(decision(1), broken, Merge(old=b"", new=None, position=3)), START_MS)  # type: ignore[arg-type]
        assert (ledger.deliveries(), ledger.cursor(), ledger.counts()) == ([], 0, [])

    @pytest.mark.parametrize("reason", ["until", "exit", "kill"])
    def test_a_cancellation_skips_what_is_pending_or_claimed(self, ledger: Ledger, reason: str) -> None:
        ledger.take_over(page(decision(1), decision(2)), START_MS)
        [claim] = ledger.claim(START_MS, 1, "w")
        ledger.take_over(page(cancellation(decision(1), 3, reason), cancellation(decision(2), 3, reason)), START_MS)
        assert [one.state for one in ledger.deliveries()] == ["skipped", "skipped"]
        [answer] = ledger.confirm([claim], [ADDRESS], START_MS)
        assert answer.reason == reason

    def test_a_cancellation_that_comes_too_late_is_kept_as_a_note(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        settled(ledger, flown(ledger, ledger.claim(START_MS, 1, "w")), "sent")
        ledger.take_over(page(cancellation(decision(1), 2)), START_MS)
        assert state_of(ledger, decision(1)) == ("sent", "")
        assert [(note.reason, note.detail) for note in ledger.notes(decision(1).id)] == [("until", "Order Completed")]

    def test_without_a_known_grant_marketing_is_skipped_and_transactional_goes(
        self, bench: LedgerBench, host: SimulatedClock
    ) -> None:
        ledger = bench.new(host)
        receipt = decision(2, class_="transactional", purpose="orders", lane="transactional")
        ledger.take_over(page(decision(1), receipt), START_MS)
        assert [claim.decision.id for claim in ledger.claim(START_MS, 10, "w")] == [receipt.id]
        assert state_of(ledger, decision(1)) == ("skipped", "consent")

    def test_the_later_word_of_the_engine_on_consent_holds(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(1, allowed=False, at=START_MS + 5), decision(2)), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []
        ledger.take_over(page(consent(3, at=START_MS + 9), decision(4)), START_MS)
        assert len(ledger.claim(START_MS, 10, "w")) == 1

    def test_of_the_first_lane_alone_a_claim_takes_what_is_transactional(self, ledger: Ledger) -> None:
        receipt = decision(2, class_="transactional", lane="transactional")
        ledger.take_over(page(consent(0), decision(1)), START_MS)
        assert (ledger.waits(1), ledger.waits(ALL_LANES)) == (False, True)
        assert ledger.claim(START_MS, 10, "w", 1) == []
        ledger.take_over(page(receipt, complete_to=2), START_MS)
        assert ledger.waits(1)
        assert [claim.decision for claim in ledger.claim(START_MS, 10, "w", 1)] == [receipt]
        assert not ledger.waits(1)
        assert [claim.decision for claim in ledger.claim(START_MS, 10, "w")] == [decision(1)]

    def test_what_a_worker_had_claimed_is_pending_once_it_begins_anew_and_of_no_other(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(0), decision(1), decision(2)), START_MS)
        [late] = ledger.claim(START_MS, 1, "w")
        [other] = ledger.claim(START_MS, 1, "v")
        assert ledger.recover(START_MS) == []
        assert ledger.claim(START_MS, 9, "w") == [], "who is another's successor gives nothing back"
        assert ledger.recover(START_MS, "w") == []
        [again] = ledger.claim(START_MS, 9, "w")
        assert (again.decision, again.fence) == (late.decision, late.fence + 1)
        with pytest.raises(FencedError):
            ledger.confirm([late], [ADDRESS], START_MS)
        assert not ledger.confirm([other], [ADDRESS], START_MS)[0].reason

    def test_a_withdrawal_beats_a_claim_that_came_before_it(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), decision(2)), START_MS)
        [claim] = ledger.claim(START_MS, 1, "w")
        ledger.withdraw(ADA, "marketing", START_MS + 3, "link")
        [answer] = ledger.confirm([claim], [ADDRESS], START_MS + 4)
        assert answer.reason == "consent"
        assert ledger.claim(START_MS, 10, "w") == []
        assert state_of(ledger, decision(2)) == ("skipped", "consent")

    def test_only_a_later_grant_lifts_a_withdrawal(self, ledger: Ledger) -> None:
        ledger.withdraw(ADA, "marketing", START_MS + 100, "link")
        ledger.take_over(page(consent(1, at=START_MS + 100), decision(2)), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []
        ledger.take_over(page(consent(3, at=START_MS + 101), decision(4)), START_MS)
        assert len(ledger.claim(START_MS, 10, "w")) == 1

    def test_a_withdrawal_is_never_earlier_than_the_grant_it_takes_back(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(1, at=START_MS + 1_000), decision(2)), START_MS)
        assert ledger.withdraw(ADA, "marketing", START_MS, "link").at == START_MS + 1_000
        assert ledger.claim(START_MS, 10, "w") == []

    def test_withdrawing_twice_is_one_withdrawal_until_it_is_lifted(self, ledger: Ledger) -> None:
        first = ledger.withdraw(ADA, "marketing", START_MS + 1, "link")
        assert ledger.withdraw(ADA, "marketing", START_MS + 2, "page") == first
        ledger.take_over(page(consent(1, at=START_MS + 3)), START_MS)
        assert ledger.withdraw(ADA, "marketing", START_MS + 4, "link").at == START_MS + 4

    def test_a_withdrawal_waits_for_its_echo(self, ledger: Ledger) -> None:
        one = ledger.withdraw(ADA, "marketing", START_MS + 1, "link")
        assert ledger.unechoed(10) == [one]
        ledger.echoed([one])
        assert ledger.unechoed(10) == []
        ledger.withdraw(ADA, "marketing", START_MS + 2, "link")
        assert ledger.unechoed(10) == []

    def test_a_withdrawal_follows_its_person_through_merges(self, ledger: Ledger) -> None:
        ledger.withdraw(ADA, "marketing", START_MS + 1, "link")
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=1), decision(2, person=BOB)), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []
        assert [one.person for one in ledger.unechoed(10)] == [BOB]

    def test_an_old_name_still_withdraws_and_finds(self, ledger: Ledger) -> None:
        carl = digest("carl")
        ledger.take_over(
            page(decision(1), Merge(old=ADA, new=BOB, position=2), Merge(old=BOB, new=carl, position=3)), START_MS
        )
        assert [one.person for one in ledger.deliveries(person=ADA)] == [carl]
        ledger.withdraw(ADA, "marketing", START_MS + 1, "link")
        assert ledger.claim(START_MS, 10, "w") == []

    @pytest.mark.parametrize(("ada_at", "bob_at", "goes"), [(5, 9, False), (9, 5, True), (7, 7, False)])
    def test_merged_persons_keep_the_later_consent_and_the_refusal_at_the_same_time(
        self, ledger: Ledger, ada_at: int, bob_at: int, goes: bool
    ) -> None:
        ledger.take_over(
            page(
                consent(1, at=START_MS + ada_at),
                consent(1, at=START_MS + bob_at, allowed=False, person=BOB),
                Merge(old=ADA, new=BOB, position=2),
                decision(3, person=BOB),
            ),
            START_MS,
        )
        assert bool(ledger.claim(START_MS, 10, "w")) is goes

    def test_a_merge_undone_gives_each_their_deliveries_and_decisions(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), decision(2, person=BOB), Merge(old=ADA, new=BOB, position=3)), START_MS)
        assert ledger.deliveries(person=ADA)[0].person == BOB
        later = decision(5, person=ADA)
        ledger.take_over(page(parting(4), consent(4), consent(4, person=BOB), later), START_MS)
        assert {one.decision.id for one in ledger.deliveries(person=ADA)} == {decision(1).id, later.id}
        assert {one.person for one in ledger.deliveries(person=ADA)} == {ADA}
        assert [one.decision.id for one in ledger.deliveries(person=BOB)] == [decision(2).id]

    def test_a_name_of_long_ago_finds_the_other_of_two_whose_merge_was_undone(self, ledger: Ledger) -> None:
        carl = digest("carl")
        merges = Merge(old=carl, new=ADA, position=1), Merge(old=ADA, new=BOB, position=2)
        ledger.take_over(page(*merges, parting(3, subjects=(ADA, carl)), decision(4, person=carl)), START_MS)
        assert [one.person for one in ledger.deliveries(person=carl)] == [ADA]

    @pytest.mark.parametrize("of", [ADA, BOB])
    def test_what_was_withdrawn_of_one_person_is_withdrawn_of_both_once_the_merge_is_undone(
        self, ledger: Ledger, of: bytes
    ) -> None:
        ledger.take_over(page(consent(1), consent(1, person=BOB), Merge(old=ADA, new=BOB, position=2)), START_MS)
        ledger.withdraw(of, "marketing", START_MS + 1, "link")
        again = consent(3, at=START_MS + 9), consent(3, at=START_MS + 1, person=BOB)
        both = decision(4), decision(5, person=BOB)
        ledger.take_over(page(parting(3, at=START_MS + 9), *again, *both), START_MS + 9)
        assert ledger.claim(START_MS + 9, 10, "w") == []

    def test_a_withdrawal_that_was_taken_back_is_nobodys_once_the_merge_is_undone(self, ledger: Ledger) -> None:
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=1), consent(1, person=BOB)), START_MS)
        ledger.withdraw(BOB, "marketing", START_MS + 1, "link")
        given = consent(2, at=START_MS + 5, person=BOB)
        ledger.take_over(page(given, parting(3, at=START_MS + 9), consent(3, at=START_MS + 9), decision(4)), START_MS)
        assert len(ledger.claim(START_MS + 9, 10, "w")) == 1

    def test_an_allowance_that_an_undone_merge_left_with_nobody_sends_nothing(self, ledger: Ledger) -> None:
        given = consent(1, person=BOB)
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=1), given, decision(2, person=BOB)), START_MS)
        ledger.take_over(page(parting(3, lost=("marketing",))), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []

    def test_an_undone_merge_taken_over_twice_changes_nothing_more(self, ledger: Ledger) -> None:
        first = page(decision(1), Merge(old=ADA, new=BOB, position=2), parting(3))
        ledger.take_over(first, START_MS)
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=4)), START_MS)
        ledger.take_over(first, START_MS)
        assert [one.person for one in ledger.deliveries(person=BOB)] == [BOB]

    def test_a_suppressed_address_is_found_when_the_address_is_known(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        claims = ledger.claim(START_MS, 10, "w")
        ledger.suppress(ADDRESS, "bounced", START_MS)
        [answer] = ledger.confirm(claims, [ADDRESS], START_MS)
        assert answer.reason == "suppressed"
        assert state_of(ledger, decision(1)) == ("skipped", "suppressed")

    def test_a_killed_campaign_sends_nothing_until_it_goes_on(self, ledger: Ledger) -> None:
        ledger.kill("browse_reminder", True, START_MS)
        ledger.take_over(page(decision(1)), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []
        ledger.kill("browse_reminder", False, START_MS)
        ledger.take_over(page(decision(2)), START_MS)
        assert len(ledger.claim(START_MS, 10, "w")) == 1
        assert state_of(ledger, decision(1)) == ("skipped", "kill")

    def test_all_marketing_is_stopped_at_once_and_transactional_mails_go_on(self, ledger: Ledger) -> None:
        letter, receipt = decision(1), decision(2, campaign="receipt", class_="transactional", lane="transactional")
        ledger.take_over(page(*granted(ADA), letter, receipt), START_MS)
        ledger.kill(ALL_MARKETING, True, START_MS)
        ledger.kill(ALL_MARKETING, True, START_MS + 1)
        assert ledger.kills() == [Kill(campaign=ALL_MARKETING, at=START_MS)]
        assert [claim.decision for claim in ledger.claim(START_MS, 10, "w")] == [receipt]
        assert state_of(ledger, letter) == ("skipped", "kill")
        ledger.kill(ALL_MARKETING, False, START_MS)
        assert ledger.kills() == []

    def test_a_broadcast_is_asked_for_approved_and_begun_once(self, ledger: Ledger) -> None:
        asked = AskedBroadcast(
            id=b"b" * 16, campaign="letter", message_id="m1", asked_at=START_MS, asked_by="ada", people=20_000
        )
        other = msgspec.structs.replace(asked, id=b"c" * 16, message_id="m2", asked_at=START_MS + 1)
        assert ledger.broadcast(asked.id) is None
        assert [ledger.ask_broadcast(one) for one in (asked, other)] == [asked, other]
        assert ledger.ask_broadcast(msgspec.structs.replace(asked, asked_by="eve", people=1)) == asked
        for people, by in ((20_001, "bob"), (7, "eve")):
            ledger.approve_broadcast(asked.id, people, by, START_MS + people)
        for position in (12, 99):
            ledger.begin_broadcast(asked.id, position, START_MS + 5)
        begun = msgspec.structs.replace(
            asked, people=20_001, approved_at=START_MS + 20_001, approved_by="bob", begun_at=START_MS + 5, position=12
        )
        assert ledger.broadcast(asked.id) == begun
        assert ledger.broadcasts() == [other, begun]
        assert ledger.broadcasts(1) == [other]

    def test_mails_of_a_broadcast_are_spread_few_at_first(self, ledger: Ledger) -> None:
        several = [msgspec.structs.replace(decision(n), over_ms=HOUR_MS) for n in range(1, 201)]
        ledger.take_over(page(*granted(ADA), *several), START_MS)
        first = ledger.next_wait()
        assert first is not None and START_MS < first < START_MS + HOUR_MS // 2
        assert ledger.claim(START_MS, 10, "w") == []
        gone = [len(ledger.claim(START_MS + HOUR_MS * part // 4, 500, "w")) for part in (1, 2, 3, 4)]
        assert sum(gone) == 200
        assert gone == sorted(gone) and gone[0] < 25  # a sixteenth is expected, of evenly spread ones a quarter
        assert ledger.next_wait() is None

    def test_the_cap_counts_what_is_or_may_be_sent_within_its_period(self, ledger: Ledger) -> None:
        capped = [decision(n, at=START_MS + n * DAY_MS, cap_times=2, cap_per_ms=7 * DAY_MS) for n in range(1, 10)]
        ledger.take_over(page(*capped), START_MS)
        goes = [claim.decision.id for claim in ledger.claim(START_MS, 20, "w")]
        assert goes == [capped[0].id, capped[1].id, capped[7].id, capped[8].id]
        assert state_of(ledger, capped[2]) == ("skipped", "cap")

    def test_caps_on_all_campaigns_count_marketing_of_any(self, ledger: Ledger) -> None:
        caps = ((3, 7 * DAY_MS), (1, DAY_MS))
        several = [
            decision(n, at=START_MS + n * HOUR_MS, campaign=f"c{n}", overall=caps if n > 1 else ())
            for n in (1, 2, 30, 60, 90)
        ]
        receipt = decision(9, at=START_MS + 59 * HOUR_MS, class_="transactional", lane="transactional")
        ledger.take_over(page(*granted(ADA), receipt, *several), START_MS)
        goes = [claim.decision for claim in ledger.claim(START_MS, 20, "w")]
        assert goes == [receipt, several[0], several[2], several[3]]
        assert state_of(ledger, several[1]) == state_of(ledger, several[4]) == ("skipped", "cap")

    def test_a_mail_claimed_in_quiet_hours_waits_until_they_end_where_the_person_is(self, ledger: Ledger) -> None:
        """It is a quarter past ten in the evening in London, past eleven in Berlin."""
        asleep = decision(1, quiet=(21 * 60, 8 * 60, "Europe/Berlin"))
        awake = decision(2, quiet=(23 * 60, 8 * 60, "Europe/London"))
        ledger.take_over(page(*granted(ADA), asleep, awake), START_MS)
        assert [claim.decision for claim in ledger.claim(START_MS, 10, "w")] == [awake]
        [waiting] = ledger.deliveries(state="pending")
        assert (waiting.decision, waiting.detail) == (asleep, WAITS)
        assert ledger.claim(QUIET_END_MS - 1, 10, "w") == []
        assert [claim.decision for claim in ledger.claim(QUIET_END_MS, 10, "w")] == [asleep]

    def test_quiet_hours_that_begin_between_claim_and_confirm_let_a_mail_wait(self, ledger: Ledger) -> None:
        mail = decision(1, quiet=(21 * 60, 8 * 60, "Europe/Berlin"))
        ledger.take_over(page(*granted(ADA), mail), START_MS)
        claims = ledger.claim(START_MS - 3 * HOUR_MS, 10, "w")
        assert [one.reason for one in ledger.confirm(claims, [ADDRESS], START_MS)] == ["quiet_hours"]
        assert state_of(ledger, mail) == ("pending", "")
        assert [claim.decision for claim in ledger.claim(QUIET_END_MS, 10, "w")] == [mail]

    def test_while_a_mail_waits_for_quiet_hours_to_end_it_can_be_cancelled(self, ledger: Ledger) -> None:
        mail = decision(1, quiet=(21 * 60, 8 * 60, "Europe/Berlin"))
        ledger.take_over(page(*granted(ADA), mail), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []
        ledger.take_over(page(cancellation(mail, 2)), START_MS)
        assert ledger.claim(QUIET_END_MS, 10, "w") == []
        assert state_of(ledger, mail) == ("skipped", "until")

    def test_quiet_hours_keep_no_mail_for_more_than_a_day(self, ledger: Ledger) -> None:
        old = decision(1, at=QUIET_END_MS - DAY_MS - 1, quiet=(21 * 60, 8 * 60, "Europe/Berlin"))
        ledger.take_over(page(*granted(ADA), old), START_MS)
        assert ledger.claim(START_MS, 10, "w") == []
        assert state_of(ledger, old) == ("skipped", "quiet_hours")

    def test_the_cap_of_a_merged_person_counts_both(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1, cap_times=1, cap_per_ms=DAY_MS)), START_MS)
        settled(ledger, flown(ledger, ledger.claim(START_MS, 1, "w")), "sent")
        later = decision(3, person=BOB, cap_times=1, cap_per_ms=DAY_MS)
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=2), later), START_MS)
        assert ledger.claim(START_MS, 1, "w") == []
        assert state_of(ledger, later) == ("skipped", "cap")

    @pytest.mark.parametrize("state", ["claimed", "in_flight", "unknown", "sent"])
    def test_of_two_journeys_of_people_who_merged_one_mail_goes(self, ledger: Ledger, state: str) -> None:
        """Ada's is on its way by then; Bob's journey had begun before hers was decided."""
        adas = decision(10, entered_at=START_MS)
        bobs = decision(20, person=BOB, entered_at=START_MS + 9)
        ledger.take_over(page(*granted(ADA, BOB), adas), START_MS)
        brought(ledger, ledger.claim(START_MS, 1, "w"), state)
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=11), bobs), START_MS)
        assert ledger.claim(START_MS, 1, "w") == []
        assert state_of(ledger, bobs) == ("skipped", "merged")

    def test_mails_of_one_journey_keep_none_of_it_out(self, ledger: Ledger) -> None:
        first = decision(10, entered_at=START_MS)
        then = decision(20, entered_at=START_MS, cause=first.cause, step=1)
        ledger.take_over(page(*granted(ADA, BOB), Merge(old=ADA, new=BOB, position=1), first, then), START_MS)
        assert [claim.decision for claim in ledger.claim(START_MS, 10, "w")] == [first, then]

    def test_of_two_that_are_pending_when_people_merge_the_first_goes(self, ledger: Ledger) -> None:
        adas = decision(10, entered_at=START_MS)
        bobs = decision(20, person=BOB, entered_at=START_MS + 9)
        ledger.take_over(page(*granted(ADA, BOB), adas, bobs, Merge(old=ADA, new=BOB, position=21)), START_MS)
        assert [claim.decision.id for claim in ledger.claim(START_MS, 10, "w")] == [adas.id]
        assert state_of(ledger, bobs) == ("skipped", "merged")

    def test_of_two_that_are_claimed_when_people_merge_one_goes_out(self, ledger: Ledger) -> None:
        adas = decision(10, entered_at=START_MS)
        bobs = decision(20, person=BOB, entered_at=START_MS + 9)
        ledger.take_over(page(*granted(ADA, BOB), adas, bobs), START_MS)
        claims = ledger.claim(START_MS, 10, "w")
        assert len(claims) == 2  # two people, two mails, as far as anybody knows
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=21)), START_MS)
        assert [claim.decision.id for claim in flown(ledger, claims)] == [bobs.id]
        assert state_of(ledger, adas) == ("skipped", "merged")

    @pytest.mark.parametrize(
        ("entered", "reentry", "goes"),
        [(9, 0, False), (10, 0, True), (10, 11, False), (11, 11, True), (9_000, None, False), (-20, 11, True)],
    )
    def test_a_merged_persons_mail_is_kept_out_by_a_journey_that_overlaps_or_is_nearer_than_reentry(
        self, ledger: Ledger, entered: int, reentry: int | None, goes: bool
    ) -> None:
        """Ada's journey lasted from START_MS to START_MS + 10."""
        adas = decision(10, entered_at=START_MS, reentry_ms=reentry)
        at = START_MS + entered + 10
        bobs = decision(20, person=BOB, at=at, entered_at=START_MS + entered, reentry_ms=reentry)
        ledger.take_over(page(*granted(ADA, BOB), adas), START_MS)
        brought(ledger, ledger.claim(START_MS, 1, "w"), "sent")
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=11), bobs), START_MS)
        assert bool(ledger.claim(START_MS, 1, "w")) is goes

    @pytest.mark.parametrize(
        "told",
        [
            {"person": BOB, "campaign": "greeting"},
            {"person": BOB, "entered_at": None},  # told by an engine of before
        ],
    )
    def test_nothing_else_keeps_a_merged_persons_mail_out(self, ledger: Ledger, told: dict[str, Any]) -> None:
        ledger.take_over(page(*granted(ADA, BOB), decision(10, entered_at=START_MS)), START_MS)
        brought(ledger, ledger.claim(START_MS, 1, "w"), "sent")
        other = decision(20, **{"entered_at": START_MS + 9} | told)
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=11), other), START_MS)
        assert len(ledger.claim(START_MS, 1, "w")) == 1

    def test_between_journeys_of_one_name_only_the_engine_judges(self, ledger: Ledger) -> None:
        ledger.take_over(page(*granted(ADA), decision(10, entered_at=START_MS)), START_MS)
        brought(ledger, ledger.claim(START_MS, 1, "w"), "sent")
        ledger.take_over(page(decision(20, entered_at=START_MS + 9)), START_MS)
        assert len(ledger.claim(START_MS, 1, "w")) == 1

    def test_a_mail_that_never_went_keeps_no_merged_persons_mail_out(self, ledger: Ledger) -> None:
        adas = [decision(9, entered_at=START_MS, skip="consent"), decision(10, entered_at=START_MS)]
        bobs = decision(20, person=BOB, entered_at=START_MS + 8)
        ledger.take_over(page(*granted(ADA, BOB), *adas), START_MS)
        brought(ledger, ledger.claim(START_MS, 1, "w"), "failed")
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=11), bobs), START_MS)
        assert len(ledger.claim(START_MS, 1, "w")) == 1

    def test_what_a_ledger_of_before_does_not_know_of_a_decision_is_no_divergence(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        told = decision(1, entered_at=START_MS, reentry_ms=5)
        assert ledger.take_over(page(told), START_MS).diverged == 0
        ledger.take_over(page(decision(2, entered_at=START_MS)), START_MS)
        assert ledger.take_over(page(decision(2, entered_at=START_MS + 1)), START_MS).diverged == 1

    def test_what_failed_does_not_count_for_the_cap(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1, cap_times=1, cap_per_ms=DAY_MS)), START_MS)
        settled(ledger, flown(ledger, ledger.claim(START_MS, 1, "w")), "failed")
        ledger.take_over(page(decision(2, cap_times=1, cap_per_ms=DAY_MS)), START_MS)
        assert len(ledger.claim(START_MS, 1, "w")) == 1

    def test_a_send_is_a_delivery_like_any_other_whatever_the_fence(self, ledger: Ledger) -> None:
        ledger.take_over(page(complete_to=100), START_MS)
        send = asked(1)
        known = ledger.send(send, START_MS)
        assert (known.new, known.body, known.delivery.decision, known.delivery.state) == (
            True,
            send.body,
            send.decision,
            "pending",
        )
        claims = ledger.claim(START_MS, 10, "w")
        assert [claim.decision for claim in claims] == [send.decision]
        settled(ledger, flown(ledger, claims), "sent")
        assert [move.after for move in ledger.history(send.decision.id)] == ["pending", "claimed", "in_flight", "sent"]
        assert ledger.cursor() == 100

    def test_a_key_brings_one_delivery_and_tells_what_it_came_with(self, ledger: Ledger) -> None:
        first = ledger.send(asked(1), START_MS)
        other = Send(key=asked(1).key, body=digest("other"), decision=decision(2, campaign=SEND), draft=asked(2).draft)
        for again in (asked(1), other):
            assert ledger.send(again, START_MS + 1) == msgspec.structs.replace(first, new=False)
        assert ledger.known_send(asked(1).key) == msgspec.structs.replace(first, new=False)
        assert ledger.known_send(asked(2).key) is None
        assert (len(ledger.deliveries()), ledger.draft(other.decision.id)) == (1, None)

    @pytest.mark.parametrize("state", ["sent", "failed"])
    def test_a_draft_stays_until_its_delivery_is_final_and_the_key_for_good(
        self, ledger: Ledger, host: SimulatedClock, state: ReceiptState
    ) -> None:
        send = asked(1)
        ledger.send(send, START_MS)
        for answer in ("temporary", "unknown"):
            settled(ledger, flown(ledger, ledger.claim(START_MS, 10, "w")), answer)
            host.advance(RETRY_MS[0])
            ledger.resend(START_MS)
            assert ledger.draft(send.decision.id) == send.draft
        settled(ledger, flown(ledger, ledger.claim(START_MS, 10, "w")), state)
        assert ledger.draft(send.decision.id) is None
        known = ledger.send(send, START_MS)
        assert (known.new, known.body, known.delivery.state) == (False, send.body, state)

    def test_the_draft_of_a_skipped_send_is_forgotten_and_no_other(self, ledger: Ledger) -> None:
        for number in (1, 2):
            ledger.send(asked(number), START_MS)
        [first, _] = ledger.claim(START_MS, 10, "w")
        ledger.skip([first], "render", "", START_MS)
        kept = {number: ledger.draft(asked(number).decision.id) for number in (1, 2)}
        assert [number for number, draft in kept.items() if draft] == [
            number for number in (1, 2) if asked(number).decision.id != first.decision.id
        ]

    def test_a_send_belongs_to_what_its_person_is_called_now(self, ledger: Ledger) -> None:
        ledger.take_over(page(Merge(old=BOB, new=ADA, position=5)), START_MS)
        assert ledger.send(asked(1, person=BOB), START_MS).delivery.person == ADA
        ledger.take_over(page(Merge(old=ADA, new=digest("cy"), position=6)), START_MS)
        known = ledger.known_send(asked(1).key)
        assert known is not None
        assert known.delivery.person == digest("cy")

    def test_lanes_are_claimed_in_their_order_and_within_one_the_oldest_first(self, ledger: Ledger) -> None:
        told = [
            decision(1, lane="backfill"),
            decision(2, lane="bulk"),
            decision(3, lane="triggered"),
            decision(4, lane="triggered", at=START_MS),
            decision(5, lane="transactional", class_="transactional"),
        ]
        ledger.take_over(page(*told), START_MS)
        order = [claim.decision.position for claim in ledger.claim(START_MS, 10, "w")]
        assert order == [5, 4, 3, 2, 1]

    def test_a_claim_takes_no_more_than_its_limit_and_a_limit_has_a_bound(self, ledger: Ledger) -> None:
        ledger.take_over(page(*[decision(n) for n in range(1, 8)]), START_MS)
        assert len(ledger.claim(START_MS, 5, "w")) == 5
        assert len(ledger.claim(START_MS, MAX_CLAIMS, "w")) == 2
        for limit in (0, MAX_CLAIMS + 1):
            with pytest.raises(ValueError, match="expected a limit"):
                ledger.claim(START_MS, limit, "w")

    def test_a_lease_holds_until_it_expires_and_then_the_old_fence_is_refused(
        self, ledger: Ledger, host: SimulatedClock
    ) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        [late] = ledger.claim(START_MS, 1, "slow")
        host.advance(LEASE_MS - 1)
        assert ledger.claim(START_MS, 1, "quick") == []
        host.advance(1)
        [now] = ledger.claim(START_MS, 1, "quick")
        assert now.fence > late.fence
        for write in _writes(ledger, late):
            with pytest.raises(FencedError):
                write()
        assert flown(ledger, [now]) == [now]

    def test_a_group_with_one_fenced_claim_changes_nothing(self, ledger: Ledger, host: SimulatedClock) -> None:
        ledger.take_over(page(decision(1), decision(2)), START_MS)
        first, second = ledger.claim(START_MS, 2, "slow")
        host.advance(LEASE_MS)
        [again] = ledger.claim(START_MS, 1, "quick")
        assert again.decision == first.decision
        with pytest.raises(FencedError):
            ledger.confirm([second, first], [ADDRESS] * 2, START_MS)
        assert state_of(ledger, decision(2)) == ("pending", "")

    def test_given_back_claims_are_taken_again_at_once(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        claims = ledger.claim(START_MS, 1, "w")
        ledger.give_back(claims, START_MS)
        [again] = ledger.claim(START_MS, 1, "w")
        assert again.fence == claims[0].fence + 1

    def test_a_courier_may_skip_what_it_cannot_make(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), decision(2)), START_MS)
        claims = ledger.claim(START_MS, 2, "w")
        ledger.take_over(page(cancellation(decision(2), 3)), START_MS)
        ledger.skip(claims, "render", "TemplateError", START_MS)
        assert state_of(ledger, decision(1)) == ("skipped", "render")
        assert state_of(ledger, decision(2)) == ("skipped", "until")

    def test_at_most_twenty_mails_of_a_worker_are_in_flight(self, ledger: Ledger) -> None:
        ledger.take_over(page(*[decision(n) for n in range(1, MAX_IN_FLIGHT + 3)]), START_MS)
        claims = ledger.claim(START_MS, 100, "w")
        with pytest.raises(ValueError, match="expected at most 20"):
            flown(ledger, claims)
        flying = flown(ledger, claims[:MAX_IN_FLIGHT])
        with pytest.raises(ValueError, match="expected at most 20"):
            flown(ledger, claims[MAX_IN_FLIGHT:])
        settled(ledger, flying, "sent")
        assert len(flown(ledger, claims[MAX_IN_FLIGHT:])) == 2

    def test_a_temporary_refusal_backs_off_and_in_the_end_fails(self, ledger: Ledger, host: SimulatedClock) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        for attempt, pause_ms in enumerate(RETRY_MS, start=1):
            [claim] = ledger.claim(START_MS, 1, "w")
            assert claim.attempt == attempt
            settled(ledger, flown(ledger, [claim]), "temporary")
            host.advance(pause_ms - 1)
            assert ledger.claim(START_MS, 1, "w") == []
            host.advance(1)
        settled(ledger, flown(ledger, ledger.claim(START_MS, 1, "w")), "temporary")
        assert state_of(ledger, decision(1)) == ("failed", "")

    def test_in_flight_at_the_start_is_unknown_and_marketing_stays_so(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        flying = flown(ledger, ledger.claim(START_MS, 1, "w"))
        assert [one.decision for one in ledger.recover(START_MS)] == [decision(1)]
        assert ledger.resend(START_MS) == 0
        assert state_of(ledger, decision(1)) == ("unknown", "")
        with pytest.raises(FencedError):
            settled(ledger, flying, "sent")

    def test_a_transactional_unknown_is_sent_again_until_24_hours(self, ledger: Ledger, host: SimulatedClock) -> None:
        receipt = decision(1, class_="transactional", purpose="orders", lane="transactional")
        ledger.take_over(page(receipt), START_MS)
        for _ in range(2):
            flown(ledger, ledger.claim(START_MS, 1, "w"))
            ledger.recover(START_MS)
            host.advance(TRANSACTIONAL_RETRY_MS // 2 - HOUR_MS)
            assert ledger.resend(START_MS) == 1
        flown(ledger, ledger.claim(START_MS, 1, "w"))
        ledger.recover(START_MS)
        host.advance(2 * HOUR_MS)
        assert ledger.resend(START_MS) == 0
        assert state_of(ledger, receipt) == ("unknown", "")

    def test_a_transactional_unknown_waits_longer_after_each_try(self, ledger: Ledger, host: SimulatedClock) -> None:
        receipt = decision(1, class_="transactional", purpose="orders", lane="transactional")
        ledger.take_over(page(receipt, decision(2)), START_MS)
        for pause_ms in (*RETRY_MS, RETRY_MS[-1]):
            settled(ledger, flown(ledger, ledger.claim(START_MS, 2, "w")), "unknown")
            host.advance(pause_ms - 1)
            assert ledger.resend(START_MS, waited=True) == 0
            host.advance(1)
            assert ledger.resend(START_MS, waited=True) == 1
        assert state_of(ledger, decision(2)) == ("unknown", ""), "marketing is never sent again"

    def test_what_a_living_worker_has_in_flight_is_its_own(self, ledger: Ledger, host: SimulatedClock) -> None:
        ledger.take_over(page(decision(1), decision(2)), START_MS)
        ledger.enlist("one")
        flown(ledger, ledger.claim(START_MS, 1, "one"))
        ledger.enlist("other")
        flying = flown(ledger, ledger.claim(START_MS, 1, "other"))
        host.advance(WORKER_LEASE_MS - 1)
        ledger.enlist("other")
        assert (ledger.abandoned(), ledger.recover(START_MS, "third")) == (0, [])
        host.advance(1)
        assert ledger.abandoned() == 1
        assert [one.decision for one in ledger.recover(START_MS, "third")] == [decision(1)]
        settled(ledger, flying, "sent")
        assert state_of(ledger, decision(2)) == ("sent", "")

    def test_a_worker_that_slept_over_its_lease_writes_nothing_any_more(
        self, ledger: Ledger, host: SimulatedClock
    ) -> None:
        mine = decision(1, class_="transactional", purpose="orders", lane="transactional")
        ledger.take_over(page(mine), START_MS)
        ledger.enlist("slow")
        late = flown(ledger, ledger.claim(START_MS, 1, "slow"))
        host.advance(WORKER_LEASE_MS)
        ledger.enlist("quick")
        ledger.recover(START_MS, "quick")
        ledger.resend(START_MS)
        again = flown(ledger, ledger.claim(START_MS, 1, "quick"))
        ledger.enlist("slow")
        for write in _writes(ledger, late[0]):
            with pytest.raises(FencedError):
                write()
        settled(ledger, again, "sent")
        assert state_of(ledger, mine) == ("sent", "")

    def test_one_group_is_settled_the_next_put_in_flight_and_one_more_claimed_at_once(self, ledger: Ledger) -> None:
        people = [digest("person", n) for n in range(3 * MAX_IN_FLIGHT)]
        wanted = [decision(n, person=person) for n, person in enumerate(people, 2)]
        ledger.take_over(page(*(consent(1, person=one) for one in people), *wanted), START_MS)
        first = advanced(ledger, [], [], limit=MAX_IN_FLIGHT)
        second = advanced(ledger, [], first.claimed, limit=MAX_IN_FLIGHT)
        flying = flying_of(second)
        with pytest.raises(ValueError, match="expected at most 20 mails in flight"):
            advanced(ledger, [], second.claimed, limit=0)
        third = advanced(ledger, flying, second.claimed, limit=MAX_IN_FLIGHT)
        assert [one.claim for one in third.confirmed] == second.claimed
        states = [state_of(ledger, one)[0] for one in wanted]
        assert states == ["sent"] * 20 + ["in_flight"] * 20 + ["claimed"] * 20

    def test_what_was_taken_back_is_not_put_in_flight_nor_claimed_with_it(self, ledger: Ledger) -> None:
        carol = digest("carol")
        wanted = [decision(1), decision(2, person=BOB), decision(3), decision(4, person=carol)]
        ledger.take_over(page(consent(1, person=carol), *wanted), START_MS)
        claims = ledger.claim(START_MS, 2, "w")
        ledger.withdraw(ADA, "marketing", START_MS + 9, "link")
        done = advanced(ledger, [], claims, limit=2)
        assert [one.reason for one in done.confirmed] == ["consent", ""]
        assert [one.decision for one in done.claimed] == [wanted[3]]
        assert [state_of(ledger, one) for one in wanted] == [
            ("skipped", "consent"), ("in_flight", ""), ("skipped", "consent"), ("claimed", "")
        ]  # fmt: skip

    def test_where_one_group_is_no_longer_the_workers_nothing_of_the_others_is_written(
        self, ledger: Ledger, host: SimulatedClock
    ) -> None:
        mine = [decision(n, class_="transactional", purpose="orders", lane="transactional") for n in range(1, 4)]
        ledger.take_over(page(*mine), START_MS)
        flying = flown(ledger, ledger.claim(START_MS, 1, "w"))
        late = ledger.claim(START_MS, 1, "w")
        host.advance(LEASE_MS)
        ledger.claim(START_MS, 1, "other")
        before = recounted(ledger)
        with pytest.raises(FencedError):
            advanced(ledger, flying, late, limit=1)
        assert recounted(ledger) == before
        settled(ledger, flying, "sent")
        assert state_of(ledger, mine[0]) == ("sent", "")

    def test_a_confirmation_keeps_a_worker_alive(self, ledger: Ledger, host: SimulatedClock) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        ledger.enlist("w")
        claims = ledger.claim(START_MS, 1, "w")
        host.advance(WORKER_LEASE_MS - 1)
        flown(ledger, claims)
        host.advance(WORKER_LEASE_MS - 1)
        assert ledger.recover(START_MS) == []

    def test_who_takes_a_workers_name_takes_what_it_left_in_flight(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        ledger.enlist("seat-1")
        flown(ledger, ledger.claim(START_MS, 1, "seat-1"))
        ledger.enlist("seat-1")
        assert [one.decision for one in ledger.recover(START_MS, "seat-1")] == [decision(1)]

    def test_one_worker_leads_until_it_is_silent_or_leaves(self, ledger: Ledger, host: SimulatedClock) -> None:
        assert [ledger.lead(one) for one in ("first", "second", "first")] == [True, False, True]
        host.advance(WORKER_LEASE_MS - 1)
        assert [ledger.lead(one) for one in ("second", "first")] == [False, True]
        host.advance(WORKER_LEASE_MS)
        assert [ledger.lead(one) for one in ("second", "first")] == [True, False]
        ledger.retire("second")
        assert ledger.lead("first")

    def test_a_page_of_one_who_does_not_lead_any_more_changes_nothing(
        self, ledger: Ledger, host: SimulatedClock
    ) -> None:
        ledger.lead("slow")
        ledger.take_over(page(decision(1)), START_MS, "slow")
        host.advance(WORKER_LEASE_MS)
        ledger.take_over(page(decision(2)), START_MS, "slow")
        assert ledger.lead("quick")
        with pytest.raises(FencedError, match="expected the outbox to be slow's, it is quick's"):
            ledger.take_over(page(decision(3)), START_MS, "slow")
        assert (ledger.delivery(decision(3).id), ledger.cursor()) == (None, 2)

    @pytest.mark.parametrize("said", ["sent", "failed"])
    def test_a_provider_may_say_what_became_of_an_unknown(self, ledger: Ledger, said: ReceiptState) -> None:
        ledger.take_over(page(decision(1), decision(2)), START_MS)
        settled(ledger, flown(ledger, ledger.claim(START_MS, 1, "w")), "unknown")
        ledger.resolve(decision(1).id, said, "event", START_MS)  # type: ignore[arg-type]
        assert state_of(ledger, decision(1)) == (said, "")
        with pytest.raises(MoveError):
            ledger.resolve(decision(2).id, said, "event", START_MS)  # type: ignore[arg-type]
        with pytest.raises(StoreError):
            ledger.resolve(digest("nobody"), said, "event", START_MS)  # type: ignore[arg-type]

    def test_after_a_restore_everything_open_is_held_until_released(self, ledger: Ledger) -> None:
        ledger.take_over(page(*[decision(n) for n in range(1, 5)]), START_MS)
        done, *_ = ledger.claim(START_MS, 3, "w")
        settled(ledger, flown(ledger, [done]), "sent")
        assert ledger.hold(START_MS) == 3
        assert ledger.claim(START_MS, 10, "w") == []
        ledger.release([decision(2).id], START_MS, "console")
        assert [claim.decision.position for claim in ledger.claim(START_MS, 10, "w")] == [2]
        ledger.take_over(page(cancellation(decision(3), 9)), START_MS)
        assert state_of(ledger, decision(3)) == ("skipped", "until")
        with pytest.raises(MoveError):
            ledger.release([decision(1).id], START_MS, "console")

    def test_counts_equal_what_is_there(self, ledger: Ledger) -> None:
        told = [decision(n, skip="holdout" if n % 3 == 0 else "") for n in range(1, 12)]
        ledger.take_over(page(*told, cancellation(told[0], 12)), START_MS)
        settled(ledger, flown(ledger, ledger.claim(START_MS, 4, "w")), "sent")
        ledger.claim(START_MS, 1, "w")
        counts = {(one.campaign, one.state, one.reason): one.count for one in ledger.counts()}
        assert counts == recounted(ledger)

    def test_what_may_still_be_sent_is_counted_up_to_when_it_was_decided(self, ledger: Ledger) -> None:
        told = [decision(n, at=START_MS + n, skip="holdout" if n == 2 else "") for n in range(1, 7)]
        ledger.take_over(page(*told), START_MS)
        sent, flying, _ = ledger.claim(START_MS, 3, "w")
        settled(ledger, flown(ledger, [sent]), "sent")
        flown(ledger, [flying])
        still_open = [ledger.open_until(START_MS + n) for n in range(8)]
        assert still_open == [0, 0, 0, 1, 2, 3, 4, 4]

    def test_deliveries_are_found_by_campaign_and_state_newest_first(self, ledger: Ledger) -> None:
        ledger.take_over(page(*[decision(n) for n in range(1, 5)], decision(5, campaign="other")), START_MS)
        ledger.claim(START_MS, 2, "w")
        assert [one.decision.position for one in ledger.deliveries(limit=2)] == [5, 4]
        assert [one.decision.position for one in ledger.deliveries(campaign="other")] == [5]
        assert [one.decision.position for one in ledger.deliveries(state="claimed", person=ADA)] == [2, 1]
        with pytest.raises(ValueError, match="at least 1"):
            ledger.deliveries(limit=0)

    def test_readers_of_moves_remember_how_far_they_came(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), decision(2)), START_MS)
        first, second = ledger.moves(ledger.bookmark("outcomes"), 10)
        ledger.set_bookmark("outcomes", first.number)
        assert ledger.moves(ledger.bookmark("outcomes"), 10) == [second]
        ledger.set_bookmark("outcomes", 0)
        assert ledger.bookmark("outcomes") == first.number
        with pytest.raises(ValueError, match="only take_over"):
            ledger.set_bookmark("$cursor", 9)

    def test_an_outcome_is_noted_once_a_mail_with_its_first_time(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), decision(2), decision(3, campaign="welcome")), START_MS)
        told = [clicked(ledger, decision(n).id, START_MS + at) for n, at in [(1, 5), (1, 3), (2, 6)]]
        assert told == [True, False, True]
        assert clicked(ledger, decision(3).id, START_MS) is True
        assert ledger.outcomes(decision(1).id) == [Outcome(decision=decision(1).id, outcome="clicked", at=START_MS + 5)]
        assert ledger.outcome_counts() == [
            OutcomeTally(campaign="browse_reminder", outcome="clicked", count=2),
            OutcomeTally(campaign="welcome", outcome="clicked", count=1),
        ]

    def test_an_outcome_of_a_mail_that_the_ledger_does_not_know_changes_nothing(self, ledger: Ledger) -> None:
        assert clicked(ledger, decision(1).id, START_MS) is False
        assert (ledger.outcomes(decision(1).id), ledger.outcome_counts()) == ([], [])
        ledger.take_over(page(decision(1)), START_MS)
        assert ledger.outcome_counts() == []
        assert clicked(ledger, decision(1).id, START_MS) is True

    def test_no_mail_goes_in_flight_after_the_unsubscribe_commits(
        self, bench: LedgerBench, host: SimulatedClock
    ) -> None:
        @settings(max_examples=60, deadline=None)
        @given(st.lists(st.sampled_from(STEPS), max_size=25))
        def check(steps: list[str]) -> None:
            ledger = bench.new(host)
            assert interleaved(ledger, steps) == []
            ledger.close()

        check()

    def test_a_mail_does_go_in_flight_with_consent(self, bench: LedgerBench, host: SimulatedClock) -> None:
        ledger = bench.new(host)
        assert interleaved(ledger, ["grant", "decide", "claim", "merge", "confirm"]) == []
        assert [one.state for one in ledger.deliveries()] == ["sent"]

    def test_what_changes_consent_is_numbered(self, bench: LedgerBench, host: SimulatedClock) -> None:
        ledger = bench.new(host)
        assert ledger.permit_changes(0, 10) == PermitChanges(first=1, last=0, items=[])
        ledger.take_over(page(consent(0)), START_MS)
        ledger.withdraw(ADA, "marketing", START_MS + 1, "link")
        ledger.suppress(ADDRESS, "bounced", START_MS)
        told = ledger.permit_changes(0, 10)
        assert [(one.person, one.address) for one in told.items] == [(ADA, None), (ADA, None), (None, ADDRESS)]
        numbers = [one.number for one in told.items]
        assert numbers == sorted(numbers) and (told.first, told.last) == (numbers[0], numbers[-1])
        assert ledger.permit_changes(numbers[0], 1).items == told.items[1:2]

    def test_what_may_leave_is_what_a_claim_would_say(self, bench: LedgerBench, host: SimulatedClock) -> None:
        ledger = bench.new(host)
        asked_of = [
            Permit(person=ADA, purpose="marketing", address=ADDRESS),
            Permit(person=ADA, purpose="other"),
            Permit(person=bytes(16), purpose="marketing"),
        ]
        assert ledger.refusals(asked_of) == ["consent"] * 3, "unknown is no"
        ledger.take_over(page(consent(0)), START_MS)
        assert ledger.refusals(asked_of) == ["", "consent", "consent"]
        ledger.suppress(ADDRESS, "bounced", START_MS)
        assert ledger.refusals(asked_of) == ["suppressed", "consent", "consent"]
        ledger.withdraw(ADA, "marketing", START_MS + 1, "link")
        assert ledger.refusals([Permit(person=ADA, purpose="marketing")]) == ["consent"]


class DurableLedgerContract(LedgerContract):
    """What a ledger on disk does besides."""

    @pytest.fixture
    def bench(self) -> DurableLedgerBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(
            f"{type(self).__name__} gives no fixture `bench`; return a DurableLedgerBench from it"
        )

    def test_all_is_there_when_it_is_opened_again(self, bench: DurableLedgerBench, host: SimulatedClock) -> None:
        ledger = bench.new(host)
        ledger.take_over(page(consent(0), decision(1), complete_to=8), START_MS)
        settled(ledger, flown(ledger, ledger.claim(START_MS, 1, "w")), "sent")
        ledger.close()
        again = bench.again(ledger, host)
        assert (again.cursor(), state_of(again, decision(1))) == (8, ("sent", ""))

    def test_a_send_by_another_process_is_there_for_the_courier(
        self, bench: DurableLedgerBench, host: SimulatedClock
    ) -> None:
        courier = bench.new(host)
        front = bench.again(courier, host)
        front.send(asked(1), START_MS)
        [claim] = courier.claim(START_MS, 10, "w")
        assert courier.draft(claim.decision.id) == asked(1).draft
        assert not courier.send(asked(1), START_MS).new

    def test_an_outcome_told_by_two_processes_is_one(self, bench: DurableLedgerBench, host: SimulatedClock) -> None:
        courier = bench.new(host)
        front = bench.again(courier, host)
        courier.take_over(page(decision(1)), START_MS)
        assert [clicked(one, decision(1).id, START_MS) for one in (front, courier)] == [True, False]
        assert [one.count for one in courier.outcome_counts()] == [1]

    def test_a_withdrawal_by_another_process_beats_a_claim(
        self, bench: DurableLedgerBench, host: SimulatedClock
    ) -> None:
        courier = bench.new(host)
        front = bench.again(courier, host)
        courier.take_over(page(consent(0), decision(1)), START_MS)
        [claim] = courier.claim(START_MS, 1, "w")
        front.withdraw(ADA, "marketing", START_MS + 1, "link")
        [answer] = courier.confirm([claim], [ADDRESS], START_MS + 2)
        assert answer.reason == "consent"

    def test_a_lease_longer_than_any_is_of_a_clock_that_was_set_back(
        self, bench: DurableLedgerBench, host: SimulatedClock
    ) -> None:
        gone = bench.new(SimulatedClock(host.now_ms() + DAY_MS))
        gone.take_over(page(consent(0), decision(1)), START_MS)
        gone.enlist("gone")
        gone.lead("gone")
        flown(gone, gone.claim(START_MS, 1, "gone"))
        here = bench.again(gone, host)
        assert here.lead("here")
        assert len(here.recover(START_MS, "here")) == 1


def _writes(ledger: Ledger, late: Claimed) -> list[Callable[[], object]]:
    settlement = Settlement(claim=late, receipt=Receipt(state="sent"))
    return [
        lambda: ledger.confirm([late], [ADDRESS], START_MS),
        lambda: ledger.skip([late], "render", "", START_MS),
        lambda: ledger.give_back([late], START_MS),
        lambda: ledger.settle([settlement], START_MS),
        lambda: advanced(ledger, [late], [], limit=0),
        lambda: advanced(ledger, [], [late], limit=1),
    ]
