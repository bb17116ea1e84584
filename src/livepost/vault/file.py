"""The vault's SQLite file: rows in, rows out, and nothing of what they mean.

Promises: a transaction is durable when it ends without an error; deleted bytes are overwritten (`secure_delete`), and
`empty_wal` leaves none in the WAL either.

The table `subjects` has a row a subject: `subject` (its id), `blind` (keyed hash of kind and id), `kind`, `wrapped`
(its key), `sealed` (its external id, under that key). `meta` has one row: the wrapped root secret, and how often
somebody was forgotten, so that other processes drop the keys they cached.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import msgspec

from livepost.errors import OutcomeUnknownError, StoreError
from livepost.vault.kek.files import sync_folder

VAULT_FORMAT = 1

READ_AT_ONCE = 500
"""Rows asked for, or wrapped again, in one statement."""

BUSY_MS = 5_000
"""How long a connection waits for another one's lock."""

WAL_PAGES = 1_000
"""Pages that the WAL holds at most before it is moved to the file."""

SQLITE_AT_LEAST = (3, 51, 3)
"""Before it, several connections could corrupt a database in WAL mode."""

_TABLES = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE meta (root BLOB NOT NULL, forgotten INTEGER NOT NULL) STRICT;
    CREATE TABLE subjects (
        subject BLOB PRIMARY KEY, blind BLOB NOT NULL UNIQUE, kind TEXT NOT NULL,
        wrapped BLOB NOT NULL, sealed BLOB NOT NULL
    ) STRICT;
    PRAGMA user_version = {VAULT_FORMAT};
    COMMIT;
"""
_COLUMNS = "subject, blind, kind, wrapped, sealed"


class SubjectRow(msgspec.Struct, frozen=True):
    """A row of `subjects`."""

    subject: bytes
    blind: bytes
    kind: str
    wrapped: bytes
    sealed: bytes


class VaultFile:
    """An open vault file, for one thread; one writer at a time, in any process, and any number of readers."""

    def __init__(self, path: Path, *, readonly: bool, wal_pages: int = WAL_PAGES, vfs: str | None = None) -> None:
        """Open the file; the writer makes it if it is not there. Raises StoreError if that cannot be done."""
        require_sqlite(apsw.sqlite_lib_version())
        self._path = path
        self._readonly = readonly
        self._wal_pages_max = wal_pages
        self._wal_pages = 0
        self._broken = ""
        self._version: object = None
        with contextlib.ExitStack() as opened:
            if not readonly:
                opened.callback(os.close, _lock(path))
            self._connection = _connect(path, readonly, vfs)
            opened.callback(self._connection.close)
            # It replaces SQLite's own move of the WAL, whose failure is told as that of a commit which succeeded.
            self._connection.set_wal_hook(self._note_wal)
            self._close = opened.pop_all()

    def root(self) -> bytes | None:
        """Return the wrapped root secret; None if there is none yet."""
        rows = self._select("SELECT root FROM meta")
        return rows[0][0] if rows else None

    def put_root(self, wrapped: bytes) -> None:
        """Put the wrapped root secret in place of what was there, within a transaction."""
        if self._connection.execute("UPDATE meta SET root = ? RETURNING 1", (wrapped,)).fetchall():
            return
        self._connection.execute("INSERT INTO meta VALUES (?, 0)", (wrapped,))

    def rows_by_blind(self, blinds: Sequence[bytes]) -> list[SubjectRow]:
        """Return the rows there are for the blinds, in any order."""
        return self._rows("blind", blinds)

    def rows_by_subject(self, subjects: Sequence[bytes]) -> list[SubjectRow]:
        """Return the rows there are for the subject ids, in any order."""
        return self._rows("subject", subjects)

    def rows_after(self, place: int, limit: int) -> tuple[list[SubjectRow], int]:
        """Return the next rows behind a place (-1: the first ones), and the place of the last."""
        rows = self._select(
            f"SELECT rowid, {_COLUMNS} FROM subjects WHERE rowid > ? ORDER BY rowid LIMIT ?", (place, limit)
        )
        return [SubjectRow(*row[1:]) for row in rows], rows[-1][0] if rows else place

    def subjects_after(self, subject: bytes, limit: int) -> list[bytes]:
        """Return the next subject ids behind one, in the order of their bytes."""
        sql = "SELECT subject FROM subjects WHERE subject > ? ORDER BY subject LIMIT ?"
        return [row[0] for row in self._select(sql, (subject, limit))]

    def count(self) -> int:
        """Return how many subjects there are."""
        ((count,),) = self._select("SELECT count(*) FROM subjects")
        return int(count)

    def insert(self, rows: Sequence[SubjectRow]) -> None:
        """Put new rows in, within a transaction."""
        self._connection.executemany(
            f"INSERT INTO subjects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", [msgspec.structs.astuple(row) for row in rows]
        )

    def put_keys(self, wrapped_keys: Sequence[tuple[bytes, bytes]]) -> None:
        """Put wrapped keys, each with its subject, in place of what was there, within a transaction."""
        self._connection.executemany("UPDATE subjects SET wrapped = ? WHERE subject = ?", wrapped_keys)

    def delete(self, subjects: Sequence[bytes]) -> int:
        """Delete the subjects' rows and note it for other processes, within a transaction; return how many."""
        before = self._connection.total_changes()
        self._connection.executemany("DELETE FROM subjects WHERE subject = ?", [(subject,) for subject in subjects])
        gone = self._connection.total_changes() - before
        self._connection.execute("UPDATE meta SET forgotten = forgotten + 1")
        return gone

    def forgotten(self) -> int | None:
        """Return how often somebody was forgotten; None if nothing changed since the last call."""
        ((version,),) = self._select("PRAGMA data_version")
        if version == self._version:
            return None
        self._version = version
        rows = self._select("SELECT forgotten FROM meta")
        return rows[0][0] if rows else 0

    def empty_wal(self) -> None:
        """Move what is in the WAL to the file and cut the WAL to nothing: it holds pages as they were."""
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            raise StoreError(
                f"old bytes of what was changed are still in the WAL of {self._path}: {error}; do the same again"
            ) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is done inside, fsynced; any error undoes all of it.

        Raises StoreError if nothing was written, OutcomeUnknownError if nobody can know.
        """
        self.require_writer()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
        except apsw.Error as error:
            raise self._undone(error) from error
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        try:
            self._connection.execute("COMMIT")
        except apsw.IOError as error:
            self._broken = f"a commit failed ({error})"
            raise OutcomeUnknownError(
                f"nobody can know whether the vault has the last change: {error}; close it and open it again"
            ) from error
        except apsw.Error as error:
            raise self._undone(error) from error
        if self._wal_pages >= self._wal_pages_max:
            with contextlib.suppress(apsw.Error):  # as safe in the WAL, and tried again
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def require_writer(self) -> None:
        """Raise StoreError if this one may not write."""
        if self._readonly:
            raise StoreError("this vault was opened read-only; only the front admits and forgets")
        if self._broken:
            raise StoreError(f"the vault takes nothing more since {self._broken}; close it and open it again")

    def close(self) -> None:
        """Close the file and let another writer in."""
        self._close.close()

    def _note_wal(self, _: apsw.Connection, __: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _rows(self, column: str, values: Sequence[bytes]) -> list[SubjectRow]:
        rows: list[SubjectRow] = []
        for start in range(0, len(values), READ_AT_ONCE):
            part = tuple(values[start : start + READ_AT_ONCE])
            marks = ", ".join("?" * len(part))
            found = self._select(f"SELECT {_COLUMNS} FROM subjects WHERE {column} IN ({marks})", part)
            rows += [SubjectRow(*row) for row in found]
        return rows

    def _select(self, sql: str, values: tuple[bytes | int, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise StoreError(f"the vault {self._path} cannot be read: {error}; see `livepost doctor`") from error

    def _undone(self, error: apsw.Error) -> StoreError:
        """Roll back and return the error to raise; if that fails too, the vault is done with."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error as second:
            self._broken = f"a transaction could not be rolled back ({second})"
            return OutcomeUnknownError(f"the vault failed ({error}) and then {self._broken}; open it again")
        return StoreError(f"the vault could not be written: {error}; nothing was kept, try again")


