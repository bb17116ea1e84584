"""The command line in this process: as typed in a folder, answered with exit code and both outputs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.cli import main
from tests.unit.runtime.still import STARTER, THREE_LOOKS, StillHouse, ada, make_project


class Answer(msgspec.Struct, frozen=True):
    """What a command left: its exit code, what it printed, and what it said on stderr."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Answer]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no setting of the host and no other page reach a command, and none make this process stand back for good."""
    monkeypatch.setattr(sys.modules["livepost.cli.app"], "IN_BACKGROUND", ())
    for name in [name for name in os.environ if name.startswith("LIVEPOST_")]:
        monkeypatch.delenv(name)
    before = sys.modules.pop("shop", None)
    yield
    sys.modules.pop("shop", None)
    if before is not None:
        sys.modules["shop"] = before


@pytest.fixture
def livepost(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command line in the current folder."""

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["livepost", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        told = capsys.readouterr()
        return Answer(int(exit_.value.code or 0), told.out, told.err)

    return run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder, and the current one."""
    folder = make_project(tmp_path / "shop")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def promising(project: Path) -> Path:
    """A project folder with a policy that it keeps, and the current one."""
    for name in ("policy.toml", "ropa.md"):
        (project / name).write_text((STARTER / name).read_text())
    return project


@pytest.fixture
def house(project: Path) -> StillHouse:
    """The project's house at rest, after Ada looked three times and was mailed, and one broken event."""
    still = StillHouse(project)
    broken = {"type": "track", "userId": "bob", "messageId": "broken", "event": "Product Viewed"}
    still.take(ada(), *THREE_LOOKS, broken)
    still.work()
    return still
