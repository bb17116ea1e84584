import sys
from pathlib import Path

import pytest

from livepost.model.record import KeyKind
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load
from tests.unit.cli.conftest import Command


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
