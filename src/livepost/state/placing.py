"""A state that was built beside another one takes its place.

In: a folder with a closed state, whole, and the place of the one that goes. Out: the new one in that place, its images
with it. Promised: killed at any moment, there is the old state, whole, or the new one, or whoever opens the state next
ends what was begun (`settle`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from livepost.errors import StoreError
from livepost.state.hold import held, sync_folder

SUFFIXES = ("-wal", "-shm", ".images", "")
"""What a state is made of, beside and after its name."""

WHOLE = "whole"
"""In the folder beside: the new state is whole, the old one may be going."""

MOVING = "moving"
"""The old one is gone, the new one may be on its way."""


def take_place(beside: Path, path: Path) -> None:
    """Let the state in the folder `beside` take the place of the one at `path`, and remove the folder.

    Call it with both closed. Raises HeldError if a process has the one at `path` open, StoreError if the disk says no:
    then the next opening goes on.
    """
    lock = held(path)
    try:
        (beside / WHOLE).touch()
        sync_folder(beside)
        _go_on(beside, path)
    except OSError as error:
        raise _unplaced(beside, path, error) from error
    finally:
        os.close(lock)


def settle(beside: Path, path: Path) -> None:
    """End what `take_place` had begun when its process died; nothing is done where there is nothing to end.

    Raises as `take_place` does.
    """
    if not ((beside / WHOLE).exists() or (beside / MOVING).exists()):
        return
    lock = held(path)
    try:
        _go_on(beside, path)
    except OSError as error:
        raise _unplaced(beside, path, error) from error
    finally:
        os.close(lock)


def remove(path: Path) -> None:
    """Remove a state, of which there may be a part only, that no process has open."""
    for suffix in SUFFIXES:
        part = path.with_name(path.name + suffix)
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def copy(path: Path, to: Path) -> None:
    """Copy a closed state into the folder `to`, fsynced; raises OSError if it cannot be."""
    for suffix in SUFFIXES:
        part = path.with_name(path.name + suffix)
        if part.is_dir():
            shutil.copytree(part, to / part.name, copy_function=_copy_file)
            sync_folder(to / part.name)
        elif part.exists():
            _copy_file(part, to / part.name)


def _copy_file(part: str | Path, to: str | Path) -> None:
    shutil.copyfile(part, to)
    with Path(to).open("rb") as copied:
        os.fsync(copied.fileno())


def _go_on(beside: Path, path: Path) -> None:
    if (beside / WHOLE).exists():
        remove(path)
        sync_folder(path.parent)
        (beside / WHOLE).rename(beside / MOVING)
        sync_folder(beside)
    if (beside / MOVING).exists():
        for suffix in SUFFIXES:
            part = beside / (path.name + suffix)
            if part.exists():
                part.rename(path.parent / part.name)
        sync_folder(path.parent)
        shutil.rmtree(beside)


def _unplaced(beside: Path, path: Path, error: OSError) -> StoreError:
    return StoreError(f"the state in {beside} could not take the place of {path}: {error}; try again, nothing is lost")
