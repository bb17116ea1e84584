"""The README's code runs: its page and its test are those that `livepost init` writes."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from tests.house.source import HOUSE, SOURCE, needs

STARTER = SOURCE / "project" / "starter"


def python_blocks(text: str) -> list[str]:
    """Return the Python code blocks of a Markdown text."""
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def run_tests(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a project folder's tests as an author would."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LIVEPOST_", "PYTEST_"))}
    environ["PYTHONPATH"] = os.pathsep.join([str(HOUSE / "src"), str(folder)])
    plugin = [] if _is_installed() else ["-p", "livepost.testing.plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, "."],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def _is_installed() -> bool:
    """Say whether pytest finds the plugin by itself, as it does in the .venv that make makes."""
    return any(point.name == "livepost" for point in entry_points(group="pytest11"))


def test_the_page_of_the_readme_is_the_page_of_the_starter() -> None:
    needs(STARTER / "tests" / "test_shop.py")
    assert python_blocks((HOUSE / "README.md").read_text())[0] == (STARTER / "shop.py").read_text()


def test_the_test_of_the_readme_is_the_test_of_the_starter() -> None:
    needs(STARTER / "tests" / "test_shop.py")
    assert python_blocks((HOUSE / "README.md").read_text())[1] == (STARTER / "tests" / "test_shop.py").read_text()


def test_the_starter_passes_its_own_test(tmp_path: Path) -> None:
    needs(SOURCE / "testing" / "plugin.py")
    needs(STARTER)
    shutil.copytree(STARTER, tmp_path / "shop")
    run = run_tests(tmp_path / "shop")
    assert run.returncode == 0, run.stdout[-3_000:] + run.stderr[-1_000:]
    assert "1 passed" in run.stdout


def test_a_starter_that_waits_longer_would_fail_its_test(tmp_path: Path) -> None:
    """The negative control: three looks and three hours of waiting bring no mail after two."""
    needs(SOURCE / "testing" / "plugin.py")
    needs(STARTER)
    shutil.copytree(STARTER, tmp_path / "shop")
    page = tmp_path / "shop" / "shop.py"
    page.write_text(page.read_text().replace("wait=hours(2)", "wait=hours(3)"))
    assert run_tests(tmp_path / "shop").returncode == 1
