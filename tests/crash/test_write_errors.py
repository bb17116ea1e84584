"""A disk that fails under the front: every error reply is safe to answer with the same messages again.

An error at a write is no promise that nothing was written. The log may then hold an event twice; state folds it once,
and the front goes on by itself when the disk is well again.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from livepost.ledger.base import MAX_IN_FLIGHT
from livepost.runtime.house.supervisor import PROCESSES
from tests.crash import proofs
from tests.crash.faulty_front import FAULT_FILE
from tests.crash.house import House
from tests.crash.load import Load
from tests.crash.replaying import replayed

ACKS_BETWEEN = 100
REFUSALS = 8
"""So many replies are errors before the disk gets well."""

KILLS_MAX = 6
"""Times that all is killed while fsync fails: where the WAL had just begun anew, its own head fails first, and then
nothing of the block is written.
"""

FAULTS = (
    "xWrite vault.db-wal FullError",
    "xWrite vault.db-wal IOError",
    "xWriteHalf vault.db-wal FullError",
    "xSync vault.db-wal IOError",
    "xWrite 0.db-wal FullError",
    "xWrite 0.db-wal IOError",
    "xWriteHalf 0.db-wal IOError",
    "xSync 0.db-wal IOError",
)


def test_after_any_write_error_the_same_messages_again_are_folded_once(tmp_path: Path) -> None:
    house = House(tmp_path / "house", front="tests.crash.faulty_front")
    load = Load(house, seed=5, again=0.0)
    house.start()
    front = house.supervisor.pids()["front"]
    try:
        load.start()
        for fault in FAULTS:
            load.wait_for_acks(ACKS_BETWEEN)
            under(house, fault, load)
        load.wait_for_acks(ACKS_BETWEEN)
        assert house.supervisor.pids()["front"] == front, "expected the front to go on by itself"
        for _ in range(KILLS_MAX):
            under(house, FAULTS[-1], load, PROCESSES)
            load.wait_for_acks(ACKS_BETWEEN)
            if logged_twice(house):
                break
        load.stop()
        house.drain()
    finally:
        load.stop()
        house.stop()
    fresh = replayed(house.folder, house.project.compiled)
    assert load.retries >= REFUSALS * len(FAULTS)
    assert proofs.lost_or_unreadable(house.folder, load.acked) == []
    assert proofs.folding_trouble(house.folder, fresh.counts) == []
    assert proofs.mail_trouble(house.folder, fresh, MAX_IN_FLIGHT) == []
    assert fresh.counts["duplicate"] > 0, "expected a commit that failed and was there after all"


def logged_twice(house: House) -> bool:
    """Say whether the log has an event twice."""
    with closing(house.folder.log_reader()) as log:
        ids = [
            record.message_id for block in log.read(-1, 1_000_000) for record in block.records() if record.message_id
        ]
    return len(set(ids)) < len(ids)


def under(house: House, fault: str, load: Load, killed: tuple[str, ...] = ()) -> None:
    """Let the disk fail until so many requests were refused, then kill processes.

    When nobody has the log open any more, SQLite looks for what its WAL holds: a block that was written and not synced
    is there then.
    """
    told = house.folder.path / FAULT_FILE
    beside = told.with_suffix(".new")
    beside.write_text(fault)
    beside.rename(told)
    load.wait_for_refusals(REFUSALS)
    house.kill(*killed)
    told.unlink()
