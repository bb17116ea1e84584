"""The recorders as the front sees them: who gets what, and that nothing is lost with one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
import pytest

from livepost.errors import RejectedError
from livepost.intake.record import Arrival
from livepost.log.body import packed_piece
from livepost.model.block import columns_of
from livepost.model.piece import Piece
from livepost.model.record import KeyKind, Record
from livepost.runtime.recorder.job import Asked, Done, Job, Refusal
from livepost.runtime.recorder.recorders import LARGE_BYTES, QUEUED, Recorders

T = TypeVar("T")
PIECE = packed_piece(columns_of([Record()]))
ARRIVAL = Arrival(source="web", key=KeyKind.WRITE, received_at=1)


def asked(recorder: int, *done: Done) -> msgspec.Raw:
    """Return what a recorder says when it asks for more."""
    return msgspec.Raw(msgspec.msgpack.encode(Asked(recorder, list(done))))


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 10))


async def started(recorders: Recorders, recorder: int, *done: Done) -> asyncio.Task[list[Job]]:
    """Return a recorder's question for more, asked."""
    asking = asyncio.create_task(recorders.next(asked(recorder, *done)))
    await asyncio.sleep(0)
    return asking


async def handed(recorders: Recorders, body: bytes = b"body") -> asyncio.Task[Piece | None]:
    """Return a batch on its way to a recorder."""
    waiting = asyncio.create_task(recorders.piece(body, ARRIVAL))
    await asyncio.sleep(0)
    return waiting


def test_a_batch_comes_back_as_the_piece_that_a_recorder_made() -> None:
    async def story() -> Piece | None:
        recorders = Recorders()
        asking = await started(recorders, 1)
        waiting = await handed(recorders)
        (job,) = await asking
        assert (job.body, job.arrival) == (b"body", ARRIVAL)
        again = await started(recorders, 1, Done(job.number, packed_piece(columns_of([Record(message_id="m")] * 2))))
        piece = await waiting
        recorders.close()
        assert await again == []
        return piece

    piece = run(story())
    assert piece is not None
    assert (len(piece), bytes(piece.message_id)) == (2, msgspec.msgpack.encode(["m", "m"]))


def test_a_refused_body_raises_what_the_recorder_found() -> None:
    async def story() -> None:
        recorders = Recorders()
        asking = await started(recorders, 1)
        waiting = await handed(recorders)
        (job,) = await asking
        await started(recorders, 1, Done(job.number, refusal=Refusal("expected JSON", "unreadable", 400)))
        with pytest.raises(RejectedError, match="expected JSON") as refused:
            await waiting
        assert (refused.value.code, refused.value.status) == ("unreadable", 400)
        recorders.close()

    run(story())


@pytest.mark.parametrize("piece", [None, b"", PIECE[:-1], PIECE.replace(b"\x01\x00\x01", b"\x01\x00\x02", 1)])
def test_a_job_that_a_recorder_could_not_do_or_gave_back_broken_is_left_to_the_front(piece: bytes | None) -> None:
    async def story() -> Piece | None:
        recorders = Recorders()
        asking = await started(recorders, 1)
        waiting = await handed(recorders)
        (job,) = await asking
        await started(recorders, 1, Done(job.number, piece))
        recorders.close()
        return await waiting

    assert run(story()) is None


def test_without_a_recorder_or_for_a_small_body_there_is_no_room() -> None:
    async def story() -> None:
        recorders = Recorders()
        assert not recorders.has_room(LARGE_BYTES)
        await started(recorders, 1)
        assert recorders.has_room(LARGE_BYTES)
        assert not recorders.has_room(LARGE_BYTES - 1)
        recorders.close()

    run(story())


def test_there_is_room_while_those_who_asked_have_not_taken_what_they_were_woken_for() -> None:
    async def story() -> None:
        recorders = Recorders()
        asking = [await started(recorders, number) for number in (1, 2)]
        waiting = [await handed(recorders) for _ in range(2)]
        assert not any(one.done() for one in asking)
        assert recorders.has_room(LARGE_BYTES)
        for number, jobs in enumerate(await asyncio.gather(*asking), start=1):
            await started(recorders, number, *[Done(job.number, PIECE) for job in jobs])
        assert None not in await asyncio.gather(*waiting)
        recorders.close()

    run(story())


def test_recorders_share_what_waits_and_the_rest_is_for_who_asks_first() -> None:
    async def story() -> None:
        recorders = Recorders()
        asking = [await started(recorders, number) for number in (1, 2)]
        waiting = [asyncio.create_task(recorders.piece(b"body", ARRIVAL)) for _ in range(4)]
        one, other = await asyncio.gather(*asking)
        (rest,) = await recorders.next(asked(2, *[Done(job.number, PIECE) for job in other]))
        assert ([len(one), len(other)], rest.number) == ([2, 1], 4)
        await started(recorders, 1, *[Done(job.number, PIECE) for job in [*one, rest]])
        assert None not in await asyncio.gather(*waiting)
        recorders.close()

    run(story())


def test_so_many_jobs_wait_for_a_recorder_that_is_busy_and_it_takes_them_together() -> None:
    async def story() -> None:
        recorders = Recorders()
        asking = await started(recorders, 1)
        first = await handed(recorders)
        (job,) = await asking
        waiting = []
        for _ in range(QUEUED):
            assert recorders.has_room(LARGE_BYTES)
            waiting.append(await handed(recorders))
        assert not recorders.has_room(LARGE_BYTES)
        jobs = await recorders.next(asked(1, Done(job.number, PIECE)))
        assert len(jobs) == QUEUED
        last = await started(recorders, 1, *[Done(one.number, PIECE) for one in jobs])
        assert None not in await asyncio.gather(first, *waiting)
        recorders.close()
        await last

    run(story())


def test_what_does_not_come_back_in_time_is_given_up_and_so_is_its_recorder() -> None:
    async def story() -> None:
        recorders = Recorders(job_s=0.01)
        asking = await started(recorders, 1)
        waiting = await handed(recorders)
        (job,) = await asking
        assert recorders.has_room(LARGE_BYTES)
        assert await waiting is None
        assert not recorders.has_room(LARGE_BYTES)
        late = await started(recorders, 1, Done(job.number, PIECE))  # too late, and nobody minds
        assert recorders.has_room(LARGE_BYTES)
        recorders.close()
        assert await late == []

    run(story())


def test_a_job_given_up_while_it_waits_is_handed_to_nobody() -> None:
    async def story() -> None:
        recorders = Recorders(job_s=0.01, idle_s=0.01)
        assert await recorders.piece(b"body", ARRIVAL) is None
        assert await recorders.next(asked(1)) == []

    run(story())


def test_a_client_that_is_gone_leaves_no_job_behind() -> None:
    async def story() -> None:
        recorders = Recorders(idle_s=0.01)
        waiting = await handed(recorders)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await recorders.next(asked(1)) == []

    run(story())
