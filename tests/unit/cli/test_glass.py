from __future__ import annotations

from contextlib import closing
from pathlib import Path

from livepost.clock import WallClock
from livepost.control.glass import Glasses
from livepost.runtime.data.folder import DataFolder
from livepost.settings.load import load
from tests.unit.cli.conftest import Command


def test_who_broke_the_glass_is_listed_and_it_is_ended(livepost: Command, project: Path) -> None:
    folder = DataFolder(load(project, {}).settings)
    folder.prepare()
    folder.state_path.touch()
    with closing(folder.vault(readonly=False)):
        pass
    assert livepost("glass", "list").out == "Nobody broke the glass.\n"
    with closing(folder.control()) as store:
        one = Glasses(store).break_("user:1", "a mail went wrong", WallClock().now_ms(), 5)
    assert "holds" in livepost("glass", "list").out
    assert livepost("glass", "end", one.id).code == 0
    [told] = livepost("glass", "list", "--json").json()
    assert told["reason"] == "a mail went wrong" and told["ended_at"] > 0
    assert "that is broken" in livepost("glass", "end", one.id).err
    assert "glass.ended" in [entry["did"] for entry in livepost("audit", "list", "--json").json()]
