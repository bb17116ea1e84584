from __future__ import annotations

from pathlib import Path

import apsw

from livepost.state.checkpoint import Checkpointer


def connected(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "WAL")
    return connection


def written(path: Path) -> apsw.Connection:
    connection = connected(path)
    connection.execute("CREATE TABLE things (body BLOB)")
    connection.execute("INSERT INTO things VALUES (zeroblob(100_000))")
    return connection


def test_a_pass_moves_what_is_in_the_wal(tmp_path: Path) -> None:
    writer = written(tmp_path / "x.db")
    before = (tmp_path / "x.db").stat().st_size
    checkpointer = Checkpointer(connected(tmp_path / "x.db"))
    checkpointer.begin()
    checkpointer.wait()
    assert (tmp_path / "x.db").stat().st_size >= before + 100_000
    checkpointer.close()
    writer.close()


def test_waiting_for_no_pass_ends_at_once_and_closing_ends_the_one_under_way(tmp_path: Path) -> None:
    writer = written(tmp_path / "x.db")
    checkpointer = Checkpointer(connected(tmp_path / "x.db"))
    checkpointer.wait()
    for _ in range(3):
        checkpointer.begin()
    checkpointer.close()
    assert (tmp_path / "x.db").stat().st_size > 100_000
    writer.close()


def test_what_a_pass_could_not_move_is_made_up_for_by_the_next_one(tmp_path: Path) -> None:
    writer = written(tmp_path / "x.db")
    before = (tmp_path / "x.db").stat().st_size
    checkpointer = Checkpointer(connected(tmp_path / "x.db"))
    reader = apsw.Connection(str(tmp_path / "x.db"))
    writer.execute("BEGIN IMMEDIATE")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM things").fetchall()
    writer.execute("INSERT INTO things VALUES (zeroblob(200_000))")
    writer.execute("COMMIT")
    checkpointer.begin()
    checkpointer.wait()
    assert (tmp_path / "x.db").stat().st_size < before + 200_000
    reader.execute("COMMIT")
    checkpointer.begin()
    checkpointer.close()
    assert (tmp_path / "x.db").stat().st_size > before + 200_000
    reader.close()
    writer.close()
