"""The ledger on SQLite: one file, WAL, synchronous=FULL; ":memory:" for rehearsals.

In: a path. Out: a ledger, and the store it lies in. Promised: a transaction is a BEGIN IMMEDIATE, so writers of any
number of processes take turns.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from livepost.clock import Clock, WallClock
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.ledger.base import BUSY_MS
from livepost.ledger.schema import SCHEMA_VERSION, statements_from
from livepost.ledger.store import Store
from livepost.ledger.stored import StoredLedger

OLDEST_SQLITE = 3_051_003
"""Before 3.51.3 a WAL could be corrupted by several connections."""

WAL_PAGES = 4_000
"""Pages that the WAL holds at most before it is moved to the file: 16 MB. The commit that moves it takes some ms more,
for which a receipt may wait; a page that changes again meanwhile is moved once.
"""


class SqliteLedger(StoredLedger):
    """A ledger in one file, or in memory."""

    def __init__(
        self, path: str | Path, host: Clock | None = None, *, wal_pages: int = WAL_PAGES, vfs: str | None = None
    ) -> None:
        """Open or make the ledger; `host` is the clock of leases and back-off.

        `wal_pages` are the pages that its WAL holds at most before it is moved to the file; `vfs` names an apsw VFS.
        """
        super().__init__(SqliteStore(path, vfs, wal_pages), host or WallClock())


class SqliteStore(Store):
    """A SQLite connection with a lock, so that a process's threads take turns."""

    def __init__(self, path: str | Path, vfs: str | None = None, wal_pages: int = WAL_PAGES) -> None:
        """Open or make the ledger at `path` (":memory:" for a rehearsal); raise StoreError if that cannot be."""
        if apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
            raise StoreError(f"expected SQLite 3.51.3 or later, got {apsw.sqlite_lib_version()}; update apsw")
        super().__init__()
        self._lock = threading.Lock()
        self._wal_pages_max = wal_pages
        self._wal_pages = 0
        try:
            self._connection = apsw.Connection(str(path), vfs=vfs)
            self._connection.set_busy_timeout(BUSY_MS)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                self._run(f"PRAGMA {pragma}")
            self._make_tables()
            _sync_folder(path)
            # It replaces SQLite's own move of the WAL, whose failure is told as that of a commit which succeeded.
            self._connection.set_wal_hook(self._note_wal)
        except apsw.Error as error:
            raise StoreError(f"the ledger at {path} cannot be opened: {error}") from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Store`."""
        with self._lock:
            self._begin()
            try:
                yield
                self._flush()
            except apsw.Error as error:
                self._roll_back()
                raise StoreError(f"the ledger could not be written, nothing changed: {error}") from error
            except BaseException:
                self._roll_back()
                raise
            self._commit()

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See `Store`."""
        with self._lock:
            try:
                return self._run(sql, values)
            except apsw.Error as error:
                raise StoreError(f"the ledger could not be read: {error}") from error

    def _rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._run(sql, values)

    def _change(self, sql: str, values: Sequence[Any]) -> int:
        self._run(sql, values)
        return self._connection.changes()

    def _write(self, sql: str, values: Sequence[Any]) -> None:
        self._run(sql, values)

    def _change_all(self, sql: str, groups: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(sql, groups)

    def close(self) -> None:
        """See `Store`."""
        with self._lock:
            self._connection.close()

    def _begin(self) -> None:
        try:
            self._run("BEGIN IMMEDIATE")
        except apsw.Error as error:
            raise StoreError(f"the ledger is busy or closed, nothing changed: {error}") from error

    def _commit(self) -> None:
        try:
            self._run("COMMIT")
        except (apsw.BusyError, apsw.FullError) as error:
            self._roll_back()
            raise StoreError(f"the ledger could not commit, nothing changed: {error}") from error
        except apsw.Error as error:
            self._roll_back()
            raise OutcomeUnknownError(
                f"the ledger's commit failed, it may be on disk or not: {error}; reopen the ledger"
            ) from error
        if self._wal_pages >= self._wal_pages_max:
            with contextlib.suppress(apsw.Error):  # as safe in the WAL, and tried again
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def _note_wal(self, _: apsw.Connection, __: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _roll_back(self) -> None:
        self._forget_noted()
        if self._connection.in_transaction:
            with contextlib.suppress(apsw.Error):
                self._run("ROLLBACK")

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def _make_tables(self) -> None:
        if self._version() == SCHEMA_VERSION:
            return
        self._run("BEGIN IMMEDIATE")
        for statement in statements_from(self._version()):  # asked again: another process may have been first
            self._run(statement)
        self._run(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._run("COMMIT")

    def _version(self) -> int:
        [(version,)] = self._run("PRAGMA user_version")
        return int(version)


def _sync_folder(path: str | Path) -> None:
    """Make the names of the database and its WAL durable: a power cut could take a new file's name with it."""
    if str(path) == ":memory:":
        return
    folder = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
