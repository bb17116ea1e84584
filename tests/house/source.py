"""The house's own source as trees, for the tests of this folder."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

HOUSE = Path(__file__).parents[2]
SOURCE = HOUSE / "src" / "livepost"
PROJECTS = (SOURCE / "project" / "starter", SOURCE / "demo" / "shop")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Found(NamedTuple):
    """A definition and where it is, as `file:line name`."""

    where: str
    node: Definition


def modules(folder: Path = SOURCE) -> list[tuple[Path, ast.Module]]:
    """Return every module under `folder`, parsed, without the pages that authors read as their own."""
    paths = [path for path in sorted(folder.rglob("*.py")) if not any(path.is_relative_to(p) for p in PROJECTS)]
    return [(path, ast.parse(path.read_text())) for path in paths]


def needs(path: Path) -> None:
    """Skip the test while a part is not there yet; in CI that is a failure."""
    if path.exists():
        return
    reason = f"{path.relative_to(HOUSE)} is not there yet"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def functions(folder: Path = SOURCE) -> Iterator[Found]:
    """Yield every function and method."""
    for path, tree in modules(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Found(f"{path.relative_to(folder)}:{node.lineno} {node.name}", node)


def public(folder: Path = SOURCE) -> Iterator[Found]:
    """Yield what others may use: public functions and classes of modules, and the public methods of these."""
    for path, tree in modules(folder):
        for node in _public_in(tree.body):
            yield Found(f"{path.relative_to(folder)}:{node.lineno} {node.name}", node)


def size(node: Definition) -> int:
    """Return the lines of a definition without its docstring and decorators."""
    docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
    documented = docstring.end_lineno - docstring.lineno + 1 if docstring and docstring.end_lineno else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - documented


def _public_in(body: list[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_") or _is_overload(node):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from _public_in(node.body)


def _is_overload(node: Definition) -> bool:
    names = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(name.split(".")[-1] in ("overload", "setter") for name in names)
