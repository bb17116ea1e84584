"""The book of audiences: `audiences.db`, one SQLite file, WAL, synchronous=FULL, `secure_delete`.

In: what a destination's vendor took. Out: what each vendor has, how far changes were heard, who waits to be looked at,
jobs, dead letters. Promised: each method is one transaction, durable when it returns; idents stand here sealed only,
under a key that the vault derives, so that a vendor can be asked to forget whom the vault has forgotten; a row that is
deleted leaves no bytes. Courier and command line may both have it open; threads of a process take turns.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import apsw
import msgspec

from livepost.errors import StoreError
from livepost.sync.card import Row

FORMAT = 1
BUSY_MS = 5_000
DEAD_MAX = 1_000
"""Dead letters of a destination that wait for somebody; with so many nothing more is sent until somebody looks."""

LISTED_MAX = 1_000
FIRST = 3
"""How urgently people are looked at who were erased: before everybody else."""

AT_ONCE = 500
"""Ids that one statement asks for."""

_TABLES = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS destinations (
        name TEXT PRIMARY KEY, config TEXT NOT NULL, epoch TEXT NOT NULL, transition INTEGER NOT NULL,
        permit INTEGER NOT NULL, stage INTEGER NOT NULL, after BLOB, round_at INTEGER NOT NULL,
        rounds INTEGER NOT NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL, error TEXT NOT NULL,
        held TEXT NOT NULL, changes INTEGER NOT NULL, requests INTEGER NOT NULL, accepted_at INTEGER NOT NULL,
        position INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS rows (
        destination TEXT NOT NULL, handle BLOB NOT NULL, person BLOB NOT NULL, ident BLOB NOT NULL,
        sure TEXT NOT NULL, maybe TEXT NOT NULL, digests TEXT NOT NULL, PRIMARY KEY (destination, handle)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS rows_person ON rows (destination, person);
    CREATE TABLE IF NOT EXISTS due (
        number INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, person BLOB NOT NULL,
        urgency INTEGER NOT NULL, not_before INTEGER NOT NULL, UNIQUE (destination, person)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS due_order ON due (destination, urgency DESC, number);
    CREATE TABLE IF NOT EXISTS jobs (
        destination TEXT NOT NULL, id TEXT NOT NULL, handles BLOB NOT NULL, at INTEGER NOT NULL,
        next_at INTEGER NOT NULL, tries INTEGER NOT NULL, PRIMARY KEY (destination, id)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS letters (
        number INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, handle BLOB NOT NULL,
        person BLOB NOT NULL, at INTEGER NOT NULL, why TEXT NOT NULL, card TEXT NOT NULL,
        UNIQUE (destination, handle)
    ) STRICT;
    PRAGMA user_version = {FORMAT};
    COMMIT;
"""
_TOLD = """CREATE TABLE IF NOT EXISTS told (
    destination TEXT NOT NULL, person BLOB NOT NULL, about TEXT NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (destination, person, about)
) STRICT"""
_HEARD = ("config", "epoch", "transition", "permit", "stage", "after", "round_at", "rounds")
_SENT = ("tries", "next_at", "error", "held", "changes", "requests", "accepted_at", "position")
_STANDING = ", ".join(("name", *_HEARD, *_SENT))
_LETTER = "number, destination, handle, person, at, why, card"
_ROW = "handle, person, ident, sure, maybe, digests"

Statement: TypeAlias = tuple[str, tuple[Any, ...]]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a destination stands; times are host ms.

    config                 hash of what its settings say should be there; another one lets everybody be looked at
    epoch, transition      the engine's transition heard last
    permit                 the ledger's change of consents heard last
    stage, after           how far a round over everybody is; stage -1 between rounds
    round_at, rounds       when the last round began, and how many are done
    tries, next_at, error  how often the next batch failed, when it is sent again, why
    held                   why nothing is sent until somebody lets it; "" if it is
    changes, requests      how many changes were taken, by how many requests, the last at `accepted_at`
    position               how far the engine was when people were looked at last: never again at less
    """

    name: str
    config: str
    epoch: str
    transition: int
    permit: int
    stage: int = 0
    after: bytes | None = None
    round_at: int = 0
    rounds: int = 0
    tries: int = 0
    next_at: int = 0
    error: str = ""
    held: str = ""
    changes: int = 0
    requests: int = 0
    accepted_at: int = 0
    position: int = -1


class OpenJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that the vendor has not ended: whose it is by handle, since when, when and how often it is asked for.

    `cards` are keyed hashes of what each of them was to have.
    """

    id: str
    handles: tuple[bytes, ...]
    cards: tuple[str, ...]
    at: int
    next_at: int
    tries: int


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom the vendor refused, by the book's number; `card` is a keyed hash of what it was to have of them:
    the same is not sent again.
    """

    number: int = 0
    destination: str
    handle: bytes
    person: bytes
    at: int
    why: str
    card: str


class Told(msgspec.Struct, frozen=True):
    """What a vendor took of a person, by `sync.card.abouts`, how often, first and last (host ms)."""

    destination: str
    about: str
    first: int
    last: int
    times: int


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a destination there is in the book."""

    people: int
    due: int
    jobs: int
    dead: int


