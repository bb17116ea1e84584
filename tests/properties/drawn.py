"""Cases that are drawn once, always the same ones: what negative controls put their faults to."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from livepost.model.compiled import Compiled
from livepost.model.record import Record
from tests.oracle.naive import OracleResult
from tests.properties.driver import WORKSPACE
from tests.properties.generators import Case

Drawn = list[tuple[Case, OracleResult]]
Oracle = Callable[[Compiled, list[Record], str], OracleResult]


def drawn_from(cases: st.SearchStrategy[Case], count: int, oracle: Oracle) -> Drawn:
    """Return so many cases, each with what the oracle says."""
    found: Drawn = []

    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=count,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def draw(case: Case) -> None:
        found.append((case, oracle(case.compiled, case.records, WORKSPACE)))

    draw()
    return found
