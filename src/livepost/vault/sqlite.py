"""The vault on disk: one SQLite file, its keys wrapped by the key-encryption key, its ids sealed.

In: external ids. Out: subjects with their keys. Promises: nothing that names a person is in the file in clear; after
`forget` neither the file nor its WAL holds the subject's key, wrapped or not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag

from livepost.errors import OverloadedError, SealError, StoreError
from livepost.ids import new_subject_id
from livepost.vault.base import ExternalId
from livepost.vault.external import normalised
from livepost.vault.file import WAL_PAGES, SubjectRow, VaultFile
from livepost.vault.kek.base import Keks, KekStore
from livepost.vault.kek.rotation import START, STEP_KEYS
from livepost.vault.recent import Recent
from livepost.vault.root import RootSecret, new_root
from livepost.vault.subject import KeyedSubject, new_key

CACHED_SUBJECTS = 20_000
"""Subjects kept with their key objects (2 KB each), by their id and by their external id."""

MAX_PENDING = 50_000
"""New subjects waiting for `commit` at most."""

_ROOT = b"root"


class SqliteVault:
    """The vault of a data folder, for one thread: one writer, any number of read-only ones in other processes.

    Keys handed out open seals as long as somebody holds them: hold them for one batch, so that forgetting is soon true
    everywhere.
    """

    def __init__(
        self,
        path: Path,
        keks: KekStore,
        *,
        readonly: bool = False,
        cached: int = CACHED_SUBJECTS,
        max_pending: int = MAX_PENDING,
        new_id: Callable[[], bytes] = new_subject_id,
        wal_pages: int = WAL_PAGES,
        vfs: str | None = None,
    ) -> None:
        """Open the vault at `path` with the key-encryption keys; the writer makes it if it is not there.

        `wal_pages` are the pages that its WAL holds at most before it is moved to the file; `vfs` names an apsw VFS.
        Raises StoreError if it cannot be opened, has another writer, or another key-encryption key made it.
        """
        self._path = path
        self._keks = Keks(keks)
        self._readonly = readonly
        self._new_id = new_id
        self._max_pending = max_pending
        self._pending: dict[bytes, tuple[SubjectRow, KeyedSubject]] = {}
        self._by_id: Recent[ExternalId, KeyedSubject] = Recent(cached)
        self._by_subject: Recent[bytes, KeyedSubject] = Recent(cached)
        self._forgotten = 0
        with contextlib.ExitStack() as opened:
            self._file = VaultFile(path, readonly=readonly, wal_pages=wal_pages, vfs=vfs)
            opened.callback(self._file.close)
            self._root = self._open_root()
            opened.pop_all()

    def admit(self, ids: Sequence[ExternalId]) -> list[KeyedSubject]:
        """Return each id's subject, making new ones where an id is first seen; they are pending until `commit`.

        Raises OverloadedError, having made none, if more would be pending than there is room for.
        """
        self._file.require_writer()
        kept = self._by_id.all_of(ids)
        if kept is not None:
            return kept
        plain = [normalised(id) for id in ids]
        found = self._find(plain)
        new = [id for id in dict.fromkeys(plain) if id not in found] if len(found) < len(plain) else []
        if len(self._pending) + len(new) > self._max_pending:
            raise OverloadedError(f"expected at most {self._max_pending} new subjects before a commit; commit first")
        for id in new:
            found[id] = self._new(id)
        return [found[id] for id in plain]

    def commit(self) -> None:
        """Make pending subjects durable; does nothing if there are none.

        Raises StoreError if nothing was written (they stay pending), OutcomeUnknownError if nobody can know.
        """
        if not self._pending:
            return
        with self._file.transaction():
            self._file.insert([row for row, _ in self._pending.values()])
        self._pending.clear()

    def find(self, id: ExternalId) -> KeyedSubject | None:
        """Return the id's subject or None; makes nothing."""
        return self.find_all([id])[0]

    def find_all(self, ids: Sequence[ExternalId]) -> list[KeyedSubject | None]:
        """Return each id's subject, or None where there is none; makes nothing."""
        self._heed_others()
        kept = self._by_id.all_of(ids)
        if kept is not None:
            return [*kept]
        plain = [normalised(id) for id in ids]
        found = self._find(plain)
        return [found.get(id) for id in plain]

    def keys(self, subject: bytes) -> KeyedSubject:
        """Return a subject's keys; raise SealError if it is unknown or was forgotten."""
        self._heed_others()
        kept = self._by_subject.get(subject)
        if kept:
            return kept
        for row in self._rows([subject]):
            return self._keep(row)
        raise SealError(f"subject {subject.hex()} has no key: it is unknown or was forgotten")

    def external_ids(self, subjects: Sequence[bytes]) -> list[ExternalId]:
        """Return the opened external ids of those subjects that still exist, in their order."""
        self._heed_others()
        rows = {row.subject: row for row in self._rows(subjects)}
        there = [rows[subject] for subject in subjects if subject in rows]
        return [(self._by_subject.get(row.subject) or self._keep(row)).open_id(row.sealed) for row in there]

    def subjects(self, after: bytes, limit: int) -> list[bytes]:
        """Return the next committed subjects behind one (b"": the first ones), in the order of their bytes."""
        return self._file.subjects_after(after, limit)

    def count(self) -> int:
        """Return how many subjects are committed."""
        return self._file.count()

    def forget(self, subjects: Sequence[bytes]) -> int:
        """Destroy keys and rows of the subjects, durably; return how many there were.

        Raises StoreError if a reader kept the WAL from being emptied: the subjects are gone for everybody, but old
        bytes are left in it; forget again, also with no subjects, to have them gone too.
        """
        self.commit()
        self._drop_cached()
        with self._file.transaction():
            gone = self._file.delete(subjects)
        self._file.empty_wal()
        return gone

    def wrap_anew(self, after: int = START, limit: int = STEP_KEYS) -> int | None:
        """Wrap the root secret and the next keys by the newest key-encryption key, in one transaction.

        Begin with START; what is returned is where to go on, None at the end: nothing is wrapped by an older one then,
        not in the WAL either. The key is read again at the beginning. Vaults opened elsewhere go on meanwhile.
        """
        self.commit()
        if after == START:
            self._keks.refresh()
        rows, last = self._file.rows_after(after, limit)
        with self._file.transaction():
            if after == START:
                self._wrap_root_anew()
            anew = [(self._wrapped_anew(row.wrapped, row.subject), row.subject) for row in rows]
            self._file.put_keys([(wrapped, subject) for wrapped, subject in anew if wrapped is not None])
        if len(rows) == limit:
            return last
        self._file.empty_wal()
        return None

    def blind(self, purpose: str, value: str) -> bytes:
        """Return a 16-byte keyed hash of `value` for `purpose`."""
        return self._root.blind(purpose, value)

    def secret(self, purpose: str) -> bytes:
        """Return the workspace's 32-byte secret for `purpose`."""
        return self._root.secret(purpose)

    def close(self) -> None:
        """Release files and forget keys in memory; what is pending is not kept."""
        self._pending.clear()
        self._drop_cached()
        self._file.close()

    def _find(self, ids: Sequence[ExternalId]) -> dict[ExternalId, KeyedSubject]:
        """Return the subjects that exist by normalised id, from memory and then from disk, many at a time."""
        found: dict[ExternalId, KeyedSubject] = {}
        cold: dict[bytes, ExternalId] = {}
        for id in ids:
            kept = self._by_id.get(id)
            if kept is not None:
                found[id] = kept
            else:
                cold[self._root.blind_id(id)] = id
        if cold:
            self._find_cold(cold, found)
        return found

    def _find_cold(self, cold: dict[bytes, ExternalId], found: dict[ExternalId, KeyedSubject]) -> None:
        """Add to `found` those of the ids (by blind) that are pending or on disk."""
        for blind, id in cold.items():
            pending = self._pending.get(blind)
            if pending is not None:
                found[id] = pending[1]
        for row in self._file.rows_by_blind([blind for blind, id in cold.items() if id not in found]):
            id = cold[row.blind]
            found[id] = self._keep(row)
            self._by_id.put(id, found[id])

    def _rows(self, subjects: Sequence[bytes]) -> list[SubjectRow]:
        """Return the subjects' rows, from disk and of those that are pending."""
        wanted = set(subjects)
        pending = [row for row, _ in self._pending.values() if row.subject in wanted]
        return self._file.rows_by_subject(subjects) + pending

    def _new(self, id: ExternalId) -> KeyedSubject:
        key, blind = new_key(), self._root.blind_id(id)
        keyed = KeyedSubject(self._new_id(), id.kind, blind, key)
        wrapped = self._keks.wrap(key, keyed.subject)
        row = SubjectRow(keyed.subject, blind, id.kind, wrapped, keyed.seal_id(id))
        self._pending[blind] = (row, keyed)
        self._by_id.put(id, keyed)
        self._by_subject.put(keyed.subject, keyed)
        return keyed

    def _keep(self, row: SubjectRow) -> KeyedSubject:
        keyed = KeyedSubject(row.subject, row.kind, row.blind, self._unwrap(row.wrapped, row.subject))
        self._by_subject.put(keyed.subject, keyed)
        return keyed

    def _unwrap(self, wrapped: bytes, owner: bytes) -> bytes:
        with self._telling_which():
            return self._keks.unwrap(wrapped, owner)

    def _wrapped_anew(self, wrapped: bytes, owner: bytes) -> bytes | None:
        with self._telling_which():
            return self._keks.wrapped_anew(wrapped, owner)

    def _wrap_root_anew(self) -> None:
        wrapped = self._wrapped_anew(self._file.root() or b"", _ROOT)
        if wrapped is not None:
            self._file.put_root(wrapped)

    @contextlib.contextmanager
    def _telling_which(self) -> Iterator[None]:
        try:
            yield
        except InvalidTag:
            raise StoreError(
                f"a key in the vault {self._path} does not open with this key-encryption key; give the one it was made "
                "with, and if that was rotated, restart this process"
            ) from None

    def _heed_others(self) -> None:
        """Drop cached keys if another process has forgotten somebody since the last look."""
        forgotten = self._file.forgotten() if self._readonly else None
        if forgotten is not None and forgotten != self._forgotten:
            self._drop_cached()
            self._forgotten = forgotten

    def _drop_cached(self) -> None:
        self._by_id.clear()
        self._by_subject.clear()

    def _open_root(self) -> RootSecret:
        """Return the root secret; the writer of a new vault makes it."""
        wrapped = self._file.root()
        if wrapped is not None:
            return RootSecret(self._unwrap(wrapped, _ROOT))
        if self._readonly:
            raise StoreError(f"the vault {self._path} is not made yet; start the front first")
        root = new_root()
        with self._file.transaction():
            self._file.put_root(self._keks.wrap(root, _ROOT))
        return RootSecret(root)
