"""A snapshot: the engine's state as one commit left it, to start from later with the log behind it.

In: an open state, with the images of its people. Out: a folder with the same names as in the data folder: put there in
place of what is, the engine reads the log on from it, decides what it decided before, and the fence keeps everybody
from being mailed again. Promises: whole, or an error.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from livepost.errors import StoreError
from livepost.runtime.data.folder import DataFolder
from livepost.state.base import DurableStateStore

SNAPSHOTS_MAX = 3
"""Snapshots that are kept: an older one goes when a newer one is whole."""


class Snapshot(msgspec.Struct, frozen=True):
    """A snapshot: the position its state came to, and its folder."""

    position: int
    path: Path


def take_snapshot(folder: DataFolder, store: DurableStateStore) -> Snapshot:
    """Keep what the last commit left among the folder's snapshots, and the newest SNAPSHOTS_MAX of these; call it
    between two commits. Raises StoreError if there is nothing to keep, or it cannot be written.
    """
    loaded = store.loaded()
    if loaded is None:
        raise StoreError(
            "expected a state with a commit at least, to take a snapshot of it, got none; send events first"
        )
    taken = Snapshot(loaded.position, folder.snapshots_folder / str(loaded.position))
    if taken.path.exists():
        return taken
    folder.snapshots_folder.mkdir(mode=0o700, exist_ok=True)
    new = folder.snapshots_folder / "new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        write_snapshot(folder, store, new)
        new.rename(taken.path)
    except OSError as error:
        raise StoreError(f"the snapshot {taken.path} cannot be written: {error}; nothing is changed") from error
    for old in snapshots(folder)[:-SNAPSHOTS_MAX]:
        shutil.rmtree(old.path, ignore_errors=True)
    return taken


def snapshots(folder: DataFolder) -> list[Snapshot]:
    """Return the folder's snapshots that are whole, in the order of their positions."""
    found = (path for path in folder.snapshots_folder.glob("*") if path.name.isdigit())
    return sorted((Snapshot(int(path.name), path) for path in found), key=lambda one: one.position)


def snapshot_before(folder: DataFolder, seq: int) -> Snapshot | None:
    """Return the newest snapshot of a state that has not folded record `seq`; None if there is none."""
    body = folder.state_path.name
    found = [one for one in snapshots(folder) if one.position < seq and (one.path / body).exists()]
    return found[-1] if found else None


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
