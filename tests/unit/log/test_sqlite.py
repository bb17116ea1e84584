from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from itertools import count
from pathlib import Path

import apsw
import pytest

from livepost.clock import DAY_MS, SimulatedClock
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.log.base import Position
from livepost.log.sqlite import OPEN_SEGMENTS, SqliteLog, SqliteLogReader
from livepost.model.record import Record

from .faults import FaultyVFS

START_MS = 19_000 * DAY_MS
NAMES = count()


def faulty(at: str, file: str = "-wal") -> FaultyVFS:
    return FaultyVFS(f"faulty-{os.getpid()}-{next(NAMES)}", at, file)


def segments(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.db"))


def test_a_new_utc_day_of_stamp_begins_a_new_segment(tmp_path: Path) -> None:
    clock = SimulatedClock(START_MS + DAY_MS - 1)
    log = SqliteLog(tmp_path, clock)
    log.append([Record()] * 2)
    log.append([Record()])
    clock.advance(1)
    log.append([Record()])
    clock.advance(DAY_MS - 1)
    log.append([Record()])
    assert segments(tmp_path) == [0, 3]
    log.close()


def test_a_segment_that_reached_its_bytes_ends_and_the_rule_holds_over_a_restart(tmp_path: Path) -> None:
    clock = SimulatedClock(START_MS)
    log = SqliteLog(tmp_path, clock, roll_bytes=1)
    log.append([Record()])
    log.append([Record()])
    assert segments(tmp_path) == [0, 1]
    log.close()
    log = SqliteLog(tmp_path, clock, roll_bytes=1)
    log.append([Record()])
    assert segments(tmp_path) == [0, 1, 2]
    log.close()


def test_the_day_of_a_segment_is_known_after_a_restart(tmp_path: Path) -> None:
    clock = SimulatedClock(START_MS)
    for _ in range(2):
        log = SqliteLog(tmp_path, clock)
        log.append([Record()])
        log.close()
        clock.advance(DAY_MS)
    assert segments(tmp_path) == [0, 1]


def test_a_reader_keeps_few_segments_open(tmp_path: Path) -> None:
    clock = SimulatedClock(START_MS)
    log = SqliteLog(tmp_path, clock)
    for _ in range(OPEN_SEGMENTS + 3):
        log.append([Record()])
        clock.advance(DAY_MS)
    reader = SqliteLogReader(tmp_path)
    assert sum(block.count for block in reader.read(-1, 100)) == OPEN_SEGMENTS + 3
    assert len(reader._open) == OPEN_SEGMENTS
    reader.close()
    log.close()


def test_a_reader_in_the_middle_of_a_segment_that_is_unlinked_is_told_at_its_next_read(tmp_path: Path) -> None:
    clock = SimulatedClock(START_MS)
    log = SqliteLog(tmp_path, clock)
    for _ in range(3):
        log.append([Record()])
    clock.advance(DAY_MS)
    log.append([Record()])
    reader = SqliteLogReader(tmp_path)
    assert reader.read(-1, 1)[0].first == 0
    log.prune(3, START_MS + DAY_MS)
    with pytest.raises(StoreError, match="expected to read from 3 on, got 1"):
        reader.read(0, 1)
    assert reader.read(2, 1)[0].first == 3
    reader.close()
    log.close()


def test_a_segment_made_but_never_written_to_is_no_end_of_the_log(tmp_path: Path) -> None:
    clock = SimulatedClock(START_MS)
    log = SqliteLog(tmp_path, clock)
    log.append([Record()])
    log.close()
    (tmp_path / "00000000000000000001.db").touch()
    reader = SqliteLogReader(tmp_path)
    assert (reader.last(), len(reader.read(-1, 9)), reader.position_of(0)) == (
        Position(0, START_MS),
        1,
        Position(0, START_MS),
    )
    log = SqliteLog(tmp_path, clock)
    assert log.prune(9, 10**15) == 0
    assert log.append([Record()]).first == 1
    assert log.prune(9, 10**15) == 1
    assert reader.read(0, 9)[0].first == 1
    reader.close()
    log.close()


def test_a_full_disk_takes_nothing_and_the_log_goes_on_when_there_is_room(tmp_path: Path) -> None:
    vfs = faulty("xWrite")
    log = SqliteLog(tmp_path, SimulatedClock(START_MS), vfs=vfs.name)
    log.append([Record()])
    vfs.fault = apsw.FullError
    for _ in range(2):
        with pytest.raises(StoreError, match="nothing was taken, try again") as told:
            log.append([Record()])
        assert not isinstance(told.value, OutcomeUnknownError)
    vfs.fault = None
    assert log.append([Record()] * 2).first == 1
    assert [block.count for block in log.read(-1, 9)] == [1, 2]
    log.close()


def test_a_disk_full_at_the_start_of_a_segment_takes_nothing_and_is_got_over(tmp_path: Path) -> None:
    clock = SimulatedClock(START_MS)
    vfs = faulty("xWrite", "1.db")
    log = SqliteLog(tmp_path, clock, vfs=vfs.name)
    log.append([Record()])
    clock.advance(DAY_MS)
    vfs.fault = apsw.FullError
    with pytest.raises(StoreError, match="cannot be opened"):
        log.append([Record()])
    assert log.last().seq == 0
    vfs.fault = None
    assert log.append([Record()]).first == 1
    assert segments(tmp_path) == [0, 1]
    log.close()


def test_an_io_error_at_commit_leaves_the_outcome_open_and_ends_the_log(tmp_path: Path) -> None:
    vfs = faulty("xSync")
    clock = SimulatedClock(START_MS)
    log = SqliteLog(tmp_path, clock, vfs=vfs.name)
    log.append([Record()])
    vfs.fault = apsw.IOError
    with pytest.raises(OutcomeUnknownError, match="records 1 to 1"):
        log.append([Record()])
    vfs.fault = None
    with pytest.raises(StoreError, match="takes nothing more"):
        log.append([Record()])
    log.close()
    log = SqliteLog(tmp_path, clock)
    assert log.append([Record()]).first == log.last().seq
    seqs = [record.seq for block in log.read(-1, 9) for record in block.records()]
    assert seqs in ([0, 1], [0, 1, 2])
    log.close()


@pytest.mark.parametrize(
    ("call", "fault"), [("xWrite", apsw.FullError), ("xWrite", apsw.IOError), ("xSync", apsw.IOError)]
)
def test_a_wal_that_cannot_be_moved_to_its_segment_is_as_good_there(
    tmp_path: Path, call: str, fault: type[apsw.Error]
) -> None:
    vfs = faulty(call, "0.db")
    log = SqliteLog(tmp_path, SimulatedClock(START_MS), wal_pages=5, vfs=vfs.name)
    vfs.fault = fault
    assert [log.append([Record()]).first for _ in range(20)] == list(range(20))
    vfs.fault = None
    assert log.append([Record()]).first == 20
    assert (tmp_path / "00000000000000000000.db-wal").stat().st_size < 30 * 32_768 * 2
    log.close()
    assert SqliteLogReader(tmp_path).last().seq == 20


def test_without_the_fault_the_same_appends_succeed(tmp_path: Path) -> None:
    vfs = faulty("xSync")
    log = SqliteLog(tmp_path, SimulatedClock(START_MS), vfs=vfs.name)
    assert [log.append([Record()]).first for _ in range(3)] == [0, 1, 2]
    log.close()


def test_a_commit_is_synced_and_with_normal_it_is_not(tmp_path: Path) -> None:
    for synchronous, refused in (("FULL", True), ("NORMAL", False)):
        vfs = faulty("xSync")
        log = SqliteLog(tmp_path / synchronous, SimulatedClock(START_MS), synchronous=synchronous, vfs=vfs.name)
        log.append([Record()])
        vfs.fault = apsw.IOError
        try:
            log.append([Record()])
            assert not refused
        except OutcomeUnknownError:
            assert refused
        vfs.fault = None
        log.close()


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(StoreError, match="cannot be made"):
        SqliteLog(tmp_path / "log", SimulatedClock(1))


def test_a_log_that_cannot_be_opened_lets_its_lock_go(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000000.db").write_bytes(b"no database" * 99)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be read"):
            SqliteLog(tmp_path, SimulatedClock(1))


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from livepost.clock import WallClock
    from livepost.log.sqlite import SqliteLog
    from livepost.model.record import Record

    log = SqliteLog(Path(sys.argv[1]), WallClock(), roll_bytes=int(sys.argv[2]))
    while True:
        print(log.append([Record(message_id=str(log.last().seq))] * 3).last, flush=True)
    """
)


@pytest.mark.parametrize("roll_bytes", [2_000, 1_000_000_000])
def test_what_a_killed_writer_told_is_there(tmp_path: Path, roll_bytes: int) -> None:
    reader = SqliteLogReader(tmp_path)
    for acks in (1, 40, 250):
        told = kill_after(acks, tmp_path, roll_bytes)
        last = reader.last().seq
        assert last >= told
        seqs = [record.seq for block in reader.read(-1, 10**6) for record in block.records()]
        assert seqs == list(range(last + 1))
    log = SqliteLog(tmp_path, SimulatedClock(1))
    assert log.append([Record()]).first == last + 1
    log.close()
    reader.close()


def kill_after(acks: int, folder: Path, roll_bytes: int) -> int:
    """Start a writer, SIGKILL it after it told of `acks` appends; return the last seq it told of."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(roll_bytes)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        lines = [writer.stdout.readline() for _ in range(acks)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
        return [int(line) for line in lines if line.endswith("\n")][-1]
