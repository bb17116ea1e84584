"""The control store: steps of its tables, transactions that are whole, values that are overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.control.sqlite import ControlStore
from livepost.errors import StoreError

FIRST = "CREATE TABLE wishes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"
SECOND = "ALTER TABLE wishes ADD COLUMN answered INTEGER NOT NULL DEFAULT 0"


def test_a_file_of_before_takes_the_steps_that_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    old = ControlStore(path, [FIRST])
    with old.transaction():
        old.write("INSERT INTO wishes VALUES (1, 'see')")
    old.close()
    new = ControlStore(path, [FIRST, SECOND])
    assert new.read("SELECT * FROM wishes") == [(1, "see", 0)]
    with pytest.raises(StoreError, match="later version"):
        ControlStore(path, [FIRST])


def test_a_transaction_is_whole_or_not_at_all(tmp_path: Path) -> None:
    store = ControlStore(tmp_path / "control.db", [FIRST])
    with pytest.raises(StoreError, match="cannot be written"), store.transaction():
        store.write("INSERT INTO wishes VALUES (1, 'see')")
        store.write("INSERT INTO wishes VALUES (1, 'see again')")
    assert store.read("SELECT * FROM wishes") == []
    with store.transaction():
        assert store.write("INSERT INTO wishes VALUES (1, 'see')") == 1
    assert ControlStore(tmp_path / "control.db", [FIRST]).read("SELECT text FROM wishes") == [("see",)]


def test_nobody_but_the_owner_reads_it_and_a_deleted_value_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    store = ControlStore(path, [FIRST])
    with store.transaction():
        store.write("INSERT INTO wishes VALUES (1, 'canary-of-a-wish')")
    with store.transaction():
        store.write("DELETE FROM wishes")
    store.close()
    assert path.stat().st_mode & 0o077 == 0
    assert b"canary-of-a-wish" not in path.read_bytes()


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    path.write_bytes(b"no database at all, only text " * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        ControlStore(path, [FIRST])
