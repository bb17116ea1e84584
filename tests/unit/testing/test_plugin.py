"""The plugin as pytest runs it: several projects in one session, test files of none, a project that is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

HOUSE = Path(__file__).parents[3]
PAGE = """
from livepost import Email, Event, Profile, campaign, segment, count

class Visited(Event):
    pass

class Visitor(Profile):
    visits = count(Visited)
    regular = segment(visits >= {visits})
"""
TEST = """
import shop as page
import sys

def test_the_rehearsal_runs_the_very_module_that_the_test_imported(shop):
    shop.happens(*[page.Visited(person="ada") for _ in range({visits})])
    assert shop.person("ada").segments == {{"regular"}}
    assert sys.modules["shop"] is page
"""
STRANGER = """
import sys
import pytest

def test_nothing_of_the_house_or_of_a_project_is_there():
    assert "shop" not in sys.modules
    with pytest.raises(ImportError):
        import shop

def test_a_rehearsal_without_a_project(shop):
    pass
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process of its own, with the plugin and without this session's settings."""
    installed = any(point.name == "livepost" for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "livepost.testing.plugin"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LIVEPOST_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *arguments],
        cwd=cwd,
        env={**environ, "PYTHONPATH": str(HOUSE / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def project(folder: Path, visits: int, *, settings: bool = True) -> Path:
    (folder / "tests").mkdir(parents=True)
    (folder / "shop.py").write_text(PAGE.format(visits=visits))
    if settings:
        (folder / "livepost.toml").touch()
    (folder / "tests" / f"test_{folder.name}.py").write_text(TEST.format(visits=visits))
    return folder


def test_each_test_file_gets_the_shop_of_the_project_above_it(tmp_path: Path) -> None:
    project(tmp_path / "one", 1)
    project(tmp_path / "two", 2)
    (tmp_path / "test_aa_stranger.py").write_text(STRANGER)
    (tmp_path / "test_zz_stranger.py").write_text(STRANGER)
    told = run(".", cwd=tmp_path)
    assert re.search(r"4 passed, 2 errors", told.stdout), told.stdout[-3_000:] + told.stderr
    assert "put the test below the project, or name the project with --livepost-project DIR" in told.stdout


def test_a_project_in_a_project_has_a_shop_of_its_own(tmp_path: Path) -> None:
    outer = project(tmp_path / "outer", 2)
    (outer / "tests" / "test_outer.py").rename(outer / "test_outer.py")  # beside the folder of the other one
    project(outer / "inner", 1)
    told = run(".", cwd=tmp_path)
    assert "2 passed" in told.stdout, told.stdout[-3_000:] + told.stderr


def test_a_project_elsewhere_is_named_by_the_option(tmp_path: Path) -> None:
    folder = project(tmp_path / "pages", 1, settings=False)
    (folder / "tests" / "test_pages.py").rename(tmp_path / "test_elsewhere.py")
    told = run("test_elsewhere.py", "--livepost-project", str(folder), cwd=tmp_path)
    assert "1 passed" in told.stdout, told.stdout[-3_000:] + told.stderr


def test_importing_the_plugin_loads_nothing_of_the_house() -> None:
    code = (
        "import sys, livepost.testing.plugin; print(*sorted(m for m in sys.modules if m.split('.')[0] == 'livepost'))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(HOUSE / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["livepost", "livepost.testing", "livepost.testing.plugin"]
