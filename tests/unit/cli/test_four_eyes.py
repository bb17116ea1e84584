from __future__ import annotations

from pathlib import Path

from livepost.cli.four_eyes import four_eyes_of, require_approval
from livepost.govern.approval.wanted import destroying_of
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load
from tests.unit.cli.conftest import Command


def test_a_command_of_a_house_of_one_goes_ahead(livepost: Command, project: Path) -> None:
    livepost("keys", "new", "write")
    folder = DataFolder(load(project, {}).settings)
    require_approval(folder, destroying_of(["x"]), "")
    with four_eyes_of(folder) as desk:
        assert desk.approvals.listed() == []
