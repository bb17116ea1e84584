"""A person's events, looked for backwards in a log that has no index by person.

In: a log, the person's subjects. Out: events, and how far was looked. Promised: no further than the bounds say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import monotonic

import msgspec

from livepost.log.base import LogReader, Position
from livepost.model.record import Kind, Record

RECORDS_MAX = 500_000
"""Records of the log looked at for one story, about: the part at hand is finished."""

SECONDS_MAX = 0.3
"""How long the log is searched, about: the part at hand is finished."""

AT_ONCE = 2_000
"""Records looked at between two looks at the clock; a block is not cut."""


class Searched(msgspec.Struct, frozen=True):
    """A person's events, the newest first; the oldest record looked at; whether that is the oldest there is."""

    events: list[Record]
    oldest: Position
    whole: bool


class Bounds(msgspec.Struct, frozen=True):
    """How far the log is searched: so many records, so many seconds."""

    records: int = RECORDS_MAX
    seconds: float = SECONDS_MAX


USUAL = Bounds()


def search(
    log: LogReader,
    subjects: Collection[bytes],
    limit: int,
    now_s: Callable[[], float] = monotonic,
    *,
    upto: Position | None = None,
    bounds: Bounds | None = None,
) -> Searched:
    """Return the newest events of these subjects: more than `limit`, or all within the bounds; none beyond `upto`.

    `now_s` tells seconds and never goes back. Raises StoreError if the log cannot be read.
    """
    last, bounds = upto or log.last(), bounds or USUAL
    oldest = Position(last.seq + 1, last.stamp)
    until_s, until_seq = now_s() + bounds.seconds, oldest.seq - bounds.records
    events: list[Record] = []
    while True:
        found = log.records_of(subjects, oldest.seq, AT_ONCE)
        if found.first.seq == oldest.seq:
            return Searched(events, oldest, whole=True)
        oldest = found.first
        events += [record for record in found.records if record.kind is Kind.EVENT]
        if len(events) > limit or oldest.seq <= until_seq or now_s() >= until_s:
            return Searched(events, oldest, whole=oldest.seq <= log.first())
