from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def test_a_person_is_exported_to_a_file_of_their_own_and_the_file_checked(
    livepost: Command, house: StillHouse, tmp_path: Path
) -> None:
    told = livepost("export", "ada", "--to", str(tmp_path), "--json").json()
    path = Path(told["file"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    counts = {one["name"]: one["items"] for one in told["files"]}
    assert counts["data/log.jsonl"] >= 4
    assert counts["data/mailbox.jsonl"] == 1
    assert livepost("export", "--check", str(path)).out.startswith("The export is whole: ")
    assert livepost("export", "--check", str(path), "--key", told["public_key"]).code == 0
    wrong = livepost("export", "--check", str(path), "--key", "00" * 32)
    assert (wrong.code, "not signed by this key" in wrong.err) == (1, True)
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr("data/more.jsonl", "{}\n")
    assert "data/more.jsonl is not in the manifest" in livepost("export", "--check", str(path)).err
    noted = livepost("audit", "list", "--json").json()
    assert "person.exported" in [one["did"] for one in noted]


def test_nothing_is_written_for_nobody_over_a_file_or_below_the_data_folder(
    livepost: Command, house: StillHouse, tmp_path: Path
) -> None:
    at = tmp_path / "x.zip"
    assert "nobody is known as 'eve'" in livepost("export", "eve", "--to", str(at)).err
    assert not at.exists()
    at.write_text("mine")
    assert "is there already" in livepost("export", "ada", "--to", str(at)).err
    assert at.read_text() == "mine"
    below = house.folder.path / "x.zip"
    assert "outside of the data folder" in livepost("export", "ada", "--to", str(below)).err
    assert not below.exists()


def test_while_the_engine_is_behind_nothing_is_exported(
    livepost: Command, house: StillHouse, tmp_path: Path, monkeypatch: object
) -> None:
    from livepost.runtime.rights import exporting

    house.take({"type": "track", "userId": "ada", "messageId": "late", "event": "Product Viewed"})
    before, exporting.FOLDED_S = exporting.FOLDED_S, 0.0
    try:
        assert "the engine has folded the log up to record" in livepost("export", "ada", "--to", str(tmp_path)).err
    finally:
        exporting.FOLDED_S = before
    assert list(tmp_path.glob("*.zip")) == []
