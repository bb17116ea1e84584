"""A small file of secrets, for its owner alone. Promised: it is there whole, with the bytes before or those after."""

from __future__ import annotations

import os
from pathlib import Path

from livepost.errors import SettingsError


def write_new(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, durably; raise SettingsError if there is one already, or it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, content)
        sync_folder(path.parent)
    except OSError as error:
        raise SettingsError(f"a key-encryption key cannot be made at {path}: {error.strerror}") from error


def replace(path: Path, content: bytes) -> None:
    """Put other bytes in place of a file's, durably and at one go; raise SettingsError if that cannot be done."""
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        _write(beside, content)
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise SettingsError(
            f"the key-encryption keys in {path} cannot be changed: {error.strerror}; make it writable, or put a "
            "new key in its first line yourself"
        ) from error


def remove(path: Path) -> None:
    """Remove a file, durably, if it is there; raise SettingsError if that cannot be done."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise SettingsError(
            f"the key-encryption keys in {path} cannot be destroyed: {error.strerror}; remove the file yourself"
        ) from error


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
