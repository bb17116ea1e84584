"""Personal data where none was declared: found in open and in undeclared fields, told without a value."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.control.retention import FoundPersonal
from livepost.runtime.rights import finding
from livepost.runtime.rights.finding import find_personal
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, look, make_project


def found(still: StillHouse) -> list[FoundPersonal]:
    folder = still.folder
    with closing(folder.log_reader()) as log, closing(folder.vault(readonly=True)) as vault:
        return find_personal(log, vault, folder.settings.workspace, still.project.compiled)


def call(number: int, **properties: Any) -> dict[str, Any]:
    told = {"event": "Product Viewed", "properties": {"productId": "tea", **properties}}
    return {"type": "track", "userId": "ada", "messageId": f"more-{number}", **told}


def test_ordinary_events_give_no_alarm(tmp_path: Path) -> None:
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(ada(), *THREE_LOOKS, call(1, colour="green", list=[1, 2], nested={"size": "L"}))
    assert found(still) == []


def test_an_address_in_an_open_field_and_one_nobody_declared_are_found(tmp_path: Path) -> None:
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(look("ada@example.com"), look("tea"), call(1, friend={"mail": "bob@example.com"}), call(2, phone="soon"))
    assert found(still) == [
        FoundPersonal(field="ProductViewed.friend.mail", declared=False, kind="email", by="value", count=1, of=1),
        FoundPersonal(field="ProductViewed.phone", declared=False, kind="phone", by="name", count=1, of=1),
        FoundPersonal(field="ProductViewed.product_id", declared=True, kind="email", by="value", count=1, of=4),
    ]
    assert b"@" not in msgspec.json.encode(found(still))


def test_only_the_newest_records_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "RECORDS", 2)
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(look("ada@example.com"))
    still.take(look("tea"), look("oolong"))
    assert found(still) == []


def test_names_without_end_are_told_apart_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "FIELDS_MAX", 3)
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(call(1, **{f"email_{number}": "x" for number in "abcdefgh"}))
    assert len(found(still)) <= 3
