"""A real PostgreSQL: one server on loopback, with a folder of its own; a database for each who asks.

In: a folder. Out: addresses of databases, and a server that is stopped, killed and started again as told. Its programs
are Debian's (`apt-get install postgresql`), or on the path. It does not run as root: there it is run as `postgres`, in
a folder that user may enter. What it says stands in `postgres.log` of its folder.

Promised of `kill`: the whole server is gone at once (SIGKILL to each of its processes) and its files stay.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from livepost.settings.postgres import PostgresAddress
from tests.real.post import free_port, wait_until

START_S = 60.0
STOP_S = 30.0
TAIL_BYTES = 2_000
USER = "postgres"

CONF = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 60
shared_buffers = 64MB
fsync = on
synchronous_commit = on
"""


class ServerError(Exception):
    """PostgreSQL could not be started: says why, with the end of its log."""


class Server:
    """A server on a port of its own; the same port and data after `kill` or `stop` and `start`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="livepost-postgres-"))
        self.port = free_port()
        self.said = self.folder / "postgres.log"
        self._numbers = count(1)
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if os.getuid() == 0 else {}
        if self._as_user:
            shutil.chown(self.folder, USER, USER)
        words = [program("initdb"), "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        done = subprocess.run(words, capture_output=True, timeout=START_S, check=False, cwd="/", **self._as_user)
        if done.returncode:
            raise ServerError(f"expected initdb to make a cluster, got {done.returncode}: {done.stderr.decode()}")
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(CONF.format(port=self.port))
        self.start()

    def start(self, *options: str) -> None:
        """Start it and wait until it answers; `options` are like `-c fsync=off`."""
        with self.said.open("ab") as said:
            words = [program("postgres"), "-D", str(self._data), *options]
            self._process = subprocess.Popen(
                words, stdout=said, stderr=said, cwd="/", start_new_session=True, **self._as_user
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"expected PostgreSQL to answer within {START_S:g} s: {self._tail()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without a word: SIGKILL to the server and each of its processes."""
        assert self._process is not None
        for pid in [*_children(self._process.pid), self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        """Let it shut down, ending sessions. Nothing happens where it does not run."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._gone()

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self, port: int | None = None) -> PostgresAddress:
        """Make a database; return its address, by way of another `port` if one is given."""
        name = f"ledger_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
        return PostgresAddress(
            host="127.0.0.1", port=port or self.port, user=USER, database=name, sslmode="disable", schema="livepost"
        )

    def run(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the server's owner."""
        told = f"host=127.0.0.1 port={self.port} user={USER} dbname={database}"
        with psycopg.connect(told, autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def asking_for_passwords(self, user: str) -> Iterator[None]:
        """Let a user in by password only, within."""
        told = self._data / "pg_hba.conf"
        before = told.read_text()
        told.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n{before}")
        self.run("SELECT pg_reload_conf()")
        wait_until("the rule to be read", lambda: self._refuses(user))
        try:
            yield
        finally:
            told.write_text(before)
            self.run("SELECT pg_reload_conf()")

    def _refuses(self, user: str) -> bool:
        try:
            psycopg.connect(f"host=127.0.0.1 port={self.port} user={user} dbname=postgres").close()
        except psycopg.OperationalError:
            return True
        return False

    def _answers(self) -> bool:
        try:
            return bool(self.run("SELECT 1"))
        except psycopg.OperationalError:
            return False

    def _gone(self) -> None:
        assert self._process is not None
        self._process.wait(STOP_S)
        self._process = None

    def _tail(self) -> str:
        return f"{self.said}\n{self.said.read_bytes()[-TAIL_BYTES:].decode(errors='replace')}"


def needs_postgres() -> None:
    """Skip where PostgreSQL's programs are not there; in CI that is a failure."""
    if program("postgres") and program("initdb"):
        return
    reason = "PostgreSQL is not there: say `apt-get install postgresql`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """Return where a program of PostgreSQL lies, of the newest version there is; "" if it is not there."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(found[-1]) if found else shutil.which(name) or ""


def _children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in told.read_text().split()] if told.exists() else []
