"""R5: what the naive oracle says of people at the end of a log is what DuckDB makes of it, for every word."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from livepost.log.base import Position
from livepost.model.block import block_of
from livepost.model.compiled import Compiled
from livepost.ops.parity import recompute as recomputing
from livepost.ops.parity import tables
from livepost.ops.parity.recompute import Recomputed, recompute
from tests.oracle.forgetting import run as forgetting_run
from tests.oracle.naive import OracleResult, PersonResult
from tests.oracle.naive import run as naive_run
from tests.oracle.unlinking import run as unlinking_run
from tests.properties.driver import WORKSPACE
from tests.properties.forgetting import ended_case, ended_cases
from tests.properties.generators import Case, Seeded, cases
from tests.properties.unlinks import plain_case, plain_cases

SLOW = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    max_examples=60,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
IN_MONEY = ("total", "minimum", "maximum")
"""Words whose sums of money the oracle says without a currency, as minor units."""


@SLOW
@given(case=cases())
def test_duckdb_makes_of_the_log_what_the_oracle_says(case: Case) -> None:
    expected = naive_run(case.compiled, case.records, WORKSPACE)
    assert people_of_duckdb(case, expected) == people_of_oracle(expected)


@settings(SLOW, max_examples=30)
@given(case=plain_cases())
def test_duckdb_makes_of_a_log_with_undone_merges_what_the_oracle_says(case: Case) -> None:
    expected = unlinking_run(case.compiled, case.records, WORKSPACE)
    assert people_of_duckdb(case, expected) == people_of_oracle(expected)


@settings(SLOW, max_examples=30)
@given(case=ended_cases())
def test_duckdb_makes_of_a_log_with_forgotten_people_what_the_oracle_says(case: Case) -> None:
    expected = forgetting_run(case.compiled, case.records, WORKSPACE)
    assert people_of_duckdb(case, expected) == people_of_oracle(expected)


def test_a_recomputation_that_forgets_nobody_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: DuckDB that knows of nobody forgotten."""
    monkeypatch.setattr(tables, "_forgotten", lambda block: ())

    def differs(seed: int) -> bool:
        case = ended_case(Seeded(seed))
        expected = forgetting_run(case.compiled, case.records, WORKSPACE)
        last = case.records[-1]
        blocks = [block_of(block, block[0].seq, block[0].stamp) for block in case.blocks]
        found = recompute(blocks, case.compiled, [], Position(last.seq, last.stamp))
        return found.persons.keys() != expected.people.keys()

    assert any(differs(seed) for seed in range(10))


def test_a_recomputation_that_passes_undone_merges_by_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: DuckDB that knows of no undo."""
    monkeypatch.setattr(recomputing, "_undos", lambda loader: [])

    def differs(seed: int) -> bool:
        case = plain_case(Seeded(seed), strays=False)
        expected = unlinking_run(case.compiled, case.records, WORKSPACE)
        last = case.records[-1]
        blocks = [block_of(block, block[0].seq, block[0].stamp) for block in case.blocks]
        return (
            recompute(blocks, case.compiled, [], Position(last.seq, last.stamp)).persons.keys()
            != expected.people.keys()
        )

    assert any(differs(seed) for seed in range(10))


def people_of_oracle(result: OracleResult) -> dict[bytes, Any]:
    """Return, by name, subjects, values, consents, and the segments a person is in; None for what is unknown."""
    return {name: _oracles(person) for name, person in result.people.items()}


def people_of_duckdb(case: Case, result: OracleResult) -> dict[bytes, Any]:
    """Return the same as DuckDB has it, of the people that the oracle names."""
    last = case.records[-1]
    blocks = [block_of(block, block[0].seq, block[0].stamp) for block in case.blocks]
    wanted = [person.subjects for person in result.people.values()]
    found = recompute(blocks, case.compiled, wanted, Position(last.seq, last.stamp))
    assert found.persons.keys() == result.people.keys()
    return {name: _duckdbs(person, case.compiled) for name, person in found.recomputed.items()}


def _oracles(person: PersonResult) -> Any:
    segments = {name: None if name in person.unknown else bit for name, (bit, _) in person.memberships.items()}
    return sorted(person.subjects), person.features, person.consents, segments


def _duckdbs(person: Recomputed, compiled: Compiled) -> Any:
    in_money = {spec.name for spec in compiled.features if spec.type == "money" and spec.kind in IN_MONEY}
    features = {
        name: value[0] if name in in_money and value is not None else value for name, value in person.features.items()
    }
    return sorted(person.person.subjects), features, person.consents, person.segments
