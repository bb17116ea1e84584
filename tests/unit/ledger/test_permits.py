"""Numbered changes: with merges, and as many as are kept. What every ledger does is in its contract suite."""

from __future__ import annotations

from contextlib import closing

import pytest

from livepost.clock import SimulatedClock
from livepost.ledger import permits
from livepost.ledger.base import Permit
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.decision import Merge
from livepost.testing.contracts.ledger import ADA, START_MS, consent, page

BOB = bytes(15) + b"b"


def test_a_merge_is_a_change_of_the_one_who_stays() -> None:
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as ledger:
        ledger.take_over(page(consent(0), consent(1, person=BOB, allowed=False, at=START_MS + 1)), START_MS)
        last = ledger.permit_changes(0, 10).last
        ledger.take_over(page(Merge(old=BOB, new=ADA, position=2), complete_to=2), START_MS)
        assert [one.person for one in ledger.permit_changes(last, 10).items] == [ADA]
        asked = [Permit(person=one, purpose="marketing") for one in (ADA, BOB)]
        assert ledger.refusals(asked) == ["consent", "consent"], "the refusal was later"


def test_old_changes_are_forgotten_and_a_reader_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits, "KEPT", 5)
    monkeypatch.setattr(permits, "FORGET_EVERY", 10)
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as ledger:
        for number in range(20):
            ledger.suppress(bytes([number]) * 16, "bounced", START_MS)
        told = ledger.permit_changes(0, 100)
        assert (told.first, told.last, len(told.items)) == (16, 20, 5)
