"""The writer of the log: whoever has something for the log hands it in here, and hears when it is committed.

In come calls and records in lanes, out go positions. One commit takes what waits: vault first, then one block
of the log, then every waiter hears. It runs on the event loop at the end of its turn (a writer thread loses
to the GIL). Promises: a position is told only after the fsync; a write error is told to all it concerns and
is safe to retry; after an error whose outcome nobody knows nothing is written until `recover`; each lane is
bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum

import msgspec

from livepost.errors import OutcomeUnknownError, OverloadedError, StoreError
from livepost.ids import SUBJECT_BYTES
from livepost.intake.call import Call
from livepost.intake.erased import ERASED, Erased
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival, NewId, Recorder, new_message_id
from livepost.log.base import Log
from livepost.log.body import MAX_BLOCK_RECORDS, packed_piece
from livepost.model.block import Block, columns_of
from livepost.model.forget import Forget
from livepost.model.piece import Piece, read_piece
from livepost.model.record import Appended, Kind, Origin, Record, Verdict
from livepost.vault.base import ExternalId, Vault

MEGABYTE = 1024 * 1024


class Lane(IntEnum):
    """Who goes first in a commit: live events, then what became of mails, then loads and imports."""

    LIVE = 0
    OUTCOME = 1
    LOAD = 2


def lane_of(origin: Origin) -> Lane:
    """Return the lane of clients' events."""
    return Lane.LIVE if origin is Origin.LIVE else Lane.LOAD


class LaneLimits(msgspec.Struct, frozen=True):
    """A lane's bounds: records a commit takes of it, records and bytes that may wait in it."""

    commit: int
    records: int
    size: int


LIMITS: dict[Lane, LaneLimits] = {
    Lane.LIVE: LaneLimits(commit=8_000, records=40_000, size=64 * MEGABYTE),
    Lane.OUTCOME: LaneLimits(commit=1_000, records=10_000, size=16 * MEGABYTE),
    Lane.LOAD: LaneLimits(commit=1_000, records=20_000, size=32 * MEGABYTE),
}


class Stores(msgspec.Struct, frozen=True):
    """What a commit writes to."""

    log: Log
    vault: Vault


class _Waiting(msgspec.Struct):
    """Records that wait for a commit, their size in bytes as it came in, and who wants to hear of it."""

    records: list[Record] | Piece
    size: int
    heard: asyncio.Future[int]


class _Queue:
    """One lane's waiting records, in order, within its limits."""

    def __init__(self, limits: LaneLimits) -> None:
        self.limits = limits
        self.records = 0
        self.size = 0
        self._waiting: deque[_Waiting] = deque()

    def require_room(self, records: int, size: int) -> None:
        """Raise OverloadedError if so much more does not fit; an empty lane takes one piece of any size."""
        if self._waiting and (self.records + records > self.limits.records or self.size + size > self.limits.size):
            raise OverloadedError(
                f"{self.records} records wait to be written, and at most {self.limits.records} may; "
                "send it again in a second"
            )

    def put(self, waiting: _Waiting) -> None:
        """Append at the end."""
        self._waiting.append(waiting)
        self.records += len(waiting.records)
        self.size += waiting.size

    def take(self, room: int) -> list[_Waiting]:
        """Take from the front what fits into `room` records and the lane's share of a commit, at least one
        piece if that alone fits into `room`.
        """
        taken: list[_Waiting] = []
        share = min(room, self.limits.commit)
        while self._waiting:
            count = len(self._waiting[0].records)
            if count > (share if taken else room):
                break
            share -= count
            room -= count
            self.size -= self._waiting[0].size
            self.records -= count
            taken.append(self._waiting.popleft())
        return taken

    def put_in_place(self, anew: Callable[[list[Record] | Piece], list[Record]]) -> None:
        """Let other records, as many, wait in place of those that do."""
        for waiting in self._waiting:
            waiting.records = anew(waiting.records)

    def __len__(self) -> int:
        return len(self._waiting)


