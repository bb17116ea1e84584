"""The root secret of a workspace: 32 random bytes, from which its blind index and all its secrets are
derived.

In: the root. Out: keyed hashes (blake2b over length-prefixed fields, keyed with the root; the first field
says for what use, so that no two uses share a value). Promises: no output tells the root or another output.
"""

from __future__ import annotations

import os

from livepost.ids import digest
from livepost.vault.base import ExternalId

ROOT_BYTES = 32


class RootSecret:
    """Derives what a workspace needs from its root secret."""

    def __init__(self, root: bytes) -> None:
        if len(root) != ROOT_BYTES:
            raise ValueError(f"expected a root secret of {ROOT_BYTES} bytes, got {len(root)}")
        self._root = root

    def secret(self, purpose: str) -> bytes:
        """Return the 32-byte secret for a purpose."""
        return digest("secret", purpose, size=32, key=self._root)

    def blind(self, purpose: str, value: str) -> bytes:
        """Return a 16-byte keyed hash of a value for a purpose."""
        return digest("blind", purpose, value, key=self._root)

    def blind_id(self, id: ExternalId) -> bytes:
        """Return the 16 bytes under which a normalised external id is found."""
        return digest("external id", id.kind, id.value, key=self._root)


def new_root() -> bytes:
    """Return a new root secret."""
    return os.urandom(ROOT_BYTES)
