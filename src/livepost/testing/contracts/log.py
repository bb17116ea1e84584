"""The contract of a log: `LogContract` for every body, `DurableLogContract` for those that outlive their
process.

In: a fixture `bench` that opens the body under test. Out: pass or fail. Promises: nothing of one test is seen
by another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import DAY_MS, Clock, SimulatedClock
from livepost.errors import StoreError
from livepost.log.base import Log, LogReader, Position
from livepost.log.body import packed_piece
from livepost.model.block import columns_of
from livepost.model.piece import Piece, read_piece
from livepost.model.record import KeyKind, Kind, Mention, Origin, Record, Verdict

START_MS = 1_700_000_000_000


class LogBench(Protocol):
    """Opens logs of the body under test."""

    def new(self, clock: Clock) -> Log:
        """Return a new, empty log; a segment of it lasts a day of stamps at most."""
        ...

    def reader(self, log: Log) -> LogReader:
        """Return another reader of the log, as another process would open it."""
        ...


class DurableLogBench(LogBench, Protocol):
    """Opens logs that outlive their process."""

    def reopen(self, log: Log, clock: Clock) -> Log:
        """Close the log and return it opened again."""
        ...


class SteppingClock:
    """A clock that may be set, also back."""

    def __init__(self, now_ms: int) -> None:
        self.told_ms = now_ms

    def now_ms(self) -> int:
        """Return what it was set to (ms)."""
        return self.told_ms


class LogContract:
    """What every log does. A subclass gives the fixture `bench`."""

    @pytest.fixture
    def bench(self) -> LogBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `bench`; return a LogBench from it")

    def test_a_new_log_is_before_its_first_record(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        assert (log.last(), log.first(), log.read(-1, 10)) == (Position(-1, 0), 0, [])
        assert (log.position_of(0), log.events_after(-1), log.events()) == (None, 0, 0)

    def test_positions_have_no_gaps(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        told = [log.append(events(size)) for size in (1, 3, 2)]
        assert [(a.first, a.last) for a in told] == [(0, 0), (1, 3), (4, 5)]
        assert [r.seq for block in log.read(-1, 100) for r in block.records()] == list(range(6))
        assert log.last() == Position(5, START_MS)

    def test_stamps_never_go_back_though_the_clock_does(self, bench: LogBench) -> None:
        clock = SteppingClock(START_MS)
        log = bench.new(clock)
        stamps = []
        for step in (0, 5, -DAY_MS, 7, 7):
            clock.told_ms = START_MS + step
            stamps.append(log.append(events(1)).stamp - START_MS)
        assert stamps == [0, 5, 5, 7, 7]

    def test_what_happened_later_than_the_stamp_is_clamped_to_it(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        log.append([Record(effective_ts=START_MS + 10 * 365 * DAY_MS), Record(effective_ts=START_MS - 1)])
        assert [r.effective_ts for r in log.read(-1, 2)[0].records()] == [START_MS, START_MS - 1]

    def test_a_record_comes_back_whole(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        sent = full_record()
        log.append([Record(), sent])
        (block,) = log.read(-1, 10)
        sent.seq, sent.stamp = 1, START_MS
        assert block.record(1) == sent
        assert block.record(0) == Record(seq=0, stamp=START_MS)

    def test_the_log_shares_nothing_with_who_appends(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        record = Record(properties={"pages": [1]})
        log.append([record])
        record.properties["pages"].append(2)
        log.read(-1, 1)[0].properties[0]["pages"].append(3)
        assert log.read(-1, 1)[0].properties == [{"pages": [1]}]

    def test_the_records_of_subjects_are_found_whole_and_the_newest_first(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        mine, other = full_record(), Record(subject=b"o" * 16, mentions=(Mention(full_record().subject, True),))
        log.append([other, mine, other])
        log.append([other])
        log.append([mine, mine])
        found = log.records_of([mine.subject, b"x" * 16], before=6, scan=100)
        assert [(one.seq, one.stamp) for one in found.records] == [(5, START_MS), (4, START_MS), (1, START_MS)]
        mine.seq, mine.stamp = 1, START_MS
        assert found.records[-1] == mine
        assert found.first == Position(0, START_MS)
        assert log.records_of([], before=6, scan=100).records == []

    def test_looking_back_for_subjects_goes_on_where_it_stopped_and_ends_at_the_beginning(
        self, bench: LogBench
    ) -> None:
        @settings(max_examples=25, deadline=None)
        @given(
            sizes=st.lists(st.tuples(st.integers(1, 5), st.sampled_from([0, 1, DAY_MS])), max_size=8),
            scan=st.integers(1, 12),
        )
        def holds(sizes: list[tuple[int, int]], scan: int) -> None:
            clock = SimulatedClock(START_MS)
            log = bench.new(clock)
            for size, wait_ms in sizes:
                clock.advance(wait_ms)
                log.append([Record(subject=bytes([number % 3]) * 16) for number in range(1, size + 1)])
            whole = [r for block in log.read(-1, 100) for r in block.records() if r.subject == b"\x01" * 16]
            before, seen = log.last().seq + 1, []
            while (found := bench.reader(log).records_of([b"\x01" * 16], before, scan)).first.seq < before:
                assert found.first.seq == 0 or before - found.first.seq >= scan
                assert all(found.first.seq <= one.seq < before for one in found.records)
                seen += found.records
                before = found.first.seq
            assert (found.records, before) == ([], 0)
            assert seen == whole[::-1]

        holds()

    def test_a_place_within_a_block_cuts_what_is_found(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        log.append([Record(subject=b"s" * 16)] * 5)
        found = log.records_of([b"s" * 16], before=2, scan=1)
        assert ([one.seq for one in found.records], found.first.seq) == ([1, 0], 0)

    def test_what_retention_dropped_is_not_found_and_that_is_no_error(self, bench: LogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = bench.new(clock)
        for _ in range(3):
            log.append([Record(subject=b"s" * 16)])
            clock.advance(DAY_MS)
        log.prune(2, START_MS + 2 * DAY_MS)
        found = log.records_of([b"s" * 16], before=3, scan=100)
        assert ([one.seq for one in found.records], found.first.seq) == ([2], 2)

    def test_nobody_looks_at_less_than_one_record(self, bench: LogBench) -> None:
        with pytest.raises(ValueError, match="1 record at least, got 0"):
            bench.new(SimulatedClock(START_MS)).records_of([b"s" * 16], 0, 0)

    def test_any_place_to_read_from_gives_the_rest_in_order(self, bench: LogBench) -> None:
        @settings(max_examples=25, deadline=None)
        @given(
            sizes=st.lists(st.tuples(st.integers(1, 5), st.sampled_from([0, 1, DAY_MS])), max_size=8),
            limit=st.integers(1, 12),
        )
        def holds(sizes: list[tuple[int, int]], limit: int) -> None:
            clock = SimulatedClock(START_MS)
            log = bench.new(clock)
            for size, wait_ms in sizes:
                clock.advance(wait_ms)
                log.append(events(size))
            total = sum(size for size, _ in sizes)
            reader = bench.reader(log)
            for after in range(-1, total + 2):
                assert read_on(reader, after, limit) == list(range(after + 1, total))

        holds()

    def test_reading_stops_with_the_block_that_reaches_the_limit(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        for size in (2, 3, 4):
            log.append(events(size))
        assert [block.count for block in log.read(-1, 1)] == [2]
        assert [block.count for block in log.read(-1, 3)] == [2, 3]
        assert [block.count for block in log.read(0, 1)] == [1]
        assert [block.count for block in log.read(0, 4)] == [1, 3]

    def test_a_limit_below_one_is_refused(self, bench: LogBench) -> None:
        with pytest.raises(ValueError, match="at least 1 record"):
            bench.new(SimulatedClock(START_MS)).read(-1, 0)

    def test_an_empty_append_is_refused(self, bench: LogBench) -> None:
        with pytest.raises(ValueError, match="got 0"):
            bench.new(SimulatedClock(START_MS)).append([])

    def test_a_block_holds_20000_records_and_not_one_more(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        assert log.append([Record()] * 20_000).last == 19_999
        with pytest.raises(ValueError, match="got 20001"):
            log.append([Record()] * 20_001)
        assert log.last().seq == 19_999

    def test_an_id_of_another_length_is_refused(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        with pytest.raises(ValueError, match="16 bytes"):
            log.append([Record(subject=b"short")])
        assert log.last().seq == -1

    def test_pieces_are_one_block_of_all_their_records(self, bench: LogBench) -> None:
        one, other = bench.new(SimulatedClock(START_MS)), bench.new(SimulatedClock(START_MS))
        late = [Record(name="late", effective_ts=START_MS + DAY_MS)]
        for records in (events(2), [*late, full_record(), *events(20)]):
            one.append(records)
            other.append_pieces([piece(records[:1]), piece(records[1:])])
        assert other.read(-1, 100) == one.read(-1, 100)
        assert other.append_pieces([piece(late)]).first == one.append(late).first == 24
        assert other.events_after(-1) == one.events_after(-1) == 25

    def test_pieces_without_a_record_or_with_20001_are_refused(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        for pieces, count in (([], 0), ([piece([Record()] * 20_000), piece([Record()])], 20_001)):
            with pytest.raises(ValueError, match=f"got {count}"):
                log.append_pieces(pieces)
        assert log.append_pieces([piece([Record()] * 19_999), piece([Record()])]).last == 19_999

    def test_two_readers_go_their_own_ways(self, bench: LogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = bench.new(clock)
        ahead, behind = bench.reader(log), bench.reader(log)
        for _ in range(4):
            log.append(events(2))
            assert ahead.last() == log.last()
            assert read_on(ahead, log.last().seq - 2, 10) == [log.last().seq - 1, log.last().seq]
            clock.advance(DAY_MS)
        assert read_on(behind, -1, 3) == list(range(8))

    def test_a_reader_opened_before_the_first_record_sees_it(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        reader = bench.reader(log)
        assert (reader.last(), reader.read(-1, 1)) == (Position(-1, 0), [])
        log.append(events(1))
        assert (reader.last(), read_on(reader, -1, 1)) == (Position(0, START_MS), [0])

    def test_a_reader_finds_a_far_place_at_once(self, bench: LogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = bench.new(clock)
        log.append(events(1))
        late, counting, timing = bench.reader(log), bench.reader(log), bench.reader(log)
        for _ in range(3):
            clock.advance(DAY_MS)
            log.append(events(2))
        assert read_on(late, 5, 10) == [6]
        assert counting.events_after(4) == 2
        assert timing.committed_ms(6) >= timing.committed_ms(1)

    def test_a_stamp_is_found_by_its_first_record(self, bench: LogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = bench.new(clock)
        for wait_ms in (0, 0, 10, DAY_MS, DAY_MS, 0):
            clock.advance(wait_ms)
            log.append(events(2))
        blocks = log.read(-1, 100)
        for stamp in sorted({b.stamp + d for b in blocks for d in (-1, 0, 1)} | {0}):
            later = [Position(b.first, b.stamp) for b in blocks if b.stamp >= stamp]
            assert log.position_of(stamp) == (later[0] if later else None)

    def test_events_are_counted_and_ticks_are_not(self, bench: LogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = bench.new(clock)
        kinds = [Kind.EVENT, Kind.TICK, Kind.EVENT, Kind.EVENT, Kind.CUT, Kind.EVENT, Kind.TICK]
        for start in (0, 3, 5):
            log.append([Record(kind=kind) for kind in kinds[start : start + 3 if start == 0 else start + 2]])
            clock.advance(DAY_MS)
        for after in range(-1, len(kinds) + 1):
            assert log.events_after(after) == kinds[after + 1 :].count(Kind.EVENT)
        assert log.events() == kinds.count(Kind.EVENT)

    def test_the_time_of_commit_is_kept_and_asked_for_by_any_seq(self, bench: LogBench) -> None:
        log = bench.new(SimulatedClock(START_MS))
        told = [log.append(events(2)), log.append(events(1))]
        assert [log.committed_ms(seq) for seq in range(3)] == [
            told[0].committed_ms,
            told[0].committed_ms,
            told[1].committed_ms,
        ]
        for seq in (-1, 3):
            with pytest.raises(StoreError, match=f"got {seq}"):
                log.committed_ms(seq)

    def test_pruning_drops_what_is_before_both_and_says_how_much(self, bench: LogBench) -> None:
        log = week(bench)
        assert log.prune(5, START_MS + 6 * DAY_MS) == 4
        assert log.first() == 4
        assert log.prune(100, START_MS + 3 * DAY_MS) == 2
        assert log.first() == 6
        assert log.prune(100, START_MS + 3 * DAY_MS) == 0
        assert log.last().seq == 13
        assert log.position_of(0) == Position(6, START_MS + 3 * DAY_MS)

    def test_pruning_never_drops_the_newest(self, bench: LogBench) -> None:
        log = week(bench)
        assert log.prune(10**9, 10**15) == 12
        assert (log.first(), log.last().seq) == (12, 13)
        assert log.append(events(1)).first == 14

    def test_reading_what_was_pruned_is_an_error_and_the_rest_is_not(self, bench: LogBench) -> None:
        log = week(bench)
        readers = [log, bench.reader(log)]
        for reader in readers:
            assert read_on(reader, -1, 100) == list(range(14))
        log.prune(6, 10**15)
        for reader in readers:
            assert reader.first() == 6
            for read in (reader.read, lambda after, _, r=reader: r.events_after(after)):
                with pytest.raises(StoreError, match="retention dropped"):
                    read(4, 1)
            assert read_on(reader, 5, 3) == list(range(6, 14))
            assert reader.events_after(5) == 8
            assert reader.events() == 14

    def test_a_reader_that_slept_through_retention_is_told(self, bench: LogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = bench.new(clock)
        log.append(events(2))
        sleeper = bench.reader(log)
        assert read_on(sleeper, -1, 10) == [0, 1]
        for _ in range(3):
            clock.advance(DAY_MS)
            log.append(events(2))
        log.prune(6, 10**15)
        with pytest.raises(StoreError, match="retention dropped"):
            for _ in range(2):
                sleeper.read(1, 10)
        assert sleeper.last() == log.last()


class DurableLogContract(LogContract):
    """What every log does that outlives its process. A subclass gives the fixture `durable`, too."""

    @pytest.fixture
    def durable(self) -> DurableLogBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `durable`; return a DurableLogBench")

    def test_a_log_goes_on_where_it_was_closed(self, durable: DurableLogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = durable.new(clock)
        for wait_ms in (0, 5, DAY_MS):
            clock.advance(wait_ms)
            log.append([Record(), Record(kind=Kind.TICK)])
        last = log.last()
        log = durable.reopen(log, clock)
        assert (log.last(), log.events_after(-1)) == (last, 3)
        assert log.append(events(1)).first == 6
        assert read_on(log, -1, 2) == list(range(7))
        assert log.events_after(-1) == 4

    def test_stamps_do_not_go_back_over_a_restart(self, durable: DurableLogBench) -> None:
        log = durable.new(SimulatedClock(START_MS))
        log.append(events(1))
        log = durable.reopen(log, SimulatedClock(START_MS - DAY_MS))
        assert log.append(events(1)).stamp == START_MS

    def test_an_empty_log_can_be_reopened(self, durable: DurableLogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = durable.reopen(durable.new(clock), clock)
        assert log.append(events(1)).first == 0

    def test_what_was_pruned_stays_away_over_a_restart(self, durable: DurableLogBench) -> None:
        log = week(durable)
        log.prune(6, 10**15)
        log = durable.reopen(log, SimulatedClock(START_MS + 7 * DAY_MS))
        assert (log.first(), log.last().seq, log.events_after(5)) == (6, 13, 8)

    def test_a_second_writer_is_refused(self, durable: DurableLogBench) -> None:
        clock = SimulatedClock(START_MS)
        log = durable.new(clock)
        with pytest.raises(StoreError, match="another process writes"):
            durable.new(clock)
        assert log.append(events(1)).first == 0


def events(count: int) -> list[Record]:
    """Return `count` event records with different message ids."""
    return [Record(source="web", message_id=f"m{number}", name="Product Viewed") for number in range(count)]


def piece(records: Sequence[Record]) -> Piece:
    """Return the records as a recorder gives them."""
    return read_piece(packed_piece(columns_of(records)))


def full_record() -> Record:
    """Return a record with a value in every field."""
    return Record(
        kind=Kind.EVENT,
        origin=Origin.IMPORT,
        key=KeyKind.SECRET,
        source="shop",
        subject=bytes(range(16)),
        known=True,
        mentions=(Mention(b"a" * 16, False),),
        message_id="m-1",
        name="Order Completed",
        timestamp=START_MS - 3,
        sent_at=START_MS - 2,
        received_at=START_MS - 1,
        effective_ts=START_MS - 2,
        verdict=Verdict.DEAD,
        reason="a field is missing",
        properties={"total": [1999, "USD"], "items": ["a"], "gift": True, "note": None, "weight": 1.5},
        context={"consent": {"marketing": True}},
        facets={"email.domain": "example.com"},
        sealed={"email": b"\x00\x01"},
        content_hash=b"h" * 16,
        control={"project": "abc"},
    )


def read_on(reader: LogReader, after: int, limit: int) -> list[int]:
    """Read to the end, `limit` records at a time; return the seqs."""
    seqs: list[int] = []
    while blocks := reader.read(after, limit):
        seqs += [record.seq for block in blocks for record in block.records()]
        after = max(after, seqs[-1])
    return seqs


def week(bench: LogBench) -> Log:
    """Return a log of seven days with one block of two events each."""
    clock = SimulatedClock(START_MS)
    log = bench.new(clock)
    for _ in range(7):
        log.append(events(2))
        clock.advance(DAY_MS)
    return log