class Intake:
    """The one way into the log; for one event loop's thread. Rehearsals use the synchronous half only."""

    def __init__(
        self,
        stores: Stores,
        plan: TrackingPlan,
        *,
        workspace: str,
        new_id: NewId = new_message_id,
        on_commit: Callable[[Appended], None] | None = None,
        reopen: Callable[[], Stores] | None = None,
        limits: dict[Lane, LaneLimits] = LIMITS,
    ) -> None:
        """`on_commit` hears of every commit (to wake readers); `reopen` closes and opens the stores anew."""
        self._stores = stores
        self._recorder = Recorder(workspace, stores.vault, plan, new_id)
        self._on_commit = on_commit
        self._reopen = reopen
        self._lanes = {lane: _Queue(limits[lane]) for lane in Lane}
        self._commit_due = False
        self._trouble: str | None = None
        self._forgotten: set[bytes] = set()

    @property
    def trouble(self) -> str | None:
        """Why nothing is written until `recover`, in a sentence; None if all is well."""
        return self._trouble

    @property
    def recorder(self) -> Recorder:
        """What makes records of calls here, for who looks at them before they are handed in as ready."""
        return self._recorder

    @property
    def waiting(self) -> int:
        """How many records wait for a commit."""
        return sum(queue.records for queue in self._lanes.values())

    def use_plan(self, plan: TrackingPlan) -> None:
        """Judge calls by another tracking plan from now on."""
        self._recorder.plan = plan

    def use_erased(self, erased: Erased, forgotten: Iterable[bytes]) -> None:
        """From now on keep out what the erasure list names, and records of subjects that were forgotten."""
        self._recorder.erased = erased
        self._forgotten.update(forgotten)

    def forget(self, subjects: Sequence[bytes]) -> Appended:
        """Append the record by which everybody forgets the people of these subjects; nothing of them comes behind it,
        whatever waits or is on its way here.
        """
        self._require_writing()
        self._forgotten.update(subjects)
        for queue in self._lanes.values():
            queue.put_in_place(self._let_in)
        control = msgspec.to_builtins(Forget(subjects=tuple(subjects)), builtin_types=(bytes,))
        return self.append([Record(kind=Kind.FORGET, origin=Origin.BACKFILL, control=control)])

    def submit(self, calls: Sequence[Call], arrival: Arrival, *, size: int) -> asyncio.Future[int]:
        """Take calls; the future gives the seq of the last one once all are committed.

        `size` is their length in bytes as received. Raises OverloadedError if the lane is full and StoreError
        if writing has stopped; the future raises StoreError if the commit fails.
        """
        lane = lane_of(arrival.origin)
        self._require_room(lane, len(calls), size)
        return self._put(lane, self._recorder.records(calls, arrival), size)

    def admit_records(self, records: Sequence[Record], lane: Lane, *, size: int = 0) -> asyncio.Future[int]:
        """Take ready records (outcomes, loads, control records), as `submit` does for calls."""
        self._require_room(lane, len(records), size)
        return self._put(lane, self._let_in(records), size)

    def admit_piece(self, piece: Piece, lane: Lane, *, size: int) -> asyncio.Future[int]:
        """Take records that are columns already, as `admit_records` does."""
        self._require_room(lane, len(piece), size)
        return self._put(lane, piece, size)

    def take(self, calls: Sequence[Call], arrival: Arrival) -> Appended:
        """Make records of calls and commit them now."""
        self._require_writing()
        return self.append(self._recorder.records(calls, arrival))

    def append(self, records: Sequence[Record]) -> Appended:
        """Commit ready records now, ahead of what waits; raises StoreError."""
        self._require_writing()
        appended = self._write([self._let_in(records)])
        self._tell(appended)
        return appended

    def make_subjects(self, ids: Sequence[ExternalId]) -> None:
        """Make those of the ids' subjects that are new, durably, for whoever finds them in the vault then.

        Raises StoreError.
        """
        self._require_writing()
        with self._noting_trouble():
            self._stores.vault.admit(ids)
            self._stores.vault.commit()

    def tick(self) -> Appended:
        """Let time pass: append a record with nothing but a stamp."""
        return self.append([Record(kind=Kind.TICK)])

    def recover(self) -> None:
        """Open the stores anew after an unknown outcome and write again; dedupe sorts out what was written
        twice.
        """
        if self._trouble is None:
            return
        if self._reopen is None:
            raise StoreError("expected a way to open the stores again, got none; restart the process")
        self._stores = self._reopen()
        self._recorder.vault = self._stores.vault
        self._trouble = None

    def _require_writing(self) -> None:
        if self._trouble is not None:
            raise StoreError(self._trouble)

    def _require_room(self, lane: Lane, records: int, size: int) -> None:
        self._require_writing()
        if not 1 <= records <= MAX_BLOCK_RECORDS:
            raise ValueError(f"expected 1 to {MAX_BLOCK_RECORDS} records at once, got {records}; split them")
        self._lanes[lane].require_room(records, size)

    def _put(self, lane: Lane, records: list[Record] | Piece, size: int) -> asyncio.Future[int]:
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[int] = loop.create_future()
        self._lanes[lane].put(_Waiting(records, size, heard))
        self._commit_soon(loop)
        return heard

    def _let_in(self, records: Sequence[Record] | Piece) -> list[Record]:
        """Return the records; of those that are about somebody who was forgotten nothing but that they came."""
        there = _records(records) if isinstance(records, Piece) else list(records)
        return [_emptied(one) if self._is_forgotten(one) else one for one in there] if self._forgotten else there

    def _is_forgotten(self, record: Record) -> bool:
        if record.subject in self._forgotten:
            return True
        return any(mention.subject in self._forgotten for mention in record.mentions)

    def _commit_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._commit_due:
            self._commit_due = True
            loop.call_soon(self._commit)

    def _commit(self) -> None:
        """Write one block of what waits, live first, and tell who waits; what is left follows in the next
        turn.
        """
        self._commit_due = False
        taken = self._take()
        try:
            self._require_writing()
            appended = self._write([waiting.records for waiting in taken])
        except Exception as error:  # whoever waits must hear, whatever failed
            _fail(taken, error)
        else:
            _settle(taken, appended)
            self._tell(appended)
        finally:
            if any(self._lanes.values()):
                self._commit_soon(asyncio.get_running_loop())

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        room = MAX_BLOCK_RECORDS
        for queue in self._lanes.values():
            pieces = queue.take(room)
            room -= sum(len(waiting.records) for waiting in pieces)
            taken.extend(pieces)
        return taken

    def _write(self, batches: Sequence[Sequence[Record] | Piece]) -> Appended:
        """Commit new subjects, then the block: a crash in between leaves subjects without events, never the
        reverse.
        """
        with self._noting_trouble():
            self._stores.vault.commit()
            return _append(self._stores.log, batches)

    @contextlib.contextmanager
    def _noting_trouble(self) -> Iterator[None]:
        """Write nothing more after a write whose outcome nobody knows."""
        try:
            yield
        except OutcomeUnknownError as error:
            self._trouble = (
                f"nothing is written since a write whose outcome nobody knows ({error}); "
                "it goes on when the stores have been opened again"
            )
            raise

    def _tell(self, appended: Appended) -> None:
        if self._on_commit is not None:
            self._on_commit(appended)


