"""Whoever takes urgent items first, at any time, and all in order has in the end the ledger of whoever only reads in
order: the same deliveries of the same persons, for the same reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.ids import digest
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.decision import Decision, Merge, OutboxItem
from livepost.model.outbox import OutboxPage
from livepost.process.urgent import UrgentItems
from livepost.testing.contracts.ledger import START_MS, cancellation, consent, decision, page, parting

PEOPLE = tuple(digest("person", number) for number in range(4))


@st.composite
def outboxes(draw: st.DrawFn) -> list[OutboxItem]:
    """Return items by position: receipts, bulk mails, consents, cancellations of what was decided, merges, partings."""
    items: list[OutboxItem] = []
    decided: list[Decision] = []
    for position in range(1, draw(st.integers(1, 25))):
        person = draw(st.sampled_from(PEOPLE))
        match draw(st.sampled_from(("receipt", "receipt", "bulk", "consent", "cancel", "merge", "part"))):
            case "receipt":
                told: dict[str, Any] = {"class_": "transactional", "lane": "transactional", "cap_times": 1}
                decided.append(decision(position, person=person, campaign="receipt", cap_per_ms=100, **told))
                items.append(decided[-1])
            case "bulk":
                decided.append(decision(position, person=person, lane="bulk"))
                items.append(decided[-1])
            case "consent":
                items.append(consent(position, person=person, allowed=draw(st.booleans())))
            case "cancel" if decided:
                items.append(cancellation(draw(st.sampled_from(decided)), position))
            case "merge":
                items.append(Merge(old=draw(st.sampled_from(PEOPLE)), new=person, position=position))
            case "part":
                items.append(parting(position, subjects=(person,)))
    return items


def state_of(ledger: SqliteLedger) -> object:
    """Return what the ledger says of each delivery, and who goes out if all is claimed."""
    found = sorted(
        (one.decision.id, one.person, one.state, one.reason, one.detail) for one in ledger.deliveries(limit=1_000)
    )
    claimed = sorted(one.decision.id for one in ledger.claim(START_MS + 1_000, 500, "w"))
    proofs = [len(ledger.proofs(person)) for person in PEOPLE]
    return found, claimed, proofs, ledger.divergences(), ledger.cursor()


def in_order(items: Sequence[OutboxItem]) -> object:
    with closing(SqliteLedger(":memory:")) as ledger:
        ledger.take_over(page(*items), START_MS)
        return state_of(ledger)


def overtaken(items: Sequence[OutboxItem], looks: Sequence[bool]) -> object:
    """Read one item at a time in order; where `looks` says so take over what is urgent before."""
    urgent = UrgentItems()
    urgent.note(1, items)
    with closing(SqliteLedger(":memory:")) as ledger:
        told = 0
        for read, (item, look) in enumerate(zip(items, looks, strict=True)):
            if look and (found := urgent.after(told, read, 100)):
                ahead = [one for _, one in found]
                ledger.take_over(OutboxPage(complete_to=-1, as_of=START_MS, items=ahead), START_MS)
                told = found[-1][0]
            urgent.read(read + 1)
            ledger.take_over(OutboxPage(complete_to=-1, as_of=START_MS, items=[item]), START_MS)
        ledger.take_over(page(complete_to=max((item.position for item in items), default=-1)), START_MS)
        return state_of(ledger)


@settings(max_examples=150)
@given(st.data())
def test_overtaking_comes_to_what_reading_in_order_comes_to(data: st.DataObject) -> None:
    items = data.draw(outboxes())
    looks = data.draw(st.lists(st.booleans(), min_size=len(items), max_size=len(items)))
    assert overtaken(items, looks) == in_order(items)


class Heedless(UrgentItems):
    """The fault put in: nothing holds a decision up."""

    def _is_tied(self, number: int, item: OutboxItem, read: int) -> bool:
        return False


@pytest.mark.parametrize(("kind", "sent"), [(UrgentItems, 1), (Heedless, 2)])
def test_one_receipt_goes_to_who_turns_out_to_be_one_person_unless_ties_are_not_heeded(
    kind: type[UrgentItems], sent: int
) -> None:
    told: dict[str, Any] = {"class_": "transactional", "lane": "transactional", "cap_times": 1, "cap_per_ms": 100}
    first, second = (decision(at, person=person, **told) for at, person in ((1, PEOPLE[0]), (3, PEOPLE[1])))
    items = [first, Merge(old=PEOPLE[0], new=PEOPLE[1], position=2), second]
    urgent = kind()
    urgent.note(1, items)
    with closing(SqliteLedger(":memory:")) as ledger:
        ahead = [item for _, item in urgent.after(0, 0, 10)]
        ledger.take_over(OutboxPage(complete_to=-1, as_of=START_MS, items=ahead), START_MS)
        claimed = ledger.claim(START_MS, 10, "w")
        ledger.take_over(page(*items), START_MS)
        assert len(claimed + ledger.claim(START_MS, 10, "w")) == sent
