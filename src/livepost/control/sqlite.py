"""The control store on SQLite: one file, WAL, synchronous=FULL, secure_delete.

In: a path. Out: rows. Promised: a transaction is a BEGIN IMMEDIATE, so writers of any number of processes take turns; a
process's threads do too.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from livepost.control.schema import STEPS
from livepost.errors import StoreError

BUSY_MS = 5_000


class ControlStore:
    """The control tables of a data folder."""

    def __init__(self, path: Path, steps: Sequence[str] = STEPS) -> None:
        """Open the file, or make it; raise StoreError if that cannot be done, or a later version made it."""
        self._path = path
        self._lock = threading.RLock()
        with self._telling("opened"):
            self._connection = apsw.Connection(str(path))
        try:
            with self._telling("opened"):
                self._prepare(steps)
        except StoreError:
            self._connection.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is there afterwards, durably, or none of it; raises StoreError for the latter."""
        with self._lock, self._telling("written"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    with contextlib.suppress(apsw.Error):
                        self._connection.execute("ROLLBACK")
                raise

    def write(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement in the transaction that is open; return how many rows it changed."""
        self._connection.execute(sql, tuple(values)).fetchall()
        return self._connection.changes()

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return rows; raise StoreError if they cannot be read."""
        with self._lock, self._telling("read"):
            return self._connection.execute(sql, tuple(values)).fetchall()

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _prepare(self, steps: Sequence[str]) -> None:
        self._connection.set_busy_timeout(BUSY_MS)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        if self._version() == len(steps):
            return
        if self._path.exists():  # ":memory:" does not
            self._path.chmod(0o600)
        with self.transaction():
            done = self._version()  # asked again: another process may have been first
            if done > len(steps):
                raise StoreError(f"{self._path} was made by a later version of Livepost; run that one")
            for step in steps[done:]:
                self._connection.execute(step).fetchall()
            self._connection.execute(f"PRAGMA user_version = {len(steps)}").fetchall()

    def _version(self) -> int:
        return int(self._connection.pragma("user_version"))

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise StoreError(f"the control store {self._path} cannot be {what}: {error}") from error
