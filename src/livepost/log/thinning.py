"""Sealed values taken out of old blocks of the log, in place: an empty seal stays where a value was.

In: a log's folder, a span of records, what decides whose seal goes. Out: how many went, of what. Promised: the newest
segment is not touched, so its writer is never in the way; a block is changed wholly or not at all; what is overwritten
leaves neither file nor WAL; seq, ids, open fields and that there was a value stay, so every reader folds the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw
import msgspec

from livepost.errors import StoreError
from livepost.log.body import pack, unpack
from livepost.log.segment import BUSY_MS, segment_firsts, segment_path
from livepost.model.block import Block

Goes = Callable[[str, str], str]
"""Says by an event's name and a seal's whose seal it is that goes, by a word to count it under; "" if it stays."""

BLOCKS_AT_ONCE = 16
"""Blocks changed in one transaction."""

GONE = b""
"""The seal that stands where a value was taken out: no key opens it."""

_PART = "SELECT first, stamp, body FROM blocks WHERE first >= ? AND first < ? AND stamp < ? ORDER BY first LIMIT ?"
_YOUNGER = "SELECT first FROM blocks WHERE first >= ? AND first < ? AND stamp >= ? ORDER BY first LIMIT 1"


class Thinned(msgspec.Struct, frozen=True):
    """What a part of the work did: the seq to go on from, whether there may be `more` to do now, how many seals went
    under which word, and the stamp (ms) of the oldest of each.
    """

    go_on: int
    more: bool
    gone: dict[str, int]
    oldest: dict[str, int]


def thin(folder: Path, first: int, before_stamp: int, goes: Goes, *, change: bool = True) -> Thinned:
    """Take seals out of the next blocks from `first` on that are older than a stamp (ms); `change=False` only counts.

    Raises StoreError if a segment cannot be read or written.
    """
    firsts = segment_firsts(folder)
    spans = ((begin, end) for begin, end in pairwise(firsts) if first < end)
    begin, end = next(spans, (0, 0))
    if not end:
        return Thinned(first, False, {}, {})
    path = segment_path(folder, begin)
    try:
        with closing(_opened(path)) as connection:
            return _part(connection, (max(first, begin), end), before_stamp, goes, change)
    except apsw.CantOpenError:  # dropped meanwhile
        return Thinned(end, True, {}, {})
    except apsw.Error as error:
        raise StoreError(f"the log segment {path.name} cannot be thinned: {error}; it is tried again") from error


def _part(connection: apsw.Connection, span: tuple[int, int], before_stamp: int, goes: Goes, change: bool) -> Thinned:
    gone: Counter[str] = Counter()
    oldest: dict[str, int] = {}
    changed = []
    rows: list[Any] = connection.execute(_PART, (*span, before_stamp, BLOCKS_AT_ONCE)).fetchall()
    for first, stamp, body in rows:
        thinner = _without(unpack(body), goes, gone)
        if thinner is not None:
            changed.append((pack(thinner), first))
            for word in gone:
                oldest.setdefault(word, stamp)
    if change and rows:
        _write(connection, changed)
    if len(rows) == BLOCKS_AT_ONCE:
        return Thinned(rows[-1][0] + 1, True, gone, oldest)
    younger: Any = connection.execute(_YOUNGER, (*span, before_stamp)).fetchone()
    return Thinned(span[1] if younger is None else younger[0], younger is None, gone, oldest)


def _without(block: Block, goes: Goes, gone: Counter[str]) -> Block | None:
    """Return the block with empty seals where values go; None where none does."""
    fields = block.sealed_fields
    names = [block.names[int.from_bytes(block.name[2 * at : 2 * at + 2], "little")] for at in range(block.count)]
    found = False
    for event, sealed in zip(names, fields, strict=True):
        for name, seal in sealed.items():
            word = goes(event, name) if seal else ""
            if word:
                sealed[name] = GONE
                gone[word] += 1
                found = True
    return msgspec.structs.replace(block, sealed=msgspec.Raw(msgspec.msgpack.encode(fields))) if found else None


def _opened(path: Path) -> apsw.Connection:
    """Open a segment that is there; one that was dropped is not made anew."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(BUSY_MS)
    for pragma in ("secure_delete = ON", "synchronous = FULL", "fullfsync = ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def _write(connection: apsw.Connection, changed: list[tuple[bytes, int]]) -> None:
    """Write blocks, and cut the WAL: also where a part that was written before could not."""
    with connection:
        connection.executemany("UPDATE blocks SET body = ? WHERE first = ?", changed)
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
