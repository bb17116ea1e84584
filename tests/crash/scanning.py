"""Looks for words in everything that a data folder holds: file by file as bytes, and through each store's own reader.

A word is looked for as it is and as programs write it: JSON, URL, hex, base64, UTF-16.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import apsw
import msgspec
import zstandard

from livepost.clock import WallClock
from livepost.model.compiled import Compiled
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.worker import Worker
from tests.crash.proofs import records_of
from tests.crash.replaying import ALL

_SAMPLES = (0, 1, 2)
"""Base64 writes three bytes as four letters: a word looks three ways, as it begins at the first, second or third."""


def found_in(words: Iterable[str], places: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return `place: word (form)` for each word that stands somewhere in clear."""
    forms = [(word, name, form) for word in words for name, form in forms_of(word)]
    found = set()
    for place, raw in places:
        small = raw.lower()
        for word, name, form in forms:
            if form in (raw if name == "base64" else small):
                found.add(f"{place}: {word} ({name})")
    return sorted(found)


def forms_of(word: str) -> Iterator[tuple[str, bytes]]:
    """Go through the forms of a word, all but base64 in small letters."""
    plain = word.encode()
    yield "plain", plain.lower()
    yield "json", json.dumps(word)[1:-1].encode().lower()
    yield "url", quote(word, safe="").encode().lower()
    yield "hex", plain.hex().encode()
    yield "utf-16", word.lower().encode("utf-16-le")
    for skipped in _SAMPLES:
        whole = base64.b64encode(bytes(skipped) + plain)
        yield "base64", whole[4 if skipped else 0 : len(whole) - 4]


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Go through every file, also those that no reader would open: WALs, locks, what SQLite has not overwritten."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"file {path.relative_to(folder)}", path.read_bytes()
        yield f"name of {path.relative_to(folder).parent}", path.name.encode()


def read_out(folder: DataFolder, compiled: Compiled) -> Iterator[tuple[str, bytes]]:
    """Go through what each store's reader gives, unpacked but with no seal opened."""
    with closing(folder.log_reader()) as log:
        for record in records_of(log):
            yield "log", msgspec.msgpack.encode(record)
    with closing(folder.log_reader()) as log, closing(folder.state()) as state:
        worker = Worker(compiled, state, log, WallClock(), folder.settings.workspace, images=folder.images)
        for view in worker.everybody(ALL):
            yield "people", msgspec.msgpack.encode(view)
        for body in state.transitions(None, None, ALL):
            yield "transitions", body
        for _, body in state.outbox(-1, ALL):
            yield "outbox", body
        for letter in state.dead(-1, ALL):
            yield "dead letters", msgspec.msgpack.encode(letter)
    for name in ("state.db", "ledger.db", "vault.db"):
        yield from ((name, row) for row in rows_in(folder.path / name))


def unpacked(places: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Go through places, and through what is packed in them by gzip, zlib or zstd."""
    for place, raw in places:
        yield place, raw
        for magic, unpack in _PACKED:
            at = raw.find(magic)
            while at >= 0:
                yield f"{place} unpacked", unpack(raw[at : at + _PACKED_MAX])
                at = raw.find(magic, at + 1)


def _zstd(raw: bytes) -> bytes:
    with suppress(zstandard.ZstdError):
        return zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    return b""


def _zlib(raw: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompressobj(wbits=47).decompress(raw, 1 << 24)
    return b""


_PACKED: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b\x08", _zlib),
    (b"\x78\x9c", _zlib),
    (b"\x28\xb5\x2f\xfd", _zstd),
)
_PACKED_MAX = 1 << 22


def rows_in(path: Path) -> Iterator[bytes]:
    """Go through every value of every table of a database."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):
                for value in row:
                    yield value if isinstance(value, bytes) else str(value).encode()
