from __future__ import annotations

import pytest

from livepost.clock import SimulatedClock
from livepost.errors import StoreError
from livepost.log.memory import MemoryLog
from livepost.model.record import Record


def test_a_full_log_refuses_more_until_it_is_pruned() -> None:
    clock = SimulatedClock(1)
    log = MemoryLog(clock, capacity=3)
    log.append([Record()] * 2)
    clock.advance(1)
    log.append([Record()])
    with pytest.raises(StoreError, match="3 records at most"):
        log.append([Record()])
    assert log.prune(2, 2) == 2
    assert log.append([Record()] * 2).last == 4


def test_the_time_of_commit_is_the_hosts() -> None:
    log = MemoryLog(SimulatedClock(1), host=SimulatedClock(77))
    assert log.append([Record()]).committed_ms == log.committed_ms(0) == 77


def test_a_simulated_clock_is_no_trouble() -> None:
    assert MemoryLog(SimulatedClock(1)).clock_trouble is None
