"""Many shards go through changes of their project as one engine does, and the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.process.sharded.shard import Shard
from livepost.process.sharded.told import Frame
from tests.oracle.changing import run as oracle_run
from tests.properties.changes import by_definition, changing
from tests.properties.driver import WORKSPACE
from tests.properties.generators import Case, Dice, Seeded, any_project
from tests.properties.shards import Weather, crowded, weathers
from tests.properties.test_changes import engine_run
from tests.properties.test_engine import SLOW
from tests.properties.test_shards import require_oracles, run_as


@st.composite
def changing_crowds(draw: st.DrawFn) -> Case:
    """Return cases with many subjects, of whom many are mentioned, in which other projects come."""
    dice = Dice(draw)
    first = by_definition(any_project(dice))
    return changing(dice, first, crowded(dice, first).blocks)


def compare(case: Case, weather: Weather) -> None:
    """Compare many shards with one engine over the same log, and both with the oracle."""
    run = run_as(engine_run(case, [100]), case, weather)
    require_oracles(run, oracle_run(case.compiled, case.records, WORKSPACE))


@settings(SLOW, max_examples=30)
@given(case=changing_crowds(), weather=weathers())
def test_shards_go_through_changes_as_one_engine_does(case: Case, weather: Weather) -> None:
    compare(case, weather)


def test_a_change_that_is_taken_while_people_are_parked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def always(self: Shard, frame: Frame) -> bool:
        return True

    monkeypatch.setattr(Shard, "has_room", always)
    assert any(differs(seed) for seed in range(25))


def differs(seed: int) -> bool:
    dice = Seeded(seed)
    first = by_definition(any_project(dice))
    try:
        compare(changing(dice, first, crowded(dice, first).blocks), Weather(shards=3, seed=seed))
    except (AssertionError, KeyError):
        return True
    return False
