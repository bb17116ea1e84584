"""What is put into PostgreSQL's words; the body itself is held by tests/real."""

from __future__ import annotations

import psycopg
import pytest

from livepost.ledger.postgres import _in_its_words, _numbered, _surely_rolled_back
from livepost.ledger.schema import SCHEMA


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
