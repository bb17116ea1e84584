"""The process in which queries run: `python -m livepost.ops.sql.worker`, asked over its standard input and output.

In: tables once, then questions. Out: an answer each. Promised: it has only what it is given, which is masked; before
the first question DuckDB is locked (no file, no network, no extension, no setting can be changed) and the process may
write no file. Frames are 4 bytes of length, big-endian, and msgpack.
"""

from __future__ import annotations

import math
import os
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO, TypeVar

import duckdb
import msgspec
import numpy as np

from livepost.errors import RejectedError
from livepost.ops.sql.query import tables_of
from livepost.ops.sql.rows import Filled

T = TypeVar("T")

ANSWER_BYTES_MAX = 8_000_000
"""Of an answer's rows, about: what is behind is left out, and `more` says so."""

AT_ONCE = 100
ROOM_MB = 2_000
"""Address space besides DuckDB's own memory: Python, numpy, libraries, an answer's rows."""

LOCKS = (
    "SET enable_external_access = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET python_enable_replacements = false",
    "SET lock_configuration = true",
)

CASTS = {
    "TIMESTAMP": "epoch_ms(CAST({cell} AS BIGINT))",
    "VARCHAR[]": "CAST(CAST({cell} AS JSON) AS VARCHAR[])",
}


class Given(msgspec.Struct, frozen=True):
    """The first frame: tables, and how much memory their questions may take."""

    tables: list[Filled]
    memory_mb: int


class Question(msgspec.Struct, frozen=True):
    """A query, and how many rows are wanted at most."""

    query: str
    rows: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: columns with their types, rows, which tables were read; `more` rows were there; `wrong` says why
    there is none.
    """

    columns: list[str] = []
    types: list[str] = []
    rows: list[list[Any]] = []
    tables: tuple[str, ...] = ()
    more: bool = False
    wrong: str = ""


def main() -> None:
    """Take tables, answer until nobody asks any more."""
    asked, answered = sys.stdin.buffer, sys.stdout.buffer
    given = read(asked, Given)
    if given is None:
        return
    os.environ.clear()
    db = opened(given)
    space = (given.memory_mb + ROOM_MB) << 20
    for limit, most in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, space)):
        resource.setrlimit(limit, (most, most))
    names = [table.name for table in given.tables]
    while (question := read(asked, Question)) is not None:
        write(answered, answer(db, question, names))


def opened(given: Given) -> duckdb.DuckDBPyConnection:
    """Return a database in memory with the tables, locked."""
    config: dict[str, Any] = {"memory_limit": f"{given.memory_mb}MB", "temp_directory": "", "threads": 1}
    db = duckdb.connect(":memory:", config=config)
    for table in given.tables:
        incoming = {f"c{place}": np.array(cells, object) for place, cells in enumerate(table.cells)}
        columns = ", ".join(f'"{name}" {type_}' for name, type_ in table.columns)
        db.execute(f'CREATE TABLE "{table.name}" ({columns})')
        if table.cells and table.cells[0]:
            db.register("incoming", incoming)
            casts = ", ".join(_cast(f"c{place}", type_) for place, (_, type_) in enumerate(table.columns))
            db.execute(f'INSERT INTO "{table.name}" SELECT {casts} FROM incoming')
            db.unregister("incoming")
    for lock in LOCKS:
        db.execute(lock)
    return db


def answer(db: duckdb.DuckDBPyConnection, question: Question, names: list[str]) -> Result:
    """Return what a query gives; what DuckDB says of a wrong one is of masked values, too."""
    try:
        told = db.execute("SELECT json_serialize_sql($1)", [question.query]).fetchone()
        tables = tables_of(msgspec.json.decode(told[0]) if told else {}, names)
        result = db.execute(question.query)
        described = result.description or []
        rows, more = _fetched(result, question.rows)
        return Result(
            columns=[str(column[0]) for column in described],
            types=[str(column[1]) for column in described],
            rows=rows,
            tables=tables,
            more=more,
        )
    except (RejectedError, duckdb.Error, MemoryError, ValueError, OverflowError, RecursionError) as error:
        return Result(wrong=(str(error) or type(error).__name__)[:2_000])


def read(stream: BinaryIO, kind: type[T]) -> T | None:
    """Return the next frame, None at the end."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    return msgspec.msgpack.decode(stream.read(int.from_bytes(head, "big")), type=kind)


def write(stream: BinaryIO, told: Any) -> None:
    """Send a frame."""
    body = msgspec.msgpack.encode(told)
    stream.write(len(body).to_bytes(4, "big") + body)
    stream.flush()


def _fetched(result: duckdb.DuckDBPyConnection, most: int) -> tuple[list[list[Any]], bool]:
    rows: list[list[Any]] = []
    size = 0
    for row in _each(result):
        if len(rows) == most or size > ANSWER_BYTES_MAX:
            return rows, True
        told = [_told(value) for value in row]
        size += len(msgspec.json.encode(told))
        rows.append(told)
    return rows, False


def _each(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := result.fetchmany(AT_ONCE):
        yield from rows


def _told(value: Any) -> Any:
    """Return a value as JSON has it; bytes in hex, what JSON has no word for as text."""
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _told(one) for key, one in value.items()}
    return value if _is_plain(value) else bytes(value).hex() if isinstance(value, bytes | bytearray) else _text(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**53) <= value <= 2**53
    return value is None or isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _cast(cell: str, type_: str) -> str:
    return CASTS.get(type_, f"CAST({{cell}} AS {type_})").format(cell=cell)


if __name__ == "__main__":
    main()
