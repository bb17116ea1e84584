from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from livepost.errors import StoreError
from livepost.log.body import new_block, pack
from livepost.log.segment import (
    BlockRow,
    insert,
    open_for_writing,
    open_segment,
    require_sqlite,
    segment_firsts,
    segment_path,
    unlink_segment,
)
from livepost.model.record import Record


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2"])
def test_an_sqlite_that_can_corrupt_a_wal_is_refused(version: str) -> None:
    with pytest.raises(StoreError, match=f"expected SQLite 3.51.3 or later, got {version}"):
        require_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.52.0", "4.0.0"])
def test_a_later_sqlite_is_taken(version: str) -> None:
    require_sqlite(version)


def test_a_segment_is_named_by_its_first_seq_so_that_names_sort_as_seqs(tmp_path: Path) -> None:
    for first in (0, 9, 10, 12_345):
        segment_path(tmp_path, first).touch()
    (tmp_path / "00000000000000000009.db-wal").touch()
    (tmp_path / "writer.lock").touch()
    assert segment_path(tmp_path, 7).name == "00000000000000000007.db"
    assert segment_firsts(tmp_path) == [0, 9, 10, 12_345]
    assert segment_firsts(tmp_path / "missing") == []


def test_a_segment_is_wal_full_and_of_32_kb_pages(tmp_path: Path) -> None:
    writer = open_for_writing(segment_path(tmp_path, 0), "FULL")
    assert [writer.pragma(name) for name in ("journal_mode", "synchronous", "page_size")] == ["wal", 2, 32_768]
    writer.close()


def test_a_segment_that_is_missing_or_half_made_is_none_yet(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 0)
    assert open_segment(path) is None
    path.touch()
    assert open_segment(path) is None
    open_for_writing(path, "FULL").close()
    segment = open_segment(path)
    assert segment is not None
    assert segment.newest() is None
    segment.close()


def test_a_segment_of_another_format_is_refused(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 0)
    writer = open_for_writing(path, "FULL")
    writer.pragma("user_version", 2)
    writer.close()
    with pytest.raises(StoreError, match="format 1, got 2"):
        open_segment(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 0)
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="cannot be read"):
        open_segment(path)


def test_a_damaged_page_is_a_store_error(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 0)
    writer = open_for_writing(path, "FULL")
    insert(writer, BlockRow(0, 0, 1, 1, 0, 1), pack(new_block([Record()], 0, 1)))
    writer.close()
    raw = bytearray(path.read_bytes())
    raw[32_768 : 2 * 32_768] = b"\xff" * 32_768
    path.write_bytes(raw)
    segment = open_segment(path)
    assert segment is not None
    with pytest.raises(StoreError, match="cannot be read"):
        segment.newest()
    with pytest.raises(StoreError, match="cannot be read"):
        segment.blocks(-1, 1)
    segment.close()


def test_unlinking_takes_what_lies_beside_a_segment(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 0)
    writer = open_for_writing(path, "FULL")
    assert len(list(tmp_path.iterdir())) == 3
    unlink_segment(path)
    assert list(tmp_path.iterdir()) == []
    writer.close()


def test_a_read_leaves_no_snapshot_behind_that_would_hold_the_wal(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 0)
    writer = open_for_writing(path, "FULL")
    for seq in range(3):
        insert(writer, BlockRow(seq, seq, 1, 1, seq, 1), pack(new_block([Record()], seq, 1)))
    segment = open_segment(path)
    assert segment is not None
    assert len(segment.blocks(-1, 1)) == 1
    insert(writer, BlockRow(3, 3, 1, 1, 3, 1), pack(new_block([Record()], 3, 1)))
    assert writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE) == (0, 0)
    segment.close()
    writer.close()
