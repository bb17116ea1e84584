"""R5: however the log is cut into batches, the engine says what the naive oracle says, to the id."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from livepost.process.view import view_of
from tests.oracle.naive import essences
from tests.oracle.naive import run as naive_run
from tests.properties.driver import WORKSPACE, Run, fold
from tests.properties.generators import Case, cases

SIZES = st.lists(st.sampled_from([1, 2, 3, 7, 100]), min_size=1, max_size=3)
SLOW = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    max_examples=150,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def plain(run: Run, name: str, value: Any) -> Any:
    """Return a feature as the oracle has it: what is computed of money without its currency."""
    spec = run.people.program.readings[name].spec
    computed = spec.type == "money" and spec.kind in ("total", "minimum", "maximum")
    return value[0] if computed and value is not None else value


def people_of(run: Run) -> dict[bytes, Any]:
    views = [view_of(run.people, n) for n, row in enumerate(run.people.rows) if row is not None]
    return {
        v.person: (
            sorted(v.subjects),
            {m.segment: (m.inside, m.number, m.unknown) for m in v.memberships},
            v.consents,
            {j.campaign: (j.entered_at, j.due) for j in v.journeys},
            {**{name: plain(run, name, value) for name, value in v.features.items()}, **v.sealed},
        )
        for v in views
    }


def oracle_people(result: Any) -> dict[bytes, Any]:
    return {
        name: (
            sorted(p.subjects),
            {segment: (*bit, segment in p.unknown) for segment, bit in p.memberships.items()},
            p.consents,
            {c: j[:2] for c, j in p.journeys.items()},
            p.features,
        )
        for name, p in result.people.items()
    }


@SLOW
@given(case=cases(), sizes=SIZES, wave=st.sampled_from([1, 2, 1000]))
def test_any_batching_gives_the_oracles_transitions_decisions_and_people(
    case: Case, sizes: list[int], wave: int
) -> None:
    compare_with_oracle(case, sizes, wave)


def compare_with_oracle(case: Case, sizes: list[int], wave: int) -> None:
    expected = naive_run(case.compiled, case.records, WORKSPACE)
    run = fold(case.compiled, case.records, sizes, wave)
    assert essences(run.transitions) == essences(expected.transitions)
    assert essences(run.outbox) == essences(expected.outbox)
    assert people_of(run) == oracle_people(expected)
