"""A subject with its key: what seals and opens a person's values, and how the key itself is kept.

In: keys and plain values. Out: seals. Promises: a seal opens only with the subject's key and in its own
context; a wrapped key only with the key-encryption key and for its own subject.
"""

from __future__ import annotations

import os
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from livepost.errors import SealError
from livepost.ids import digest
from livepost.vault.base import ExternalId
from livepost.vault.nonce import NONCE_BYTES, new_nonce

KEY_BYTES = 32
HASH_BYTES = 16


class KeyedSubject:
    """A subject with its key at hand; `blind` is where its external id is found, `known` as its external id says."""

    __slots__ = ("_aead", "_hasher", "blind", "kind", "known", "subject")

    def __init__(self, subject: bytes, kind: str, blind: bytes, key: bytes) -> None:
        self.subject = subject
        self.kind = kind
        self.blind = blind
        self.known = ExternalId(kind, "").known
        self._aead = AESGCM(key)
        self._hasher = blake2b(digest_size=HASH_BYTES, key=digest("content hash", size=32, key=key))

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Return nonce (12 bytes) + AES-256-GCM ciphertext and tag, bound to `context`."""
        nonce = new_nonce()
        return nonce + self._aead.encrypt(nonce, plaintext, context)

    def open(self, seal: bytes, context: bytes) -> bytes:
        """Return the plaintext; raise SealError if the seal was tampered with or belongs elsewhere."""
        try:
            return open_with(self._aead, seal, context)
        except InvalidTag:
            raise SealError(
                f"a seal of subject {self.subject.hex()} does not open: it was changed or belongs to another field"
            ) from None

    def keyed_hash(self, plaintext: bytes) -> bytes:
        """Return 16 bytes of blake2b keyed with a key derived from the subject's."""
        hasher = self._hasher.copy()
        hasher.update(plaintext)
        return hasher.digest()

    def seal_id(self, id: ExternalId) -> bytes:
        """Return the sealed value of the subject's external id."""
        return self.seal(id.value.encode(), self._id_context())

    def open_id(self, seal: bytes) -> ExternalId:
        """Return the external id from its sealed value."""
        return ExternalId(self.kind, self.open(seal, self._id_context()).decode())

    def _id_context(self) -> bytes:
        return b"external id" + self.subject + self.kind.encode()


def new_key() -> bytes:
    """Return a new random key for a subject."""
    return os.urandom(KEY_BYTES)


def wrap(kek: AESGCM, secret: bytes, owner: bytes) -> bytes:
    """Return a secret wrapped by the key-encryption key, bound to its owner (a subject id, or a name)."""
    return seal_with(kek, secret, b"wrapped key" + owner)


def unwrap(kek: AESGCM, wrapped: bytes, owner: bytes) -> bytes:
    """Return the secret; raise InvalidTag if another key-encryption key or another owner wrapped it."""
    return open_with(kek, wrapped, b"wrapped key" + owner)


def seal_with(aead: AESGCM, plaintext: bytes, context: bytes) -> bytes:
    """Return nonce + ciphertext and tag."""
    nonce = new_nonce()
    return nonce + aead.encrypt(nonce, plaintext, context)


def open_with(aead: AESGCM, seal: bytes, context: bytes) -> bytes:
    """Return the plaintext; raise InvalidTag if the seal is not of this key and context."""
    if len(seal) < NONCE_BYTES:
        raise InvalidTag
    return aead.decrypt(seal[:NONCE_BYTES], seal[NONCE_BYTES:], context)
