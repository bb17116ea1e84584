import pytest

from livepost.clock import SimulatedClock
from livepost.log import whole
from livepost.log.memory import MemoryLog
from livepost.log.whole import blocks_of
from livepost.model.record import Record


def test_every_record_that_is_kept_comes_once_however_many_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    log = MemoryLog(SimulatedClock(1))
    for count in (2, 3, 1):
        log.append([Record()] * count)
    for at_a_time in (1, 3, 100):
        monkeypatch.setattr(whole, "READ_RECORDS", at_a_time)
        assert [(block.first, block.count) for block in blocks_of(log)] == [(0, 2), (2, 3), (5, 1)]


def test_an_empty_log_has_none() -> None:
    assert list(blocks_of(MemoryLog(SimulatedClock(1)))) == []
