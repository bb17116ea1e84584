"""What is committed names no machine and no registry."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
MACHINE_PATHS = re.compile(r"(?<![\w.$}~-])/(?:root|work|home/\w+|Users/\w+|tmp/\w+)(?=[/\s\"'`:,)]|$)")
# Written in pieces, so that this file does not name them either.
REGISTRIES = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("maven", "org"),
            ("golang", "org"),
            ("crates", "io"),
            ("debian", "org"),
        )
    )
)


def tracked() -> list[Path]:
    """Return the files that are, or would be, committed."""
    if shutil.which("git") is None or not (HOUSE / ".git").exists():
        if os.environ.get("CI"):
            pytest.fail("git is not there to list the files")
        pytest.skip("this is no git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [HOUSE / name for name in listed.split("\0") if name and (HOUSE / name).is_file()]


def hits(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Return `file:line` of each place where the pattern occurs in a text file."""
    found = []
    for path in files:
        raw = path.read_bytes()
        if b"\0" in raw[:8_000]:
            continue
        lines = raw.decode(errors="replace").splitlines()
        found += [f"{path.name}:{number}" for number, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def test_no_committed_file_names_a_machine_path() -> None:
    assert hits(MACHINE_PATHS, tracked()) == []


def test_no_committed_file_names_a_registry() -> None:
    assert hits(REGISTRIES, tracked()) == []


def test_both_would_be_found(tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("see " + "/" + "root/x\nhttps://" + ".".join(("pypi", "org")) + "/simple\n")
    assert hits(MACHINE_PATHS, [bad]) == ["bad.txt:1"]
    assert hits(REGISTRIES, [bad]) == ["bad.txt:2"]
