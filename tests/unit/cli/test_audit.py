from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from livepost.audit.deed import Deed
from livepost.cli.workspace import note, who
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load
from tests.unit.cli.conftest import Command

ADA = bytes(range(16))


@pytest.fixture
def folder(project: Path) -> DataFolder:
    made = DataFolder(load(project, {}).settings)
    made.prepare()
    made.state_path.touch()
    return made


def test_entries_are_listed_with_who_did_what_to_whom(livepost: Command, folder: DataFolder) -> None:
    assert livepost("audit", "list").out == "Nobody saw or changed anything yet.\n"
    note(folder, Deed("person.read", (ADA,)))
    livepost("keys", "new", "secret")
    told = livepost("audit", "list", "--json").json()
    assert [(one["number"], one["by"], one["did"], one["about"], one["people"]) for one in told] == [
        (2, f"command:{who()}", "key.made", "secret", []),
        (1, f"command:{who()}", "person.read", "", [ADA.hex()]),
    ]
    assert "person.read" in livepost("audit", "list").out
    [one] = livepost("audit", "list", "--person", ADA.hex(), "--json").json()
    assert one["number"] == 1
    assert "a subject's id in hex" in livepost("audit", "list", "--person", "ada").err


def test_an_audit_that_nobody_altered_is_whole(livepost: Command, folder: DataFolder) -> None:
    for _ in range(3):
        note(folder, Deed("person.read", (ADA,)))
    with closing(folder.vault(readonly=True)) as vault, closing(folder.audits(vault)) as audits:
        audits.keep_head(1)
    told = livepost("audit", "verify")
    assert (told.code, told.out) == (
        0,
        "The audit is whole: 3 entries, 1 heads; a head vouches for all up to 3.\n",
    )


def test_whatever_is_altered_is_found_against_a_head_kept_elsewhere_with_the_public_key_alone(
    livepost: Command, folder: DataFolder, tmp_path: Path
) -> None:
    for _ in range(3):
        note(folder, Deed("person.read", (ADA,)))
    head = livepost("audit", "head", "--json").json()
    key = head.pop("public_key")
    elsewhere = tmp_path / "heads"
    elsewhere.write_text(livepost("audit", "head").out.splitlines()[0] + "\n")
    asked = ("audit", "verify", "--heads", str(elsewhere), "--key", key)
    assert livepost(*asked).code == 0
    connection = apsw.Connection(str(folder.audit_file))
    connection.execute("DELETE FROM entries WHERE number = 3")
    connection.close()
    told = livepost(*asked)
    assert (told.code, "entries are gone: a head was signed at entry 3" in told.out) == (1, True)
    assert livepost("audit", "verify", "--json").json()["holds"]  # without the head nothing shows


def test_heads_of_another_workspace_are_no_alarm_but_a_question_of_where_one_stands(
    livepost: Command, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(folder, Deed("person.read", (ADA,)))
    with closing(folder.vault(readonly=True)) as vault, closing(folder.audits(vault)) as audits:
        audits.keep_head(1)
    monkeypatch.setenv("LIVEPOST_WORKSPACE", "another")
    told = livepost("audit", "verify")
    assert (told.code, told.out) == (1, "")
    assert "expected heads of the workspace another, got those of shop" in told.err


def test_a_key_that_is_none_is_said(livepost: Command, folder: DataFolder) -> None:
    note(folder, Deed("person.read", (ADA,)))
    assert "64 hex digits" in livepost("audit", "verify", "--key", "zz").err
