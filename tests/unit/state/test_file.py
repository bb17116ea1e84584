from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import apsw
import pytest

from livepost.errors import OutcomeUnknownError, StoreError
from livepost.state.file import CHECKPOINT_BYTES, STATE_FORMAT, WAL_BYTES, StateFile, require_sqlite

from ..log.faults import FaultyVFS

NAMES = count()
PUT = "INSERT INTO packs VALUES (?, x'', ?) ON CONFLICT DO UPDATE SET body = excluded.body"


def faulty(at: str, file: str = "-wal") -> FaultyVFS:
    return FaultyVFS(f"faulty-state-{os.getpid()}-{next(NAMES)}", at, file)


def opened(
    path: Path,
    vfs: FaultyVFS | None = None,
    checkpoint_bytes: int = CHECKPOINT_BYTES,
    wal_bytes: int = WAL_BYTES,
) -> StateFile:
    return StateFile(path, checkpoint_bytes=checkpoint_bytes, wal_bytes=wal_bytes, vfs=vfs.name if vfs else None)


def put(file: StateFile, number: int, row: bytes = b"x") -> None:
    with file.transaction():
        file.change(PUT, [(number, row)])


def numbers(file: StateFile) -> list[int]:
    return [number for (number,) in file.select("SELECT number FROM packs ORDER BY number")]


def test_a_second_opener_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    first = opened(tmp_path / "state.db")
    with pytest.raises(StoreError, match="another engine has the state"):
        opened(tmp_path / "state.db")
    first.close()
    opened(tmp_path / "state.db").close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = opened(tmp_path / "state.db")
    put(file, 1)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    file.close()


def test_a_newer_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    opened(tmp_path / "state.db").close()
    newer = apsw.Connection(str(tmp_path / "state.db"))
    newer.pragma("user_version", STATE_FORMAT + 1)
    newer.close()
    for _ in range(2):
        with pytest.raises(StoreError, match=f"expected a state of format {STATE_FORMAT}, got {STATE_FORMAT + 1} in"):
            opened(tmp_path / "state.db")


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "state.db"))
    other.execute("CREATE TABLE guests (name TEXT)")
    other.close()
    with pytest.raises(StoreError, match=f"expected a state of format {STATE_FORMAT}, got 0"):
        opened(tmp_path / "state.db")


def test_what_is_no_database_is_a_store_error_and_lets_its_lock_go(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database" * 999)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be opened"):
            opened(tmp_path / "state.db")


def test_a_folder_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made"):
        opened(tmp_path / "missing" / "state.db")


@pytest.mark.parametrize(("version", "taken"), [("3.51.2", False), ("3.40.1", False), ("3.51.3", True), ("4.0", True)])
def test_sqlite_before_the_repair_of_the_wal_is_refused(version: str, taken: bool) -> None:
    if taken:
        require_sqlite(version)
        return
    with pytest.raises(StoreError, match=f"expected SQLite 3.51.3 or later, got {version}"):
        require_sqlite(version)


def test_an_error_inside_a_transaction_undoes_all_of_it(tmp_path: Path) -> None:
    file = opened(tmp_path / "state.db")
    with pytest.raises(KeyError), file.transaction():
        file.change(PUT, [(1, b"x")])
        raise KeyError
    with pytest.raises(StoreError, match="nothing was kept"), file.transaction():
        file.change(PUT, [(1, b"x"), (2, "no bytes")])
    assert numbers(file) == []
    put(file, 3)
    assert numbers(file) == [3]
    file.close()


def test_a_full_disk_keeps_nothing_and_the_state_goes_on_when_there_is_room(tmp_path: Path) -> None:
    vfs = faulty("xWrite")
    file = opened(tmp_path / "state.db", vfs)
    put(file, 1)
    vfs.fault = apsw.FullError
    for _ in range(2):
        with pytest.raises(StoreError, match="nothing was kept, try again") as told:
            put(file, 2)
        assert not isinstance(told.value, OutcomeUnknownError)
    vfs.fault = None
    put(file, 3)
    assert numbers(file) == [1, 3]
    file.close()


def test_an_io_error_at_commit_leaves_the_outcome_open_and_ends_the_file(tmp_path: Path) -> None:
    vfs = faulty("xSync")
    file = opened(tmp_path / "state.db", vfs)
    put(file, 1)
    vfs.fault = apsw.IOError
    with pytest.raises(OutcomeUnknownError, match="go on from its position"):
        put(file, 2)
    vfs.fault = None
    with pytest.raises(StoreError, match="takes nothing more"):
        put(file, 3)
    file.close()
    file = opened(tmp_path / "state.db")
    assert numbers(file) in ([1], [1, 2])
    file.close()


def test_without_the_fault_the_same_commits_succeed(tmp_path: Path) -> None:
    file = opened(tmp_path / "state.db", faulty("xSync"))
    for number in (1, 2, 3):
        put(file, number)
    assert numbers(file) == [1, 2, 3]
    file.close()


def test_the_wal_is_moved_beside_the_commits_once_it_is_long_enough(tmp_path: Path) -> None:
    file = opened(tmp_path / "state.db", checkpoint_bytes=400_000)
    lengths = []
    for number in range(60):
        put(file, number, bytes(40_000))
        file._checkpointer.wait()
        lengths.append(file.wal_bytes)
    assert max(lengths) < 400_000 + 80_000
    assert min(lengths[20:]) < 80_000
    file.close()


def test_without_moving_it_the_same_wal_grows(tmp_path: Path) -> None:
    file = opened(tmp_path / "state.db")
    for number in range(60):
        put(file, number, bytes(40_000))
    assert file.wal_bytes > 2_400_000
    file.close()


def test_a_commit_waits_for_a_wal_that_reached_its_bound(tmp_path: Path) -> None:
    file = opened(tmp_path / "state.db", checkpoint_bytes=10**9, wal_bytes=400_000)
    lengths = []
    for number in range(60):
        put(file, number, bytes(40_000))
        lengths.append(file.wal_bytes)
    assert 400_000 <= max(lengths) < 400_000 + 80_000
    assert numbers(file) == list(range(60))
    file.close()


def test_a_wal_that_cannot_be_moved_loses_nothing_and_stops_commits_at_its_bound(tmp_path: Path) -> None:
    vfs = faulty("xSync", "state.db")
    file = opened(tmp_path / "state.db", vfs, checkpoint_bytes=1, wal_bytes=400_000)
    vfs.fault = apsw.IOError
    kept = 0
    with pytest.raises(StoreError, match="nothing was kept, try again") as told:
        for kept in range(60):
            put(file, kept, bytes(40_000))
    assert not isinstance(told.value, OutcomeUnknownError)
    assert kept > 3
    vfs.fault = None
    put(file, kept, bytes(40_000))
    assert numbers(file) == list(range(kept + 1))
    file.close()
    file = opened(tmp_path / "state.db")
    assert numbers(file) == list(range(kept + 1))
    file.close()


def test_commits_go_on_while_the_wal_is_moved(tmp_path: Path) -> None:
    file = opened(tmp_path / "state.db", checkpoint_bytes=1)
    for number in range(300):
        put(file, number % 40, b"%d" % number * 500)
    file.close()
    file = opened(tmp_path / "state.db")
    found = file.select("SELECT number, body FROM packs ORDER BY number")
    assert found == [(number % 40, b"%d" % number * 500) for number in sorted(range(260, 300), key=lambda n: n % 40)]
    assert file.select("PRAGMA integrity_check") == [("ok",)]
    file.close()
