from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Command


def test_records_are_written_compared_and_told_as_json(livepost: Command, promising: Path) -> None:
    kept = (promising / "ropa.md").read_text()
    assert livepost("ropa").out == kept
    assert livepost("ropa", "--check").out == "ropa.md is current.\n"
    (promising / "ropa.md").write_text(kept + "\n")
    told = livepost("ropa", "--check")
    assert (told.code, "livepost ropa --to ropa.md" in told.out) == (1, True)
    assert livepost("ropa", "--to", "ropa.md").code == 0
    assert (promising / "ropa.md").read_text() == kept
    records = livepost("ropa", "--json").json()
    assert records["controller"] == "My shop"
    assert [one["name"] for one in records["purposes"]] == ["marketing", "shop"]


def test_without_a_policy_there_are_none(livepost: Command, promising: Path) -> None:
    (promising / "policy.toml").unlink()
    told = livepost("ropa")
    assert (told.code, "write policy.toml" in told.err) == (1, True)


def test_records_that_cannot_be_written_are_told_so(livepost: Command, promising: Path) -> None:
    assert "cannot be written" in livepost("ropa", "--to", "nowhere/ropa.md").err
