"""What every vault does. Bodies: `memory.py`, `sqlite.py`; all pass `livepost.testing.contracts.vault`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

USER = "user"
ANONYMOUS = "anonymous"
EMAIL = "email"


class ExternalId(msgspec.Struct, frozen=True):
    """An id that the outside world uses. `kind` is user, anonymous, email, or the name of a declared key.

    Emails are compared case-insensitively and trimmed; the others as they are.
    """

    kind: str
    value: str

    @property
    def known(self) -> bool:
        """Whether the id names a person for sure: a userId or a declared key."""
        return self.kind not in (ANONYMOUS, EMAIL)


class SubjectKeys(Protocol):
    """A subject with its key at hand (kept objects: making an AES-GCM object costs 2-5 us)."""

    @property
    def subject(self) -> bytes:
        """The random 16-byte subject id."""
        ...

    @property
    def kind(self) -> str:
        """The kind of its external id."""
        ...

    @property
    def known(self) -> bool:
        """Whether it names a person for sure."""
        ...

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Return nonce (12 bytes) + AES-256-GCM ciphertext and tag, bound to `context`."""
        ...

    def open(self, seal: bytes, context: bytes) -> bytes:
        """Return the plaintext; raise SealError if the seal was tampered with or belongs elsewhere."""
        ...

    def keyed_hash(self, plaintext: bytes) -> bytes:
        """Return 16 bytes of blake2b keyed with a key derived from the subject's (content hashes)."""
        ...


class Vault(Protocol):
    """The whole contract; the front writes, others read."""

    def admit(self, ids: Sequence[ExternalId]) -> Sequence[SubjectKeys]:
        """Return each id's subject, making new ones where an id is first seen.

        New subjects are pending until `commit`, which must come before the log commit that uses them.
        """
        ...

    def commit(self) -> None:
        """Make pending subjects durable (fsync); does nothing if there are none."""
        ...

    def find(self, id: ExternalId) -> SubjectKeys | None:
        """Return the id's subject or None; makes nothing."""
        ...

    def keys(self, subject: bytes) -> SubjectKeys:
        """Return a subject's keys; raise SealError if it is unknown or was forgotten."""
        ...

    def external_ids(self, subjects: Sequence[bytes]) -> list[ExternalId]:
        """Return the opened external ids of those subjects that still exist."""
        ...

    def subjects(self, after: bytes, limit: int) -> list[bytes]:
        """Return the next committed subjects behind one (b"": the first ones), in the order of their bytes."""
        ...

    def forget(self, subjects: Sequence[bytes]) -> int:
        """Destroy keys and rows of the subjects, durably; return how many there were."""
        ...

    def blind(self, purpose: str, value: str) -> bytes:
        """Return a 16-byte keyed hash of `value` for `purpose` (suppression lists, erasure lists): stable for
        the workspace, useless without the vault."""
        ...

    def secret(self, purpose: str) -> bytes:
        """Return the workspace's 32-byte secret for `purpose` (tokens, Message-IDs); stable, derived, never
        stored in clear; survives rotation of the key-encryption key."""
        ...

    def close(self) -> None:
        """Release files and forget keys in memory."""
        ...


def seal_context(workspace: str, source: str, subject: bytes, message_id: str, field: str) -> bytes:
    """Return the context a field's seal is bound to (FORMATS, "Seals")."""
    parts = (workspace.encode(), source.encode(), subject, message_id.encode(), field.encode())
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
