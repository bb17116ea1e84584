"""What a destination calls people: names that mean something to it alone.

In: a secret of the vault, the destination's name, ids. Out: pseudonyms (HMAC-SHA-256, cut to 16 bytes), under a key
that is derived for each destination (HKDF-SHA-256, RFC 5869). Promised: an id has one pseudonym at a destination, after
a restart and a rotation too; nobody without the vault can tell whom it names, or whether the pseudonyms of two
destinations name one person.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from livepost.vault.base import Vault

PURPOSE = "pseudonyms"
"""The purpose of the vault's secret from which the keys are derived."""

KEY_BYTES = 32
PSEUDONYM_BYTES = 16
AT_ONCE = 5_000
"""Subjects gone through at a time when somebody is looked for."""


class Pseudonyms:
    """The pseudonyms of one destination."""

    def __init__(self, secret: bytes, destination: str) -> None:
        """Take the vault's secret for PURPOSE, and the destination's name with its kind before it (`webhook:crm`)."""
        info = b"livepost pseudonyms of " + destination.encode()
        self._key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)

    def of(self, id: bytes) -> bytes:
        """Return the 16 bytes by which the destination knows an id."""
        return hmac.digest(self._key, id, "sha256")[:PSEUDONYM_BYTES]

    def subject(self, vault: Vault, pseudonym: bytes) -> bytes | None:
        """Return the subject that a pseudonym names; None if it names nobody, or nobody any more.

        Goes through everybody, about a second for a million: nothing is kept that an erasure would have to find.
        """
        after = b""
        while subjects := vault.subjects(after, AT_ONCE):
            for subject in subjects:
                if hmac.compare_digest(self.of(subject), pseudonym):
                    return subject
            after = subjects[-1]
        return None
