"""What processes say is masked: every way into one puts the redactor before its stderr, and nothing goes around it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import SOURCE, modules

INSTALLS = {"cli/app.py", "demo/__main__.py"}
"""Files that put it there; `cli/__main__.py` and the command `livepost` are `cli/app.py`'s `main`."""

WITHOUT = {
    "cli/__main__.py": "calls main of cli/app.py",
    "ops/sql/worker.py": "its stderr goes nowhere: ops/sql/asking.py starts it so",
    "bench/echo.py": "knows made-up people only",
    "bench/load.py": "knows made-up people only",
}
"""Ways into a process without one, and why."""


def ways_in(folder: Path) -> set[str]:
    """Return the files that may be run."""
    return {str(path.relative_to(folder)) for path, _ in modules(folder) if "__main__" in path.read_text()}


def installers(folder: Path) -> set[str]:
    """Return the files that call mask_stderr."""
    return {
        str(path.relative_to(folder))
        for path, tree in modules(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "mask_stderr"
    }


def ways_around(folder: Path) -> Iterator[str]:
    """Yield what would write to stderr past `sys.stderr`, or write paths as they were asked for."""
    for path, tree in modules(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ("__stderr__", "faulthandler"):
                yield f"{path.name} {node.attr}"
            if isinstance(node, ast.keyword) and node.arg == "access_log" and _is_on(node.value):
                yield f"{path.name} access_log"


def _is_on(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is not False


def test_every_way_into_a_process_masks_what_it_says() -> None:
    assert installers(SOURCE) == INSTALLS
    assert ways_in(SOURCE) - INSTALLS == set(WITHOUT)


def test_nothing_goes_around_it_and_there_is_no_access_log() -> None:
    assert list(ways_around(SOURCE)) == []


def test_a_way_in_without_and_a_way_around_are_found(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text('import sys\nif __name__ == "__main__":\n    sys.__stderr__.write("x")\n')
    (tmp_path / "log.py").write_text("Config(app, access_log=True)\n")
    assert ways_in(tmp_path) == {"new.py"} and installers(tmp_path) == set()
    assert sorted(ways_around(tmp_path)) == ["log.py access_log", "new.py __stderr__"]
