"""The ledger on PostgreSQL: one schema of a database, several couriers on as many machines.

In: an address. Out: a ledger, and the store it lies in. Promised: writers take turns by an advisory lock that each
transaction begins with, so a transaction sees all that committed before it, as on SQLite; a commit is on the server's
disk; where a connection ends while COMMIT is out, OutcomeUnknownError says so.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import sql as quoting
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrBinaryDumper

from livepost.clock import SECOND_MS, Clock
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.ids import digest
from livepost.ledger.base import BUSY_MS
from livepost.ledger.schema import SCHEMA_VERSION, statements_from
from livepost.ledger.store import Store
from livepost.ledger.stored import StoredLedger
from livepost.settings.postgres import PostgresAddress

Result = TypeVar("Result")

CONNECT_S = 5
"""How long connecting may take."""

SILENT_MS = 10 * SECOND_MS
"""How long a transaction may wait for its own process before the server ends it: a courier that was stopped must not
keep the others from their turns.
"""

LINE_S = 10
"""How long a line may be silent until the system asks whether it stands, and bytes unacknowledged until it does not."""

STATEMENT_MS = 60 * SECOND_MS
"""How long one statement may take."""

VERSION = "$schema"
"""The bookmark that is the version of the tables."""

TURN = "SELECT pg_advisory_xact_lock(?), (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
"""What each transaction begins with: the lock, then the time. Under READ COMMITTED every later statement sees what
committed before.
"""

SESSION = (
    "SELECT set_config('search_path', ?1, false), set_config('lock_timeout', ?2, false),"
    " set_config('idle_in_transaction_session_timeout', ?3, false), set_config('statement_timeout', ?4, false),"
    " set_config('default_transaction_isolation', 'read committed', false),"
    " CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')"
    " THEN set_config('synchronous_commit', 'on', false) END"
)

SERVER = (
    "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_version_num')::int,"
    " pg_is_in_recovery()"
)
OLDEST_SERVER = 140_000

_WORDS = (
    ("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    ("INTEGER", "BIGINT"),
    ("BLOB", "BYTEA"),
    ("TEXT", 'TEXT COLLATE "C"'),
)
"""SQLite's words for what PostgreSQL says so; text is ordered by its bytes, as there."""

_UNSURE = ("08", "57", "58", "XX")
"""Classes of errors after which a COMMIT may have happened or not."""


class PostgresLedger(StoredLedger):
    """A ledger in a schema of a PostgreSQL database."""

    def __init__(self, address: PostgresAddress, password: str = "", host: Clock | None = None) -> None:
        """Open or make the ledger; leases and back-off run on the server's clock, or on `host`.

        Raises StoreError if the server is not there, or does not keep what it confirms.
        """
        store = PostgresStore(address, password)
        super().__init__(store, host or store.clock)


class ServerClock:
    """The server's clock, as it was when the transaction got its turn: one for couriers of any number of machines."""

    def __init__(self) -> None:
        """Begin before the first transaction."""
        self.last_ms = 0

    def now_ms(self) -> int:
        """Return the time of the turn (ms)."""
        return self.last_ms


