"""What may go before what stands before it: transactional decisions, unless a merge or parting of their person does."""

from __future__ import annotations

import msgspec
import pytest

from livepost.ids import digest
from livepost.model.decision import Decision, Merge, OutboxItem
from livepost.process.urgent import UrgentItems
from livepost.testing.contracts.ledger import ADA, BOB, cancellation, consent, decision, parting

CLEO = digest("person", "cleo")


def receipt(number: int, person: bytes = ADA, lane: str = "transactional") -> Decision:
    return decision(number, person=person, class_="transactional", lane=lane)


def noted(*items: OutboxItem) -> UrgentItems:
    found = UrgentItems()
    found.note(1, items)
    return found


def test_transactional_decisions_are_urgent_with_what_cancels_them() -> None:
    bulk, urgent = decision(1), receipt(3)
    found = noted(bulk, consent(2), urgent, cancellation(bulk, 4), cancellation(urgent, 5))
    assert found.after(0, 0, 10) == [(3, urgent), (5, cancellation(urgent, 5))]
    assert found.after(0, 0, 1) == [(3, urgent)]
    assert found.after(3, 0, 10) == [(5, cancellation(urgent, 5))]
    assert found.after(0, 5, 10) == [], "what was read in order is told no more"


def test_a_transactional_mail_of_a_backfill_is_not_urgent() -> None:
    assert noted(receipt(1, lane="backfill")).after(0, 0, 10) == []


@pytest.mark.parametrize("tie", [Merge(old=BOB, new=ADA, position=2), parting(2)])
def test_a_persons_decision_waits_for_what_says_who_they_are(tie: OutboxItem) -> None:
    early, late, other = receipt(1), receipt(3), receipt(4, person=CLEO)
    found = noted(early, tie, late, other)
    assert found.after(0, 0, 10) == [(1, early), (4, other)]
    found.read(1)
    assert found.after(0, 1, 10) == [(4, other)]
    found.read(2)
    assert found.after(0, 2, 10) == [(3, late), (4, other)]


def test_of_two_ties_the_one_that_is_left_still_holds() -> None:
    late = receipt(3)
    found = noted(Merge(old=BOB, new=ADA, position=1), Merge(old=CLEO, new=ADA, position=2), late)
    found.read(1)
    assert found.after(0, 1, 10) == []
    assert found.after(0, 2, 10) == [(3, late)]


def test_what_is_served_is_forgotten() -> None:
    one = receipt(1)
    found = noted(one, receipt(7))
    found.served(1)
    found.note(3, [cancellation(one, 8)])
    assert [number for number, _ in found.after(0, 0, 10)] == [2]
    assert msgspec.structs.asdict(found.after(0, 0, 10)[0][1])["position"] == 7
