"""The examples in docstrings run."""

import doctest
import importlib
from pathlib import Path

import pytest

from tests.house.source import SOURCE, modules

WITH_EXAMPLES = [path for path, _ in modules() if ">>> " in path.read_text()]


def module_name(path: Path) -> str:
    """Return the import name of a source file."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_name)
def test_the_examples_of_a_module_run(path: Path) -> None:
    told = doctest.testmod(importlib.import_module(module_name(path)))
    assert told.attempted > 0
    assert told.failed == 0
