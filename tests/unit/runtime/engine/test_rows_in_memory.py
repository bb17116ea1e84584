"""Rows in memory are bounded; people are the same whether theirs is there or not."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from livepost.process.people import LEFT, ROW_BYTES
from livepost.runtime.engine.worker import Worker
from livepost.state.base import StateStore
from livepost.state.memory import MemoryState
from livepost.state.rocksdb import RocksState
from livepost.state.sqlite import SqliteState
from tests.unit.runtime.engine.test_sweep import a_life, ends, unstopped
from tests.unit.runtime.engine.test_worker import PAGE, Line, run

BOUND = 1_500
"""Of forty people's rows, about a tenth."""


class Counting(MemoryState):
    """Counts whose rows were asked for."""

    asked = 0

    def rows_of(self, numbers: Collection[int]) -> dict[int, bytes]:
        self.asked += len(numbers)
        return super().rows_of(numbers)


def bounded(line: Line, store: StateStore, bound: int = BOUND) -> Worker:
    return Worker(PAGE, store, line.log, line.clock, "shop", row_bytes=bound)


def test_people_and_mails_are_the_same_with_few_rows_in_memory() -> None:
    line, store = Line(), Counting()
    worker = bounded(line, store)
    for _ in a_life(line):
        run(worker)
    assert store.asked > 20
    assert ends(worker) == unstopped(line)


def test_after_each_step_the_rows_in_memory_are_within_the_bound() -> None:
    line = Line()
    worker = bounded(line, MemoryState())
    most = 0
    for _ in a_life(line):
        run(worker)
        assert worker.shard.row_bytes <= BOUND
        most = max(most, worker.shard.row_bytes)
    held = sum(ROW_BYTES + len(row) for row in worker.shard.rows if row)
    assert LEFT * BOUND / 2 < held == worker.shard.row_bytes <= most


def test_a_state_opened_with_a_bound_takes_no_more_than_it_into_memory() -> None:
    line, store = Line(), MemoryState()
    for _ in a_life(line):
        run(bounded(line, store, 0))
    worker = bounded(line, store)
    assert 0 < worker.shard.row_bytes <= BOUND
    assert ends(worker) == unstopped(line)


def test_whoever_was_used_last_stays() -> None:
    line, store = Line(), Counting()
    worker = bounded(line, store)
    for number in range(30):
        line.look("ada", f"{number}")
        line.look(f"p{number}", "a")
        run(worker)
    before = store.asked
    worker.people([line.subject("ada")])
    assert store.asked == before
    worker.people([line.subject("p0")])
    assert store.asked == before + 1


@pytest.mark.parametrize("body", [SqliteState, RocksState])
def test_rows_are_fetched_from_any_body(body: type[SqliteState | RocksState], tmp_path: Path) -> None:
    line = Line()
    with closing(body(tmp_path / "state")) as store:
        worker = bounded(line, store)
        for _ in a_life(line):
            run(worker)
        assert worker.shard.row_bytes <= BOUND
        assert ends(worker) == unstopped(line)


def test_with_rows_fetched_that_are_not_the_newest_people_would_differ() -> None:
    """The negative control: a store that gives the first row it ever had of a person."""

    class Stale(MemoryState):
        def rows_of(self, numbers: Collection[int]) -> dict[int, bytes]:
            newest = super().rows_of(numbers)
            return {number: first.setdefault(number, row) for number, row in newest.items()}

    first: dict[int, bytes] = {}
    line = Line()
    worker = bounded(line, Stale())
    for _ in a_life(line):
        run(worker)
    assert ends(worker) != unstopped(line)


def test_what_a_person_takes_in_memory_without_their_row_is_said() -> None:
    line = Line()
    worker = bounded(line, MemoryState())
    for _ in a_life(line):
        run(worker)
    fixed = worker.shard.dtype.itemsize
    arrays = (worker.shard.fixed, worker.shard._earliest, worker.shard._sizes, worker.shard._used)
    assert sum(part.itemsize for part in arrays) == fixed + 24
    assert np.all(worker.shard._sizes[len(worker.shard.rows) :] == 0)
