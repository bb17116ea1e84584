from __future__ import annotations

from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest

from livepost.audit.chain import first_link, next_link
from livepost.audit.entry import Entry, decoded
from livepost.audit.sqlite import READ_AT_ONCE, WRITTEN_AT_ONCE, SqliteAudit
from livepost.audit.verify import verify
from livepost.errors import StoreError


def entry(number: int) -> Entry:
    return Entry(at=number, by="key:server", did="person.read", subjects=(number.to_bytes(16, "big"),))


def test_entries_are_there_again_linked_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with closing(SqliteAudit(path, "shop")) as audit:
        assert audit.last() == (0, first_link("shop"))
        assert audit.append([entry(1), entry(2)]) == 2
        assert audit.append([entry(3)]) == 3
    with closing(SqliteAudit(path, "shop", readonly=True)) as audit:
        stored = list(audit.stored())
        assert [decoded(one.body) for one in stored] == [entry(1), entry(2), entry(3)]
        assert stored[0].link == next_link(first_link("shop"), 1, stored[0].body)
        assert audit.last() == (3, stored[-1].link)
        assert [one.number for one in audit.newest(2)] == [3, 2]
    assert path.stat().st_mode & 0o077 == 0
    pragmas = ("journal_mode", "synchronous")
    with closing(SqliteAudit(path, "shop")) as audit:
        assert [audit._connection.pragma(name) for name in pragmas] == ["wal", 2]


def test_all_entries_are_gone_through_however_many_there_are(tmp_path: Path) -> None:
    with closing(SqliteAudit(tmp_path / "audit.db", "shop")) as audit:
        audit.append([entry(number) for number in range(READ_AT_ONCE + 3)])
        assert [one.number for one in audit.stored()] == list(range(1, READ_AT_ONCE + 4))


def test_several_writers_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    SqliteAudit(path, "shop").close()
    ready = Barrier(4)

    def write() -> None:
        with closing(SqliteAudit(path, "shop")) as audit:
            ready.wait()
            for number in range(25):
                audit.append([entry(number)])

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(SqliteAudit(path, "shop", readonly=True)) as audit:
        verdict = verify("shop", audit.stored(), [], bytes(32))
    assert (verdict.entries, verdict.findings) == (100, [])


def test_more_than_a_statement_takes_is_written_in_several(tmp_path: Path) -> None:
    with closing(SqliteAudit(tmp_path / "audit.db", "shop")) as audit:
        assert audit.append([entry(number) for number in range(2 * WRITTEN_AT_ONCE + 1)]) == 2 * WRITTEN_AT_ONCE + 1
        verdict = verify("shop", audit.stored(), [], bytes(32))
    assert (verdict.entries, verdict.findings) == (2 * WRITTEN_AT_ONCE + 1, [])


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with closing(SqliteAudit(tmp_path / "audit.db", "shop")) as audit:
        audit.append([entry(1)])
        with pytest.raises(ValueError, match="expected words"):
            audit.append([entry(2), Entry(at=1, by="x", did="No Word")])
        assert audit.last()[0] == 1
    audit = SqliteAudit(tmp_path / "audit.db", "shop", readonly=True)
    with closing(audit), pytest.raises(StoreError, match="cannot be written"):
        audit.append([entry(2)])
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteAudit(tmp_path / "none" / "audit.db", "shop")
    (tmp_path / "file").write_bytes(b"hello" * 1_000)
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteAudit(tmp_path / "file", "shop")