class Book:
    """See the module; everything raises StoreError where the file cannot be read or written."""

    def __init__(self, path: Path) -> None:
        """Open or make the book."""
        self._lock = threading.Lock()
        try:
            self._connection = apsw.Connection(str(path))
            self._prepare()
        except apsw.Error as error:
            raise StoreError(f"the book of audiences at {path} cannot be opened: {error}") from error

    def standing(self, name: str) -> Standing | None:
        """Return where a destination stands; None if it was never begun."""
        found = self._read(f"SELECT {_STANDING} FROM destinations WHERE name = ?", name)
        fields = Standing.__struct_fields__
        return Standing(**dict(zip(fields, found[0], strict=True))) if found else None

    def stand(self, standing: Standing, due: Mapping[bytes, int] = {}) -> None:
        """Write how far a destination has heard, and in the same transaction who is to be looked at, how urgently."""
        values = msgspec.structs.astuple(standing)
        marks = ", ".join("?" * len(values))
        changed = ", ".join(f"{column} = excluded.{column}" for column in _HEARD)
        sql = f"INSERT INTO destinations ({_STANDING}) VALUES ({marks}) ON CONFLICT (name) DO UPDATE SET {changed}"
        self._change([*(_due(standing.name, one, urgency) for one, urgency in due.items()), (sql, values)])

    def rows_of(self, name: str, persons: Sequence[bytes], handles: Sequence[bytes] = ()) -> dict[bytes, Row]:
        """Return rows by handle: those of persons, and those with handles."""
        found = []
        for column, ids in (("person", persons), ("handle", handles)):
            for start in range(0, len(ids), AT_ONCE):
                part = ids[start : start + AT_ONCE]
                marks = ", ".join("?" * len(part))
                sql = f"SELECT {_ROW} FROM rows WHERE destination = ? AND {column} IN ({marks})"
                found += self._read(sql, name, *part)
        return {one.handle: one for one in map(_row, found)}

    def rows_after(self, name: str, handle: bytes, limit: int) -> list[Row]:
        """Return rows with a greater handle, in order."""
        sql = f"SELECT {_ROW} FROM rows WHERE destination = ? AND handle > ? ORDER BY handle LIMIT ?"
        return [_row(values) for values in self._read(sql, name, handle, limit)]

    def write(self, name: str, rows: Iterable[Row]) -> None:
        """Write rows: what a vendor may have, before it is told."""
        self._change([_write(name, row) for row in rows])

    def settle(
        self,
        standing: Standing,
        *,
        rows: Iterable[Row] = (),
        gone: Iterable[bytes] = (),
        letters: Iterable[DeadLetter] = (),
        jobs: Iterable[OpenJob] = (),
        done: Iterable[bytes] = (),
        ended: Iterable[str] = (),
        told: Iterable[tuple[bytes, str]] = (),
    ) -> None:
        """Write down what came of a batch or a job in one transaction.

        rows, gone   what the vendor has now; handles that it has nothing of any more
        letters      what it refused; what it took (`rows`) ends a letter
        jobs, ended  jobs that it works on now, or is asked for later; ids of those it ended
        done         persons who need not be looked at any more
        told         persons, each with what the vendor took of them at `accepted_at`
        """
        name, rows, gone, letters = standing.name, [*rows], [*gone], [*letters]
        here = "WHERE destination = ? AND"
        statements: list[Statement] = [_write(name, row) for row in rows]
        statements += [(f"DELETE FROM rows {here} handle = ?", (name, one)) for one in gone]
        statements += [
            (f"DELETE FROM letters {here} handle = ?", (name, one)) for one in [*(row.handle for row in rows), *gone]
        ]
        statements += [_letter(one) for one in letters]
        statements += [_job(name, one) for one in jobs]
        statements += [(f"DELETE FROM jobs {here} id = ?", (name, one)) for one in ended]
        statements += [(f"DELETE FROM due {here} person = ?", (name, one)) for one in done]
        statements += [_told(name, person, about, standing.accepted_at) for person, about in told]
        changed = ", ".join(f"{column} = ?" for column in _SENT)
        values = tuple(getattr(standing, column) for column in _SENT)
        statements.append((f"UPDATE destinations SET {changed} WHERE name = ?", (*values, name)))
        self._change(statements)

    def due(self, name: str, now_ms: int, limit: int) -> list[tuple[bytes, int]]:
        """Return (person, urgency) of those to be looked at, the most urgent first, then in order."""
        found = self._read(
            "SELECT person, urgency FROM due WHERE destination = ? AND not_before <= ?"
            " ORDER BY urgency DESC, number LIMIT ?",
            *(name, now_ms, limit),
        )
        return [(bytes(person), int(urgency)) for person, urgency in found]

    def waiting(self, name: str) -> int:
        """Return how many are to be looked at."""
        [(count,)] = self._read("SELECT count(*) FROM due WHERE destination = ?", name)
        return int(count)

    def defer(self, name: str, persons: Iterable[bytes], until_ms: int) -> None:
        """Look at persons again, but not before a time."""
        sql = "UPDATE due SET not_before = ? WHERE destination = ? AND person = ?"
        self._change([(sql, (until_ms, name, person)) for person in persons])

    def done(self, name: str, persons: Iterable[bytes]) -> None:
        """Note that persons were looked at, and nothing is to change."""
        self._change([("DELETE FROM due WHERE destination = ? AND person = ?", (name, person)) for person in persons])

    def jobs(self, name: str) -> list[OpenJob]:
        """Return the jobs that the vendor has not ended, the next one to be asked for first."""
        sql = "SELECT id, handles, at, next_at, tries FROM jobs WHERE destination = ? ORDER BY next_at"
        return [
            OpenJob(id=id, handles=handles, cards=cards, at=at, next_at=next_at, tries=tries)
            for id, body, at, next_at, tries in self._read(sql, name)
            for handles, cards in (_handles.decode(body),)
        ]

    def letters(self, *, name: str | None = None, after: int = 0, limit: int = 100) -> list[DeadLetter]:
        """Return dead letters with a number > `after`, at most LISTED_MAX; of one destination, if so asked."""
        which = "" if name is None else " AND destination = ?"
        values = (after,) if name is None else (after, name)
        sql = f"SELECT {_LETTER} FROM letters WHERE number > ?{which} ORDER BY number LIMIT ?"
        found = self._read(sql, *values, min(limit, LISTED_MAX))
        return [DeadLetter(**dict(zip(DeadLetter.__struct_fields__, values, strict=True))) for values in found]

    def letters_of(self, name: str, handles: Sequence[bytes]) -> dict[bytes, str]:
        """Return the cards that were refused, by handle."""
        marks = ", ".join("?" * len(handles))
        sql = f"SELECT handle, card FROM letters WHERE destination = ? AND handle IN ({marks})"
        return {bytes(handle): card for handle, card in self._read(sql, name, *handles)}

    def told(self, persons: Sequence[bytes]) -> list[Told]:
        """Return what vendors took of a person, by any of their names, in alphabetical order."""
        marks = ", ".join("?" * len(persons))
        sql = f"SELECT destination, about, min(first), max(last), sum(times) FROM told WHERE person IN ({marks})"
        return [Told(*values) for values in self._read(f"{sql} GROUP BY 1, 2 ORDER BY 1, 2", *persons)]

    def retry(self, name: str) -> int:
        """Forget a destination's dead letters and whatever it waits for, and look at their people; return how many."""
        dead = self.tally(name).dead
        again = (
            "INSERT INTO due (destination, person, urgency, not_before)"
            " SELECT destination, person, 0, 0 FROM letters WHERE destination = ?"
            " ON CONFLICT (destination, person) DO NOTHING"
        )
        self._change(
            [
                (again, (name,)),
                ("DELETE FROM letters WHERE destination = ?", (name,)),
                ("UPDATE destinations SET tries = 0, next_at = 0, error = '', held = '' WHERE name = ?", (name,)),
            ]
        )
        return dead

    def tally(self, name: str) -> Tally:
        """Return how much of a destination there is."""
        counts = [
            int(self._read(f"SELECT count(*) FROM {table} WHERE destination = ?", name)[0][0])
            for table in ("rows", "due", "jobs", "letters")
        ]
        return Tally(people=counts[0], due=counts[1], jobs=counts[2], dead=counts[3])

    def forget(self, persons: Iterable[bytes], told: Iterable[str]) -> dict[str, int]:
        """Have every destination look at people who were erased, before all others; return how many rows each has.

        Rows of a destination that is not `told` anything any more go at once: nobody would ask the vendor.
        """
        rows: dict[str, int] = {}
        known = {*told}
        statements: list[Statement] = []
        for person in persons:
            statements.append(("DELETE FROM told WHERE person = ?", (person,)))
            for (name,) in self._read("SELECT destination FROM rows WHERE person = ?", person):
                if name in known:
                    rows[name] = rows.get(name, 0) + 1
                    statements.append(_due(name, person, FIRST))
                else:
                    statements.append(("DELETE FROM rows WHERE destination = ? AND person = ?", (name, person)))
        self._change(statements)
        return rows

    def in_list(self, name: str, list_: str) -> int:
        """Return how many the vendor has in a list, by its answers."""
        return sum(
            list_ in _lists.decode(sure)
            for (sure,) in self._read("SELECT sure FROM rows WHERE destination = ? AND sure != '[]'", name)
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        """Make the tables of a new file; raise StoreError for one of another version."""
        try:
            self._connection.set_busy_timeout(BUSY_MS)
            for sql in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                self._connection.execute(f"PRAGMA {sql}").fetchall()
            [(version,)] = self._connection.execute("PRAGMA user_version")
            if version not in (0, FORMAT):
                raise StoreError(f"expected audiences.db of format {FORMAT}, got {version}; move it away to begin anew")
            if version == 0:
                self._connection.execute(_TABLES).fetchall()
            self._connection.execute(_TOLD).fetchall()
        except BaseException:
            self._connection.close()
            raise

    def _read(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._run(sql, values)

    def _change(self, statements: Sequence[Statement]) -> None:
        with self._lock, self._transaction():
            for sql, values in statements:
                self._run(sql, values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE", ())
        try:
            yield
            self._run("COMMIT", ())
        except BaseException:
            if self._connection.in_transaction:
                self._run("ROLLBACK", ())
            raise

    def _run(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise StoreError(f"the book of audiences could not be read or written: {error}") from error


def _due(name: str, person: bytes, urgency: int) -> Statement:
    """Return what puts a person among those to be looked at; who is among them keeps their place, or gets a better."""
    sql = (
        "INSERT INTO due (destination, person, urgency, not_before) VALUES (?, ?, ?, 0)"
        " ON CONFLICT (destination, person) DO UPDATE SET urgency = excluded.urgency"
        " WHERE excluded.urgency > urgency"
    )
    return sql, (name, person, urgency)


def _write(name: str, row: Row) -> Statement:
    values = (
        *(name, row.handle, row.person, row.ident),
        *(_json(sorted(row.sure)), _json(sorted(row.maybe)), _json(row.digests)),
    )
    return f"INSERT OR REPLACE INTO rows (destination, {_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?)", values


def _told(name: str, person: bytes, about: str, at: int) -> Statement:
    sql = (
        "INSERT INTO told VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (destination, person, about)"
        " DO UPDATE SET last = excluded.last, times = times + 1"
    )
    return sql, (name, person, about, at, at)


def _letter(one: DeadLetter) -> Statement:
    sql = "INSERT OR REPLACE INTO letters (destination, handle, person, at, why, card) VALUES (?, ?, ?, ?, ?, ?)"
    return sql, (one.destination, one.handle, one.person, one.at, one.why, one.card)


def _job(name: str, one: OpenJob) -> Statement:
    sql = "INSERT OR REPLACE INTO jobs (destination, id, handles, at, next_at, tries) VALUES (?, ?, ?, ?, ?, ?)"
    return sql, (name, one.id, msgspec.msgpack.encode((one.handles, one.cards)), one.at, one.next_at, one.tries)


def _row(values: tuple[Any, ...]) -> Row:
    handle, person, ident, sure, maybe, digests = values
    return Row(
        handle=handle,
        person=person,
        ident=ident,
        sure=_lists.decode(sure),
        maybe=_lists.decode(maybe),
        digests=_digests.decode(digests),
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_lists = msgspec.json.Decoder(frozenset[str])
_digests = msgspec.json.Decoder(dict[str, str])
_handles = msgspec.msgpack.Decoder(tuple[tuple[bytes, ...], tuple[str, ...]])
