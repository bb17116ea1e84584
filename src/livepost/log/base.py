"""What every log does. Bodies: `memory.py`, `sqlite.py`; all pass `livepost.testing.contracts.log`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from livepost.model.block import Block
from livepost.model.piece import Piece
from livepost.model.record import Appended, Record


class Position(msgspec.Struct, frozen=True):
    """A place in the log: the seq of a record and its stamp (ms). (-1, 0) is before the first record."""

    seq: int
    stamp: int


class Found(msgspec.Struct, frozen=True):
    """The records of some subjects in a stretch of the log, the newest first, and the oldest record looked at."""

    records: list[Record]
    first: Position


class LogReader(Protocol):
    """The reading half: any process, any number of them."""

    def last(self) -> Position:
        """Return the position of the newest committed record; (-1, 0) if there never was one."""
        ...

    def first(self) -> int:
        """Return the seq of the oldest record still kept (0 in a new log)."""
        ...

    def read(self, after: int, limit: int) -> list[Block]:
        """Return the blocks holding records with seq > `after`: whole blocks, in order, at least one if there
        is any, and no more once `limit` records are reached. A block that `after` cuts is returned cut.

        Raises StoreError if `after` lies before what retention has kept.
        """
        ...

    def records_of(self, subjects: Collection[bytes], before: int, scan: int) -> Found:
        """Return the records of these subjects, the newest first, from the newest blocks with seq < `before` that have
        at least `scan` records of that kind: whole blocks, fewer where the log begins.

        There is no index by subject: what it costs is said in `log.finding`. A mention makes no record a subject's.
        Where nothing is left to look at, `first` is (`before`, 0). Raises StoreError if a block cannot be read.
        """
        ...

    def position_of(self, stamp: int) -> Position | None:
        """Return the first record whose stamp >= `stamp`, or None if there is none yet."""
        ...

    def events_after(self, after: int) -> int:
        """Return how many records of kind EVENT have seq > `after` (the "in flight" of conservation)."""
        ...

    def events(self) -> int:
        """Return how many records of kind EVENT were ever committed, those that retention dropped too."""
        ...

    def committed_ms(self, seq: int) -> int:
        """Return the host time (ms) at which the record's block was committed: for latencies only."""
        ...

    def close(self) -> None:
        """Release files; reading afterwards is an error."""
        ...


class Log(LogReader, Protocol):
    """The whole contract; one writer."""

    def append(self, records: Sequence[Record]) -> Appended:
        """Commit the records as one block and fsync; return where they are.

        The stamp is `max(last stamp, clock)`; effective_ts is clamped to it. Raises StoreError if nothing was
        written, OutcomeUnknownError if nobody can know (then close, reopen, and let dedupe sort it out).
        """
        ...

    def append_pieces(self, pieces: Sequence[Piece]) -> Appended:
        """Do with pieces what `append` does with the records they hold."""
        ...

    def prune(self, before_seq: int, before_stamp: int) -> int:
        """Drop whole segments all of whose records are before both; return how many records went."""
        ...
