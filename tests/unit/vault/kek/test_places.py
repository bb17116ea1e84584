from __future__ import annotations

from pathlib import Path

import pytest

from livepost.errors import SettingsError
from livepost.vault.kek.places import Places, PlacesFile


def test_what_was_noted_is_read_again_by_its_owner_alone(tmp_path: Path) -> None:
    note = PlacesFile(tmp_path / "keys" / "kek.places")
    assert note.read() is None
    told = Places("file:kek", next="aws-kms:alias/shop", made=True, older=("env:SHOP_KEK",), seal="ab")
    note.write(told)
    assert note.read() == told
    assert (tmp_path / "keys" / "kek.places").stat().st_mode & 0o777 == 0o600


def test_a_move_that_ended_leaves_the_place_before_behind_and_none_twice() -> None:
    told = Places("file:kek", next="env:SHOP_KEK", made=True, older=("env:SHOP_KEK", "aws-kms:a"))
    assert told.moved("ab") == Places("env:SHOP_KEK", older=("file:kek", "aws-kms:a"), seal="ab")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff"])
def test_a_note_that_is_none_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kek.places").write_bytes(content)
    with pytest.raises(SettingsError, match=r"expected in .* where the key-encryption keys are"):
        PlacesFile(tmp_path / "kek.places").read()
