"""Rooms and files have names that say what is done there, and what is public says what it promises."""

import ast
from pathlib import Path

from tests.house.source import SOURCE, Definition, modules, public

EMPTY_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"}


def documented(node: Definition) -> bool:
    """Say whether a definition tells what it promises."""
    return node.name.startswith("test_") or bool(ast.get_docstring(node))


def undocumented(folder: Path) -> list[str]:
    """Return the modules and public names under `folder` without a docstring; a test's name is its sentence."""
    bare = [str(path.relative_to(folder)) for path, tree in modules(folder) if not ast.get_docstring(tree)]
    return bare + [found.where for found in public(folder) if not documented(found.node)]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in SOURCE.rglob("*.py") if EMPTY_NAMES & {path.stem, path.parent.name}] == []


def test_every_module_and_public_name_has_a_docstring() -> None:
    assert undocumented(SOURCE) == []


def test_a_public_name_without_a_docstring_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "room.py").write_text('"""A room."""\nclass Bare:\n    def _own(self): ...\n    def open(self): ...\n')
    assert undocumented(tmp_path) == ["room.py:2 Bare", "room.py:4 open"]


def test_imports_stand_at_the_top_of_their_file() -> None:
    hidden = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path, tree in modules()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []
