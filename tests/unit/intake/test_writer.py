"""The writer: one block a turn, positions after the commit, errors to whom they concern, bounds on every lane."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from livepost.clock import SimulatedClock
from livepost.errors import OutcomeUnknownError, OverloadedError, StoreError
from livepost.intake.call import Call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import LIMITS, Intake, Lane, LaneLimits, Stores
from livepost.log.body import MAX_BLOCK_RECORDS, packed_piece
from livepost.log.memory import MemoryLog
from livepost.model.block import columns_of
from livepost.model.compiled import Compiled
from livepost.model.piece import Piece, read_piece
from livepost.model.record import Appended, KeyKind, Kind, Origin, Record
from livepost.vault.base import ExternalId
from livepost.vault.memory import MemoryVault

LIVE = Arrival(source="web", key=KeyKind.WRITE, received_at=1_000)
IMPORT = Arrival(source="web", key=KeyKind.SECRET, received_at=1_000, origin=Origin.IMPORT)


class FailingLog(MemoryLog):
    """A log in memory that fails with what it is told to, once."""

    failure: Exception | None = None

    def append(self, records: Sequence[Record]) -> Appended:
        self._fail()
        return super().append(records)

    def append_pieces(self, pieces: Sequence[Piece]) -> Appended:
        self._fail()
        return super().append_pieces(pieces)

    def _fail(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure


class OrderedVault(MemoryVault):
    """A vault in memory that notes how far the log was at each commit."""

    log: MemoryLog

    def commit(self) -> None:
        self.log_at_commit = self.log.last().seq
        super().commit()


def new_log() -> FailingLog:
    return FailingLog(SimulatedClock(1_000))


def intake_over(log: MemoryLog, **parts: object) -> Intake:
    return Intake(Stores(log, MemoryVault()), TrackingPlan(Compiled()), workspace="shop", **parts)  # type: ignore[arg-type]


def tracks(count: int) -> list[Call]:
    return [Call(type="track", user_id=f"u{n}", event="X", message_id=f"m{n}") for n in range(count)]


def outcomes(count: int) -> list[Record]:
    return [Record(name="Email Opened", source="livepost", message_id=f"o{n}") for n in range(count)]


def piece_of(records: list[Record]) -> Piece:
    return read_piece(packed_piece(columns_of(records)))


def test_all_submitted_in_one_turn_are_one_block_and_each_hears_its_last_position() -> None:
    log = new_log()

    async def story() -> list[int]:
        intake = intake_over(log)
        return await asyncio.gather(*[intake.submit(tracks(n), LIVE, size=10) for n in (1, 3, 2)])

    assert asyncio.run(story()) == [0, 3, 5]
    assert [block.count for block in log.read(-1, 100)] == [6]


def test_pieces_and_records_that_wait_are_one_block_in_their_order() -> None:
    log = new_log()

    async def story() -> list[int]:
        intake = intake_over(log)
        batches = [outcomes(n) for n in (1, 2, 3, 4, 5)]
        taken = [
            intake.admit_piece(piece_of(batch), Lane.LIVE, size=1)
            if place in (1, 4)
            else intake.admit_records(batch, Lane.LIVE)
            for place, batch in enumerate(batches)
        ]
        return await asyncio.gather(*taken)

    assert asyncio.run(story()) == [0, 2, 5, 9, 14]
    (block,) = log.read(-1, 100)
    assert block.message_id == [f"o{n}" for size in (1, 2, 3, 4, 5) for n in range(size)]


def test_a_store_error_is_heard_by_whom_a_piece_is_from_and_it_is_taken_again() -> None:
    log = new_log()

    async def story() -> list[int | BaseException]:
        intake = intake_over(log)
        log.failure = StoreError("disk full")
        (failed,) = await asyncio.gather(
            intake.admit_piece(piece_of(outcomes(2)), Lane.LIVE, size=1), return_exceptions=True
        )
        return [failed, await intake.admit_piece(piece_of(outcomes(2)), Lane.LIVE, size=1)]

    failed, retried = asyncio.run(story())
    assert isinstance(failed, StoreError)
    assert retried == 1


def test_a_lane_counts_the_records_of_a_piece_towards_its_bound() -> None:
    async def story() -> None:
        intake = intake_over(new_log(), limits={lane: LaneLimits(commit=2, records=3, size=100) for lane in Lane})
        waiting = intake.admit_piece(piece_of(outcomes(2)), Lane.LIVE, size=1)
        assert intake.waiting == 2
        with pytest.raises(OverloadedError, match="at most 3"):
            intake.admit_piece(piece_of(outcomes(2)), Lane.LIVE, size=1)
        assert await waiting == 1

    asyncio.run(story())


def test_a_retry_of_the_same_message_is_a_second_record() -> None:
    log = new_log()
    intake = intake_over(log)
    intake.take(tracks(1), LIVE)
    intake.take(tracks(1), LIVE)
    first, second = (block.record(0) for block in log.read(-1, 10))
    assert (first.message_id, first.content_hash) == (second.message_id, second.content_hash)


def test_new_subjects_are_committed_before_the_records_that_use_them() -> None:
    log, vault = new_log(), OrderedVault()
    vault.log = log
    Intake(Stores(log, vault), TrackingPlan(Compiled()), workspace="shop").take(tracks(1), LIVE)
    assert (vault.log_at_commit, log.last().seq) == (-1, 0)


def test_a_commit_wakes_the_readers() -> None:
    heard: list[Appended] = []
    intake = intake_over(new_log(), on_commit=heard.append)
    intake.take(tracks(2), LIVE)
    intake.tick()
    assert [(appended.first, appended.last) for appended in heard] == [(0, 1), (2, 2)]


def test_a_tick_is_a_record_with_nothing_but_a_stamp() -> None:
    log = new_log()
    intake_over(log).tick()
    record = log.read(-1, 1)[0].record(0)
    assert (record.kind, record.stamp, record.subject, record.message_id) == (Kind.TICK, 1_000, b"", "")


def test_live_events_go_first_and_the_other_lanes_take_their_share_of_each_commit() -> None:
    log = new_log()

    async def story() -> None:
        intake = intake_over(log)
        share = LIMITS[Lane.OUTCOME].commit
        waiting = [intake.admit_records(outcomes(share), Lane.OUTCOME) for _ in range(2)]
        waiting.append(intake.submit(tracks(1), IMPORT, size=1))
        waiting.append(intake.submit(tracks(1), LIVE, size=1))
        await asyncio.gather(*waiting)

    asyncio.run(story())
    first, second = log.read(-1, MAX_BLOCK_RECORDS)
    assert (first.record(0).origin, first.record(0).name) == (Origin.LIVE, "X")
    assert first.count == 1 + LIMITS[Lane.OUTCOME].commit + 1
    assert first.record(first.count - 1).origin is Origin.IMPORT
    assert second.count == LIMITS[Lane.OUTCOME].commit


def test_a_store_error_is_heard_by_all_it_concerns_and_the_next_attempt_is_taken() -> None:
    log = new_log()

    async def story() -> list[int | BaseException]:
        intake = intake_over(log)
        log.failure = StoreError("disk full")
        failed = await asyncio.gather(
            intake.submit(tracks(1), LIVE, size=1), intake.submit(tracks(1), LIVE, size=1), return_exceptions=True
        )
        return [*failed, await intake.submit(tracks(1), LIVE, size=1)]

    first, second, retried = asyncio.run(story())
    assert isinstance(first, StoreError)
    assert isinstance(second, StoreError)
    assert retried == 0


def test_any_other_failure_is_heard_too_so_that_nobody_waits_for_ever() -> None:
    log = new_log()

    async def story() -> None:
        intake = intake_over(log)
        log.failure = ValueError("a bug")
        with pytest.raises(ValueError, match="a bug"):
            await intake.submit(tracks(1), LIVE, size=1)
        assert await intake.submit(tracks(1), LIVE, size=1) == 0

    asyncio.run(story())


def test_after_an_unknown_outcome_nothing_is_written_until_the_stores_are_opened_anew() -> None:
    log, reopened = new_log(), new_log()

    async def story() -> None:
        intake = intake_over(log, reopen=lambda: Stores(reopened, MemoryVault()))
        log.failure = OutcomeUnknownError("EIO at fsync")
        first = intake.submit(tracks(1), LIVE, size=1)
        with pytest.raises(OutcomeUnknownError):
            await first
        assert intake.trouble is not None
        with pytest.raises(StoreError, match="nothing is written"):
            intake.submit(tracks(1), LIVE, size=1)
        with pytest.raises(StoreError, match="nothing is written"):
            intake.tick()
        intake.recover()
        assert intake.trouble is None
        assert await intake.submit(tracks(1), LIVE, size=1) == 0

    asyncio.run(story())
    assert (log.last().seq, reopened.last().seq) == (-1, 0)


def test_subjects_are_made_durable_for_who_finds_them_in_the_vault() -> None:
    vault = MemoryVault()
    intake = Intake(Stores(new_log(), vault), TrackingPlan(Compiled()), workspace="shop")
    intake.make_subjects([ExternalId("user", "ada")])
    found = vault.find(ExternalId("user", "ada"))
    intake.make_subjects([ExternalId("user", "ada")])
    assert found is not None
    assert vault.find(ExternalId("user", "ada")) is found


def test_an_unknown_outcome_while_making_subjects_stops_writing_until_the_stores_are_opened_anew() -> None:
    class FailingVault(MemoryVault):
        def commit(self) -> None:
            raise OutcomeUnknownError("EIO at fsync")

    whole = Stores(new_log(), MemoryVault())
    intake = Intake(Stores(new_log(), FailingVault()), TrackingPlan(Compiled()), workspace="shop", reopen=lambda: whole)
    with pytest.raises(OutcomeUnknownError):
        intake.make_subjects([ExternalId("user", "ada")])
    with pytest.raises(StoreError, match="nothing is written"):
        intake.make_subjects([ExternalId("user", "ada")])
    intake.recover()
    intake.make_subjects([ExternalId("user", "ada")])
    assert whole.vault.find(ExternalId("user", "ada")) is not None


def test_what_waited_behind_an_unknown_outcome_hears_of_it() -> None:
    log = new_log()

    async def story() -> list[int | BaseException]:
        intake = intake_over(log)
        log.failure = OutcomeUnknownError("EIO")
        share = LIMITS[Lane.OUTCOME].commit
        waiting = [intake.admit_records(outcomes(share), Lane.OUTCOME) for _ in range(2)]
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    assert all(isinstance(heard, StoreError) for heard in asyncio.run(story()))


def test_recovery_needs_a_way_to_open_the_stores() -> None:
    log = new_log()
    intake = intake_over(log)
    intake.recover()
    log.failure = OutcomeUnknownError("EIO")
    with pytest.raises(OutcomeUnknownError):
        intake.tick()
    with pytest.raises(StoreError, match="restart the process"):
        intake.recover()


@pytest.mark.parametrize(("records", "size"), [(3, 10), (1, 100)])
def test_a_lane_is_full_at_its_bound_of_records_or_bytes_and_then_sheds(records: int, size: int) -> None:
    limits = {lane: LaneLimits(commit=2, records=4, size=101) for lane in Lane}

    async def story() -> None:
        intake = intake_over(new_log(), limits=limits)
        waiting = [intake.submit(tracks(records), LIVE, size=size), intake.submit(tracks(1), LIVE, size=1)]
        with pytest.raises(OverloadedError) as full:
            intake.submit(tracks(1), LIVE, size=1)
        assert full.value.retry_after_s == 1
        waiting.append(intake.submit(tracks(1), IMPORT, size=1))
        await asyncio.gather(*waiting)
        assert intake.waiting == 0
        await intake.submit(tracks(1), LIVE, size=1)

    asyncio.run(story())


def test_one_piece_is_at_most_one_block() -> None:
    async def story() -> None:
        intake = intake_over(new_log())
        for count in (0, MAX_BLOCK_RECORDS + 1):
            with pytest.raises(ValueError, match=f"1 to {MAX_BLOCK_RECORDS} records"):
                intake.admit_records(outcomes(count), Lane.LOAD)
        assert await intake.admit_records(outcomes(MAX_BLOCK_RECORDS), Lane.LOAD) == MAX_BLOCK_RECORDS - 1

    asyncio.run(story())


def test_a_client_that_went_away_does_not_disturb_the_commit() -> None:
    log = new_log()

    async def story() -> int:
        intake = intake_over(log)
        gone = intake.submit(tracks(1), LIVE, size=1)
        gone.cancel()
        return await intake.submit(tracks(1), LIVE, size=1)

    assert asyncio.run(story()) == 1


def test_another_plan_judges_from_then_on() -> None:
    log = new_log()
    intake = intake_over(log)
    intake.take(tracks(1), LIVE)
    intake.use_plan(TrackingPlan(Compiled(), "quarantine"))
    intake.take(tracks(1), LIVE)
    assert [block.record(0).verdict.name for block in log.read(-1, 9)] == ["ACCEPTED", "QUARANTINED"]
