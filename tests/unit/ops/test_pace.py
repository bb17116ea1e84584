from livepost.clock import SimulatedClock
from livepost.ledger.base import Tally
from livepost.log.memory import MemoryLog
from livepost.model.lateness import Lateness
from livepost.model.record import Kind, Record
from livepost.model.told import Status
from livepost.observe.latencies import Latencies
from livepost.ops.pace import ROOMS, pace, totals

LATENCIES = Latencies()
for latency_ms in (1.0, 1.0, 30.0):
    LATENCIES.add(latency_ms)
STATUS = Status(
    position=2,
    as_of=0,
    complete_to=1,
    next_due=None,
    people=1,
    transitions=0,
    program="p",
    counts={"processed": 2, "duplicate": 1},
    lateness=Lateness(too_late=2),
    freshness=LATENCIES.counts,
)
TALLIES = [
    Tally(campaign="a", state="sent", reason="", count=4),
    Tally(campaign="a", state="skipped", reason="cap", count=3),
    Tally(campaign="b", state="pending", reason="", count=2),
    Tally(campaign="b", state="unknown", reason="", count=1),
    Tally(campaign="b", state="held", reason="", count=7),
]


def log() -> MemoryLog:
    made = MemoryLog(SimulatedClock(1_000))
    made.append([Record(subject=b"s" * 16)] * 4)
    made.append([Record(kind=Kind.TICK)])
    return made


def test_each_room_counts_its_own() -> None:
    found = totals(STATUS, log(), TALLIES, outcomes=9)
    assert found == {"collect": 4, "process": 3, "decide": 17, "deliver": 4, "measure": 9}
    assert list(found) == [room for room, _ in ROOMS]


def test_what_waits_stands_before_its_room_and_the_last_rate_is_nows() -> None:
    found = pace(STATUS, log(), TALLIES, {"collect": [1.0, 5.0], "process": [2.0]}, {})
    assert [(one.room, one.per_s, one.waiting) for one in found.rooms] == [
        ("collect", 5.0, None),
        ("process", 2.0, 2),
        ("decide", 0.0, 1),
        ("deliver", 0.0, 3),
        ("measure", 0.0, None),
    ]
    assert (found.rooms[0].series, found.rooms[4].series, found.lag_records) == ([1.0, 5.0], [], 2)


def test_latencies_come_as_sizes_and_how_many() -> None:
    found = pace(STATUS, log(), TALLIES, {}, {})
    assert [count for _, count in found.freshness] == [2, 1]
    (small, _), (large, _) = found.freshness
    assert 1.0 <= small <= 1.06 and 30.0 <= large <= 31.6
    assert (found.freshness_ms.p99, found.event_to_mail, found.event_to_mail_ms.p50) == (large, [], 0.0)
