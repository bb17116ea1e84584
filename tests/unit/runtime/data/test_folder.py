import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from livepost.clock import anchor_clock
from livepost.errors import StoreError
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load


def folder_of(project: Path, **settings: Any) -> DataFolder:
    return DataFolder(load(project, {}, settings).settings)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_preparing_makes_a_folder_a_key_and_a_vault_for_the_owner_only(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.prepare()
    assert mode(folder.path) == 0o700
    assert mode(folder.path / "keys" / "kek") == 0o600
    with closing(folder.vault(readonly=True)) as vault:
        assert len(vault.secret("tokens")) == 32


def test_preparing_again_changes_neither_key_nor_vault(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.prepare()
    kek = (folder.path / "keys" / "kek").read_bytes()
    with closing(folder.vault(readonly=True)) as vault:
        secret = vault.secret("tokens")
    folder.prepare()
    assert (folder.path / "keys" / "kek").read_bytes() == kek
    with closing(folder.vault(readonly=True)) as vault:
        assert vault.secret("tokens") == secret


def test_a_key_from_the_environment_is_not_written_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEK", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    folder = folder_of(tmp_path, kek="env:SHOP_KEK")
    folder.prepare()
    assert not (folder.path / "keys").exists()
    assert (folder.path / "vault.db").exists()


def test_the_port_is_the_setting_or_what_the_front_was_given(tmp_path: Path) -> None:
    assert folder_of(tmp_path).port == 8300
    free = folder_of(tmp_path, port=0)
    free.prepare()
    assert free.port == 0
    free.port_file.write_text("40123")
    assert (free.port, free.base_url) == (40123, "http://localhost:40123")
    assert folder_of(tmp_path).port == 8300


def test_links_begin_with_the_public_address_where_there_is_one(tmp_path: Path) -> None:
    assert folder_of(tmp_path, public_url="https://mail.example.com/").base_url == "https://mail.example.com"


def test_the_clock_of_a_folder_is_the_hosts_unless_it_is_anchored(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.prepare()
    assert folder.speed == 1.0
    anchor_clock(folder.path, 2_000, 1_800_000_000_000)
    assert folder.speed == 2_000
    assert folder.clock.now_ms() >= 1_800_000_000_000


def test_one_house_holds_a_folder_until_it_lets_go(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.prepare()
    held = folder.hold()
    with pytest.raises(StoreError, match=r"a house runs on .* already; stop it, or name another folder in `data`"):
        folder.hold()
    held.close()
    folder.hold().close()


def test_the_hold_ends_with_its_process_whatever_ended_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.prepare()
    holds = (
        "import fcntl, sys; f = open(sys.argv[1], 'ab'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    )
    command = [sys.executable, "-c", holds, str(folder.path / "run.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline()
        with pytest.raises(StoreError):
            folder.hold()
        other.kill()
    folder.hold().close()


def test_a_folder_on_which_nothing_ran_says_so(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.prepare()
    with pytest.raises(StoreError, match=r"there is nothing in .* yet; `livepost run`"):
        folder.require_used()
    folder.state().close()
    folder.require_used()


def test_a_second_writer_of_the_log_and_of_the_state_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.prepare()
    with closing(folder.log()), closing(folder.state()):
        with pytest.raises(StoreError):
            folder.log()
        with pytest.raises(StoreError):
            folder.state()
        folder.log_reader().close()


def test_users_who_may_come_in_are_counted_and_none_are_there_at_first(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.prepare()
    assert folder.users() == 0
    with closing(folder.control()) as store, store.transaction():
        if not store.read("SELECT 1 FROM sqlite_master WHERE name = 'users'"):
            store.write("CREATE TABLE users (id TEXT, email_blind BLOB, sealed BLOB, role TEXT, made_ms, disabled)")
        for name, disabled in (("a", 0), ("b", 1)):
            told = (name, name.encode(), b"", "owner", 0, disabled)
            columns = "id, email_blind, sealed, role, made_ms, disabled"
            store.write(f"INSERT INTO users ({columns}) VALUES (?, ?, ?, ?, ?, ?)", told)
    assert folder.users() == 1
