"""What a merged person's mails are looked through for, and where the look ends."""

from __future__ import annotations

import pytest

from livepost.clock import SimulatedClock
from livepost.ledger import facts
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.decision import Merge
from livepost.testing.contracts.ledger import ADA, BOB, START_MS, brought, decision, granted, page, state_of


def test_only_the_newest_mails_within_the_bound_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that went, at a bound of one, the older keeps nothing out."""
    monkeypatch.setattr(facts, "NAMESAKES_MAX", 1)
    ledger = SqliteLedger(":memory:", SimulatedClock(START_MS))
    went = [decision(10, entered_at=START_MS), decision(12, entered_at=START_MS + 11)]
    ledger.take_over(page(*granted(ADA, BOB), *went), START_MS)
    brought(ledger, ledger.claim(START_MS, 2, "w"), "sent")
    beside_the_older = decision(15, at=START_MS + 11, person=BOB, entered_at=START_MS + 9)
    beside_the_newer = decision(16, at=START_MS + 13, person=BOB, entered_at=START_MS + 11)
    ledger.take_over(page(Merge(old=ADA, new=BOB, position=13), beside_the_older, beside_the_newer), START_MS)
    assert [claim.decision.id for claim in ledger.claim(START_MS, 1, "w")] == [beside_the_older.id]
    assert ledger.claim(START_MS, 1, "w") == []
    assert state_of(ledger, beside_the_newer) == ("skipped", "merged")
    ledger.close()
