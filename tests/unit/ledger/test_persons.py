"""Negative controls of what the ledger's contract says of undone merges: with a part left out, its tests find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from livepost.clock import SimulatedClock
from livepost.ledger import persons, takeover
from livepost.ledger.sqlite import SqliteLedger
from livepost.ledger.store import Store
from livepost.model.decision import Merge, Parting
from livepost.testing.contracts.ledger import ADA, BOB, START_MS, consent, decision, page, parting


@pytest.fixture
def ledger() -> Iterator[SqliteLedger]:
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as one:
        yield one


def part_and_then(patch: pytest.MonkeyPatch, spoil: Callable[[Store, Parting], object]) -> None:
    """Let the ledger part people, and spoil it."""

    def part(store: Store, told: Parting) -> None:
        persons.part(store, told)
        spoil(store, told)

    patch.setattr(takeover, "part", part)


def claimed_after_a_withdrawal(ledger: SqliteLedger) -> set[bytes]:
    """Return who is mailed where both allowed it, one person was made of them, withdrew, and was made two again."""
    ledger.take_over(page(consent(1), consent(1, person=BOB), Merge(old=ADA, new=BOB, position=2)), START_MS)
    ledger.withdraw(BOB, "marketing", START_MS + 1, "link")
    again = consent(3, at=START_MS + 9), decision(4), decision(5, person=BOB)
    ledger.take_over(page(parting(3, at=START_MS + 9), *again), START_MS + 9)
    return {claim.decision.person for claim in ledger.claim(START_MS + 9, 10, "w")}


def test_a_withdrawal_that_stayed_with_one_of_two_would_be_found(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    part_and_then(
        monkeypatch, lambda store, told: store.change("DELETE FROM withdrawals WHERE person = ?", (told.other,))
    )
    assert claimed_after_a_withdrawal(ledger) == {ADA}


def test_without_the_fault_neither_is_mailed(ledger: SqliteLedger) -> None:
    assert claimed_after_a_withdrawal(ledger) == set()


def test_a_name_that_still_led_to_the_first_would_be_found(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    part_and_then(
        monkeypatch,
        lambda store, told: store.change("INSERT INTO persons VALUES (?, ?)", (told.other, told.person)),
    )
    ledger.take_over(page(Merge(old=ADA, new=BOB, position=1), parting(2), decision(3)), START_MS)
    assert [one.person for one in ledger.deliveries()] == [BOB]


def test_a_permission_left_with_the_name_would_be_found(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "part", lambda store, told: None)
    told = Merge(old=ADA, new=BOB, position=1), consent(1, person=BOB), decision(2, person=BOB)
    ledger.take_over(page(*told, parting(3, lost=("marketing",))), START_MS)
    assert len(ledger.claim(START_MS, 10, "w")) == 1
