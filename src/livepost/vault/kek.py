"""The key-encryption key: 32 bytes that live outside the vault and wrap every key in it.

In: a reference, `file:PATH` (32 bytes, or base64 of them) or `env:NAME` (base64). Out: the bytes. Promises:
no message tells the key; a new key file is readable by its owner alone and never overwrites another.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from livepost.errors import SettingsError

KEK_BYTES = 32
_NEW_ONE = "make one with `head -c 32 /dev/urandom | base64`"


def read_kek(reference: str) -> bytes:
    """Return the key that a reference names; raise SettingsError if there is none, or it is not 32 bytes."""
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        return _from_environment(name)
    if scheme == "file":
        return _from_file(Path(name))
    raise SettingsError(f"expected `file:PATH` or `env:NAME` for the key-encryption key, got scheme `{scheme}`")


def make_kek_file(path: Path) -> bytes:
    """Write a new random key (base64) to a file of mode 0600, durably, and return it.

    Raises SettingsError if there is a file already: a key that is overwritten takes the vault with it.
    """
    kek = os.urandom(KEK_BYTES)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"a key-encryption key cannot be made at {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(kek) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return kek


def _from_environment(name: str) -> bytes:
    told = os.environ.get(name)
    if told is None:
        raise SettingsError(f"expected the key-encryption key in the variable {name}, got none; {_NEW_ONE}")
    return _decoded(told.encode(), f"the variable {name}")


def _from_file(path: Path) -> bytes:
    try:
        told = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"the key-encryption key in {path} cannot be read: {error.strerror}") from error
    return told if len(told) == KEK_BYTES else _decoded(told, str(path))


def _decoded(told: bytes, where: str) -> bytes:
    try:
        kek = base64.b64decode(told.strip(), validate=True)
    except binascii.Error:
        raise SettingsError(
            f"expected base64 of {KEK_BYTES} bytes in {where}, got something else; {_NEW_ONE}"
        ) from None
    if len(kek) != KEK_BYTES:
        raise SettingsError(f"expected base64 of {KEK_BYTES} bytes in {where}, got {len(kek)} bytes; {_NEW_ONE}")
    return kek
