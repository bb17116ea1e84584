"""However the log is cut, and wherever the engine starts anew, it forgets people as the oracle does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.process import stage
from livepost.process.rounds import Rounds
from livepost.process.working import Working
from tests.oracle.forgetting import run as oracle_run
from tests.oracle.naive import OracleResult, essences
from tests.properties.drawn import drawn_from
from tests.properties.driver import WORKSPACE
from tests.properties.forgetting import forgetting_cases
from tests.properties.generators import Case
from tests.properties.test_changes import assert_same, engine_run
from tests.properties.test_engine import SIZES, SLOW, oracle_people, people_of

CASES = 60


@settings(SLOW, max_examples=60)
@given(
    case=forgetting_cases(),
    sizes=SIZES,
    wave=st.sampled_from([1, 2, 1000]),
    anew=st.lists(st.booleans(), min_size=1, max_size=3),
    fails=st.booleans(),
)
def test_any_cut_and_any_new_start_forgets_people_as_the_oracle(
    case: Case, sizes: list[int], wave: int, anew: list[bool], fails: bool
) -> None:
    expected = oracle_run(case.compiled, case.records, WORKSPACE)
    assert_same(engine_run(case, sizes, wave, anew, fails=fails), expected)


def leave_due_times(gone: Sequence[int], stamp: int, rounds: Rounds, work: Working) -> None:
    """Forget, but what was due before is never served."""
    for local in gone:
        work.forget(local)


def keep_everybody(gone: Sequence[int], stamp: int, rounds: Rounds, work: Working) -> None:
    """Forget nobody."""


@pytest.mark.parametrize("fault", [leave_due_times, keep_everybody])
def test_an_engine_that_forgets_wrong_is_found(fault: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    cases = drawn_from(forgetting_cases(), CASES, oracle_run)
    monkeypatch.setattr(stage, "forget", fault)
    assert any(_differs(case, expected) for case, expected in cases)


def _differs(case: Case, expected: OracleResult) -> bool:
    run = engine_run(case, [100], anew=[True])
    return (
        essences(run.transitions) != essences(expected.transitions)
        or essences(run.outbox) != essences(expected.outbox)
        or people_of(run) != oracle_people(expected)
    )
