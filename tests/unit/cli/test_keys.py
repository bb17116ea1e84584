import base64
import sys
from contextlib import closing
from pathlib import Path

import pytest

from livepost.model.record import KeyKind
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.kek.plain import FileKeks
from livepost.vault.sqlite import SqliteVault
from tests.unit.cli.conftest import Command

ADA = ExternalId(USER, "ada")


def lookup(project: Path, key: str) -> tuple[str, KeyKind] | None:
    return DataFolder(load(project, {}).settings).keys.lookup(key)


@pytest.mark.parametrize(
    ("kind", "source", "of"), [("write", "website", KeyKind.WRITE), ("secret", "server", KeyKind.SECRET)]
)
def test_a_new_key_works_and_names_its_source(
    livepost: Command, project: Path, kind: str, source: str, of: KeyKind
) -> None:
    told = livepost("keys", "new", kind, "--json").json()
    assert lookup(project, told["key"]) == (source, of)
    assert told["source"] == source
    assert "hash" not in told


def test_a_source_may_be_named(livepost: Command, project: Path) -> None:
    told = livepost("keys", "new", "secret", "--source", "till", "--json").json()
    assert lookup(project, told["key"]) == ("till", KeyKind.SECRET)


def test_a_secret_key_is_shown_once_and_that_is_said(livepost: Command, project: Path) -> None:
    first = livepost("keys", "new", "secret").out
    key = first.split()[4]
    assert lookup(project, key) == ("server", KeyKind.SECRET)
    assert "Keep it now: it is not shown again." in first
    listed = livepost("keys", "list", "--json")
    assert key not in listed.out
    assert listed.json()[0]["shown"] == key[:14] + "…"


def test_people_see_a_write_key_whole(livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["livepost.cli.keys"]._console, "width", 140)
    key = livepost("keys", "new", "write", "--json").json()["key"]
    assert key in livepost("keys", "list").out


def test_a_revoked_key_does_not_work_any_more(livepost: Command, project: Path) -> None:
    made = livepost("keys", "new", "write", "--json").json()
    told = livepost("keys", "revoke", made["id"])
    assert told.out == "The write key of website is not valid any more.\n"
    assert lookup(project, made["key"]) is None
    assert livepost("keys", "list", "--json").json()[0]["revoked_ms"] is not None


def test_an_unknown_id_is_said_in_a_sentence(livepost: Command, project: Path) -> None:
    told = livepost("keys", "revoke", "0000")
    assert (told.code, told.err) == (1, "livepost: there is no key 0000; `livepost keys list` shows them\n")


def test_a_folder_without_keys_says_how_to_make_one(livepost: Command, project: Path) -> None:
    assert livepost("keys", "list").out == "There are no keys yet: `livepost keys new write` makes one.\n"
    assert livepost("keys", "list", "--json").json() == []


def used(project: Path) -> DataFolder:
    """The project's folder with a vault of one person, as a house leaves it."""
    folder = DataFolder(load(project, {}).settings)
    folder.prepare()
    folder.state_path.touch()
    with closing(folder.vault(readonly=False)) as vault:
        vault.admit([ADA])
        vault.commit()
    return folder


def test_the_key_encryption_key_is_rotated_while_no_house_runs(livepost: Command, project: Path) -> None:
    folder = used(project)
    (old,) = folder.keks.read()
    told = livepost("keys", "rotate")
    assert told.code == 0
    assert "All keys of the vault are wrapped by a new key-encryption key; older ones kept: 1." in told.out
    new, retired = folder.keks.read()
    assert (retired.key, retired.retired, new.key != old.key) == (old.key, True, True)
    with closing(SqliteVault(folder.path / "vault.db", MemoryKeks(new.key), readonly=True)) as vault:
        assert vault.find(ADA) is not None
    assert livepost("keys", "rotate", "--json").json() == {"keys": 0, "retired": 2}


def test_retired_keys_are_destroyed_only_when_somebody_says_so(livepost: Command, project: Path) -> None:
    folder = used(project)
    assert livepost("keys", "destroy").out == "There is no retired key.\n"
    livepost("keys", "rotate")
    told = livepost("keys", "destroy")
    assert (told.code, "say --yes" in told.err, len(folder.keks.read())) == (2, True, 2)
    assert livepost("keys", "destroy", "--yes").out == "1 key-encryption key destroyed.\n"
    assert len(folder.keks.read()) == 1
    with closing(folder.vault(readonly=True)) as vault:
        assert vault.find(ADA) is not None


