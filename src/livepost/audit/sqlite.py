"""The audit on disk: one SQLite file, to which any process of the workspace appends.

In: entries. Out: entries, by their number. Promised: what `append` returned for survives a power cut; numbers have no
gap; two that append at once stand one behind the other.

The table `entries` has a row an entry: `number` from 1, `body` (msgpack), `link` (SHA-256, `audit.chain`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from livepost.audit.chain import first_link, next_link
from livepost.audit.entry import Entry, encoded
from livepost.audit.verify import Stored
from livepost.errors import StoreError

AUDIT_FORMAT = 1
BUSY_MS = 5_000
READ_AT_ONCE = 1_000
WRITTEN_AT_ONCE = 1_000
"""Entries that one statement takes: SQLite takes 32,766 values, an entry has three."""

_TABLES = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, body BLOB NOT NULL, link BLOB NOT NULL) STRICT;
    PRAGMA user_version = {AUDIT_FORMAT};
    COMMIT;
"""


class SqliteAudit:
    """The audit of a data folder, for one thread."""

    def __init__(self, path: Path, workspace: str, *, readonly: bool = False) -> None:
        """Open the file; whoever writes makes it if it is not there. Raises StoreError if that cannot be done."""
        self._path = path
        self._first = first_link(workspace)
        self._newest = (0, self._first)
        with self._telling("opened"):
            flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
            self._connection = apsw.Connection(str(path), flags=flags)
        try:
            with self._telling("opened"):
                self._prepare(readonly)
        except StoreError:
            self._connection.close()
            raise

    def append(self, entries: Sequence[Entry]) -> int:
        """Append entries, in order and durably; return the number of the last. Raises StoreError if not all were."""
        bodies = [encoded(one) for one in entries]
        with self._telling("written"):
            for first in range(0, len(bodies), WRITTEN_AT_ONCE):
                while not self._append_behind(self._newest, bodies[first : first + WRITTEN_AT_ONCE]):
                    self._newest = self.last()  # another process was first
        return self._newest[0]

    def _append_behind(self, newest: tuple[int, bytes], bodies: Sequence[bytes]) -> bool:
        """Append bodies in one statement, and so in one transaction, if `newest` is the last entry; say whether it was.

        A statement gives the interpreter up once. BEGIN, SELECT, INSERT and COMMIT would each wait to get it back from
        a busy loop, with the file locked.
        """
        number, link = newest
        values: list[int | bytes] = []
        for body in bodies:
            number += 1
            link = next_link(link, number, body)
            values += [number, body, link]
        rows = ", ".join(["(?, ?, ?)"] * len(bodies))
        self._connection.execute(
            f"INSERT INTO entries SELECT * FROM (VALUES {rows}) WHERE ? = (SELECT ifnull(max(number), 0) FROM entries)",
            (*values, newest[0]),
        )
        if not self._connection.changes():
            return False
        self._newest = number, link
        return True

    def last(self) -> tuple[int, bytes]:
        """Return the number of the newest entry and its link; 0 and the link before the first if there is none."""
        rows = self._select("SELECT number, link FROM entries ORDER BY number DESC LIMIT 1")
        return (int(rows[0][0]), bytes(rows[0][1])) if rows else (0, self._first)

    def stored(self, after: int = 0) -> Iterator[Stored]:
        """Go through all entries behind a number, as they are stored."""
        while rows := self._select(
            "SELECT number, body, link FROM entries WHERE number > ? ORDER BY number LIMIT ?", (after, READ_AT_ONCE)
        ):
            yield from (Stored(int(number), bytes(body), bytes(link)) for number, body, link in rows)
            after = rows[-1][0]

    def newest(self, limit: int) -> list[Stored]:
        """Return the newest entries, the newest first."""
        rows = self._select("SELECT number, body, link FROM entries ORDER BY number DESC LIMIT ?", (limit,))
        return [Stored(int(number), bytes(body), bytes(link)) for number, body, link in rows]

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _prepare(self, readonly: bool) -> None:
        self._connection.set_busy_timeout(BUSY_MS)
        if not readonly:
            self._connection.pragma("journal_mode", "WAL")
            self._connection.pragma("synchronous", "FULL")
            self._connection.pragma("fullfsync", True)
            if self._connection.pragma("user_version") == 0:
                self._connection.execute(_TABLES).fetchall()
                self._path.chmod(0o600)
        found = self._connection.pragma("user_version")
        if found != AUDIT_FORMAT:
            raise StoreError(f"expected an audit of format {AUDIT_FORMAT}, got {found} in {self._path}")

    def _select(self, sql: str, values: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
        with self._telling("read"):
            return self._connection.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise StoreError(f"the audit {self._path} cannot be {what}: {error}; see `livepost doctor`") from error
