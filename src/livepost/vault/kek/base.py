"""What keeps key-encryption keys. Bodies: `plain.py` (a file, a variable) and `wrapped.py` (a key service).

A rotation adds a key in front of the others, has the vault wrap everything by it, and retires the others. In between,
and after a crash in between, each may have wrapped what is in the vault. Retired keys open backups of before, until
they are destroyed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from livepost.vault.subject import unwrap, wrap

KEK_BYTES = 32


@dataclass(frozen=True)
class Kek:
    """A key-encryption key. `retired`: nothing in the vault is wrapped by it any more."""

    key: bytes = field(repr=False)
    retired: bool = False


def fingerprint(kek: Kek) -> str:
    """Return a name of a key that says nothing of it: the first half of its SHA-256, in hex."""
    return sha256(b"livepost kek" + kek.key).hexdigest()[:32]


class KekStore(Protocol):
    """Keeps key-encryption keys, the newest first."""

    def read(self) -> Sequence[Kek]:
        """Return the keys, at least one; raise SettingsError if there is none, or one is not 32 bytes."""
        ...

    def add(self) -> None:
        """Put a new random key in front of the others, durably; raise SettingsError if that cannot be done here."""
        ...

    def retire(self) -> bool:
        """Note, durably, that nothing is wrapped by any but the newest; return False where only an operator can."""
        ...

    def destroy(self) -> int:
        """Destroy the retired keys for good; return how many. Raises SettingsError where only an operator can."""
        ...

    def changed_ms(self) -> int | None:
        """Return when they were last written (host ms); None where they are in no file."""
        ...


class Keks:
    """The keys at hand, which wrap and unwrap: the newest wraps, any of them may have wrapped."""

    def __init__(self, store: KekStore) -> None:
        """Read the keys. Raises SettingsError if there is none."""
        self._store = store
        self._aeads: list[AESGCM] = []
        self.refresh()

    def refresh(self) -> None:
        """Read the keys again."""
        self._aeads = [_aead(one.key) for one in self._store.read()]

    def wrap(self, secret: bytes, owner: bytes) -> bytes:
        """Return a secret wrapped by the newest key, bound to its owner (a subject id, or a name)."""
        return wrap(self._aeads[0], secret, owner)

    def unwrap(self, wrapped: bytes, owner: bytes) -> bytes:
        """Return the secret; raise InvalidTag if none of the keys wrapped it for this owner.

        Where none did, they are read again once: a rotation may have begun in another process.
        """
        try:
            return self._unwrap(wrapped, owner)
        except InvalidTag:
            self.refresh()
            return self._unwrap(wrapped, owner)

    def wrapped_anew(self, wrapped: bytes, owner: bytes) -> bytes | None:
        """Return the secret wrapped by the newest key; None if it is already."""
        try:
            unwrap(self._aeads[0], wrapped, owner)
        except InvalidTag:
            return self.wrap(self.unwrap(wrapped, owner), owner)
        return None

    def _unwrap(self, wrapped: bytes, owner: bytes) -> bytes:
        for aead in self._aeads:
            try:
                return unwrap(aead, wrapped, owner)
            except InvalidTag:
                continue
        raise InvalidTag


def new_kek() -> bytes:
    """Return a new random key-encryption key."""
    return os.urandom(KEK_BYTES)


def _aead(kek: bytes) -> AESGCM:
    if len(kek) != KEK_BYTES:
        raise ValueError(f"expected a key-encryption key of {KEK_BYTES} bytes, got {len(kek)}")
    return AESGCM(kek)
