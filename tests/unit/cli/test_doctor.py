from pathlib import Path

import pytest

from livepost.settings.settings import keys
from tests.unit.cli.conftest import Command


def test_every_setting_is_told_with_where_it_came_from(
    livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEPOST_PORT", "8400")
    told = {row["key"]: row for row in livepost("doctor", "--json").json()}
    assert list(told) == list(keys())
    assert (told["port"]["value"], told["port"]["origin"]) == ("8400", "LIVEPOST_PORT")
    assert told["shop_name"]["origin"].startswith("livepost.toml:")
    assert told["host"]["origin"] == "default"


def test_people_get_a_table(livepost: Command, project: Path) -> None:
    told = livepost("doctor")
    assert told.code == 0
    assert "8300" in told.out and "default" in told.out


def test_a_secret_is_not_shown(livepost: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEK", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==")
    monkeypatch.setenv("LIVEPOST_KEK", "env:SHOP_KEK")
    told = livepost("doctor", "--json")
    assert "env:SHOP_KEK" in told.out
    assert "c2VjcmV0" not in told.out
