"""The demo shop as data, imported from its folder as `livepost` itself does."""

from __future__ import annotations

import importlib.util
from importlib.resources import files
from pathlib import Path

from livepost.model.compiled import Compiled
from livepost.project.compiled import compile_project
from livepost.project.declarations import Declarations, collect

FOLDER = Path(str(files("livepost.demo"))) / "shop"


def declarations() -> Declarations:
    """Return what the shop declares."""
    spec = importlib.util.spec_from_file_location("demo_shop", FOLDER / "shop.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return collect(vars(module))


def compiled() -> Compiled:
    """Return the shop compiled."""
    return compile_project(declarations())
