"""The demo shop keeps what its own tests promise."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import livepost.demo

FOLDER = Path(livepost.demo.__file__).parent / "shop"


def test_the_demo_shop_passes_its_own_tests(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "demo")
    installed = any(point.name == "livepost" for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "livepost.testing.plugin"]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, "."],
        cwd=tmp_path / "demo",
        env={**os.environ, "PYTHONPATH": str(FOLDER.parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "6 passed" in told.stdout, told.stdout[-3_000:] + told.stderr
