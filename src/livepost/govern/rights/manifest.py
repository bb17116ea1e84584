"""What an export consists of, signed, so that whoever has it can tell that it is whole and whose it is.

In: files. Out: a manifest with their SHA-256, a signature (Ed25519). Promised: checking needs the export and a public
key, no house and no network.
"""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

EXPORT_FORMAT = 1

PURPOSE = "exports"
"""The purpose for which the vault derives the secret that signs manifests."""


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an export; `items` is how many lines it has, 0 for one that is no list."""

    name: str
    sha256: str
    bytes: int
    items: int = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in an export.

    person, subjects   of whom it is, in hex
    at         when it was made (UTC ms of the host's clock)
    log_last   the newest record of the log that was looked at, `log_first` the oldest that the log still had
    unopened   values that no key opened any more
    left_out   stores that give nothing, by name, and why
    public_key checks the signature beside it; compare it with the one that the shop publishes
    """

    format: int = EXPORT_FORMAT
    workspace: str
    person: str
    subjects: list[str]
    at: int
    log_first: int
    log_last: int
    unopened: int
    files: list[ExportedFile]
    left_out: dict[str, str]
    public_key: str


class ExportSigner:
    """Signs manifests; `secret` is the workspace's for exports (32 bytes)."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret."""
        self._key = Ed25519PrivateKey.from_private_bytes(secret)

    @property
    def public(self) -> bytes:
        """The public key (32 bytes)."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, manifest: bytes) -> bytes:
        """Return the signature of a manifest's bytes."""
        return self._key.sign(manifest)


def is_signed(manifest: bytes, signature: bytes, public: bytes) -> bool:
    """Say whether the owner of a public key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, manifest)
    except (InvalidSignature, ValueError):
        return False
    return True
