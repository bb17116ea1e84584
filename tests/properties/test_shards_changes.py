"""Many shards go through changes of their project as one engine does, and the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.model.decision import OutboxItem
from livepost.process.sharded.shard import Shard
from livepost.process.sharded.told import Frame
from tests.oracle.changing import run as oracle_run
from tests.oracle.naive import essence, essences
from tests.properties.changes import by_definition, changing
from tests.properties.driver import WORKSPACE
from tests.properties.generators import Case, Dice, Seeded, any_project
from tests.properties.shards import Weather, crowded, fold_sharded, weathers
from tests.properties.test_changes import engine_run
from tests.properties.test_engine import SLOW, oracle_people, people_of
from tests.properties.test_shards import people_of_all


@st.composite
def changing_crowds(draw: st.DrawFn) -> Case:
    """Return cases with many subjects, of whom many are mentioned, in which other projects come."""
    dice = Dice(draw)
    first = by_definition(any_project(dice))
    return changing(dice, first, crowded(dice, first).blocks)


def compare(case: Case, weather: Weather) -> None:
    """Compare many shards with one engine over the same log, and both with the oracle."""
    one = engine_run(case, [100])
    expected = sorted(map(essence, one.outbox))

    def outboxes_agree(complete_to: int, outbox: list[OutboxItem]) -> None:
        so_far = sorted(essence(item) for item in outbox if item.position <= complete_to)
        assert so_far == [told for told in expected if told[0] <= complete_to]

    run = fold_sharded(case, weather, outboxes_agree)
    assert not run.is_stuck
    assert essences(run.transitions) == essences(one.transitions)
    assert essences(run.outbox) == expected
    assert people_of_all(run) == people_of(one)
    oracle = oracle_run(case.compiled, case.records, WORKSPACE)
    assert essences(run.transitions) == essences(oracle.transitions)
    assert essences(run.outbox) == essences(oracle.outbox)
    assert people_of_all(run) == oracle_people(oracle)


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
