"""The log on disk: SQLite files, one a segment (a UTC day of stamp, or 1 GB), one commit a block.

In: records from the one writer. Out: blocks for any number of readers in any process. Promises: what `append`
returned for is fsynced; a segment's name says where it begins, so a reader finds the next one by looking for
one name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal

import apsw

from livepost.clock import DAY_MS, Clock, WallClock
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.log.base import Found, Position
from livepost.log.body import events_in, joined_block, new_block, pack
from livepost.log.finding import BlockBody, found_in
from livepost.log.segment import (
    BlockRow,
    Segment,
    insert,
    open_for_writing,
    open_segment,
    require_sqlite,
    segment_firsts,
    segment_name,
    segment_path,
    sync_folder,
    unlink_segment,
)
from livepost.log.stamp import Stamper
from livepost.model.block import Block
from livepost.model.piece import Piece
from livepost.model.record import Appended, Record

ROLL_BYTES = 1_000_000_000
"""A segment ends with the block that reaches this many bytes of bodies."""

WAL_PAGES = 1_000
"""Pages (32 KB each) that a WAL holds at most before it is moved to its segment's file."""

OPEN_SEGMENTS = 4
"""Segments a reader keeps open at most."""


class SqliteLogReader:
    """Reads a log folder from any process; for one thread."""

    def __init__(self, folder: Path, *, vfs: str | None = None) -> None:
        """Read the log in `folder`, which may still be empty or missing; `vfs` names an apsw VFS."""
        require_sqlite(apsw.sqlite_lib_version())
        self._folder = folder
        self._folder_name = str(folder)
        self._vfs = vfs
        self._firsts = segment_firsts(folder)
        self._open: OrderedDict[int, Segment] = OrderedDict()

    def last(self) -> Position:
        """Return the position of the newest committed record; (-1, 0) if there never was one."""
        newest = self._newest()
        return Position(newest.last, newest.stamp) if newest else Position(-1, 0)

    def first(self) -> int:
        """Return the seq of the oldest record still kept; 0 in a new log."""
        self._firsts = segment_firsts(self._folder)
        return self._firsts[0] if self._firsts else 0

    def read(self, after: int, limit: int) -> list[Block]:
        """Return the blocks after a seq until `limit` records are reached (LogReader.read)."""
        if limit < 1:
            raise ValueError(f"expected a limit of at least 1 record, got {limit}")
        blocks: list[Block] = []
        held = 0
        while held < limit:
            segment = self._holding(after + 1)
            more = segment.blocks(after, limit - held) if segment else []
            if more:
                blocks += more
                held += sum(block.count for block in more)
                after = more[-1].first + more[-1].count - 1
            elif not self._find_later_segments():
                break
        return blocks

    def records_of(self, subjects: Collection[bytes], before: int, scan: int) -> Found:
        """Return the subjects' records in the newest blocks before a seq (LogReader.records_of)."""
        return found_in(self._bodies_before(before), subjects, before, scan)

    def position_of(self, stamp: int) -> Position | None:
        """Return the first record whose stamp >= `stamp`, or None if there is none yet."""
        self._newest()
        answer = None
        for first in reversed(self._firsts):
            segment = self._segment(first)
            if segment is None or segment.newest() is None:
                continue
            found = segment.position_of(stamp)
            answer = found or answer
            if found is None or found.seq > first:
                break
        return answer

    def events_after(self, after: int) -> int:
        """Return how many events have a seq > `after`; StoreError if retention dropped some of them."""
        newest = self._newest()
        if newest is None or after >= newest.last:
            return 0
        segment = self._holding(after + 1)
        before = segment.events_before(after + 1) if segment else 0
        return newest.events_before + newest.events - before

    def events(self) -> int:
        """Return how many events were ever committed."""
        newest = self._newest()
        return newest.events_before + newest.events if newest else 0

    def committed_ms(self, seq: int) -> int:
        """Return the host time (ms) of the commit of the record's block; StoreError if it is not there."""
        self._find_later_segments()
        segment = self._holding(seq) if seq >= 0 else None
        row = segment.holding(seq) if segment else None
        if row is None or row.last < seq:
            raise StoreError(f"expected a seq from {self.first()} to {self.last().seq}, got {seq}")
        return row.committed_ms

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._open.popitem()[1].close()

    def _bodies_before(self, before: int) -> Iterator[BlockBody]:
        """Go through the blocks that begin before a seq, the newest first; retention may cut it short."""
        self._find_later_segments()
        for begin in reversed(self._firsts[: bisect_left(self._firsts, before)]):
            segment = self._segment(begin) if self._is_there(begin) else None
            yield from segment.bodies_before(before) if segment else ()

    def _newest(self) -> BlockRow | None:
        """Return the newest block's row; the newest segment may have been made and not yet written to."""
        self._find_later_segments()
        for first in reversed(self._firsts):
            segment = self._segment(first)
            row = segment.newest() if segment else None
            if row is not None:
                return row
        return None

    def _find_later_segments(self) -> bool:
        """Look for segments that the writer began since, and return whether there are any.

        The next one is named by the seq after the newest known record, so this is one look at one name,
        unless the segment at hand was unlinked: then retention has passed this reader, and it starts from
        what is left.
        """
        known = list(self._firsts)
        while self._firsts:
            segment = self._segment(self._firsts[-1])
            newest = segment.newest() if segment else None
            if newest is None or not self._is_there(newest.last + 1):
                break
            self._firsts.append(newest.last + 1)
        if not self._firsts or not self._is_there(self._firsts[-1]):
            self._firsts = segment_firsts(self._folder)
        return self._firsts != known

    def _holding(self, seq: int) -> Segment | None:
        """Return the segment that holds `seq`, now or once it is written; None if there is none yet.

        Raises StoreError if retention dropped it.
        """
        if not self._firsts:
            self._find_later_segments()
        if not self._firsts:
            return None
        place = bisect_right(self._firsts, seq) - 1
        # The newest one needs no look: it is never dropped, and readers at the end of the log come here
        # often.
        if place < 0 or (place < len(self._firsts) - 1 and not self._is_there(self._firsts[place])):
            raise self._pruned(seq - 1)
        return self._segment(self._firsts[place])

    def _is_there(self, first: int) -> bool:
        return os.path.exists(os.path.join(self._folder_name, segment_name(first)))

    def _segment(self, first: int) -> Segment | None:
        segment = self._open.get(first)
        if segment is None:
            segment = open_segment(segment_path(self._folder, first), self._vfs)
            if segment is None:
                return None
            self._open[first] = segment
        self._open.move_to_end(first)
        while len(self._open) > OPEN_SEGMENTS:
            self._open.popitem(last=False)[1].close()
        return segment

    def _pruned(self, after: int) -> StoreError:
        return StoreError(
            f"expected to read from {self.first()} on, got {after + 1}: retention dropped what was before; "
            "read on from the oldest record kept"
        )


