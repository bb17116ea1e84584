"""Imports fall down the floors, and the drawing in ARCHITECTURE.md is the contract's."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
DRAWN = [contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"]
"""The floors of the house, and those of `runtime`; ARCHITECTURE.md draws them in this order."""


def lint_imports(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the pyproject.toml of `folder`."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PYTHONPATH": str(source), "PATH": "", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def rooms(line: str) -> set[str]:
    """Return the rooms of one floor; optional ones stand in brackets."""
    return {room.strip(" ()") for room in line.split("|")}


def drawn_floors(number: int) -> list[set[str]]:
    """Return the floors of a drawing: in each line, what stands before two spaces."""
    text = (HOUSE / "ARCHITECTURE.md").read_text()
    drawing = text.split("## Floors", 1)[1].split("```")[1 + 2 * number]
    return [rooms(re.split(r" {2,}", line)[0]) for line in drawing.strip().splitlines()]


def test_imports_go_down_only() -> None:
    run = lint_imports(HOUSE, HOUSE / "src")
    assert run.returncode == 0, run.stdout[-3_000:] + run.stderr[-1_000:]


def test_an_import_that_goes_up_would_be_found(tmp_path: Path) -> None:
    """The negative control: the same contracts over a house of two rooms, with one import going up."""
    house = tmp_path / "livepost"
    for room in ("cli", "model"):
        (house / room).mkdir(parents=True)
        (house / room / "__init__.py").touch()
    (house / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_package = "livepost"\n[[tool.importlinter.contracts]]\nname = "floors"\n'
        'type = "layers"\ncontainers = ["livepost"]\nexhaustive = true\nlayers = ["cli", "model"]\n'
    )
    assert lint_imports(tmp_path, tmp_path).returncode == 0
    (house / "model" / "__init__.py").write_text("import livepost.cli\n")
    assert lint_imports(tmp_path, tmp_path).returncode == 1


@pytest.mark.parametrize("number", range(len(DRAWN)))
def test_the_drawing_has_the_floors_of_the_contract(number: int) -> None:
    assert drawn_floors(number) == [rooms(layer) for layer in DRAWN[number]]


def test_a_room_that_is_drawn_as_there_is_there() -> None:
    missing = [
        room
        for layer in DRAWN[0]
        for room in (name.strip() for name in layer.split("|"))
        if not room.startswith("(")
        and not (HOUSE / "src/livepost" / room / "__init__.py").exists()
        and not (HOUSE / "src/livepost" / f"{room}.py").exists()
    ]
    assert missing == []