class PostgresStore(Store):
    """A connection with a lock, so that a process's threads take turns; made anew when it was lost."""

    def __init__(self, address: PostgresAddress, password: str = "") -> None:
        """Connect, and make or upgrade the tables; raise StoreError if that cannot be."""
        super().__init__()
        self.clock = ServerClock()
        self._address = address
        self._password = password
        self._lock = threading.Lock()
        self._turn = int.from_bytes(digest("ledger", address.schema)[:8], signed=True)
        self._later: list[tuple[str, Sequence[Sequence[Any]]]] = []
        self._closed = False
        self._link: psycopg.Connection[tuple[Any, ...]] | None = None
        with self._lock:
            try:
                self._make_tables()
            except psycopg.Error as error:
                self._drop()
                raise StoreError(self._said("cannot be opened", error)) from error
            except StoreError:
                self._drop()
                raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Store`."""
        with self._lock:
            self._begin()
            try:
                yield
                self._flush()
                self._send_later()
            except psycopg.Error as error:
                self._roll_back()
                raise StoreError(self._said("could not be written, nothing changed", error)) from error
            except BaseException:
                self._roll_back()
                raise
            self._commit()

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See `Store`."""
        with self._lock:
            try:
                return self._again(lambda: self._fetch(sql, values))
            except psycopg.Error as error:
                raise StoreError(self._said("could not be read", error)) from error

    def _rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._fetch(sql, values)

    def _change(self, sql: str, values: Sequence[Any]) -> int:
        return self._run(sql, values).rowcount

    def _write(self, sql: str, values: Sequence[Any]) -> None:
        """Leave it: it goes with the next statement whose answer is waited for."""
        self._later.append((sql, [values]))

    def _change_all(self, sql: str, groups: Sequence[Sequence[Any]]) -> None:
        """Leave it, as `_write` does."""
        self._later.append((sql, [*groups]))

    def close(self) -> None:
        """See `Store`."""
        with self._lock:
            self._closed = True
            self._drop()

    def _begin(self) -> None:
        """Begin a transaction and wait for its turn; a connection that was lost meanwhile is made anew, once."""
        try:
            self._again(self._take_turn)
        except psycopg.Error as error:
            self._roll_back()
            raise StoreError(self._said("is busy or away, nothing changed", error)) from error

    def _take_turn(self) -> None:
        self._later = [("BEGIN", [()])]
        [(_, now_ms)] = self._fetch(TURN, (self._turn,))
        self.clock.last_ms = now_ms

    def _commit(self) -> None:
        try:
            self._connection().execute("COMMIT", prepare=False)
        except psycopg.Error as error:
            unsure = not _surely_rolled_back(error)
            self._drop()
            if unsure:
                raise OutcomeUnknownError(
                    self._said("lost the connection at a commit, which may have happened or not", error)
                ) from error
            raise StoreError(self._said("could not commit, nothing changed", error)) from error
        except BaseException:  # stopped while waiting: what the server does with it is not known here
            self._drop()
            raise

    def _roll_back(self) -> None:
        self._forget_noted()
        self._later.clear()
        if self._link is None:
            return
        try:
            self._link.execute("ROLLBACK")
        except psycopg.Error:
            self._drop()

    def _again(self, step: Callable[[], Result]) -> Result:
        """Do what is harmless to do twice; once more on a new connection if the one there was lost."""
        had = self._link is not None
        try:
            return step()
        except psycopg.OperationalError:
            if not had or (self._link is not None and not self._link.broken):
                raise
            self._drop()
            return step()

    def _send_later(self) -> None:
        """Send what was left for later, and wait until the server has done it."""
        if self._later:
            connection = self._connection()
            with connection.pipeline():
                self._queue(connection)

    def _queue(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Send what was left for later, in a pipeline: each statement once, with its groups of values in order."""
        later, self._later = self._later, []
        for sql, groups in later:
            if len(groups) == 1:
                connection.execute(_numbered(sql), tuple(groups[0]), binary=True)
            else:
                connection.cursor().executemany(_numbered(sql), groups)

    def _fetch(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        cursor = self._run(sql, values)
        return cursor.fetchall() if cursor.description else []

    def _run(self, sql: str, values: Sequence[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
        connection = self._connection()
        if not self._later:
            return connection.execute(_numbered(sql), tuple(values), binary=True)
        with connection.pipeline():
            self._queue(connection)
            return connection.execute(_numbered(sql), tuple(values), binary=True)

    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._link is None:
            if self._closed:
                raise StoreError("the ledger is closed; open it again")
            self._link = self._connect()
        return self._link

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        to = self._address
        checked = to.sslmode in ("verify-ca", "verify-full")
        link = psycopg.connect(
            host=to.host,
            port=to.port,
            user=to.user,
            dbname=to.database,
            password=self._password or None,
            sslmode=to.sslmode,
            sslrootcert=to.sslrootcert or ("system" if checked else None),
            connect_timeout=CONNECT_S,
            keepalives_idle=LINE_S,
            tcp_user_timeout=LINE_S * SECOND_MS,
            client_encoding="utf8",
            application_name="livepost",
            autocommit=True,
            prepare_threshold=1,
            cursor_factory=psycopg.RawCursor,
        )
        link.adapters.register_dumper(int, Int8BinaryDumper)
        link.adapters.register_dumper(str, _Text)
        try:
            link.execute(_numbered(SESSION), (to.schema, str(BUSY_MS), str(SILENT_MS), str(STATEMENT_MS)))
            self._check_server(link)
        except BaseException:
            link.close()
            raise
        return link

    def _check_server(self, link: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Raise StoreError for a server that would confirm what a power cut takes, or one that cannot be written."""
        [(fsync, pages, version, standby)] = link.execute(SERVER).fetchall()
        if version < OLDEST_SERVER:
            raise StoreError(f"expected PostgreSQL 14 or later at {self._address.shown}, got {version // 10_000}")
        for name, value in (("fsync", fsync), ("full_page_writes", pages)):
            if value == "off":
                raise StoreError(
                    f"the server at {self._address.shown} runs with {name} = off: a power cut takes what it confirmed, "
                    f"and a mail would go twice; set {name} = on"
                )
        if standby:
            raise StoreError(
                f"the server at {self._address.shown} is a standby, and cannot be written; name the primary"
            )

    def _drop(self) -> None:
        link, self._link = self._link, None
        self._forget_noted()
        self._later.clear()
        if link is not None:
            with contextlib.suppress(psycopg.Error):
                link.close()

    def _make_tables(self) -> None:
        if self._version() == SCHEMA_VERSION:
            return
        self._take_turn()
        if not self._fetch("SELECT 1 FROM pg_namespace WHERE nspname = ?", (self._address.schema,)):
            schema = quoting.Identifier(self._address.schema)
            self._connection().execute(quoting.SQL("CREATE SCHEMA {}").format(schema))
        for statement in statements_from(self._version()):  # asked again: another process may have been first
            self._run(_in_its_words(statement), ())
        self._run(
            "INSERT INTO bookmarks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number",
            (VERSION, SCHEMA_VERSION),
        )
        self._connection().execute("COMMIT")

    def _version(self) -> int:
        [(there,)] = self._fetch("SELECT to_regclass(?)::text", (f"{self._address.schema}.bookmarks",))
        if there is None:
            return 0
        found = self._fetch("SELECT number FROM bookmarks WHERE name = ?", (VERSION,))
        return int(found[0][0]) if found else 0

    def _said(self, what: str, error: psycopg.Error) -> str:
        return f"the ledger at {self._address.shown} {what}: {str(error).strip() or type(error).__name__}"


class _Text(StrBinaryDumper):
    """Text, of which PostgreSQL takes anything but the character NUL."""

    def dump(self, obj: str) -> Any:
        """Return the text's bytes."""
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _surely_rolled_back(error: psycopg.Error) -> bool:
    """Say whether a COMMIT that failed did nothing: the server said so, not the line.

    A session that was ended for its silence (25P03) had been rolled back before COMMIT was heard.
    """
    state = error.sqlstate
    return state is not None and not state.startswith(_UNSURE)


@lru_cache(maxsize=512)
def _numbered(sql: str) -> str:
    """Return a statement with PostgreSQL's placeholders: `?` is the one after the highest before it, as in SQLite.

    >>> _numbered("SELECT ?2, ?, ?1")
    'SELECT $2, $3, $1'
    """
    highest = 0

    def place(match: re.Match[str]) -> str:
        nonlocal highest
        number = int(match[1]) if match[1] else highest + 1
        highest = max(highest, number)
        return f"${number}"

    return re.sub(r"\?(\d*)", place, sql)


def _in_its_words(ddl: str) -> str:
    """Return a statement of SCHEMA in PostgreSQL's words.

    >>> _in_its_words("CREATE TABLE t (at INTEGER NOT NULL, id BLOB)")
    'CREATE TABLE t (at BIGINT NOT NULL, id BYTEA)'
    """
    for word, its in _WORDS:
        ddl = re.sub(rf"\b{word}\b", its, ddl)
    return ddl