class SqliteLog(SqliteLogReader):
    """The one writer of a log folder, which reads it too; for one thread."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        roll_ms: int = DAY_MS,
        roll_bytes: int = ROLL_BYTES,
        host: Clock | None = None,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        wal_pages: int = WAL_PAGES,
        vfs: str | None = None,
    ) -> None:
        """Open the log in `folder` for writing, making it if it is not there.

        `roll_ms` and `roll_bytes` say when a segment ends; `host` is the host's clock, for `committed_ms`.
        `synchronous="NORMAL"` is for negative controls: it loses acknowledged records in a power cut.
        Raises StoreError if another process writes this log, or it cannot be opened.
        """
        super().__init__(folder, vfs=vfs)
        self._roll_ms = roll_ms
        self._roll_bytes = roll_bytes
        self._host = host or WallClock()
        self._synchronous = synchronous
        self._wal_pages_max = wal_pages
        self._wal_pages = 0
        self._broken = ""
        with contextlib.ExitStack() as opened:
            opened.callback(super().close)
            self._lock = _lock(folder)
            opened.callback(os.close, self._lock)
            self._resume(clock)
            opened.callback(self._close_writer)
            self._close = opened.pop_all()

    @property
    def clock_trouble(self) -> str | None:
        """What is wrong with the clock, in a sentence; None if nothing is."""
        return self._stamper.trouble

    def append(self, records: Sequence[Record]) -> Appended:
        """Commit the records as one block and fsync; return where they are (Log.append).

        Raises ValueError for none, or more than `MAX_BLOCK_RECORDS`, of them.
        """
        self._require_sound()
        return self._put(new_block(records, self._next, self._stamper.next()))

    def append_pieces(self, pieces: Sequence[Piece]) -> Appended:
        """Do with pieces what `append` does with the records they hold (Log.append_pieces)."""
        self._require_sound()
        return self._put(joined_block(pieces, self._next, self._stamper.next()))

    def prune(self, before_seq: int, before_stamp: int) -> int:
        """Unlink whole segments before both, never the newest with records; return how many records went."""
        self._find_later_segments()
        gone = 0
        while len(self._firsts) > 1 and self._firsts[1] < self._next:
            segment = self._segment(self._firsts[0])
            newest = segment.newest() if segment else None
            if newest is None or newest.last >= before_seq or newest.stamp >= before_stamp:
                break
            gone += self._firsts[1] - self._firsts[0]
            self._drop_oldest()
        return gone

    def close(self) -> None:
        """Close all files and let another writer in."""
        self._close.close()

    def _require_sound(self) -> None:
        if self._broken:
            raise StoreError(f"the log takes nothing more since {self._broken}; close it and open it again")

    def _put(self, block: Block | Piece) -> Appended:
        body = pack(block)
        self._roll_if_due(block.stamp)
        row = BlockRow(
            first=block.first,
            last=block.first + block.count - 1,
            stamp=block.stamp,
            events=events_in(block),
            events_before=self._events,
            committed_ms=self._host.now_ms(),
        )
        self._commit(row, body)
        return Appended(row.first, row.last, row.stamp, row.committed_ms)

    def _resume(self, clock: Clock) -> None:
        """Take up where the newest block ends."""
        newest = self._newest()
        self._stamper = Stamper(clock, newest.stamp if newest else 0)
        self._next = newest.last + 1 if newest else 0
        self._events = newest.events_before + newest.events if newest else 0
        first = self._firsts[-1] if self._firsts else 0
        self._writer = self._open_writer(first)
        self._firsts = segment_firsts(self._folder)
        oldest = self._oldest_block(first)
        self._day = oldest.stamp // self._roll_ms if oldest else None
        self._bytes = os.path.getsize(segment_path(self._folder, first)) if oldest else 0

    def _roll_if_due(self, stamp: int) -> None:
        """Begin a new segment if the newest one is over."""
        if self._day is None or (stamp // self._roll_ms == self._day and self._bytes < self._roll_bytes):
            return
        writer = self._open_writer(self._next)
        self._close_writer()
        self._writer, self._day, self._bytes = writer, None, 0
        self._find_later_segments()

    def _open_writer(self, first: int) -> apsw.Connection:
        path = segment_path(self._folder, first)
        try:
            writer = open_for_writing(path, self._synchronous, self._vfs)
        except (apsw.Error, OSError) as error:
            raise StoreError(f"the log segment {path} cannot be opened: {error}; nothing was written") from error
        # It replaces SQLite's own move of the WAL, whose failure is told as that of a commit which succeeded.
        writer.set_wal_hook(self._note_wal)
        return writer

    def _close_writer(self) -> None:
        # What is in the WAL is as safe there as in the file: a checkpoint that fails is made up for by the
        # next one.
        with contextlib.suppress(apsw.Error):
            self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._writer.close()

    def _commit(self, row: BlockRow, body: bytes) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            insert(self._writer, row, body)
        except apsw.Error as error:
            raise self._not_written(error) from error
        try:
            self._writer.execute("COMMIT")
        except apsw.IOError as error:
            # The WAL may hold the block or not, and the kernel may tell the next fsync that all is well.
            self._broken = f"a commit failed ({error})"
            raise OutcomeUnknownError(
                f"nobody can know whether the log has the records {row.first} to {row.last}: {error}; "
                "close the log, open it again and deduplicate"
            ) from error
        except apsw.Error as error:
            raise self._not_written(error) from error
        self._day = row.stamp // self._roll_ms if self._day is None else self._day
        self._next = row.last + 1
        self._events += row.events
        self._bytes += len(body)
        self._move_wal_if_due()

    def _move_wal_if_due(self) -> None:
        """Move a long WAL to the segment's file; what fails now is as safe in the WAL, and tried again."""
        if self._wal_pages >= self._wal_pages_max:
            with contextlib.suppress(apsw.Error):
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def _note_wal(self, _: apsw.Connection, __: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _not_written(self, error: apsw.Error) -> StoreError:
        """Roll back and return the error to raise; if that fails too, the log is done with."""
        try:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        except apsw.Error as second:
            self._broken = f"a transaction could not be rolled back ({second})"
            return OutcomeUnknownError(f"the log failed ({error}) and then {self._broken}; open it again")
        return StoreError(f"the log could not be written: {error}; nothing was taken, try again")

    def _oldest_block(self, first: int) -> BlockRow | None:
        segment = self._segment(first)
        return segment.holding(first) if segment else None

    def _drop_oldest(self) -> None:
        first = self._firsts.pop(0)
        segment = self._open.pop(first, None)
        if segment:
            segment.close()
        unlink_segment(segment_path(self._folder, first))


def _lock(folder: Path) -> int:
    """Make the folder, and take the lock of its writer; return the lock's file descriptor."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o700)
            sync_folder(folder.parent)
        lock = os.open(folder / "writer.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the log folder {folder} cannot be made: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StoreError(
            f"another process writes the log in {folder}; stop it, or read with a SqliteLogReader"
        ) from error
    return lock
