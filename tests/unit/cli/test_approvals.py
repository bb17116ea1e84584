from __future__ import annotations

from contextlib import closing
from pathlib import Path

from livepost.clock import SimulatedClock
from livepost.control.users import Users
from livepost.govern.access.rules import default_rules
from livepost.govern.approval.desk import FourEyes
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load
from livepost.vault.kek.rotation import begin, steps
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def owners(folder: DataFolder, count: int = 2) -> list[str]:
    """Give a data folder so many owners, and return what the audit calls them."""
    with closing(folder.control()) as store:
        users = Users(store, bytes(32))
        return [f"user:{users.add(f'u{i}', f'u{i}@e.example', 'owner', i).id}" for i in range(count)]


def approve(folder: DataFolder, id: str, by: str, now_ms: int) -> None:
    with closing(folder.control()) as store:
        FourEyes(store, default_rules(), SimulatedClock(now_ms)).approve(id, by)


def test_an_export_waits_for_two_users_and_is_done_once(livepost: Command, house: StillHouse, tmp_path: Path) -> None:
    folder, export = house.folder, ("export", "ada", "--to", str(tmp_path / "a.zip"))
    users = owners(folder)
    assert "say it with --reason" in livepost(*export).err
    waits = livepost(*export, "--reason", "her letter of Monday")
    assert (waits.code, "two users with the right to approve it" in waits.err) == (1, True)
    assert not (tmp_path / "a.zip").exists()
    [one] = livepost("approvals", "list", "--json").json()
    assert (one["kind"], one["state"], one["reason"]) == ("export", "waiting", "her letter of Monday")
    assert "a user with the right" not in livepost("approvals", "list").out
    assert "nobody's eyes" in livepost("approvals", "approve", one["id"]).err
    for by in users:
        approve(folder, one["id"], by, one["asked_at"])
    assert livepost(*export).code == 0
    assert "is there already" in livepost(*export).err
    again = livepost("export", "ada", "--to", str(tmp_path / "b.zip"), "--reason", "once more")
    assert again.code == 1
    assert livepost("approvals", "refuse", one["id"]).err.endswith("it has to be asked for again\n")
    newest = livepost("approvals", "list", "--json").json()[0]
    assert livepost("approvals", "refuse", newest["id"][:8], "--json").json()["state"] == "refused"
    noted = [entry["did"] for entry in livepost("audit", "list", "--json").json()]
    assert {"approval.asked", "approval.used", "approval.refused", "person.exported"} <= set(noted)


def test_retired_keys_are_destroyed_when_two_users_approved_exactly_these(livepost: Command, project: Path) -> None:
    folder = DataFolder(load(project, {}).settings)
    folder.prepare()
    folder.state_path.touch()
    with closing(folder.vault(readonly=False)) as vault:
        begin(folder.keks)
        list(steps(folder.keks, vault))
    users = owners(folder)
    destroy = ("keys", "destroy", "--yes", "--reason", "the old backups are gone")
    assert livepost(*destroy).code == 1
    [one] = livepost("approvals", "list", "--json").json()
    for by in users:
        approve(folder, one["id"], by, one["asked_at"])
    with closing(folder.vault(readonly=False)) as vault:  # one more is retired than was approved
        begin(folder.keks)
        list(steps(folder.keks, vault))
    assert livepost(*destroy).code == 1
    assert sum(kek.retired for kek in folder.keks.read()) == 2
    newest = livepost("approvals", "list", "--json").json()[0]
    for by in users:
        approve(folder, newest["id"], by, newest["asked_at"])
    assert livepost(*destroy).out == "2 key-encryption keys destroyed.\n"


def test_alone_nothing_waits_and_that_is_noted(livepost: Command, house: StillHouse, tmp_path: Path) -> None:
    owners(house.folder, 1)
    assert livepost("approvals", "list").out == "Nothing was asked for.\n"
    assert livepost("export", "ada", "--to", str(tmp_path / "a.zip")).code == 0
    assert "approval.alone" in [entry["did"] for entry in livepost("audit", "list", "--json").json()]
    assert "expected the id of one approval, got 0" in livepost("approvals", "refuse", "x").err
