"""The log as tables of a database in memory: blocks in, rows out, nothing judged yet.

record    every record: what verdict, dedupe and identity need, narrow
body      what features need, of the wanted subjects' records alone, with only the fields that some feature uses;
          facets stand among the open fields, their names have a dot
mention   who else a record names; consent: what it says per purpose (wanted subjects alone)

Rows go in as numpy columns, `CHUNK` records at a time (a row at a time takes DuckDB a millisecond each). Seals stay
sealed. Nothing is written to a disk: over its memory DuckDB raises instead of spilling.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from livepost.errors import StoreError
from livepost.expr import Expr, Field, walk
from livepost.model.block import Block
from livepost.model.change import told_by
from livepost.model.compiled import Compiled, FeatureSpec
from livepost.model.forget import Forget
from livepost.model.record import Kind, Record

Column = npt.NDArray[Any]

_JSON = msgspec.json.Encoder()

CHUNK = 50_000
"""How many records are gathered, in whole blocks, before they go into the database."""

SCHEMA = """
CREATE TABLE record (
    seq BIGINT, stamp BIGINT, effective BIGINT, kind UTINYINT, origin UTINYINT, verdict UTINYINT, known BOOLEAN,
    subject BIGINT, event_low UBIGINT, event_high UBIGINT);
CREATE TABLE body (
    seq BIGINT, name VARCHAR, key UTINYINT, message_id VARCHAR, open VARCHAR, sealed VARCHAR);
CREATE TABLE mention (seq BIGINT, place BIGINT, mentioned BIGINT, known BOOLEAN, name VARCHAR, key UTINYINT);
CREATE TABLE consent (seq BIGINT, message_id VARCHAR, purpose VARCHAR, allowed BOOLEAN);
"""


@dataclass
class Used:
    """The fields of one event that some feature uses."""

    open: set[str] = field(default_factory=set)
    sealed: set[str] = field(default_factory=set)


def database(memory_mb: int) -> duckdb.DuckDBPyConnection:
    """Return an empty database in memory that reaches no disk and no network, with the tables of the log."""
    db = duckdb.connect(":memory:", config={"memory_limit": f"{memory_mb}MB", "temp_directory": ""})
    db.execute("SET enable_external_access = false")
    db.execute(SCHEMA)
    return db


class Loader:
    """Puts blocks into the tables, and gives each subject a number (`numbers`) that stands for its id there; `unlinks`
    are the UNLINK records that came by, `forgotten` the subjects that FORGET records name.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, compiled: Compiled, wanted: Collection[bytes]) -> None:
        self.numbers: dict[bytes, int] = {}
        self.next_seq = 0
        self.unlinks: list[Record] = []
        self.forgotten: set[bytes] = set()
        self._db = db
        self._used = used_fields(compiled)
        self._wanted = frozenset(wanted)

    def load(self, blocks: Iterable[Block], position: int) -> None:
        """Load blocks up to `position` (a seq); StoreError if one is missing before it."""
        for chunk in _chunks(self._consecutive(blocks, position)):
            self.unlinks += [block.record(0) for block in chunk if block.kind[0] == Kind.UNLINK]
            self.forgotten.update(subject for block in chunk for subject in _forgotten(block))
            self._insert("record", self._records(chunk))
            self._insert("body", _columns(BODY, self._bodies(chunk)))
            self._insert("mention", _columns(MENTION, self._mentions(chunk)))
            self._insert("consent", _columns(CONSENT, self._consents(chunk)))
        if self.next_seq <= position:
            raise StoreError(
                f"expected the log up to record {position}, where the people are, got it up to {self.next_seq - 1}; "
                "read the log after the people, and all of it"
            )

    def _consecutive(self, blocks: Iterable[Block], position: int) -> Iterator[Block]:
        for block in blocks:
            if block.first > position:
                return
            if block.first != self.next_seq:
                raise StoreError(
                    f"expected record {self.next_seq} of the log next, got {block.first}: people cannot be recomputed "
                    "from a part of the log; where retention has dropped its beginning, use an older snapshot of it"
                )
            self.next_seq += block.count
            yield block

    def _records(self, chunk: list[Block]) -> dict[str, Column]:
        counts = [block.count for block in chunk]
        ids = _split(b"".join([block.subject for block in chunk]))
        event = np.frombuffer(b"".join([block.event for block in chunk]), "<u8")
        return {
            "seq": np.arange(chunk[0].first, chunk[0].first + sum(counts)),
            "stamp": np.repeat(np.array([block.stamp for block in chunk], np.int64), counts),
            "effective": np.frombuffer(b"".join([block.effective for block in chunk]), "<i8"),
            "kind": _u8([block.kind for block in chunk]),
            "origin": _u8([block.origin for block in chunk]),
            "verdict": _u8([block.verdict for block in chunk]),
            "known": _u8([block.known for block in chunk]) > 0,
            "subject": np.array([self._number(id_) for id_ in ids], np.int64),
            "event_low": event[0::2],
            "event_high": event[1::2],
        }

    def _bodies(self, chunk: list[Block]) -> Iterator[tuple[Any, ...]]:
        for block in chunk:
            used = {code: self._used[name] for code, name in enumerate(block.names) if name in self._used}
            for place, code in enumerate(_codes(block.name)):
                if code in used and self._wants(block, place):
                    row = (block.first + place, block.names[code], block.key[place], block.message_id[place])
                    yield (*row, _open(block, place, used[code].open), _sealed(block, place, used[code].sealed))

    def _mentions(self, chunk: list[Block]) -> Iterator[tuple[Any, ...]]:
        for block in chunk:
            codes = _codes(block.name)
            for place, mentions in block.mentions.items():
                name = block.names[codes[place]]
                for order, one in enumerate(mentions):
                    yield block.first + place, order, self._number(one.subject), one.known, name, block.key[place]

    def _consents(self, chunk: list[Block]) -> Iterator[tuple[Any, ...]]:
        for block in chunk:
            for place, context in block.context.items():
                consent = context.get("consent")
                if consent and self._wants(block, place):
                    for purpose, allowed in consent.items():
                        yield block.first + place, block.message_id[place], purpose, allowed

    def _number(self, subject: bytes) -> int:
        return self.numbers.setdefault(subject, len(self.numbers))

    def _wants(self, block: Block, place: int) -> bool:
        return _subject(block, place) in self._wanted

    def _insert(self, table: str, columns: dict[str, Column]) -> None:
        self._db.register("incoming", columns)
        self._db.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
        self._db.unregister("incoming")


