"""One process holds a state: a lock beside it, and names in its folder that survive a power cut."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from livepost.errors import HeldError, StoreError


def held(path: Path) -> int:
    """Take the lock of the process that has the state at `path` open; return its file descriptor, to be closed.

    Raises HeldError if another process has it, StoreError if the lock cannot be made.
    """
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the state {path} cannot be made: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise HeldError(f"another engine has the state {path} open; stop it, or ask it over its socket") from error
    return lock


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
