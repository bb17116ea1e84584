"""A log that is another one than it was: what no Livepost does, for the controls of those who must find it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw

from livepost.log.body import events_in, pack, unpack
from livepost.model.block import block_of
from livepost.model.record import Record


def alter(log: Path, change: Callable[[Record], Record]) -> int:
    """Put what `change` makes of each record into its place in a log's folder; return how many are other ones."""
    altered = 0
    for segment in sorted(log.glob("*.db")):
        with closing(apsw.Connection(str(segment))) as db:
            for first, raw in db.execute("SELECT first, body FROM blocks").fetchall():
                assert isinstance(raw, bytes)
                before = unpack(raw).records()
                after = [change(record) for record in before]
                altered += sum(one != other for one, other in zip(before, after, strict=True))
                if before != after:
                    block = block_of(after, before[0].seq, before[0].stamp)
                    db.execute(
                        "UPDATE blocks SET body = ?, events = ? WHERE first = ?", (pack(block), events_in(block), first)
                    )
    return altered