BODY = {"seq": "i8", "name": "O", "key": "u1", "message_id": "O", "open": "O", "sealed": "O"}
MENTION = {"seq": "i8", "place": "i8", "mentioned": "i8", "known": "?", "name": "O", "key": "u1"}
CONSENT = {"seq": "i8", "message_id": "O", "purpose": "O", "allowed": "?"}
"""Columns of the tables that are filled row by row, with their numpy types."""


def used_fields(compiled: Compiled) -> dict[str, Used]:
    """Return, by the name of each event that feeds a feature, the fields that features read."""
    used: dict[str, Used] = {}
    for spec in compiled.features:
        of_event = used.setdefault(spec.event, Used())
        of_event.open |= _where_fields(spec)
        if spec.field is not None:
            (of_event.sealed if spec.personal else of_event.open).add(spec.field)
    return used


def _where_fields(spec: FeatureSpec) -> set[str]:
    if spec.where is None:
        return set()
    condition: Expr = msgspec.convert(spec.where, Expr)
    return {node.name for node in walk(condition) if isinstance(node, Field)}


def _chunks(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    chunk: list[Block] = []
    for block in blocks:
        chunk.append(block)
        if block.first + block.count - chunk[0].first >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _columns(types: dict[str, str], rows: Iterable[tuple[Any, ...]]) -> dict[str, Column]:
    """Return rows as columns, by way of one flat list: so many living tuples would keep the garbage collector busy."""
    flat = list(chain.from_iterable(rows))
    width = len(types)
    return {name: np.array(flat[place::width], type_) for place, (name, type_) in enumerate(types.items())}


def _u8(columns: list[bytes]) -> Column:
    return np.frombuffer(b"".join(columns), np.uint8)


def _split(ids: bytes) -> list[bytes]:
    return [ids[at : at + 16] for at in range(0, len(ids), 16)]


def _codes(column: bytes) -> list[int]:
    codes: list[int] = np.frombuffer(column, "<u2").tolist()
    return codes


def _subject(block: Block, place: int) -> bytes:
    return block.subject[16 * place : 16 * place + 16]


def _open(block: Block, place: int, used: set[str]) -> str:
    """Return the open fields and the facets in use, as JSON; a field that is null is not there."""
    given = {**block.properties[place], **block.record_facets.get(place, {})}
    there = {name: value for name, value in given.items() if name in used and value is not None}
    return _JSON.encode(there).decode() if there else "{}"


def _sealed(block: Block, place: int, used: set[str]) -> str:
    """Return the seals of the personal fields in use with what opens them, as JSON."""
    there = used & block.sealed_fields[place].keys()
    if not there:
        return "{}"
    record = block.record(place)
    return _JSON.encode({name: record.sealed_value(name) for name in there}).decode()


def _forgotten(block: Block) -> tuple[bytes, ...]:
    """Return the subjects that a block says to forget."""
    if block.kind[0] != Kind.FORGET:
        return ()
    with suppress(msgspec.ValidationError):
        return told_by(block.record(0), Forget).subjects
    return ()
