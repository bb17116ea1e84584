"""The contract of a ledger about people who were erased."""

from __future__ import annotations

from livepost.ids import digest
from livepost.ledger.base import Ledger, Settlement
from livepost.model.message import Receipt
from livepost.testing.contracts.ledger import (
    ADA,
    ADDRESS,
    BOB,
    START_MS,
    consent,
    decision,
    flown,
    page,
    state_of,
)

EARLIER = digest("an id that is Ada's, too")
ID = digest("keyed hash of an id of Ada's")


class ErasuresContract:
    """The part of the contract that is about erasures."""

    def test_what_may_be_sent_is_skipped_and_others_are_mailed(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), decision(2), decision(3, person=BOB)), START_MS)
        [claim] = ledger.claim(START_MS, 1, "w")
        done = ledger.erase([ADA, EARLIER], [ID], START_MS, START_MS)
        assert (claim.decision.person, done["mails skipped"], done["consents"]) == (ADA, 2, 1)
        assert [state_of(ledger, decision(n)) for n in (1, 2)] == [("skipped", "erased")] * 2
        assert [one.decision.person for one in ledger.claim(START_MS, 10, "w")] == [BOB]

    def test_what_is_decided_of_them_before_the_engine_knows_is_skipped_as_it_is_taken_over(
        self, ledger: Ledger
    ) -> None:
        ledger.erase([ADA], [ID], START_MS, START_MS)
        ledger.take_over(page(consent(4), decision(5)), START_MS)
        assert state_of(ledger, decision(5)) == ("skipped", "erased")
        assert ledger.claim(START_MS, 10, "w") == []
        assert [(one.state, one.reason, one.count) for one in ledger.counts()] == [("skipped", "erased", 1)]

    def test_no_address_and_no_answer_of_a_server_is_left(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        claims = flown(ledger, ledger.claim(START_MS, 1, "w"))
        receipt = Receipt(state="failed", text="550 <ada@example.com> is unknown", provider="smtp")
        ledger.settle([Settlement(claim=claim, receipt=receipt) for claim in claims], START_MS)
        assert ADDRESS in {*ledger.values()}
        ledger.erase([ADA], [ID], START_MS, START_MS)
        assert ADDRESS not in {*ledger.values()}
        assert not any("ada@example.com" in one for one in ledger.values() if isinstance(one, str))

    def test_a_suppression_stays_and_so_does_the_keyed_hash_of_an_id_with_the_later_time(self, ledger: Ledger) -> None:
        ledger.suppress(ADDRESS, "complained", START_MS)
        ledger.erase([ADA], [ID], START_MS + 5, START_MS)
        ledger.erase([ADA], [ID], START_MS, START_MS)
        assert ledger.suppression(ADDRESS) is not None
        assert (ledger.erased_ids(), ledger.forgotten()) == ({ID: START_MS + 5}, [ADA])

    def test_who_keeps_a_copy_elsewhere_hears_of_it(self, ledger: Ledger) -> None:
        last = ledger.permit_changes(0, 1).last
        ledger.erase([ADA, EARLIER], [ID], START_MS, START_MS)
        assert {one.person for one in ledger.permit_changes(last, 10).items} == {ADA, EARLIER}

    def test_erased_twice_changes_nothing_more(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        ledger.erase([ADA], [ID], START_MS, START_MS)
        assert set(ledger.erase([ADA], [ID], START_MS, START_MS).values()) == {0}
