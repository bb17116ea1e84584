"""The log as tables of a database in memory, with what seeds need and nothing else.

record    every event's seq, times and ids, narrow: whether it counts is told by all of them
body      of the records that may feed a feature, with the fields that features read, as JSON; seals stay sealed
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import duckdb
import msgspec
import numpy as np

from livepost.errors import StoreError
from livepost.model.block import Block
from livepost.model.compiled import FeatureSpec
from livepost.model.record import Kind
from livepost.project.diff import fields_of

CHUNK = 50_000
"""How many records are gathered, in whole blocks, before they go into the database."""

SCHEMA = """
CREATE TABLE record (
    seq BIGINT, stamp BIGINT, effective BIGINT, kind UTINYINT, origin UTINYINT, verdict UTINYINT,
    event_low UBIGINT, event_high UBIGINT, subject_high UBIGINT, subject_low UBIGINT);
CREATE TABLE body (seq BIGINT, name VARCHAR, key UTINYINT, message_id VARCHAR, open VARCHAR, sealed VARCHAR);
"""

_JSON = msgspec.json.Encoder()
_BODY = {"seq": "i8", "name": "O", "key": "u1", "message_id": "O", "open": "O", "sealed": "O"}


def database(memory_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    """Return an empty database in memory with the tables, that reaches no disk and no network."""
    config: dict[str, Any] = {"memory_limit": f"{memory_mb}MB", "temp_directory": "", "threads": threads}
    db = duckdb.connect(":memory:", config=config)
    db.execute("SET enable_external_access = false")
    db.execute(SCHEMA)
    return db


def load(
    db: duckdb.DuckDBPyConnection,
    blocks: Iterable[Block],
    specs: Sequence[FeatureSpec],
    upto: int,
    subjects: Collection[bytes] | None = None,
) -> int:
    """Fill the tables with the records up to seq `upto`, `body` with those of some subjects alone if these are named;
    return how many were read.

    Raises StoreError if one is missing behind the first.
    """
    fields = _fields_by_event(specs)
    read = 0
    for chunk in _chunks(_consecutive(blocks, upto)):
        _insert(db, "record", _records(chunk))
        _insert(db, "body", _columns([row for block in chunk for row in _bodies(block, fields, subjects)]))
        read += sum(block.count for block in chunk)
    return read


def _fields_by_event(specs: Sequence[FeatureSpec]) -> dict[str, frozenset[str]]:
    fields: dict[str, frozenset[str]] = {}
    for spec in specs:
        fields[spec.event] = fields.get(spec.event, frozenset()) | fields_of(spec)
    return fields


def _consecutive(blocks: Iterable[Block], upto: int) -> Iterator[Block]:
    """Yield blocks up to a seq, which the last one holds; a cut record is alone in its block."""
    expected: int | None = None
    for block in blocks:
        if expected is not None and block.first != expected:
            raise StoreError(f"expected record {expected} of the log next, got {block.first}; try again")
        if block.first > upto:
            return
        expected = block.first + block.count
        yield block
    if expected is not None and expected <= upto:
        raise StoreError(f"expected the log up to record {upto}, got it up to {expected - 1}; try again")


def _chunks(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    chunk: list[Block] = []
    for block in blocks:
        chunk.append(block)
        if block.first + block.count - chunk[0].first >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _records(chunk: list[Block]) -> dict[str, Any]:
    counts = [block.count for block in chunk]
    event = np.frombuffer(b"".join([block.event for block in chunk]), "<u8")
    subject = np.frombuffer(b"".join([block.subject for block in chunk]), ">u8").astype("u8")
    columns = {
        "seq": np.arange(chunk[0].first, chunk[0].first + sum(counts)),
        "stamp": np.repeat(np.array([block.stamp for block in chunk], np.int64), counts),
        "effective": np.frombuffer(b"".join([block.effective for block in chunk]), "<i8"),
        "kind": np.frombuffer(b"".join([block.kind for block in chunk]), np.uint8),
        "origin": np.frombuffer(b"".join([block.origin for block in chunk]), np.uint8),
        "verdict": np.frombuffer(b"".join([block.verdict for block in chunk]), np.uint8),
        "event_low": event[0::2],
        "event_high": event[1::2],
        "subject_high": subject[0::2],
        "subject_low": subject[1::2],
    }
    events = columns["kind"] == Kind.EVENT
    return {name: column[events] for name, column in columns.items()}


def _bodies(
    block: Block, fields: dict[str, frozenset[str]], subjects: Collection[bytes] | None
) -> Iterator[tuple[Any, ...]]:
    used = {code: fields[name] for code, name in enumerate(block.names) if name in fields}
    if not used:
        return
    for place, code in enumerate(np.frombuffer(block.name, "<u2").tolist()):
        wanted = subjects is None or block.subject[16 * place : 16 * place + 16] in subjects
        if wanted and code in used and block.kind[place] == Kind.EVENT:
            row = (block.first + place, block.names[code], block.key[place], block.message_id[place])
            yield (*row, _open(block, place, used[code]), _sealed(block, place, used[code]))


def _open(block: Block, place: int, used: frozenset[str]) -> str:
    """Return the open fields and the facets in use, as JSON; a field that is null is not there."""
    told = {**block.properties[place], **block.record_facets.get(place, {})}
    there = {name: value for name, value in told.items() if name in used and value is not None}
    return _JSON.encode(there).decode() if there else "{}"


def _sealed(block: Block, place: int, used: frozenset[str]) -> str:
    """Return the seals in use with what opens them, as JSON."""
    there = used & block.sealed_fields[place].keys()
    if not there:
        return "{}"
    record = block.record(place)
    return _JSON.encode({name: record.sealed_value(name) for name in there}).decode()


def _columns(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_BODY)
    return {name: np.array(column, type_) for (name, type_), column in zip(_BODY.items(), columns, strict=True)}


def _insert(db: duckdb.DuckDBPyConnection, table: str, columns: dict[str, Any]) -> None:
    db.register("incoming", columns)
    db.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
    db.unregister("incoming")
