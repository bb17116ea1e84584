"""A snapshot: the engine's state as one commit left it, to start from later with the log behind it.

In: an open state, with the images of its people. Out: a folder with the same names as in the data folder: put there in
place of what is, the engine reads the log on from it, decides what it decided before, and the fence keeps everybody
from being mailed again. Promises: whole, or an error.
"""

from __future__ import annotations

from pathlib import Path

from livepost.errors import StoreError
from livepost.runtime.folder import DataFolder
from livepost.state.base import DurableStateStore


def write_snapshot(folder: DataFolder, store: DurableStateStore, to: Path) -> None:
    """Write what the last commit left into `to`, a new folder on the same disk; call it between two commits.

    It takes as long as a copy of the state: commits wait. Raises StoreError if it cannot be written; then remove `to`.
    """
    try:
        to.mkdir(mode=0o700)
    except OSError as error:
        raise StoreError(f"expected a new folder for the snapshot, {to} cannot be made: {error}") from error
    store.snapshot(to / folder.state_path.name)
    loaded = store.loaded()
    if loaded is not None and loaded.image:
        folder.images.link(loaded.image, to / folder.images.folder.name)
