"""`livepost users`, as the owner of a data folder types it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from livepost.audit.entry import decoded
from livepost.audit.sqlite import SqliteAudit
from livepost.cli.users import app
from livepost.clock import WallClock
from livepost.errors import RejectedError, SettingsError
from livepost.govern.login.password import Passwords
from livepost.runtime.data.accounts import accounts_of
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load

GOOD = "seven orange ladders"
EMAIL = "ada@example.com"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def says(*words: str, typed: str = "") -> str:
    result = CliRunner().invoke(app, list(words), input=typed)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def folder_of(project: Path) -> DataFolder:
    return DataFolder(load(project, {}).settings)


def added() -> dict[str, str]:
    told: dict[str, str] = json.loads(says("add", EMAIL, "--name", "Ada", "--role", "owner", "--json"))
    return told


def test_a_user_is_made_with_a_link_and_listed_without_secrets(project: Path) -> None:
    told = added()
    assert told["link"].startswith("http://localhost:8300/welcome/")
    [listed] = json.loads(says("list", "--json"))
    assert {key: listed[key] for key in ("email", "role", "password", "second", "disabled")} == {
        "email": EMAIL,
        "role": "owner",
        "password": False,
        "second": False,
        "disabled": False,
    }
    with accounts_of(folder_of(project), WallClock(), Passwords(64, 1)) as accounts:
        entered = accounts.accept(told["link"].rpartition("/")[2], GOOD)
        assert entered.user.id == told["id"]
    assert "Ada" in says("list")


def test_a_password_is_read_from_standard_input_and_judged(project: Path) -> None:
    added()
    with pytest.raises(RejectedError, match="expected a password"):
        says("password", EMAIL, typed="short\n")
    assert "is set" in says("password", EMAIL, typed=GOOD + "\n")
    with accounts_of(folder_of(project), WallClock(), Passwords()) as accounts:
        assert accounts.log_in(EMAIL, GOOD, "192.0.2.1").user.name == "Ada"


def test_role_disable_reset_and_remove(project: Path) -> None:
    added()
    says("role", EMAIL, "auditor")
    says("disable", EMAIL)
    [listed] = json.loads(says("list", "--json"))
    assert (listed["role"], listed["disabled"]) == ("auditor", True)
    says("disable", EMAIL, "--undo")
    assert "/welcome/" in says("reset", EMAIL)
    says("remove", EMAIL)
    assert "There are no users yet" in says("list")


def test_who_is_no_user_is_said(project: Path) -> None:
    for command in (("role", EMAIL, "owner"), ("disable", EMAIL), ("reset", EMAIL), ("remove", EMAIL)):
        with pytest.raises(SettingsError, match="livepost users list"):
            says(*command)
    with pytest.raises(SettingsError, match="an @"):
        says("add", "ada", "--name", "Ada")


def test_every_change_is_in_the_audit_without_a_name_or_an_address(project: Path) -> None:
    added()
    says("password", EMAIL, typed=GOOD + "\n")
    says("remove", EMAIL)
    folder = folder_of(project)
    with closing(SqliteAudit(folder.audit_file, folder.settings.workspace, readonly=True)) as audit:
        bodies = [one.body for one in audit.stored()]
    assert [decoded(body).did for body in bodies] == ["user.add", "user.password_set", "user.remove"]
    assert not any(b"ada" in body.lower() or GOOD.encode() in body for body in bodies)
