"""The ledger's connection: one transaction a group, FULL, and the one way to move a delivery.

In: SQL of this room. Out: rows. Promised: a group is wholly committed or not at all; each move is checked
against the table, written as a row and counted, in the same transaction as the change itself.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import apsw
import msgspec

from livepost.clock import HOUR_MS
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.ledger.base import BUSY_MS
from livepost.ledger.moves import FINAL, State, check_move
from livepost.ledger.schema import SCHEMA, SCHEMA_VERSION, UPGRADES
from livepost.model.decision import SEND, Decision

OLDEST_SQLITE = 3_051_003
"""Before 3.51.3 a WAL could be corrupted by several connections."""

WAL_PAGES = 1_000
"""Pages that the WAL holds at most before it is moved to the file."""

CURSOR = "$cursor"
"""The bookmark that is the fence."""


class Row(msgspec.Struct, array_like=True):
    """What moving and checking a delivery needs of its row."""

    id: bytes
    campaign: str
    person: bytes
    class_: str
    purpose: str
    at: int
    cap_times: int
    cap_per_ms: int
    state: State
    reason: str
    fence: int
    worker: str
    attempts: int
    first_tried: int
    body: bytes


ROW = (
    "id, campaign, person, class, purpose, at, cap_times, cap_per_ms, state, reason, fence, worker,"
    " attempts, first_tried, body"
)

decode_decision = msgspec.msgpack.Decoder(Decision).decode
encode_decision = msgspec.msgpack.Encoder().encode


class Store:
    """A SQLite connection with a lock, so that a process's threads take turns."""

    def __init__(self, path: str | Path, vfs: str | None = None, wal_pages: int = WAL_PAGES) -> None:
        """Open or make the ledger at `path` (":memory:" for a rehearsal); raise StoreError if that cannot be."""
        if apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
            raise StoreError(f"expected SQLite 3.51.3 or later, got {apsw.sqlite_lib_version()}; update apsw")
        self._lock = threading.Lock()
        self._wal_pages_max = wal_pages
        self._wal_pages = 0
        self._moves: list[tuple[bytes, str, str, str, str, int]] = []
        self._tallies: Counter[tuple[str, str, str]] = Counter()
        self._sent: Counter[int] = Counter()
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
        """Run a group as one transaction. Raises StoreError if it was rolled back for sure, else
        OutcomeUnknownError.
        """
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
        """Return all rows of a query outside a transaction."""
        with self._lock:
            try:
                return self._run(sql, values)
            except apsw.Error as error:
                raise StoreError(f"the ledger could not be read: {error}") from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement inside a transaction."""
        return self._run(sql, values)

    def row(self, decision: bytes) -> Row | None:
        """Return a delivery's row inside a transaction."""
        found = self._run(f"SELECT {ROW} FROM deliveries WHERE id = ?", (decision,))
        return Row(*found[0]) if found else None

    def change(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement inside a transaction; return how many rows it changed."""
        self._run(sql, values)
        return self._connection.changes()

    def insert(self, decision: Decision, person: bytes, lane: int, at: int) -> Row:
        """Insert a decision as pending; return its row."""
        body = encode_decision(decision)
        self._run(
            "INSERT INTO deliveries (id, body, campaign, person, class, purpose, lane, at, position,"
            " cap_times, cap_per_ms, state, changed_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,'pending',?)",
            (
                decision.id,
                body,
                decision.campaign,
                person,
                decision.class_,
                decision.purpose,
                lane,
                decision.at,
                decision.position,
                decision.cap_times,
                decision.cap_per_ms,
                at,
            ),
        )
        self._note_move((decision.id, "", "pending", "", "", at), decision.campaign, "")
        return Row(
            decision.id,
            decision.campaign,
            person,
            decision.class_,
            decision.purpose,
            decision.at,
            decision.cap_times,
            decision.cap_per_ms,
            "pending",
            "",
            0,
            "",
            0,
            0,
            body,
        )

    def move(self, row: Row, after: State, at: int, reason: str = "", detail: str = "", **also: Any) -> None:
        """Move a delivery, setting the columns in `also`; raise MoveError if the table does not have the move.

        What a send says is forgotten with its last move.
        """
        check_move(row.state, after, row.class_)
        columns = "".join(f", {name} = ?" for name in also)
        self._run(
            f"UPDATE deliveries SET state = ?, reason = ?, detail = ?, changed_at = ?{columns} WHERE id = ?",
            (after, reason, detail, at, *also.values(), row.id),
        )
        if after in FINAL and row.campaign == SEND:
            self._run("UPDATE sends SET draft = NULL WHERE decision = ?", (row.id,))
        self._note_move((row.id, row.state, after, reason, detail, at), row.campaign, row.reason)
        if (row.state, after, row.class_) == ("in_flight", "sent", "marketing"):
            self._sent[at // HOUR_MS] += 1
        row.state, row.reason = after, reason

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def _note_move(self, move: tuple[bytes, str, str, str, str, int], campaign: str, reason_before: str) -> None:
        _, before, after, reason, _, _ = move
        self._moves.append(move)
        if before:
            self._tallies[campaign, before, reason_before] -= 1
        self._tallies[campaign, after, reason] += 1

    def _flush(self) -> None:
        if self._moves:
            self._connection.executemany(
                "INSERT INTO moves (decision, before, after, reason, detail, at) VALUES (?,?,?,?,?,?)",
                self._moves,
            )
        changed = [(*key, by) for key, by in self._tallies.items() if by]
        if changed:
            self._connection.executemany(
                "INSERT INTO tallies VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                changed,
            )
        for hour, count in self._sent.items():
            self._run(
                "INSERT INTO mail_hours VALUES (?,?,0) ON CONFLICT (hour) DO UPDATE"
                " SET sent = mail_hours.sent + excluded.sent",
                (hour, count),
            )
        self._forget_pending()

    def _forget_pending(self) -> None:
        self._moves.clear()
        self._sent.clear()
        self._tallies.clear()

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
        self._forget_pending()
        if self._connection.in_transaction:
            with contextlib.suppress(apsw.Error):
                self._run("ROLLBACK")

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def _make_tables(self) -> None:
        [(version,)] = self._run("PRAGMA user_version")
        if version > SCHEMA_VERSION:
            raise StoreError(f"expected a ledger of version {SCHEMA_VERSION} or older, got {version}; update livepost")
        if version < SCHEMA_VERSION:
            self._run("BEGIN IMMEDIATE")
            upgrades = (UPGRADES.get(older, ()) for older in range(version, SCHEMA_VERSION) if version)
            for statement in (*chain.from_iterable(upgrades), *SCHEMA):
                self._run(statement)
            self._run(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._run("COMMIT")


def _sync_folder(path: str | Path) -> None:
    """Make the names of the database and its WAL durable: a power cut could take a new file's name with it."""
    if str(path) == ":memory:":
        return
    folder = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
