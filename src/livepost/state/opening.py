"""Which body keeps the state: named in the settings, loaded only if it is the one.

In: the setting `state`. Out: the store, open. Promises: a body whose library is not installed is answered with the line
to type.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import msgspec

from livepost.errors import StoreError
from livepost.state.base import DurableStateStore


class Body(msgspec.Struct, frozen=True):
    """A body: where it lies in the data folder, its module and class here, and the extra it needs, if any."""

    name: str
    module: str
    type: str
    extra: str = ""


BODIES = {
    "sqlite:": Body("state.db", "livepost.state.sqlite", "SqliteState"),
    "rocksdb:": Body("state.rocksdb", "livepost.state.rocksdb", "RocksState", "rocksdb"),
}
"""By the setting `state`."""


def state_name(setting: str) -> str:
    """Return the name of the state's file or folder."""
    return BODIES[setting].name


def open_state(setting: str, path: Path) -> DurableStateStore:
    """Open the state at `path`; raises StoreError if it cannot be, or its library is not installed."""
    body = BODIES[setting]
    try:
        module = import_module(body.module)
    except ModuleNotFoundError as error:
        if not body.extra:
            raise
        raise StoreError(
            f'state = "{setting}" needs {error.name}, which is not installed; '
            f"type: python -m pip install 'livepost[{body.extra}]'"
        ) from error
    opened: Callable[[Path], DurableStateStore] = getattr(module, body.type)
    return opened(path)
