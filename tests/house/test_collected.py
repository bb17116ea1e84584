"""Every test file can be read: `make test` runs no long suite, but says when one of them names what is gone."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import HOUSE

LONG = ("tests/crash", "tests/real")


def collected(folder: Path | str, root: Path = HOUSE) -> subprocess.CompletedProcess[str]:
    """Let pytest read the tests of a folder, without running any."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("folder", LONG)
def test_the_long_suites_can_be_read(folder: str) -> None:
    told = collected(folder)
    assert told.returncode == 0, told.stdout[-2_000:]


def test_a_name_that_is_gone_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("from tests.house.source import HOUSES\n")
    told = collected(tmp_path)
    assert told.returncode != 0
    assert "cannot import name 'HOUSES'" in told.stdout
