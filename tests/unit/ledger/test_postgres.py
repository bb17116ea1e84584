"""What is put into PostgreSQL's words; the body itself is held by tests/real."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path

import psycopg
import pytest

from livepost.errors import StoreError
from livepost.ledger.postgres import PostgresLedger, _in_its_words, _numbered, _surely_rolled_back
from livepost.ledger.schema import SCHEMA
from livepost.settings.postgres import read_postgres
from tests.unit.fetch.authority import Authority


@pytest.mark.parametrize(
    ("said", "numbered"),
    [
        ("SELECT 1", "SELECT 1"),
        ("VALUES (?,?)", "VALUES ($1,$2)"),
        ("a = ?1 AND b = ?2 OR a = ?1", "a = $1 AND b = $2 OR a = $1"),
        ("a = coalesce(?1, ?1) AND b = ?", "a = coalesce($1, $1) AND b = $2"),
    ],
)
def test_placeholders_are_numbered_as_sqlite_counts_them(said: str, numbered: str) -> None:
    assert _numbered(said) == numbered


def test_no_table_is_left_in_words_of_sqlite() -> None:
    told = " ".join(map(_in_its_words, SCHEMA))
    assert not any(word in told for word in ("BLOB", "INTEGER", "AUTOINCREMENT"))


@pytest.mark.parametrize(
    ("error", "sure"),
    [
        (psycopg.errors.SerializationFailure, True),
        (psycopg.errors.DiskFull, True),
        (psycopg.errors.IdleInTransactionSessionTimeout, True),
        (psycopg.errors.AdminShutdown, False),
        (psycopg.errors.CrashShutdown, False),
        (psycopg.errors.IoError, False),
        (psycopg.OperationalError, False),
    ],
)
def test_only_what_the_server_said_of_itself_is_a_commit_that_did_not_happen(
    error: type[psycopg.Error], sure: bool
) -> None:
    assert _surely_rolled_back(error("said")) is sure


class Greeter:
    """A server that agrees to TLS as PostgreSQL does, and ends once it has `heard` who a client is."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._socket.accept()
                with link:
                    assert link.recv(8)[4:] == bytes.fromhex("04d2162f")  # SSLRequest
                    link.sendall(b"S")
                    with contextlib.suppress(OSError), self._context.wrap_socket(link, server_side=True) as safe:
                        self.heard.append(safe.recv(1_000))

    def close(self) -> None:
        self._socket.close()


def test_over_a_network_the_server_is_checked_and_else_hears_nothing(tmp_path: Path) -> None:
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    own, other = Authority(tmp_path / "own"), Authority(tmp_path / "other")
    for host, authority, is_right in (
        ("localhost", own, True),
        ("localhost", other, False),
        ("db.example.com", own, False),
    ):
        with contextlib.closing(Greeter(own.serving(host))) as server:
            told = f"postgresql://canary@localhost:{server.port}/mails?sslmode=verify-full&sslrootcert={authority.file}"
            with pytest.raises(StoreError):
                PostgresLedger(read_postgres(told, "test"))
            assert any(b"canary" in one for one in server.heard) == is_right