def test_a_key_in_a_variable_is_rotated_by_hand_and_the_command_says_how(
    livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "livepost.toml").write_text('kek = "env:SHOP_KEK"\n')
    old, new = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
    monkeypatch.setenv("SHOP_KEK", old)
    used(project)
    told = livepost("keys", "rotate")
    assert (told.code, "start the house with NEW and OLD in it" in told.err) == (1, True)
    monkeypatch.setenv("SHOP_KEK", f"{new} {old}")
    assert "Take the older key out of the variable now" in livepost("keys", "rotate").out
    monkeypatch.setenv("SHOP_KEK", new)
    with closing(DataFolder(load(project, {}).settings).vault(readonly=True)) as vault:
        assert vault.find(ADA) is not None


def test_the_key_encryption_key_is_moved_while_no_house_runs(livepost: Command, project: Path, tmp_path: Path) -> None:
    folder = used(project)
    told = livepost("keys", "move", f"file:{tmp_path}/elsewhere")
    assert told.code == 0
    assert (
        f'Write kek = "file:{tmp_path}/elsewhere" (LIVEPOST_KEK, if it is set there) before the next start.' in told.out
    )
    newest = MemoryKeks(FileKeks(tmp_path / "elsewhere").read()[0].key)
    with closing(SqliteVault(folder.path / "vault.db", newest, readonly=True)) as vault:
        assert vault.find(ADA) is not None
    refused = livepost("run")
    assert (refused.code, "the keys of the vault were moved; write kek" in refused.err) == (1, True)
    (project / "livepost.toml").write_text(f'kek = "file:{tmp_path}/elsewhere"\n')
    assert livepost("keys", "destroy", "--yes").out == "1 key-encryption key destroyed.\n"
    assert not (folder.path / "keys" / "kek").exists()
    assert livepost("keys", "move", "file:data/keys/kek", "--json").json() == {
        "keys": 0,
        "kek": f"file:{project}/data/keys/kek",
        "left": 1,
    }


def test_a_move_says_what_is_no_place_and_repeats_nothing_that_may_be_a_key(livepost: Command, project: Path) -> None:
    used(project)
    told = livepost("keys", "move", "c2VjcmV0")
    assert (told.code, "must refer to a key" in told.err, "c2VjcmV0" in told.err) == (1, True, False)


def test_a_setting_changed_without_a_move_is_refused_and_nothing_is_made(livepost: Command, project: Path) -> None:
    folder = used(project)
    (project / "livepost.toml").write_text('kek = "file:data/keys/another"\n')
    told = livepost("keys", "new", "write")
    assert (told.code, "expected the key of the vault in" in told.err) == (1, True)
    assert not (folder.path / "keys" / "another").exists()


def test_a_key_has_a_role_and_a_last_use(livepost: Command, project: Path) -> None:
    told = livepost("keys", "new", "secret", "--role", "analyst", "--json").json()
    holder = DataFolder(load(project, {}).settings).keys.holder(told["key"])
    assert holder is not None
    assert holder.role == "analyst"
    [listed] = livepost("keys", "list", "--json").json()
    assert (listed["role"], listed["used_ms"] is not None) == ("analyst", True)


def test_a_key_may_be_held_to_scopes_and_expire(livepost: Command, project: Path) -> None:
    told = livepost("keys", "new", "secret", "--scope", "read:people", "--expires", "90d", "--json").json()
    assert (told["scopes"], told["expires_ms"] - told["made_ms"]) == (["read:people"], 90 * 86_400_000)
    assert lookup(project, told["key"]) is None
    [listed] = livepost("keys", "list", "--json").json()
    assert (listed["scopes"], listed["role"], listed["used_ms"]) == (["read:people"], "developer", None)
    mistaken = livepost("keys", "new", "secret", "--scope", "read:peple")
    assert (mistaken.code, "did you mean read:people?" in mistaken.err) == (1, True)
    refused = livepost("keys", "new", "secret", "--expires", "soon")
    assert (refused.code, "expected a time like 90d" in refused.err) == (1, True)
