"""The history of consents: a row that is lost is found."""

from __future__ import annotations

import pytest
from hypothesis import find, settings

from livepost.clock import SimulatedClock
from livepost.ledger import consents
from livepost.ledger.sqlite import SqliteLedger
from livepost.testing.contracts.consents import STEPS, Spoken, Step
from livepost.testing.contracts.ledger import ADA, START_MS, consent, page

FEW = settings(max_examples=300, deadline=None, database=None)


def said_to(steps: list[Step]) -> Spoken:
    spoken = Spoken(SqliteLedger(":memory:", SimulatedClock(START_MS)))
    spoken.run(steps)
    return spoken


def test_any_row_that_is_dropped_is_found() -> None:
    ledger = said_to([("yes", 0, 0, 0), ("withdraw", 0, 0, 0), ("yes", 0, 0, 0), ("no", 1, 0, 1)]).ledger
    numbers = [one.number for one in ledger.newest_consents()]
    assert len(numbers) == 4
    for number in numbers:
        spoken = said_to([("yes", 0, 0, 0), ("withdraw", 0, 0, 0), ("yes", 0, 0, 0), ("no", 1, 0, 1)])
        assert spoken.ledger.consent_faults() == []
        store = spoken.ledger._store  # type: ignore[attr-defined]
        with store.transaction():
            assert store.change("DELETE FROM consent_events WHERE number = ?", (number,)) == 1
        assert len(spoken.ledger.consent_faults()) == 1


def test_a_change_that_leaves_no_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consents, "_note", lambda *told: None)
    find(STEPS, lambda steps: bool(said_to(steps).wrong()), settings=FEW)


def test_a_grant_of_before_a_withdrawal_does_not_stand() -> None:
    ledger = SqliteLedger(":memory:", SimulatedClock(START_MS))
    ledger.withdraw(ADA, "marketing", START_MS + 5, "page")
    ledger.take_over(page(consent(0, at=START_MS)), START_MS)
    assert [one.state for one in ledger.consent_history(ADA)] == ["refused", "refused"]
