from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from livepost.errors import StoreError
from livepost.vault.file import READ_AT_ONCE, SubjectRow, VaultFile, require_sqlite

from ..log.faults import FaultyVFS


def row(number: int) -> SubjectRow:
    raw = number.to_bytes(16)
    return SubjectRow(raw, raw, "user", b"wrapped", b"sealed")


def filled(path: Path, rows: int) -> VaultFile:
    file = VaultFile(path, readonly=False)
    with file.transaction():
        file.put_root(b"root")
        file.insert([row(number) for number in range(rows)])
    return file


def test_an_sqlite_that_can_corrupt_a_wal_is_refused() -> None:
    require_sqlite("3.51.3")
    with pytest.raises(StoreError, match=r"3\.51\.3 or later, got 3\.40\.1"):
        require_sqlite("3.40.1")


def test_the_file_is_for_its_owner_alone_in_wal_full_and_overwrites_what_is_deleted(tmp_path: Path) -> None:
    file = filled(tmp_path / "vault.db", 1)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name
    pragmas = [file._connection.pragma(name) for name in ("journal_mode", "synchronous", "secure_delete")]
    assert pragmas == ["wal", 2, 1]
    file.close()


@pytest.mark.parametrize("rows", [0, 1, READ_AT_ONCE, READ_AT_ONCE + 1])
def test_rows_are_read_in_parts_however_many_there_are(tmp_path: Path, rows: int) -> None:
    file = filled(tmp_path / "vault.db", rows)
    wanted = [row(number) for number in range(rows)]
    assert sorted(file.rows_by_subject([r.subject for r in wanted]), key=lambda r: r.subject) == wanted
    assert len(file.rows_by_blind([r.blind for r in wanted])) == rows
    first, place = file.rows_after(-1, READ_AT_ONCE)
    rest, _ = file.rows_after(place, READ_AT_ONCE)
    assert (first + rest, len(first)) == (wanted, min(rows, READ_AT_ONCE))
    file.close()


def test_an_error_inside_a_transaction_undoes_all_of_it(tmp_path: Path) -> None:
    file = filled(tmp_path / "vault.db", 1)
    with pytest.raises(StoreError, match="nothing was kept"), file.transaction():
        file.insert([row(1), row(0)])
    with pytest.raises(ZeroDivisionError), file.transaction():
        file.insert([row(2)])
        raise ZeroDivisionError
    assert file.rows_by_subject([row(n).subject for n in range(3)]) == [row(0)]
    file.close()


def test_a_reader_is_told_of_forgetting_once_and_only_when_something_changed(tmp_path: Path) -> None:
    file = filled(tmp_path / "vault.db", 2)
    reader = VaultFile(tmp_path / "vault.db", readonly=True)
    assert [reader.forgotten(), reader.forgotten()] == [0, None]
    with file.transaction():
        file.delete([row(1).subject])
    assert [reader.forgotten(), reader.forgotten()] == [1, None]
    with file.transaction():
        file.insert([row(3)])
    assert [reader.forgotten(), reader.forgotten()] == [1, None]
    reader.close()
    file.close()


def test_a_reader_in_a_transaction_keeps_the_wal_and_forgetting_says_so(tmp_path: Path) -> None:
    file = filled(tmp_path / "vault.db", 2)
    file._connection.set_busy_timeout(1)
    reader = VaultFile(tmp_path / "vault.db", readonly=True)
    reader._connection.execute("BEGIN; SELECT * FROM subjects").fetchall()
    with file.transaction():
        file.delete([row(1).subject])
    with pytest.raises(StoreError, match="still in the WAL"):
        file.empty_wal()
    reader._connection.execute("COMMIT")
    file.empty_wal()
    reader.close()
    file.close()


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    file = filled(tmp_path / "vault.db", 1)
    with pytest.raises(StoreError, match="another process writes"):
        VaultFile(tmp_path / "vault.db", readonly=False)
    VaultFile(tmp_path / "vault.db", readonly=True).close()
    file.close()
    filled(tmp_path / "other.db", 0).close()


def test_a_reader_of_nothing_is_told_to_start_the_front(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="start the front first"):
        VaultFile(tmp_path / "vault.db", readonly=True)
    (tmp_path / "vault.db").touch()
    with pytest.raises(StoreError, match="format 1, got 0"):
        VaultFile(tmp_path / "vault.db", readonly=True)


def test_a_vault_of_another_format_or_no_database_is_refused(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "later.db"))
    connection.pragma("user_version", 2)
    connection.close()
    with pytest.raises(StoreError, match="format 1, got 2"):
        VaultFile(tmp_path / "later.db", readonly=False)
    (tmp_path / "none.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        VaultFile(tmp_path / "none.db", readonly=False)


def test_a_folder_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made"):
        VaultFile(tmp_path / "missing" / "vault.db", readonly=False)


def test_a_wal_that_cannot_be_moved_to_the_file_is_as_good_there(tmp_path: Path) -> None:
    vfs = FaultyVFS("faulty-vault-file", "xWrite", "vault.db")
    file = VaultFile(tmp_path / "vault.db", readonly=False, wal_pages=3, vfs=vfs.name)
    vfs.fault = apsw.FullError
    for number in range(9):
        with file.transaction():
            file.insert([row(number)])
    vfs.fault = None
    file.close()
    file = VaultFile(tmp_path / "vault.db", readonly=False)
    assert len(file.rows_by_subject([row(number).subject for number in range(9)])) == 9
    file.close()
