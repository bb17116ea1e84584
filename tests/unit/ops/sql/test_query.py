"""Which text is a query, and what of it the audit keeps."""

from __future__ import annotations

from typing import Any

import duckdb
import msgspec
import pytest

from livepost.errors import RejectedError
from livepost.ops.sql.query import SHAPE_CHARS, shape_of, tables_of

TABLES = ["people", "events"]


def parsed(query: str) -> dict[str, Any]:
    """Return DuckDB's parse."""
    told = duckdb.connect().execute("SELECT json_serialize_sql($1)", [query]).fetchone()
    assert told is not None
    return msgspec.json.decode(told[0])


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("SELECT 1", ()),
        ("FROM People", ("people",)),
        ("SELECT * FROM people p JOIN main.events e USING (person)", ("events", "people")),
        ("WITH x AS (FROM events) SELECT (SELECT count(*) FROM people) FROM x, range(3)", ("events", "people")),
        ("SELECT unnest(skus) FROM people UNION VALUES ('a')", ("people",)),
    ],
)
def test_the_tables_of_a_query_are_told(query: str, tables: tuple[str, ...]) -> None:
    assert tables_of(parsed(query), TABLES) == tables


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM other",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM system.main.people",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT 1 WHERE 1 IN (SELECT 1 FROM duckdb_settings())",
        "SELECT current_setting('threads')",
        "DESCRIBE people",
        "SELECT 1; SELECT 1",
        "COPY people TO 'x.csv'",
        "PRAGMA version",
        "SELEC",
        "",
    ],
)
def test_everything_else_is_refused(query: str) -> None:
    with pytest.raises(RejectedError):
        tables_of(parsed(query), TABLES)


def test_a_shape_keeps_names_that_are_known_and_nothing_typed() -> None:
    query = """SELECT email, "Ada" FROM people WHERE first_name = E'Ada\\'s' OR x = $q$Ada$q$ /* Ada */ -- Ada"""
    shape = shape_of(query, ["people", "email", "first_name"])
    assert shape.startswith("SELECT email , ? FROM people WHERE first_name = ?")
    assert "Ada" not in shape


def test_a_shape_is_bounded() -> None:
    assert len(shape_of("SELECT " + "people, " * 1_000, ["people"])) == SHAPE_CHARS
