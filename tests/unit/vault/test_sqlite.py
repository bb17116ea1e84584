from __future__ import annotations

import os
import subprocess
from itertools import count, islice
from pathlib import Path

import apsw
import pytest

from livepost.errors import OutcomeUnknownError, OverloadedError, StoreError
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek import rotation
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.sqlite import SqliteVault

from ..log.faults import FaultyVFS

KEK = bytes(range(32))
ADA = ExternalId(USER, "ada")
NAMES = count()


def people(count: int) -> list[ExternalId]:
    return [ExternalId(USER, f"person-{number}") for number in range(count)]


def faulty(at: str) -> FaultyVFS:
    return FaultyVFS(f"faulty-vault-{os.getpid()}-{next(NAMES)}", at)


def rotate(keks: MemoryKeks, vault: SqliteVault) -> None:
    rotation.begin(keks)
    for _ in rotation.steps(keks, vault):
        pass


def on_disk(path: Path) -> bytes:
    return subprocess.run(["cat", *path.parent.glob(path.name + "*")], check=True, capture_output=True).stdout


def test_another_key_encryption_key_does_not_open_the_vault(tmp_path: Path) -> None:
    SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK)).close()
    for readonly in (False, True):
        with pytest.raises(StoreError, match="does not open with this key-encryption key"):
            SqliteVault(tmp_path / "vault.db", MemoryKeks(bytes(32)), readonly=readonly)
    SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK)).close()


def test_a_key_encryption_key_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes, got 16"):
        SqliteVault(tmp_path / "vault.db", MemoryKeks(bytes(16)))


def test_rotation_keeps_every_key_and_secret_and_shuts_the_old_one_out(tmp_path: Path) -> None:
    path, keks = tmp_path / "vault.db", MemoryKeks(KEK)
    vault = SqliteVault(path, keks)
    keys = vault.admit(people(1_100))
    seals = [k.seal(b"x", b"") for k in keys]
    secret = vault.secret("tokens")
    vault.commit()
    wrapped = [row.wrapped for row in vault._file.rows_after(-1, 2_000)[0]]
    disk = on_disk(path)
    assert all(old in disk for old in wrapped)
    rotate(keks, vault)
    assert vault.admit([ADA])[0].open(vault.admit([ADA])[0].seal(b"y", b""), b"") == b"y"
    vault.commit()
    disk = on_disk(path)
    assert not any(old in disk for old in wrapped)
    vault.close()
    with pytest.raises(StoreError, match="does not open"):
        SqliteVault(path, MemoryKeks(KEK))
    assert keks.destroy() == 1
    vault = SqliteVault(path, keks)
    assert vault.secret("tokens") == secret
    assert {vault.keys(k.subject).open(seal, b"") for k, seal in zip(keys, seals, strict=True)} == {b"x"}
    assert len(vault.external_ids([k.subject for k in keys])) == 1_100
    assert vault.find(ADA) is not None
    vault.close()


@pytest.mark.parametrize("done", range(5))
def test_behind_each_step_of_a_rotation_the_vault_opens_and_rotating_goes_on(tmp_path: Path, done: int) -> None:
    path, keks = tmp_path / "vault.db", MemoryKeks(KEK)
    vault = SqliteVault(path, keks)
    keys = vault.admit(people(450))
    vault.commit()
    rotation.begin(keks)
    for _ in islice(rotation.steps(keks, vault), done):
        pass
    vault.close()
    vault = SqliteVault(path, keks)
    assert [vault.keys(one.subject).subject for one in keys] == [one.subject for one in keys]
    assert rotation.is_under_way(keks)
    newest = keks.read()[0]
    rotate(keks, vault)
    vault.close()
    assert [one.retired for one in keks.read()] == [False, True]
    assert keks.read()[0] == newest
    vault = SqliteVault(path, MemoryKeks(newest.key))
    assert [vault.keys(one.subject).subject for one in keys] == [one.subject for one in keys]
    vault.close()


def test_a_key_that_is_dropped_before_everything_is_wrapped_by_the_next_takes_people_with_it(tmp_path: Path) -> None:
    path, keks = tmp_path / "vault.db", MemoryKeks(KEK)
    vault = SqliteVault(path, keks)
    keys = vault.admit(people(450))
    vault.commit()
    rotation.begin(keks)
    next(rotation.steps(keks, vault))
    vault.close()
    keks.retire()
    keks.destroy()
    vault = SqliteVault(path, keks)
    assert vault.keys(keys[0].subject).subject == keys[0].subject
    with pytest.raises(StoreError, match="does not open"):
        vault.keys(keys[-1].subject)
    vault.close()


def test_readers_in_other_processes_go_on_while_keys_are_wrapped_anew(tmp_path: Path) -> None:
    path, keks = tmp_path / "vault.db", MemoryKeks(KEK)
    vault = SqliteVault(path, keks)
    keys = vault.admit(people(300))
    vault.commit()
    readers = [SqliteVault(path, keks, readonly=True, cached=2) for _ in range(2)]
    rotation.begin(keks)
    for reader, _ in zip(readers, rotation.steps(keks, vault), strict=False):
        assert [reader.keys(one.subject).subject for one in keys] == [one.subject for one in keys]
    for one in [*readers, vault]:
        one.close()


