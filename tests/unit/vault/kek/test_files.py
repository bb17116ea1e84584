from __future__ import annotations

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.vault.kek.files import replace, write_new


def test_a_file_is_replaced_at_one_go_and_stays_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "kek"
    write_new(path, b"before")
    before = path.stat().st_ino
    replace(path, b"after")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"after", 0o600)
    assert path.stat().st_ino != before


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SettingsError, match="cannot be made"):
        write_new(tmp_path / "file" / "kek", b"x")
    with pytest.raises(SettingsError, match="cannot be changed"):
        replace(tmp_path / "file" / "kek", b"x")
