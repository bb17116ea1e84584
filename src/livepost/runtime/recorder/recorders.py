"""The recorders as the front sees them: it hands large batches to them, as many as they keep up with.

In: bodies of batches. Out: their records as pieces, which the front alone writes. Promises: at most QUEUED jobs wait
for each recorder; no body is lost with a recorder, for what does not come back within JOB_S the front is told to do
itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

import msgspec

from livepost.errors import RejectedError
from livepost.intake.record import Arrival
from livepost.model.piece import Piece, read_piece
from livepost.runtime.recorder.job import Asked, Done, Job

LARGE_BYTES = 4_096
"""Bodies from this length on are handed over; for smaller ones the way there costs as much as the work."""

QUEUED = 4
"""Jobs that may wait for each recorder, which takes them together; what comes beyond the front does itself."""

IDLE_S = 10.0
"""Seconds a recorder waits for something to do before it asks again; its patience with the wire is longer."""

JOB_S = 2.0
"""Seconds a recorder has for a job; a body of the largest size takes it a tenth of a second."""


class Recorders:
    """The recorders of one front, for its event loop's thread."""

    def __init__(self, *, job_s: float = JOB_S, idle_s: float = IDLE_S) -> None:
        self._job_s = job_s
        self._idle_s = idle_s
        self.plan = ""
        """The hash of the tracking plan that calls are judged by from now on."""
        self._number = 0
        self._asking = 0
        self._queue: deque[Job] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._busy: dict[int, list[int]] = {}
        self._awaited: dict[int, asyncio.Future[Piece | None]] = {}

    def has_room(self, size: int) -> bool:
        """Say whether a body of `size` bytes had better be handed over."""
        return size >= LARGE_BYTES and len(self._queue) < QUEUED * (self._asking + len(self._busy))

    async def piece(self, body: bytes, arrival: Arrival) -> Piece | None:
        """Return a batch's records; None if no recorder gave them in time, or by another plan than that of now.

        Raises RejectedError for a bad body.
        """
        self._number += 1
        job = Job(self._number, body, arrival, self.plan)
        awaited: asyncio.Future[Piece | None] = asyncio.get_running_loop().create_future()
        self._awaited[job.number] = awaited
        self._queue.append(job)
        self._wake()
        try:
            async with asyncio.timeout(self._job_s):
                piece = await awaited
            return piece if job.plan == self.plan else None  # it may be of somebody who was erased meanwhile
        except TimeoutError:
            return None
        finally:
            self._give_up(job)

    async def next(self, raw: msgspec.Raw) -> list[Job]:
        """Take what a recorder has done; return what it is to do next, after IDLE_S at most, if only nothing."""
        asked = msgspec.msgpack.decode(raw, type=Asked)
        self._busy.pop(asked.recorder, None)
        for done in asked.done:
            self._settle(done)
        if not self._queue:
            await self._something_to_do()
        jobs = [self._queue.popleft() for _ in range(min(QUEUED, self._share()))]
        if jobs:
            self._busy[asked.recorder] = [job.number for job in jobs]
        return jobs

    def close(self) -> None:
        """Let the recorders that wait go."""
        for idle in self._idle:
            idle.cancel()

    def _share(self) -> int:
        """Return how many of the jobs that wait are for who asks now: the others, who ask or work, are to find some."""
        return -(-len(self._queue) // (1 + self._asking + len(self._busy)))

    async def _something_to_do(self) -> None:
        idle = asyncio.get_running_loop().create_future()
        self._idle.append(idle)
        self._asking += 1
        try:
            await asyncio.wait([idle], timeout=self._idle_s)
        finally:
            self._asking -= 1
        with contextlib.suppress(ValueError):
            self._idle.remove(idle)

    def _wake(self) -> None:
        if self._idle:
            self._idle.popleft().set_result(None)

    def _settle(self, done: Done) -> None:
        awaited = self._awaited.get(done.number)
        if awaited is None or awaited.done():
            return
        if done.refusal is None:
            awaited.set_result(_read(done))
        else:
            awaited.set_exception(
                RejectedError(done.refusal.message, code=done.refusal.code, status=done.refusal.status)
            )

    def _give_up(self, job: Job) -> None:
        """Forget a job, and, where it was not done, the recorder that has it."""
        awaited = self._awaited.pop(job.number)
        if awaited.done() and not awaited.cancelled():
            return
        self._busy = {recorder: jobs for recorder, jobs in self._busy.items() if job.number not in jobs}
        with contextlib.suppress(ValueError):
            self._queue.remove(job)


def _read(done: Done) -> Piece | None:
    """Return what was done; None if nothing was, or it is broken: then the front does it."""
    try:
        return None if done.piece is None else read_piece(done.piece)
    except ValueError:
        return None