def test_a_reader_that_is_not_given_the_new_key_is_told_to_restart_after_a_rotation(tmp_path: Path) -> None:
    path, keks = tmp_path / "vault.db", MemoryKeks(KEK)
    vault = SqliteVault(path, keks)
    (keys,) = vault.admit([ADA])
    vault.commit()
    reader = SqliteVault(path, MemoryKeks(KEK), readonly=True)
    rotate(keks, vault)
    with pytest.raises(StoreError, match="if that was rotated, restart"):
        reader.keys(keys.subject)
    reader.close()
    vault.close()


def test_a_step_that_fails_leaves_the_old_key_good_and_is_taken_again(tmp_path: Path) -> None:
    vfs, keks = faulty("xWrite"), MemoryKeks(KEK)
    vault = SqliteVault(tmp_path / "vault.db", keks, vfs=vfs.name)
    (keys,) = vault.admit([ADA])
    vault.commit()
    vfs.fault = apsw.FullError
    with pytest.raises(StoreError, match="nothing was kept"):
        rotate(keks, vault)
    vfs.fault = None
    vault.close()
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK))
    assert vault.keys(keys.subject).subject == keys.subject
    vault.close()
    vault = SqliteVault(tmp_path / "vault.db", keks)
    rotate(keks, vault)
    vault.close()
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(keks.read()[0].key))
    assert vault.keys(keys.subject).subject == keys.subject
    vault.close()


def test_on_a_full_disk_new_subjects_stay_pending_until_there_is_room(tmp_path: Path) -> None:
    vfs = faulty("xWrite")
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK), vfs=vfs.name)
    (keys,) = vault.admit([ADA])
    vfs.fault = apsw.FullError
    for _ in range(2):
        with pytest.raises(StoreError, match="try again") as told:
            vault.commit()
        assert not isinstance(told.value, OutcomeUnknownError)
    vfs.fault = None
    vault.commit()
    vault.close()
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK))
    assert vault.admit([ADA])[0].subject == keys.subject
    vault.close()


def test_an_io_error_at_commit_leaves_the_outcome_open_and_ends_the_vault(tmp_path: Path) -> None:
    vfs = faulty("xSync")
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK), vfs=vfs.name)
    vault.admit([ADA])
    vfs.fault = apsw.IOError
    with pytest.raises(OutcomeUnknownError):
        vault.commit()
    vfs.fault = None
    for write in (lambda: vault.admit([ADA]), vault.commit, lambda: vault.forget([])):
        with pytest.raises(StoreError, match="takes nothing more"):
            write()
    vault.close()
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK))
    vault.admit([ADA])
    vault.commit()
    vault.close()


def test_forgetting_overwrites_all_of_a_row_and_without_secure_delete_it_would_not(tmp_path: Path) -> None:
    for secure in (True, False):
        path = tmp_path / f"vault-{secure}.db"
        vault = SqliteVault(path, MemoryKeks(KEK))
        keys = vault.admit(people(300))
        vault.commit()
        gone = [k.subject for k in keys[::2]]
        rows = vault._file.rows_by_subject(gone)
        vault._file._connection.pragma("secure_delete", secure)
        vault.forget(gone)
        disk = on_disk(path)
        left = [row for row in rows if any(part in disk for part in (row.subject, row.blind, row.wrapped, row.sealed))]
        assert bool(left) is not secure
        vault.close()


def test_no_more_subjects_wait_than_there_is_room_for(tmp_path: Path) -> None:
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK), max_pending=3)
    vault.admit(people(2))
    with pytest.raises(OverloadedError, match="at most 3"):
        vault.admit(people(4))
    assert vault.find(people(4)[3]) is None
    assert len(vault.admit([*people(3), *people(3)])) == 6
    vault.commit()
    assert len(vault.admit(people(4))) == 4
    vault.close()


def test_few_keys_are_cached_and_the_others_are_read_again(tmp_path: Path) -> None:
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK), cached=5)
    keys = vault.admit(people(20))
    assert [k.subject for k in vault.admit(people(20))] == [k.subject for k in keys]
    assert vault.keys(keys[0].subject).keyed_hash(b"x") == keys[0].keyed_hash(b"x")
    vault.commit()
    assert [k.subject for k in vault.admit(people(20))] == [k.subject for k in keys]
    assert (len(vault._by_id), len(vault._by_subject)) == (5, 5)
    vault.close()


def test_a_closed_vault_has_no_keys_in_memory(tmp_path: Path) -> None:
    vault = SqliteVault(tmp_path / "vault.db", MemoryKeks(KEK))
    vault.admit(people(3))
    vault.close()
    assert (len(vault._by_id), len(vault._by_subject), len(vault._pending)) == (0, 0, 0)
