"""The state's SQLite file: statements in, rows out, and nothing of what they mean.

Promises: a transaction is durable when it ends without an error; one process has the file open; the WAL does not grow
without bound.

Tables: `progress` (one row: where the last commit came to), `counts`, `packs` (people's rows, as `pack.py` puts them
together; a newer pack counts before an older one), `seen` (the dedupe entries of a step), `outbox`, `transitions` (many
a row; `runs` and `pieces` find them), `numbering` (their epoch, and a number that is not given again), `dead`, `hours`
(what held when an hour of stamps ended), `steps` (what it takes to do them again, since the image that `progress`
names), `definitions` (one row: what rows are written by).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import apsw

from livepost.errors import OutcomeUnknownError, StoreError
from livepost.state.checkpoint import Checkpointer
from livepost.state.hold import held, sync_folder

STATE_FORMAT = 8

PAGE_BYTES = 8_192
"""A commit writes whole pages: people's packs are long, and smaller pages take more calls for them (2 KB: 1.5 times the
CPU of 8 KB); the index over transitions is hit all over, and larger pages write more for it.
"""

CACHE_KIB = 65_536
"""Pages kept in memory; people are read once, at start."""

CHECKPOINT_BYTES = 32_000_000
"""From this length on the WAL is moved to the file, beside the commits."""

WAL_BYTES = 256_000_000
"""From this length on a commit waits until the WAL is moved: commits came faster than it could be."""

BUSY_MS = 5_000
"""How long a connection waits for the other one's lock."""

SQLITE_AT_LEAST = (3, 51, 3)
"""Before it, several connections could corrupt a database in WAL mode."""

Values: TypeAlias = "tuple[object, ...] | dict[str, object]"

TABLES = (
    "progress",
    "counts",
    "packs",
    "seen",
    "outbox",
    "transitions",
    "runs",
    "pieces",
    "dead",
    "hours",
    "steps",
    "definitions",
)

_NUMBERING = "CREATE TABLE IF NOT EXISTS numbering (epoch TEXT NOT NULL, last INTEGER NOT NULL) STRICT"
"""Of transitions: one row. Files of format 2 that were made before it get it when they are opened."""

