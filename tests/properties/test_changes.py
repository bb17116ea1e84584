"""However the log is cut, and wherever the engine starts anew, it goes through changes of its project as the oracle."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import SimulatedClock
from livepost.errors import StoreError
from livepost.log.base import Position
from livepost.model.block import Block, block_of
from livepost.model.decision import OutboxItem, Transition
from livepost.runtime.engine.worker import Worker
from livepost.state.base import Commit
from livepost.state.memory import MemoryState
from tests.oracle.changing import run as oracle_run
from tests.oracle.naive import OracleResult, essences
from tests.properties.changes import changing_cases
from tests.properties.driver import WORKSPACE, Run
from tests.properties.generators import START, Case
from tests.properties.test_engine import SIZES, SLOW, oracle_people, people_of


class CutLog:
    """A log's reader that gives as many blocks at a time as told."""

    def __init__(self, case: Case, sizes: Sequence[int]) -> None:
        self._blocks = [block_of(some, some[0].seq, some[0].stamp) for some in case.blocks]
        self._sizes = sizes
        self._asked = 0

    def read(self, after: int, limit: int) -> list[Block]:
        self._asked += 1
        left = [block for block in self._blocks if block.first > after]
        return left[: self._sizes[self._asked % len(self._sizes)]]

    def first(self) -> int:
        return 0

    def last(self) -> Position:
        return Position(self._blocks[-1].first + self._blocks[-1].count - 1, self._blocks[-1].stamp)

    def committed_ms(self, seq: int) -> int:
        return START


class Recording(MemoryState):
    """A state that knows all that was ever committed, and fails at the first try of each commit if it is told to."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.commits: list[Commit] = []
        self._fails = fails
        self._failed = False

    def commit(self, commit: Commit) -> None:
        self._failed = self._fails and not self._failed
        if self._failed:
            raise StoreError("the disk is full")
        super().commit(commit)
        self.commits.append(commit)


def engine_run(
    case: Case, sizes: Sequence[int], wave: int = 2000, anew: Sequence[bool] = (False,), *, fails: bool = False
) -> Run:
    """Work a log off; `anew` says, round and round, behind which commits the engine is opened anew; where the state
    `fails`, each commit is tried twice.
    """
    state, log, clock = Recording(fails), CutLog(case, sizes), SimulatedClock(START)

    def opened() -> Worker:
        return Worker(case.compiled, state, log, clock, WORKSPACE, wave)  # type: ignore[arg-type]

    worker, turns = opened(), 0
    while turned(worker):
        turns += 1
        if anew[turns % len(anew)]:
            worker = opened()
    assert worker.status().refused == ""
    return Run(
        worker.shard,
        [msgspec.msgpack.decode(row.body, type=Transition) for commit in state.commits for row in commit.transitions],
        [msgspec.msgpack.decode(body, type=OutboxItem) for commit in state.commits for _, body in commit.outbox],
    )


def assert_same(run: Run, expected: OracleResult) -> None:
    """Fail unless transitions, decisions and people are those of the oracle."""
    assert essences(run.transitions) == essences(expected.transitions)
    assert essences(run.outbox) == essences(expected.outbox)
    assert people_of(run) == oracle_people(expected)


def turned(worker: Worker) -> bool:
    """Do a step, at the second try if the first one fails."""
    try:
        return worker.turn()
    except StoreError:
        return worker.turn()


@settings(SLOW, max_examples=60)
@given(
    case=changing_cases(),
    sizes=SIZES,
    wave=st.sampled_from([1, 2, 1000]),
    anew=st.lists(st.booleans(), min_size=1, max_size=3),
    fails=st.booleans(),
)
def test_any_cut_and_any_new_start_gives_the_oracles_transitions_decisions_and_people(
    case: Case, sizes: list[int], wave: int, anew: list[bool], fails: bool
) -> None:
    expected = oracle_run(case.compiled, case.records, WORKSPACE)
    assert_same(engine_run(case, sizes, wave, anew, fails=fails), expected)