def _records(piece: Piece) -> list[Record]:
    """Return a piece's records."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(piece), type=Block).records()


def _emptied(record: Record) -> Record:
    """Return what is left of a record whose person was forgotten."""
    return Record(
        kind=record.kind,
        origin=record.origin,
        key=record.key,
        source=record.source,
        subject=bytes(SUBJECT_BYTES),
        name=record.name,
        received_at=record.received_at,
        effective_ts=record.effective_ts,
        verdict=Verdict.FILTERED,
        reason=ERASED,
    )


def _append(log: Log, batches: Sequence[Sequence[Record] | Piece]) -> Appended:
    """Append all batches as one block; records become a piece only where others are pieces already."""
    records = [record for batch in batches if not isinstance(batch, Piece) for record in batch]
    if len(records) == sum(map(len, batches)):
        return log.append(records)
    return log.append_pieces(list(_pieces(batches)))


def _pieces(batches: Sequence[Sequence[Record] | Piece]) -> Iterator[Piece]:
    """Yield the batches as pieces, those of records that follow each other as one."""
    run: list[Record] = []
    for batch in batches:
        if not isinstance(batch, Piece):
            run.extend(batch)
            continue
        if run:
            yield read_piece(packed_piece(columns_of(run)))
            run = []
        yield batch
    if run:
        yield read_piece(packed_piece(columns_of(run)))


def _fail(taken: list[_Waiting], error: Exception) -> None:
    for waiting in taken:
        if not waiting.heard.done():
            waiting.heard.set_exception(error)


def _settle(taken: list[_Waiting], appended: Appended) -> None:
    last = appended.first - 1
    for waiting in taken:
        last += len(waiting.records)
        if not waiting.heard.done():
            waiting.heard.set_result(last)