def require_sqlite(version: str) -> None:
    """Raise StoreError if the SQLite `version` is one that could corrupt the vault."""
    if tuple(int(part) for part in version.split(".")) < SQLITE_AT_LEAST:
        needed = ".".join(map(str, SQLITE_AT_LEAST))
        raise StoreError(f"expected SQLite {needed} or later, got {version}; upgrade the package apsw")


def _connect(path: Path, readonly: bool, vfs: str | None) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READWRITE | (0 if readonly else apsw.SQLITE_OPEN_CREATE)
    try:
        connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
    except apsw.Error as error:
        raise StoreError(f"the vault {path} cannot be opened: {error}; start the front first") from error
    try:
        _prepare(connection, readonly)
        found = connection.pragma("user_version")
    except apsw.Error as error:
        connection.close()
        raise StoreError(f"the vault {path} cannot be opened: {error}; see `livepost doctor`") from error
    if found != VAULT_FORMAT:
        connection.close()
        raise StoreError(f"expected a vault of format {VAULT_FORMAT}, got {found} in {path}; start the front first")
    return connection


def _prepare(connection: apsw.Connection, readonly: bool) -> None:
    connection.set_busy_timeout(BUSY_MS)
    connection.pragma("temp_store", "MEMORY")
    if readonly:
        connection.pragma("query_only", True)
        return
    connection.pragma("secure_delete", True)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.pragma("fullfsync", True)
    if connection.pragma("user_version") == 0:
        connection.execute(_TABLES).fetchall()


def _lock(path: Path) -> int:
    """Make the file for its owner alone, and take the lock of its writer; return the lock's file descriptor."""
    try:
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            sync_folder(path.parent)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the vault {path} cannot be made: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StoreError(f"another process writes the vault {path}; stop it, or open this one read-only") from error
    return lock
