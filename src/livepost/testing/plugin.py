"""The pytest plugin: finds the project that a test belongs to, makes its `shop` importable, and gives it a rehearsal.

In: test files anywhere below a project folder (one with `shop.py` and `livepost.toml`), or `--livepost-project DIR`.
Out: the fixture `shop`. Promised: a test imports the very module that its rehearsal runs, also where one session
collects several projects; other test files see no difference, and nothing of the house is loaded for them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from livepost.testing.rehearsal import Rehearsal

OPTION = "--livepost-project"
MODULE = "shop"
MARKS = (f"{MODULE}.py", "livepost.toml")
"""What makes a folder a project."""

FOLDERS_CACHED = 1_000
"""Folders of which it is remembered which project is above them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the project where it is not above the tests."""
    parser.getgroup("livepost").addoption(
        OPTION, metavar="DIR", default=None, help="folder of the Livepost project, if it is not above the tests"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collectstart(collector: pytest.Collector) -> None:
    """Make the project's `shop` importable before pytest imports a test file; pytest goes on as ever."""
    if isinstance(collector, pytest.Module):
        _shops.enter(_project(collector.config, collector.path))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let `shop` mean the project's module again while its test runs."""
    _shops.enter(_project(item.config, item.path))


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """A rehearsal of the project; at the end of the test no event may have vanished."""
    folder = _project(request.config, request.path)
    if folder is None:
        pytest.fail(
            f"expected {' and '.join(MARKS)} in a folder above {request.path}, found none; "
            f"put the test below the project, or name the project with {OPTION} DIR",
            pytrace=False,
        )
    with import_module("livepost.testing.rehearsal").Rehearsal(folder) as rehearsal:
        yield rehearsal


class _Shops:
    """Which project's `shop` can be imported now; each project keeps the module that was imported first."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._outside: ModuleType | None = None
        self._modules: dict[Path, ModuleType] = {}

    def enter(self, folder: Path | None) -> None:
        """Let `shop` mean the module of this project; None: whatever it means outside of all projects."""
        if folder is None and self._folder is None:
            return
        self._leave()
        wanted = self._outside if folder is None else self._modules.get(folder)
        if wanted is not None:
            sys.modules[MODULE] = wanted
        if folder is not None:
            sys.path.insert(0, str(folder))
        self._folder = folder

    def _leave(self) -> None:
        current = sys.modules.pop(MODULE, None)
        if self._folder is None:
            self._outside = current
            return
        if current is not None and current.__file__ == str(self._folder / MARKS[0]):
            self._modules.setdefault(self._folder, current)
        if str(self._folder) in sys.path:
            sys.path.remove(str(self._folder))


_shops = _Shops()


def _project(config: pytest.Config, path: Path) -> Path | None:
    """Return the project folder of a test file: the option's, else the nearest above it, else None."""
    told = config.getoption(OPTION, None)
    return Path(told).resolve() if told else _nearest(path.parent)


@lru_cache(FOLDERS_CACHED)
def _nearest(folder: Path) -> Path | None:
    """Return the nearest project folder from here upwards; None if there is none."""
    if all((folder / mark).is_file() for mark in MARKS):
        return folder.resolve()
    return None if folder.parent == folder else _nearest(folder.parent)
