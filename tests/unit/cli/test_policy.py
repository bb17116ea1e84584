from __future__ import annotations

from pathlib import Path

import pytest

from livepost.govern.policy.every import RULES
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import STARTER

DEMO = STARTER.parents[1] / "demo" / "shop"


@pytest.mark.parametrize("folder", [STARTER, DEMO], ids=["starter", "demo"])
def test_the_projects_that_come_with_livepost_keep_their_policies(
    livepost: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LIVEPOST_DATA", str(tmp_path / "data"))
    told = livepost("policy", "check")
    assert (told.code, told.out.splitlines()[-1]) == (0, "The project keeps its policy.")
    assert "PC09  nothing to look at yet" in told.out
    assert livepost("ropa", "--check").code == 0
    assert livepost("check").out == "The project is sound.\n"


def test_what_breaks_a_rule_is_said_with_its_place_and_exits_with_1(livepost: Command, promising: Path) -> None:
    policy = promising / "policy.toml"
    policy.write_text(policy.read_text().replace('["marketing", "shop"]', '["shop"]'))
    told = livepost("policy", "check")
    assert told.code == 1
    assert "shop.py:" in told.out
    assert "error PC06: browse_reminder uses what it may not: ProductViewed may not be used for marketing" in told.out
    found = livepost("policy", "check", "--json").json()
    assert found["holds"] is False
    assert [one["rule"] for one in found["outcomes"]] == [rule.id for rule in RULES]
    assert {one["rule"] for one in found["outcomes"] if one["state"] == "broken"} == {"PC06", "PC20"}
    assert all(not one["where"].startswith("/") for each in found["outcomes"] for one in each["findings"])


def test_check_refuses_what_a_policy_does_and_only_warns_of_records(livepost: Command, promising: Path) -> None:
    (promising / "ropa.md").unlink()
    told = livepost("check")
    assert told.code == 0
    assert "ropa.md: warning: PC20: there is no ropa.md" in told.out
    policy = promising / "policy.toml"
    policy.write_text(policy.read_text().replace('home = "us"', 'home = "mars"'))
    told = livepost("check")
    assert told.code == 1
    assert "error: PC13: home is 'mars'" in told.out


def test_keys_of_the_data_folder_are_looked_at(livepost: Command, promising: Path) -> None:
    livepost("keys", "new", "write", "--source", "till")
    told = livepost("policy", "check")
    assert told.code == 1
    assert "PC18: events come from till" in told.out
    keys = next((promising / "data").rglob("keys.json"))
    keys.chmod(0o644)
    assert "error PC17: others on this machine may read the keys" in livepost("policy", "check").out


def test_a_project_without_a_policy_is_told_so_and_still_checks(livepost: Command, promising: Path) -> None:
    (promising / "policy.toml").unlink()
    told = livepost("policy", "check")
    assert told.code == 1
    assert "there is no policy.toml" in told.out
    assert livepost("check").out == "The project is sound.\n"


def test_a_policy_that_does_not_fit_is_told_with_its_place(livepost: Command, promising: Path) -> None:
    (promising / "policy.toml").write_text("[controller]\nname = 1\n")
    assert "policy.toml does not fit" in livepost("policy", "check").err
    assert "policy.toml does not fit" in livepost("check").out


def test_the_rules_are_listed(livepost: Command, promising: Path) -> None:
    assert len(livepost("policy", "rules").out.splitlines()) == 20
    assert livepost("policy", "rules", "--json").json()[0]["rule"] == "PC01"
