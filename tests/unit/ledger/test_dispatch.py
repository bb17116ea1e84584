"""Weakened on purpose: what the contract of routing says has to be found where a body does not keep it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from livepost.clock import SimulatedClock
from livepost.ledger.dispatch import Dispatch
from livepost.ledger.paces import Paces
from livepost.ledger.routing import Pace, SenderRule
from livepost.ledger.sqlite import SqliteLedger
from livepost.ledger.store import Row
from livepost.testing.contracts.ledger import START_MS
from livepost.testing.contracts.routing import never_by_two, within_pace


def test_fail_over_of_what_nobody_knows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def anybody(self: Dispatch, row: Row) -> Sequence[SenderRule]:
        return self._routing.senders

    host = SimulatedClock(START_MS)
    never_by_two(SqliteLedger(":memory:", host), host)
    monkeypatch.setattr(Dispatch, "_candidates", anybody)
    host = SimulatedClock(START_MS)
    with pytest.raises(AssertionError, match="was given to another"):
        never_by_two(SqliteLedger(":memory:", host), host)


@pytest.mark.parametrize("by_domain", [False, True])
def test_slots_that_are_not_taken_are_found(monkeypatch: pytest.MonkeyPatch, by_domain: bool) -> None:
    monkeypatch.setattr(Paces, "take", lambda *_: None)
    host = SimulatedClock(START_MS)
    with pytest.raises(AssertionError, match="mails within"):
        within_pace(Pace(7, 60_000), [SqliteLedger(":memory:", host)], host, 7, by_domain=by_domain)
