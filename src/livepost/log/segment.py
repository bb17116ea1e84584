"""A segment of the log: one SQLite file of blocks, named by the seq of its first record.

In: rows as the log packs them. Out: rows and blocks. Promises: a reader sees whole blocks only, and a segment
that was made but holds nothing yet, or was unlinked, is no error.

The table `blocks` has a row a block: `first`, `last` (seq), `stamp`, `events` (how many of its records are
events), `events_before` (how many came before it since the log began, so that counting is a subtraction),
`committed_ms` (host time), `body` (`livepost.log.body`). The body comes last: SQLite then reads the others
without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from livepost.errors import StoreError
from livepost.log.base import Position
from livepost.log.body import events_in, unpack
from livepost.log.finding import BlockBody
from livepost.model.block import Block, rest_after

SEGMENT_FORMAT = 1
PAGE_BYTES = 32_768
BUSY_MS = 5_000
"""How long a connection waits for another one's lock."""

BLOCKS_AT_ONCE = 16
"""Blocks read in one statement on the way back through a segment."""

SQLITE_AT_LEAST = (3, 51, 3)
"""Before it, several connections could corrupt a database in WAL mode."""

_SUFFIX = ".db"

_TABLE = """
    CREATE TABLE IF NOT EXISTS blocks (
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, stamp INTEGER NOT NULL, events INTEGER NOT NULL,
        events_before INTEGER NOT NULL, committed_ms INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT
"""
_FROM = """
    SELECT first, last, body FROM blocks
    WHERE first >= coalesce((SELECT max(first) FROM blocks WHERE first <= ?1), ?1) AND last >= ?1
    ORDER BY first
"""
_HOLDING = """
    SELECT first, last, stamp, events, events_before, committed_ms FROM blocks
    WHERE first <= ? ORDER BY first DESC LIMIT 1
"""
_BEFORE = """
    SELECT first, last, stamp, body FROM blocks WHERE first < ? ORDER BY first DESC LIMIT ?
"""
_NEWEST = 2**62


class BlockRow(msgspec.Struct, frozen=True):
    """A row of `blocks` without its body."""

    first: int
    last: int
    stamp: int
    events: int
    events_before: int
    committed_ms: int


class Segment:
    """A segment opened for reading; for one thread."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection

    def newest(self) -> BlockRow | None:
        """Return the row of the newest block; None if there is none yet."""
        return self.holding(_NEWEST)

    def holding(self, seq: int) -> BlockRow | None:
        """Return the row of the newest block that begins at or before `seq`."""
        try:
            row = self._connection.execute(_HOLDING, (seq,)).fetchone()
        except apsw.Error as error:
            raise _unreadable(self._path, error) from error
        return BlockRow(*row) if row else None

    def blocks(self, after: int, limit: int) -> list[Block]:
        """Return the blocks with seq > `after`, the first one cut if need be, until `limit` records are
        reached.
        """
        return [rest_after(unpack(body), after) for body in self._bodies(after, limit)]

    def bodies_before(self, before: int) -> Iterator[BlockBody]:
        """Go through the blocks that begin before a seq, the newest first, in parts with no statement open between."""
        while part := self._part_before(before):
            yield from part
            before = part[-1][0]

    def events_before(self, seq: int) -> int:
        """Return how many events the log took before `seq`, which is in this segment."""
        row = self.holding(seq)
        if row is None:
            return 0
        if row.first == seq:
            return row.events_before
        (rest,) = self.blocks(seq - 1, 1)
        return row.events_before + row.events - events_in(rest)

    def position_of(self, stamp: int) -> Position | None:
        """Return the first record with a stamp >= `stamp`, by halving: stamps never go back, so no index is
        kept.
        """
        newest = self.newest()
        if newest is None or newest.stamp < stamp:
            return None
        low, answer = 0, newest
        while low < answer.first:
            middle = self.holding((low + answer.first - 1) // 2)
            if middle is None:
                low = (low + answer.first - 1) // 2 + 1
            elif middle.stamp >= stamp:
                answer = middle
            else:
                low = middle.last + 1
        return Position(answer.first, answer.stamp)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _part_before(self, before: int) -> list[BlockBody]:
        try:
            found: list[Any] = self._connection.execute(_BEFORE, (before, BLOCKS_AT_ONCE)).fetchall()
        except apsw.Error as error:
            raise _unreadable(self._path, error) from error
        return found

    def _bodies(self, after: int, limit: int) -> list[bytes]:
        bodies = []
        held = 0
        cursor = self._connection.cursor()
        try:
            for first, last, body in cursor.execute(_FROM, (after + 1,)):
                bodies.append(body)
                held += last - max(first - 1, after)
                if held >= limit:
                    break
        except apsw.Error as error:
            raise _unreadable(self._path, error) from error
        finally:
            # A cursor left open would hold its snapshot, and with it the writer's WAL.
            cursor.close()
        return bodies


def segment_path(folder: Path, first: int) -> Path:
    """Return where the segment is that begins with the record `first`."""
    return folder / segment_name(first)


def segment_name(first: int) -> str:
    """Return the file name of the segment that begins with the record `first`."""
    return f"{first:020d}{_SUFFIX}"


def segment_firsts(folder: Path) -> list[int]:
    """Return the first seqs of the segments there are, in order; none if there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(int(name[: -len(_SUFFIX)]) for name in os.listdir(folder) if name.endswith(_SUFFIX))


