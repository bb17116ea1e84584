"""However the log is cut, and wherever the engine starts anew, it goes through undone merges as the oracle."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.unlinking import run as oracle_run
from tests.properties.driver import WORKSPACE
from tests.properties.generators import Case
from tests.properties.test_changes import assert_same, engine_run
from tests.properties.test_engine import SIZES, SLOW
from tests.properties.unlinks import unlinking_cases


@settings(SLOW, max_examples=60)
@given(
    case=unlinking_cases(),
    sizes=SIZES,
    wave=st.sampled_from([1, 2, 1000]),
    anew=st.lists(st.booleans(), min_size=1, max_size=3),
    fails=st.booleans(),
)
def test_any_cut_and_any_new_start_undoes_merges_as_the_oracle(
    case: Case, sizes: list[int], wave: int, anew: list[bool], fails: bool
) -> None:
    expected = oracle_run(case.compiled, case.records, WORKSPACE)
    assert_same(engine_run(case, sizes, wave, anew, fails=fails), expected)
