"""A log in memory, for Rehearsals and tests: in and out as any log, gone with its process.

It keeps blocks as the bytes that a disk would hold, so that nobody shares a dict with it, and drops whole
blocks where other bodies drop segments.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence

import msgspec

from livepost.clock import Clock, WallClock
from livepost.errors import StoreError
from livepost.log.base import Found, Position
from livepost.log.body import events_in, joined_block, new_block, pack, unpack
from livepost.log.finding import found_in
from livepost.log.stamp import Stamper
from livepost.model.block import Block, rest_after
from livepost.model.piece import Piece
from livepost.model.record import Appended, Record

CAPACITY = 10_000_000
"""Records a log in memory holds at most."""


class _Kept(msgspec.Struct, frozen=True):
    """A block as kept: where it is, how many events came before it and are in it, and its body."""

    first: int
    last: int
    stamp: int
    events_before: int
    events: int
    committed_ms: int
    body: bytes


class MemoryLog:
    """A log and its reader in one; for one thread."""

    def __init__(self, clock: Clock, *, host: Clock | None = None, capacity: int = CAPACITY) -> None:
        """Start an empty log that stamps with `clock`; `host` is the host's clock, for `committed_ms`."""
        self._stamper = Stamper(clock, 0)
        self._host = host or WallClock()
        self._capacity = capacity
        self._kept: list[_Kept] = []

    @property
    def clock_trouble(self) -> str | None:
        """What is wrong with the clock, in a sentence; None if nothing is."""
        return self._stamper.trouble

    def append(self, records: Sequence[Record]) -> Appended:
        """Keep the records as one block; StoreError if the log is full, ValueError if it is no block."""
        self._require_room(len(records))
        return self._keep(new_block(records, self.last().seq + 1, self._stamper.next()))

    def append_pieces(self, pieces: Sequence[Piece]) -> Appended:
        """Keep the records of the pieces as one block; it raises what `append` does."""
        self._require_room(sum(len(piece) for piece in pieces))
        return self._keep(joined_block(pieces, self.last().seq + 1, self._stamper.next()))

    def last(self) -> Position:
        """Return the position of the newest record; (-1, 0) if there never was one."""
        return Position(self._kept[-1].last, self._kept[-1].stamp) if self._kept else Position(-1, 0)

    def first(self) -> int:
        """Return the seq of the oldest record kept; 0 in a new log."""
        return self._kept[0].first if self._kept else 0

    def read(self, after: int, limit: int) -> list[Block]:
        """Return the blocks after a seq until `limit` records are reached (LogReader.read)."""
        if limit < 1:
            raise ValueError(f"expected a limit of at least 1 record, got {limit}")
        self._refuse_pruned(after)
        blocks: list[Block] = []
        held = 0
        for kept in self._kept[self._place(after + 1) :]:
            if held >= limit:
                break
            blocks.append(rest_after(unpack(kept.body), after))
            held += blocks[-1].count
        return blocks

    def records_of(self, subjects: Collection[bytes], before: int, scan: int) -> Found:
        """Return the subjects' records in the newest blocks before a seq (LogReader.records_of)."""
        older = reversed(self._kept[: bisect_left(self._kept, before, key=lambda kept: kept.first)])
        return found_in(((kept.first, kept.last, kept.stamp, kept.body) for kept in older), subjects, before, scan)

    def position_of(self, stamp: int) -> Position | None:
        """Return the first record whose stamp >= `stamp`, or None if there is none yet."""
        place = bisect_left(self._kept, stamp, key=lambda kept: kept.stamp)
        if place == len(self._kept):
            return None
        return Position(self._kept[place].first, self._kept[place].stamp)

    def events_after(self, after: int) -> int:
        """Return how many events have a seq > `after`."""
        self._refuse_pruned(after)
        place = self._place(after + 1)
        if place == len(self._kept):
            return 0
        kept = self._kept[place]
        later = self.events() - kept.events_before - kept.events
        return later + events_in(rest_after(unpack(kept.body), after))

    def events(self) -> int:
        """Return how many events were ever committed."""
        return self._kept[-1].events_before + self._kept[-1].events if self._kept else 0

    def committed_ms(self, seq: int) -> int:
        """Return the host time (ms) at which the record's block was kept; StoreError if there is no such
        record.
        """
        if not self.first() <= seq <= self.last().seq:
            raise StoreError(f"expected a seq from {self.first()} to {self.last().seq}, got {seq}")
        return self._kept[self._place(seq)].committed_ms

    def prune(self, before_seq: int, before_stamp: int) -> int:
        """Drop whole blocks before both, never the newest; return how many records went."""
        held = bisect_left(self._kept, before_seq, key=lambda kept: kept.last)
        held = min(held, bisect_left(self._kept, before_stamp, key=lambda kept: kept.stamp), len(self._kept) - 1)
        if held <= 0:
            return 0
        gone = self._kept[held].first - self._kept[0].first
        del self._kept[:held]
        return gone

    def close(self) -> None:
        """Do nothing: there are no files to release."""

    def _require_room(self, records: int) -> None:
        if self.last().seq + 1 + records - self.first() > self._capacity:
            raise StoreError(f"a log in memory holds {self._capacity} records at most; prune it or use `sqlite:`")

    def _keep(self, block: Block | Piece) -> Appended:
        kept = _Kept(
            first=block.first,
            last=block.first + block.count - 1,
            stamp=block.stamp,
            events_before=self.events(),
            events=events_in(block),
            committed_ms=self._host.now_ms(),
            body=pack(block),
        )
        self._kept.append(kept)
        return Appended(kept.first, kept.last, kept.stamp, kept.committed_ms)

    def _place(self, seq: int) -> int:
        """Return the place of the block that holds `seq`, or of the next one."""
        return bisect_right(self._kept, seq - 1, key=lambda kept: kept.last)

    def _refuse_pruned(self, after: int) -> None:
        if after + 1 < self.first():
            raise StoreError(
                f"expected to read from {self.first()} on, got {after + 1}: retention dropped what was "
                "before; read on from the oldest record kept"
            )
