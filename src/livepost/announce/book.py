"""The book of webhooks: `webhooks.db`, one SQLite file, WAL, synchronous=FULL.

In: what became of messages. Out: each target's place, its wait, its dead letters, of whom it was told what.
Promised: each method is one transaction, durable when it returns; courier and command line may both have it open;
threads of a process take turns.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import msgspec

from livepost.clock import DAY_MS
from livepost.errors import StoreError

FORMAT = 1
BUSY_MS = 5_000
LETTERS_MAX = 10_000
"""Dead letters of a target that wait for somebody; with so many it is told nothing more until somebody looks."""

LISTED_MAX = 1_000
KEEP_REPLAYED_MS = 30 * DAY_MS

_TABLES = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS targets (
        name TEXT PRIMARY KEY, cursor TEXT NOT NULL, sent INTEGER NOT NULL, next_at INTEGER NOT NULL,
        disabled TEXT NOT NULL, error TEXT NOT NULL, delivered INTEGER NOT NULL, delivered_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS letters (
        number INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,
        body BLOB NOT NULL, at INTEGER NOT NULL, sent INTEGER NOT NULL, error TEXT NOT NULL,
        replayed_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS letters_target ON letters (target, replayed_at);
    PRAGMA user_version = {FORMAT};
    COMMIT;
"""
_NOTICES = """CREATE TABLE IF NOT EXISTS notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,
    body BLOB NOT NULL, UNIQUE (target, id)
) STRICT"""
_TOLD = """CREATE TABLE IF NOT EXISTS told (
    target TEXT NOT NULL, person BLOB NOT NULL, about TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    times INTEGER NOT NULL, PRIMARY KEY (target, person, about)
) STRICT"""
_STANDING = "name, cursor, sent, next_at, disabled, error, delivered, delivered_at"
_LETTER = "number, target, id, kind, body, at, sent, error, replayed_at"


class Notice(msgspec.Struct, frozen=True):
    """A message of the house's own for one target, by the book's number: it goes before what the stream tells."""

    number: int
    id: str
    kind: str
    body: bytes


class Standing(msgspec.Struct, frozen=True):
    """Where a target stands; times are host ms.

    cursor                   behind the last message it has
    sent, next_at, error     how often the next one was sent, when it is sent again, why it was not taken
    disabled                 why it is told nothing more; "" if it is told
    delivered, delivered_at  how many it has, and since when the last one; 0 if none
    """

    name: str
    cursor: str
    sent: int = 0
    next_at: int = 0
    disabled: str = ""
    error: str = ""
    delivered: int = 0
    delivered_at: int = 0


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that a target did not take, by the book's number; since `at`, `replayed_at` 0 while it waits."""

    number: int
    target: str
    id: str
    kind: str
    body: bytes
    at: int
    sent: int
    error: str
    replayed_at: int = 0


class Told(msgspec.Struct, frozen=True):
    """What a target was told of a person, how often, first and last (host ms)."""

    target: str
    about: str
    first: int
    last: int
    times: int


