"""R13, as far as it is pure: many shards say what one engine says, and the naive oracle, to the id."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings

from livepost.ids import shard_of
from livepost.model.decision import OutboxItem
from livepost.process.people import FATES
from tests.oracle.naive import OracleResult, essence, essences
from tests.oracle.naive import run as naive_run
from tests.properties.driver import WORKSPACE, Run, fold
from tests.properties.generators import Case
from tests.properties.shards import ShardedRun, Weather, crowded_cases, fold_sharded, weathers
from tests.properties.test_engine import SLOW, oracle_people, people_of


def people_of_all(run: ShardedRun) -> dict[bytes, Any]:
    """Return everybody of all shards, having looked that nobody is in two, or in another than their own."""
    everybody: dict[bytes, Any] = {}
    for number, people in enumerate(run.shards):
        here = people_of(Run(people))
        assert not here.keys() & everybody.keys()
        assert all(shard_of(name) % len(run.shards) == number for name in here)
        everybody |= here
    return everybody


def compare_with_one(case: Case, weather: Weather) -> ShardedRun:
    """Compare many shards with one engine over the same log, its counts and dead letters too."""
    one = fold(case.compiled, case.records, [100])
    run = run_as(one, case, weather)
    assert {fate: run.counts[fate] for fate in FATES} == one.people.counts
    assert +Counter({name: n for name, n in run.counts.items() if name not in FATES}) == +one.people.lateness
    assert sorted(letter.position for letter in run.dead) == sorted(letter.position for letter in one.dead)
    return run


def run_as(one: Run, case: Case, weather: Weather) -> ShardedRun:
    """Run many shards; require that they say what one engine said of the same log."""
    expected = sorted(map(essence, one.outbox))

    def outboxes_agree(complete_to: int, outbox: list[OutboxItem]) -> None:
        so_far = sorted(essence(item) for item in outbox if item.position <= complete_to)
        assert so_far == [told for told in expected if told[0] <= complete_to]

    run = fold_sharded(case, weather, outboxes_agree)
    assert not run.is_stuck
    assert essences(run.transitions) == essences(one.transitions)
    assert essences(run.outbox) == expected
    assert people_of_all(run) == people_of(one)
    return run


def require_oracles(run: ShardedRun, oracle: OracleResult) -> None:
    """Require that shards say what the oracle says."""
    assert essences(run.transitions) == essences(oracle.transitions)
    assert essences(run.outbox) == essences(oracle.outbox)
    assert people_of_all(run) == oracle_people(oracle)


@settings(SLOW, max_examples=60)
@given(case=crowded_cases(), weather=weathers())
def test_any_number_of_shards_in_any_weather_says_what_one_engine_says(case: Case, weather: Weather) -> None:
    run = compare_with_one(case, weather)
    require_oracles(run, naive_run(case.compiled, case.records, WORKSPACE))
