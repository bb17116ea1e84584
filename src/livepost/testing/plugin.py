"""The pytest plugin: finds the project that a test belongs to, makes its `shop` importable, and gives it a rehearsal.

In: test files anywhere below a project folder (one with `shop.py` and `livepost.toml`), or `--livepost-project DIR`.
Out: the fixture `shop`. Promised: a test imports the very module that its rehearsal runs, also where one session
collects several projects; other test files see no difference, and nothing of the house is loaded for them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
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

_left: dict[Path, ModuleType] = {}
"""The module `shop` of each project that was left for another."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the project where it is not above the tests."""
    parser.getgroup("livepost").addoption(
        OPTION, metavar="DIR", default=None, help="folder of the Livepost project, if it is not above the tests"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> None:
    """Make the project's `shop` importable before pytest imports the test file; pytest goes on as ever."""
    folder = _project(parent.config, module_path)
    if folder is not None:
        enter(folder)


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    """A rehearsal of the project; at the end of the test no event may have vanished."""
    folder = _project(request.config, request.path)
    if folder is None:
        raise pytest.UsageError(
            f"expected {' and '.join(MARKS)} in a folder above {request.path}, found none; "
            f"put the test below the project, or name the project with {OPTION} DIR"
        )
    enter(folder)
    with import_module("livepost.testing.rehearsal").Rehearsal(folder) as rehearsal:
        yield rehearsal


def enter(folder: Path) -> None:
    """Let `shop` mean this project's module, the one imported before if it was."""
    known = sys.modules.get(MODULE)
    origin = Path(known.__file__).parent if known is not None and known.__file__ else None
    if origin != folder:
        if known is not None and origin is not None:
            _left[origin] = known
        sys.modules.pop(MODULE, None)
        if folder in _left:
            sys.modules[MODULE] = _left[folder]
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))


def _project(config: pytest.Config, path: Path) -> Path | None:
    """Return the project folder of a test file: the option's, else the nearest above it, else None."""
    told = config.getoption(OPTION, None)
    return Path(told).resolve() if told else _nearest(path.parent)


@cache
def _nearest(folder: Path) -> Path | None:
    """Return the nearest project folder from here upwards; None if there is none."""
    if all((folder / mark).is_file() for mark in MARKS):
        return folder.resolve()
    return None if folder.parent == folder else _nearest(folder.parent)