_SCHEMA = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE progress (
        position INTEGER NOT NULL, as_of INTEGER NOT NULL, complete_to INTEGER NOT NULL, program TEXT NOT NULL,
        image TEXT NOT NULL
    ) STRICT;
    CREATE TABLE counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
    CREATE TABLE packs (number INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL) STRICT;
    CREATE TABLE seen (number INTEGER PRIMARY KEY, day INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
    CREATE TABLE outbox (number INTEGER PRIMARY KEY, position INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
    CREATE INDEX outbox_position ON outbox (position);
    CREATE TABLE transitions (number INTEGER PRIMARY KEY, rows BLOB NOT NULL) STRICT;
    CREATE TABLE runs (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, entries INTEGER NOT NULL) STRICT;
    CREATE TABLE pieces (
        run INTEGER NOT NULL, key INTEGER NOT NULL, number INTEGER NOT NULL, entries BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX pieces_lookup ON pieces (run, key, number);
    CREATE TABLE dead (
        position INTEGER PRIMARY KEY, fate TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
        source TEXT NOT NULL, name TEXT NOT NULL, replayed_at INTEGER
    ) STRICT;
    CREATE TABLE hours (ended INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE steps (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE definitions (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    {_NUMBERING};
    PRAGMA user_version = {STATE_FORMAT};
    COMMIT;
"""


class StateFile:
    """An open state file, for one thread."""

    def __init__(self, path: Path, *, checkpoint_bytes: int, wal_bytes: int, vfs: str | None) -> None:
        """Open the file, making it if it is not there.

        Raises StoreError if another process has it open, another Livepost made it, or it cannot be opened.
        """
        require_sqlite(apsw.sqlite_lib_version())
        self._path = path
        self._checkpoint_bytes = checkpoint_bytes
        self._wal_bytes = wal_bytes
        self._wal_pages = 0
        self._broken = ""
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, _made_and_held(path))
            self._connection = _open(path, vfs)
            opened.callback(self._close_writer)
            # It replaces SQLite's own checkpoint, which would make every commit over 1,000 pages wait.
            self._connection.set_wal_hook(self._note_wal)
            self._checkpointer = Checkpointer(_open(path, vfs))
            opened.callback(self._checkpointer.close)
            self._close = opened.pop_all()

    @property
    def wal_bytes(self) -> int:
        """Length of the part of the WAL that the last commit left in use."""
        return self._wal_pages * PAGE_BYTES

    def select(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a question."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise StoreError(f"the state {self._path} cannot be read: {error}; see `livepost doctor`") from error

    def change(self, sql: str, rows: Iterable[Values] = ((),)) -> int:
        """Run a statement for each of the values, within a transaction; return how many rows it changed."""
        before = self._connection.total_changes()
        self._connection.executemany(sql, rows)
        return self._connection.total_changes() - before

    def copy(self, to: Path) -> None:
        """Write the file as the last commit left it as a file of its own."""
        try:
            with contextlib.closing(apsw.Connection(str(to))) as target:
                target.pragma("page_size", PAGE_BYTES)
                with target.backup("main", self._connection, "main") as copying:
                    copying.step(-1)
            to.chmod(0o600)
            sync_folder(to.parent)
        except (apsw.Error, OSError) as error:
            raise StoreError(
                f"the state {self._path} cannot be copied to {to}: {error}; see `livepost doctor`"
            ) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is done inside, fsynced; any error undoes all of it.

        Raises StoreError if nothing was written, OutcomeUnknownError if nobody can know.
        """
        if self._broken:
            raise StoreError(f"the state takes nothing more since {self._broken}; close it and open it again")
        try:
            self._shorten_wal()
            self._connection.execute("BEGIN IMMEDIATE")
            yield
        except apsw.Error as error:
            raise self._undone(error) from error
        except BaseException:
            self._roll_back()
            raise
        self._commit()

    def close(self) -> None:
        """Close the file and let another process in."""
        self._close.close()

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except apsw.IOError as error:
            # The WAL may hold the step or not, and the kernel may tell the next fsync that all is well.
            self._broken = f"a commit failed ({error})"
            raise OutcomeUnknownError(
                f"nobody can know whether the state has the last step: {error}; close it, open it again, and go on "
                "from its position"
            ) from error
        except apsw.Error as error:
            raise self._undone(error) from error
        if self.wal_bytes >= self._checkpoint_bytes:
            self._checkpointer.begin()

    def _shorten_wal(self) -> None:
        """Move the WAL at once if it is too long; it is begun anew by the transaction that follows."""
        if self.wal_bytes >= self._wal_bytes:
            self._checkpointer.wait()
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def _undone(self, error: apsw.Error) -> StoreError:
        """Roll back and return the error to raise."""
        self._roll_back()
        if self._broken:
            return OutcomeUnknownError(f"the state failed ({error}) and then {self._broken}; open it again")
        return StoreError(f"the state could not be written: {error}; nothing was kept, try again")

    def _roll_back(self) -> None:
        """Undo the transaction, if SQLite has not done it yet; if that fails, the file is done with."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error as error:
            self._broken = f"a transaction could not be rolled back ({error})"

    def _note_wal(self, _: apsw.Connection, __: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _close_writer(self) -> None:
        # What is in the WAL is as safe there as in the file: what fails now, the next opening makes up for.
        with contextlib.suppress(apsw.Error):
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._connection.close()


def require_sqlite(version: str) -> None:
    """Raise StoreError if the SQLite `version` is one that could corrupt the state."""
    if tuple(int(part) for part in version.split(".")) < SQLITE_AT_LEAST:
        needed = ".".join(map(str, SQLITE_AT_LEAST))
        raise StoreError(f"expected SQLite {needed} or later, got {version}; upgrade the package apsw")


def _open(path: Path, vfs: str | None) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    try:
        connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
    except apsw.Error as error:
        raise StoreError(f"the state {path} cannot be opened: {error}; see `livepost doctor`") from error
    try:
        _prepare(connection, path)
    except apsw.Error as error:
        connection.close()
        raise StoreError(f"the state {path} cannot be opened: {error}; see `livepost doctor`") from error
    except StoreError:
        connection.close()
        raise
    return connection


def _prepare(connection: apsw.Connection, path: Path) -> None:
    connection.set_busy_timeout(BUSY_MS)
    found = connection.pragma("user_version")
    new = found == 0 and not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
    if not new and found != STATE_FORMAT:
        raise StoreError(
            f"expected a state of format {STATE_FORMAT}, got {found} in {path}; open it with the Livepost that wrote "
            "it, or move it away and have the state rebuilt from the log"
        )
    connection.pragma("page_size", PAGE_BYTES)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.pragma("fullfsync", True)
    connection.pragma("cache_size", -CACHE_KIB)
    if new:
        connection.execute(_SCHEMA).fetchall()
    else:
        connection.execute(_NUMBERING).fetchall()


def _made_and_held(path: Path) -> int:
    """Make the file for its owner alone, and hold it; return the lock's file descriptor."""
    try:
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"the state {path} cannot be made: {error}") from error
    return held(path)