def open_segment(path: Path, vfs: str | None = None) -> Segment | None:
    """Open a segment for reading; None if it was unlinked or its writer has not finished making it.

    Raises StoreError if it cannot be read or is of another format.
    """
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
    except apsw.CantOpenError:
        return None
    try:
        connection.set_busy_timeout(BUSY_MS)
        # Opened read-write, so that the last one to close can put the WAL away; it still writes no rows.
        connection.pragma("query_only", True)
        found = connection.pragma("user_version")
    except apsw.Error as error:
        connection.close()
        raise _unreadable(path, error) from error
    if found == SEGMENT_FORMAT:
        return Segment(path, connection)
    connection.close()
    if found == 0:
        return None
    raise StoreError(
        f"expected a log segment of format {SEGMENT_FORMAT}, got {found} in {path.name}; "
        "read it with the Livepost that wrote it"
    )


def open_for_writing(path: Path, synchronous: str, vfs: str | None = None) -> apsw.Connection:
    """Open a segment for its one writer, making it if need be, its name in the folder made durable.

    Raises apsw errors: the caller knows what they mean for it.
    """
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE, vfs=vfs)
    try:
        _prepare(connection, synchronous)
        sync_folder(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def insert(connection: apsw.Connection, row: BlockRow, body: bytes) -> None:
    """Put a block into the open transaction."""
    connection.execute(
        "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row.first, row.last, row.stamp, row.events, row.events_before, row.committed_ms, body),
    )


def unlink_segment(path: Path) -> None:
    """Remove a segment and what SQLite keeps beside it; the removal is durable on return."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_sqlite(version: str) -> None:
    """Raise StoreError if the SQLite `version` is one that could corrupt the log."""
    if tuple(int(part) for part in version.split(".")) < SQLITE_AT_LEAST:
        needed = ".".join(map(str, SQLITE_AT_LEAST))
        raise StoreError(
            f"expected SQLite {needed} or later, got {version} (it can corrupt a WAL that several "
            "connections use); upgrade the package apsw"
        )


def _prepare(connection: apsw.Connection, synchronous: str) -> None:
    connection.set_busy_timeout(BUSY_MS)
    connection.pragma("page_size", PAGE_BYTES)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", synchronous)
    connection.pragma("fullfsync", True)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_TABLE)
    connection.pragma("user_version", SEGMENT_FORMAT)
    connection.execute("COMMIT")


def _unreadable(path: Path, error: apsw.Error) -> StoreError:
    return StoreError(f"the log segment {path.name} cannot be read: {error}; see `livepost doctor`")
