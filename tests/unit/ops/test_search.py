"""Looking for a person's events in a log without an index: how far, and what is said of that."""

import pytest

from livepost.clock import SimulatedClock
from livepost.log.base import Position
from livepost.log.memory import MemoryLog
from livepost.model.record import Kind, Record
from livepost.ops import search as looking_back
from livepost.ops.search import AT_ONCE, SECONDS_MAX, USUAL, Bounds, Searched, search

ADA, BOB = b"a" * 16, b"b" * 16


def test_the_log_is_searched_to_its_beginning_and_of_nothing_but_events() -> None:
    log = log_of(10)
    log.append([Record(kind=Kind.LINK, subject=ADA)])
    found = search(log, [ADA], 1_000)
    assert ([one.seq for one in found.events], found.oldest.seq, found.whole) == (
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
        0,
        True,
    )
    assert search(MemoryLog(SimulatedClock(1)), [ADA], 10) == Searched([], Position(0, 0), whole=True)


def test_the_search_ends_where_there_is_more_than_asked_for() -> None:
    found = search(log_of(3 * AT_ONCE), [ADA], 10)
    assert (len(found.events), found.whole) == (AT_ONCE, False)


def test_the_search_ends_at_its_bound_of_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking_back, "AT_ONCE", 100)
    assert Bounds(500_000, SECONDS_MAX) == USUAL
    found = search(log_of(2_000), [BOB], 10, bounds=Bounds(records=500))
    assert (found.oldest.seq, found.whole) == (1_500, False)
    assert search(log_of(2_000), [BOB], 10, bounds=Bounds(records=2_000)).whole


def test_the_search_ends_at_its_bound_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking_back, "AT_ONCE", 100)
    times = iter(SECONDS_MAX / 3 * number for number in range(100))
    found = search(log_of(2_000), [BOB], 10, lambda: next(times))
    assert (found.oldest.seq, found.whole) == (1_700, False)


def test_what_lies_beyond_the_place_asked_for_is_not_found() -> None:
    found = search(log_of(300), [ADA], 1_000, upto=Position(120, 1_000))
    assert ([one.seq for one in found.events], found.whole) == (list(range(120, -1, -1)), True)


def log_of(count: int) -> MemoryLog:
    log = MemoryLog(SimulatedClock(1_000))
    for first in range(0, count, 100):
        log.append([Record(subject=ADA, message_id=str(first + n)) for n in range(min(100, count - first))])
    return log
