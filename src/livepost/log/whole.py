"""A whole log, block by block, for who reads it from its beginning."""

from __future__ import annotations

from collections.abc import Iterator

from livepost.log.base import LogReader
from livepost.model.block import Block

READ_RECORDS = 20_000
"""Records read at a time."""


def blocks_of(log: LogReader) -> Iterator[Block]:
    """Yield the blocks of a log, from the first that retention has kept to the last there is when it comes to it."""
    after = log.first() - 1
    while blocks := log.read(after, READ_RECORDS):
        yield from blocks
        after = blocks[-1].first + blocks[-1].count - 1
