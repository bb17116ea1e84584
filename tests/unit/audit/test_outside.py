from __future__ import annotations

from pathlib import Path

import pytest

from livepost.audit.head import Head
from livepost.audit.outside import keep_head, kept_heads
from livepost.errors import StoreError

HEAD = Head(workspace="shop", number=7, link="ab" * 32, at=1, signature="cd")


def test_heads_are_added_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "heads"
    keep_head(path, HEAD)
    before = path.read_bytes()
    keep_head(path, HEAD)
    assert path.read_bytes() == before * 2
    assert kept_heads(path) == [HEAD, HEAD]


def test_a_line_that_a_power_cut_left_counts_for_none(tmp_path: Path) -> None:
    keep_head(tmp_path / "heads", HEAD)
    with (tmp_path / "heads").open("ab") as file:
        file.write(b'{"workspace":"sh')
    assert kept_heads(tmp_path / "heads") == [HEAD]


def test_what_cannot_be_written_or_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"hello\n")
    with pytest.raises(StoreError, match="a head of the audit a line"):
        kept_heads(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be kept"):
        keep_head(tmp_path / "file" / "heads", HEAD)
    with pytest.raises(StoreError, match="cannot be read"):
        kept_heads(tmp_path / "none")
