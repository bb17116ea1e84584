"""Heads: how far the chain was and what its link was there, signed, to be kept where nobody can reach who reaches it.

In: a number and a link. Out: a line of JSON, signed by Ed25519 (RFC 8032). Promised: only who has the workspace's
secret signs one; whoever has its public key can check it, without Livepost.
"""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from livepost.errors import SettingsError


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The chain at a moment: `link` (hex) of the entry with that number; 0 entries: the link before the first.

    at   when it was signed (UTC ms of the host's clock)
    """

    workspace: str
    number: int
    link: str
    at: int
    signature: str = ""


class Signer:
    """Signs heads; `secret` is the workspace's for audits (32 bytes)."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret."""
        self._key = Ed25519PrivateKey.from_private_bytes(secret)

    @property
    def public(self) -> bytes:
        """The public key (32 bytes), which checks what is signed."""
        return self._key.public_key().public_bytes_raw()

    def signed(self, head: Head) -> Head:
        """Return the head with its signature (hex)."""
        return msgspec.structs.replace(head, signature=self.sign(_told(head)))

    def sign(self, text: bytes) -> str:
        """Return the signature (hex) of a text."""
        return self._key.sign(text).hex()


def read_public(text: str) -> bytes:
    """Return a public key from hex; raise SettingsError for what is none."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingsError("expected a public key of 64 hex digits; `livepost audit head` prints it")
    return key


def is_signed(head: Head, public: bytes) -> bool:
    """Say whether the head was signed by the owner of a public key."""
    return is_signed_text(_told(head), head.signature, public)


def is_signed_text(text: bytes, signature: str, public: bytes) -> bool:
    """Say whether a text was signed (hex) by the owner of a public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _told(head: Head) -> bytes:
    """Return what is signed: the line without its signature."""
    return msgspec.json.encode(msgspec.structs.replace(head, signature=""))
