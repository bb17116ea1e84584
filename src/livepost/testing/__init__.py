"""Testing: what an author's tests use (`Rehearsal`, the pytest plugin) and the contract suites of the house's stores.

Reads: a project folder. Writes: nothing outside memory. Promises: a rehearsal runs the rooms that run live; importing
this package loads none of them, since pytest loads the plugin in every project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livepost.testing.rehearsal import Mail, Person, Rehearsal

__all__ = ["Mail", "Person", "Rehearsal"]


def __getattr__(name: str) -> Any:
    """Load a rehearsal's words when they are first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'livepost.testing' has no attribute {name!r}")
    return getattr(import_module("livepost.testing.rehearsal"), name)
