"""Kept mails of a house, as the console asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.observe.rates import Rates
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.looking import Looking
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, make_project


@pytest.fixture
def house(tmp_path: Path) -> StillHouse:
    still = StillHouse(make_project(tmp_path / "shop"))
    still.take(ada(), *THREE_LOOKS)
    still.work()
    return still


@pytest.fixture
def looking(house: StillHouse) -> Iterator[Looking]:
    with closing(house.folder.ledger()) as ledger:
        looks = Looking(house.folder, house.project, ledger, Rates(), lambda: None, outcomes=lambda: 0)
        yield looks
        looks.close()


def test_a_kept_mail_is_listed_and_shown(looking: Looking) -> None:
    [line] = looking.mails(None, "browse_reminder", None, 10).mails
    shown = looking.mail(line.id)
    assert shown is not None
    assert (line.to, shown.subject, shown.campaign) == ("ada@example.com", line.subject, "browse_reminder")
    assert looking.mails((bytes(16),), None, None, 10).mails == []


@pytest.mark.parametrize("id", ["00" * 16, "zz", "", "00"])
def test_what_is_no_mail_is_none(looking: Looking, id: str) -> None:
    assert looking.mail(id) is None


@pytest.mark.parametrize(("mail", "keeps"), [("keep:", True), ("smtp://mail.example:587", False)])
def test_whether_mails_are_kept_is_said_by_the_setting(house: StillHouse, mail: str, keeps: bool) -> None:
    folder = DataFolder(msgspec.structs.replace(house.folder.settings, mail=mail))
    with closing(house.folder.ledger()) as ledger:
        assert Looking(folder, house.project, ledger, Rates(), lambda: None, outcomes=lambda: 0).keeps_mails() is keeps
