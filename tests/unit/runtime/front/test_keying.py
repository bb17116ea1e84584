"""What is told of a house's keys, and that no key is among it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.errors import RejectedError, StoreError
from livepost.ops.keyed import Keys
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front import keying
from livepost.settings.settings import Settings
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek.base import fingerprint
from livepost.vault.kek.rotation import begin, steps


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(Settings(data=str(tmp_path / "data"), kek=f"file:{tmp_path}/data/keys/kek"), {})
    folder.prepare()
    with closing(folder.vault(readonly=False)) as vault:
        vault.admit([ExternalId(USER, "ada"), ExternalId(USER, "bob")])
        vault.commit()
    return folder


def told(folder: DataFolder) -> Keys:
    with closing(folder.vault(readonly=True)) as vault:
        return keying.keys_of(folder, vault)


def test_programs_keys_are_told_newest_first_without_the_key(folder: DataFolder) -> None:
    written = folder.keys.new("write", "website", 1)
    secret = folder.keys.new("secret", "server", 2, ("read:people",), expires_ms=3)
    folder.keys.revoke(written.stored.id, 4)
    found = told(folder)
    assert [(one.role, one.used_ms) for one in found.programs] == [("developer", None), ("", None)]
    assert [(one.source, one.state, one.scopes) for one in found.programs] == [
        ("server", "expired", ("read:people",)),
        ("website", "revoked", ()),
    ]
    text = msgspec.json.encode(found).decode()
    assert written.key not in text and secret.key not in text and secret.stored.hash not in text


def test_the_vaults_keys_are_told_by_a_hash_and_by_what_they_wrap(folder: DataFolder) -> None:
    with closing(folder.vault(readonly=False)) as vault:
        begin(folder.keks)
        [*steps(folder.keks, vault)]
    found = told(folder).vault
    assert (found.place, found.name, found.people, found.wrapped) == ("file", "", 2, None)
    assert [one.state for one in found.keys] == ["seals", "retired"]
    assert found.changed_ms == int(os.stat(folder.path / "keys" / "kek").st_mtime * 1000)
    raw = msgspec.json.encode(found)
    assert not any(one.key.hex().encode()[:12] in raw for one in folder.keks.read())
    assert [one.id for one in found.keys] == [fingerprint(one) for one in folder.keks.read()]


def test_keys_that_were_moved_are_told_where_they_are_and_where_they_were(folder: DataFolder) -> None:
    with closing(folder.vault(readonly=False)) as vault:
        store = folder.move_keks(f"file:{folder.path}/keys/another")
        [*steps(store, vault)]
    found = told(folder).vault
    assert (found.place, found.left, [one.state for one in found.keys]) == ("file", ("file",), ["seals"])


def test_a_rotation_is_asked_of_the_front(folder: DataFolder) -> None:
    with pytest.raises(StoreError):
        keying.rotate(folder)
    begin(folder.keks)
    with pytest.raises(StoreError):  # it is under way, and only the front knows how far
        told(folder)


def test_a_key_that_is_not_there_cannot_be_revoked(folder: DataFolder) -> None:
    made = folder.keys.new("secret", "server", 1)
    keying.revoke(folder, made.stored.id)
    assert folder.keys.holder(made.key) is None
    with pytest.raises(RejectedError):
        keying.revoke(folder, "00000000")
