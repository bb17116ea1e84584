"""A vault in memory, for Rehearsals and tests: in and out as any vault, gone with its process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from livepost.errors import SealError
from livepost.ids import new_subject_id
from livepost.vault.base import ExternalId
from livepost.vault.external import normalised
from livepost.vault.root import RootSecret, new_root
from livepost.vault.subject import KeyedSubject, new_key


class MemoryVault:
    """A vault for one thread. `root` and `new_id` make it tell the same twice, where a test wants that."""

    def __init__(self, *, root: bytes | None = None, new_id: Callable[[], bytes] = new_subject_id) -> None:
        """Start an empty vault."""
        self._root = RootSecret(root or new_root())
        self._new_id = new_id
        self._by_blind: dict[bytes, KeyedSubject] = {}
        self._by_subject: dict[bytes, KeyedSubject] = {}
        self._sealed: dict[bytes, bytes] = {}

    def admit(self, ids: Sequence[ExternalId]) -> list[KeyedSubject]:
        """Return each id's subject, making new ones where an id is first seen."""
        return [self.find(id) or self._new(normalised(id)) for id in ids]

    def commit(self) -> None:
        """Do nothing: memory is as durable as this vault gets."""

    def find(self, id: ExternalId) -> KeyedSubject | None:
        """Return the id's subject or None."""
        return self._by_blind.get(self._root.blind_id(normalised(id)))

    def keys(self, subject: bytes) -> KeyedSubject:
        """Return a subject's keys; raise SealError if it is unknown or was forgotten."""
        if subject not in self._by_subject:
            raise SealError(f"subject {subject.hex()} has no key: it is unknown or was forgotten")
        return self._by_subject[subject]

    def external_ids(self, subjects: Sequence[bytes]) -> list[ExternalId]:
        """Return the opened external ids of those subjects that still exist."""
        return [self.keys(subject).open_id(self._sealed[subject]) for subject in subjects if subject in self._sealed]

    def subjects(self, after: bytes, limit: int) -> list[bytes]:
        """Return the next subjects behind one, in the order of their bytes."""
        return sorted(subject for subject in self._by_subject if subject > after)[:limit]

    def forget(self, subjects: Sequence[bytes]) -> int:
        """Destroy keys and ids of the subjects; return how many there were."""
        gone = [keyed for subject in subjects if (keyed := self._by_subject.pop(subject, None))]
        for keyed in gone:
            del self._by_blind[keyed.blind], self._sealed[keyed.subject]
        return len(gone)

    def blind(self, purpose: str, value: str) -> bytes:
        """Return a 16-byte keyed hash of `value` for `purpose`."""
        return self._root.blind(purpose, value)

    def secret(self, purpose: str) -> bytes:
        """Return the workspace's 32-byte secret for `purpose`."""
        return self._root.secret(purpose)

    def close(self) -> None:
        """Do nothing: there are no files to release, and a Rehearsal may look again."""

    def _new(self, id: ExternalId) -> KeyedSubject:
        keyed = KeyedSubject(self._new_id(), id.kind, self._root.blind_id(id), new_key())
        self._by_blind[keyed.blind] = self._by_subject[keyed.subject] = keyed
        self._sealed[keyed.subject] = keyed.seal_id(id)
        return keyed
