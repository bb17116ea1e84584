from __future__ import annotations

from contextlib import closing
from threading import Event

import pytest

from livepost.clock import SimulatedClock
from livepost.errors import StoreError
from livepost.ledger.sqlite import SqliteLedger
from livepost.runtime.courier import beating as beats
from livepost.runtime.courier.beating import beating
from livepost.testing.contracts.ledger import START_MS


def test_a_lease_begins_at_once_and_ends_behind() -> None:
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as ledger:
        ledger.lead("w")
        with beating(ledger, "w"):
            assert not ledger.lead("other")
        assert ledger.lead("other")


def test_a_beat_that_fails_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "BEAT_MS", 1)
    said, again = [0], Event()

    class Busy(SqliteLedger):
        def enlist(self, worker: str) -> None:
            said[0] += 1
            if said[0] == 2:
                raise StoreError("busy")
            if said[0] == 3:
                again.set()

    with closing(Busy(":memory:", SimulatedClock(START_MS))) as ledger, beating(ledger, "w"):
        assert again.wait(10)