class Book:
    """See the module; everything raises StoreError where the file cannot be read or written."""

    def __init__(self, path: Path) -> None:
        """Open or make the book."""
        self._lock = threading.Lock()
        try:
            self._connection = apsw.Connection(str(path))
            self._prepare()
        except apsw.Error as error:
            raise StoreError(f"the book of webhooks at {path} cannot be opened: {error}") from error

    def begin(self, name: str, cursor: str) -> Standing:
        """Let a target begin at a place, unless it has one."""
        self._change("INSERT OR IGNORE INTO targets VALUES (?, ?, 0, 0, '', '', 0, 0)", name, cursor)
        found = self.standing(name)
        assert found is not None
        return found

    def standing(self, name: str) -> Standing | None:
        """Return where a target stands; None if it was never told anything."""
        found = self._read(f"SELECT {_STANDING} FROM targets WHERE name = ?", name)
        return Standing(*found[0]) if found else None

    def move(self, name: str, cursor: str) -> None:
        """Go on behind what is not told to this target."""
        self._change("UPDATE targets SET cursor = ? WHERE name = ?", cursor, name)

    def passed_over(self, name: str, cursor: str) -> None:
        """Go on behind a message that was tried, and may not be told any more."""
        self._change("UPDATE targets SET cursor = ?, sent = 0, next_at = 0, error = '' WHERE name = ?", cursor, name)

    def delivered(self, name: str, cursor: str, now_ms: int, person: bytes | None = None, about: str = "") -> None:
        """Go on behind a message that the target has; note of whom it was, and about what."""
        moved = (
            "UPDATE targets SET cursor = ?, sent = 0, next_at = 0, error = '', delivered = delivered + 1,"
            " delivered_at = ? WHERE name = ?"
        )
        with self._transaction():
            self._run(moved, (cursor, now_ms, name))
            if person is not None:
                self._note_told(name, person, about, now_ms)

    def again(self, name: str, sent: int, next_at: int, error: str) -> None:
        """Note that the next message was sent so often in vain, and when it is sent again (host ms)."""
        self._change("UPDATE targets SET sent = ?, next_at = ?, error = ? WHERE name = ?", sent, next_at, error, name)

    def disable(self, name: str, why: str) -> None:
        """Tell a target nothing more, until somebody resumes it; the message under way stays the next one."""
        self._change("UPDATE targets SET disabled = ?, sent = 0, next_at = 0 WHERE name = ?", why, name)

    def resume(self, name: str) -> bool:
        """Tell a target again, at once; return whether it is known."""
        with self._lock:
            self._run("UPDATE targets SET disabled = '', sent = 0, next_at = 0, error = '' WHERE name = ?", (name,))
            return self._connection.changes() > 0

    def aged_letters(self, before: int) -> tuple[int, int]:
        """Return how many dead letters are older than a time (ms), and the time of the oldest, 0 for none."""
        [(count, oldest)] = self._read("SELECT count(*), coalesce(min(at), 0) FROM letters WHERE at < ?", before)
        return count, oldest

    def drop_letters(self, before: int) -> int:
        """Drop dead letters that are older than a time (ms); return how many."""
        with self._lock:
            self._run("DELETE FROM letters WHERE at < ?", (before,))
            return self._connection.changes()

    def die(self, letter: DeadLetter, cursor: str) -> None:
        """Put a message aside and go on behind it, in one transaction; its number is the book's."""
        with self._transaction():
            self._put_aside(letter, cursor)

    def letters(self, *, after: int = 0, waiting: bool = False, limit: int = 100) -> list[DeadLetter]:
        """Return dead letters with a number > `after`, at most LISTED_MAX; `waiting` ones only, if so asked."""
        which = " AND replayed_at = 0" if waiting else ""
        found = self._read(
            f"SELECT {_LETTER} FROM letters WHERE number > ?{which} ORDER BY number LIMIT ?",
            *(after, min(limit, LISTED_MAX)),
        )
        return [DeadLetter(*values) for values in found]

    def letter(self, number: int) -> DeadLetter | None:
        """Return one dead letter; None if there is none of that number."""
        found = self._read(f"SELECT {_LETTER} FROM letters WHERE number = ?", number)
        return DeadLetter(*found[0]) if found else None

    def waiting(self, name: str) -> int:
        """Return how many dead letters of a target wait for somebody."""
        [(count,)] = self._read("SELECT count(*) FROM letters WHERE target = ? AND replayed_at = 0", name)
        return int(count)

    def replayed(self, number: int, now_ms: int, person: bytes | None = None, about: str = "") -> None:
        """Note that the target has a dead letter now, of whom it was, and about what."""
        with self._transaction():
            self._run("UPDATE letters SET replayed_at = ? WHERE number = ?", (now_ms, number))
            found = self._run("SELECT target FROM letters WHERE number = ?", (number,))
            if person is not None and found:
                self._note_told(found[0][0], person, about, now_ms)

    def told(self, persons: Sequence[bytes]) -> list[Told]:
        """Return what targets were told of a person, by any of their names, in alphabetical order."""
        sql = "SELECT target, about, min(first), max(last), sum(times) FROM told WHERE person IN ({}) GROUP BY 1, 2"
        found = self._read(f"{sql.format(', '.join('?' * len(persons)))} ORDER BY target, about", *persons)
        return [Told(*values) for values in found]

    def tell(self, target: str, id: str, kind: str, body: bytes) -> None:
        """Let a target be told something by the house itself, once for an id."""
        sql = "INSERT INTO notices (target, id, kind, body) VALUES (?, ?, ?, ?) ON CONFLICT (target, id) DO NOTHING"
        self._change(sql, target, id, kind, body)

    def notice(self, target: str) -> Notice | None:
        """Return what the house itself has to tell a target next."""
        sql = "SELECT number, id, kind, body FROM notices WHERE target = ? ORDER BY number LIMIT 1"
        found = self._read(sql, target)
        return Notice(*found[0]) if found else None

    def noticed(self, name: str, number: int) -> None:
        """Note that a target was told by the house itself, or will not be."""
        self._change("DELETE FROM notices WHERE number = ?", number)
        self._change("UPDATE targets SET sent = 0, next_at = 0, error = '' WHERE name = ?", name)

    def forget(self, persons: Iterable[bytes]) -> int:
        """Drop the dead letters that name one of these people, and what was noted of them; return how many letters."""
        gone = 0
        with self._transaction():
            for person in persons:
                self._run("DELETE FROM letters WHERE instr(body, ?) > 0", (person.hex().encode(),))
                gone += self._connection.changes()
                self._run("DELETE FROM told WHERE person = ?", (person,))
        return gone

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        """Make the tables of a new file; raise StoreError for one of another version."""
        try:
            self._connection.set_busy_timeout(BUSY_MS)
            for sql in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON"):
                self._connection.execute(sql).fetchall()
            [(version,)] = self._connection.execute("PRAGMA user_version")
            if version not in (0, FORMAT):
                raise StoreError(f"expected webhooks.db of format {FORMAT}, got {version}; move it away to begin anew")
            if version == 0:
                self._connection.execute(_TABLES).fetchall()
            for sql in (_NOTICES, _TOLD):
                self._connection.execute(sql).fetchall()
        except BaseException:
            self._connection.close()
            raise

    def _put_aside(self, letter: DeadLetter, cursor: str) -> None:
        self._run("DELETE FROM letters WHERE replayed_at BETWEEN 1 AND ?", (letter.at - KEEP_REPLAYED_MS,))
        self._run(
            "INSERT INTO letters (target, id, kind, body, at, sent, error, replayed_at) VALUES (?,?,?,?,?,?,?,0)",
            (letter.target, letter.id, letter.kind, letter.body, letter.at, letter.sent, letter.error),
        )
        self._run(
            "UPDATE targets SET cursor = ?, sent = 0, next_at = 0, error = ? WHERE name = ?",
            (cursor, letter.error, letter.target),
        )

    def _note_told(self, target: str, person: bytes, about: str, now_ms: int) -> None:
        self._run(
            "INSERT INTO told VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (target, person, about)"
            " DO UPDATE SET last = excluded.last, times = times + 1",
            (target, person, about, now_ms, now_ms),
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._run("BEGIN IMMEDIATE", ())
            try:
                yield
                self._run("COMMIT", ())
            except BaseException:
                if self._connection.in_transaction:
                    self._run("ROLLBACK", ())
                raise

    def _read(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._run(sql, values)

    def _change(self, sql: str, *values: Any) -> None:
        with self._lock:
            self._run(sql, values)

    def _run(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise StoreError(f"the book of webhooks could not be read or written: {error}") from error
