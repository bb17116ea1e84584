"""Where heads are kept: a file to which lines are added, best on a disk that this machine cannot change.

In: heads. Out: a line of JSON each. Promised: a head that was kept is durable, and no line is changed.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from livepost.audit.head import Head
from livepost.errors import StoreError


def keep_head(path: Path, head: Head) -> None:
    """Add a head to the file, durably; raise StoreError if that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(msgspec.json.encode(head) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"a head of the audit cannot be kept in {path}: {error.strerror}") from error


def kept_heads(path: Path) -> list[Head]:
    """Return the heads of a file; a last line that was cut short counts for none.

    Raises StoreError if it cannot be read, or holds something else.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise StoreError(f"the heads of the audit in {path} cannot be read: {error.strerror}") from error
    try:
        return [msgspec.json.decode(line, type=Head) for line in lines[:-1]]
    except ValueError as error:
        raise StoreError(f"expected a head of the audit a line in {path}, got something else: {error}") from None
