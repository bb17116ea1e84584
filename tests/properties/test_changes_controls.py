"""Negative controls of test_changes.py: with a fault put into how a project changes, the comparison finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import numpy as np
import pytest

from livepost.engine.program import Program
from livepost.engine.row import Bools
from livepost.model.change import Seed, SeedState
from livepost.process import changing, stage
from livepost.process.history import fold
from livepost.process.round import Round
from livepost.process.working import Working
from livepost.runtime.engine import stepping
from tests.oracle.changing import run as oracle_run
from tests.oracle.naive import OracleResult, essences
from tests.properties.changes import changing_cases
from tests.properties.drawn import Drawn, drawn_from
from tests.properties.generators import Case
from tests.properties.test_changes import engine_run
from tests.properties.test_engine import oracle_people, people_of

CASES = 160
"""Drawn once, always the same ones, for all controls."""

Fault = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Return the cases, each with what the oracle says."""
    return drawn_from(changing_cases(), CASES, oracle_run)


def differs(case: Case, expected: OracleResult) -> bool:
    """Say whether the engine says anything else than the oracle."""
    run = engine_run(case, [100], anew=[True])
    return (
        essences(run.transitions) != essences(expected.transitions)
        or essences(run.outbox) != essences(expected.outbox)
        or people_of(run) != oracle_people(expected)
    )


def ready_taken_for_live(patch: pytest.MonkeyPatch) -> None:
    """Evaluate everybody at READY as at any due time."""

    def nobody(a_round: Round, people: Bools) -> Bools:
        return np.zeros(len(a_round.places), bool)

    patch.setattr(Round, "firsts_of", nobody)


def seeds_folded_twice(patch: pytest.MonkeyPatch) -> None:
    """Fold each seed two times."""

    def twice(seed: Seed, states: Iterable[tuple[int, SeedState]], work: Working) -> None:
        some = list(states)
        fold(seed, some, work)
        fold(seed, some, work)

    patch.setattr(stage, "fold", twice)


def seeds_in_any_turn(patch: pytest.MonkeyPatch) -> None:
    """Take a seed of the run whatever its number, so one that came before counts once more."""
    seed_of = changing.seed_of

    def any_turn(kept: changing.Kept, record: changing.Record) -> tuple[changing.Kept, Seed] | None:
        cut, number = kept.definitions.cut, record.control.get("number", 0)
        if cut is None:
            return None
        definitions = msgspec.structs.replace(kept.definitions, seeded=number)
        return seed_of(msgspec.structs.replace(kept, definitions=definitions), record)

    patch.setattr(stepping, "seed_of", any_turn)


def no_history(patch: pytest.MonkeyPatch) -> None:
    """Leave what was before the cut out."""
    patch.setattr(stage, "fold", lambda seed, states, work: None)


def nothing_counts_before_ready(patch: pytest.MonkeyPatch) -> None:
    """Let new features begin at READY instead of at the cut."""

    def alone(compiled: changing.Compiled, coming: object = None, *rest: object, **more: object) -> Program:
        return Program(compiled, None, *rest, **more)  # type: ignore[arg-type]

    patch.setattr(changing, "Program", alone)


def numbers_begin_anew(patch: pytest.MonkeyPatch) -> None:
    """Let every segment begin at out and 0."""
    patch.setattr(changing, "taken_over", lambda before, after, carried: {})


def due_times_left_to_the_coming_project(patch: pytest.MonkeyPatch) -> None:
    """Change at READY without serving what is due before."""
    patch.setattr(stepping.Stepper, "to_serve_before", lambda stepper, blocks: None)


def test_without_a_fault_no_case_differs(drawn: Drawn) -> None:
    assert len(drawn) == CASES
    assert [number for number, (case, expected) in enumerate(drawn) if differs(case, expected)] == []


@pytest.mark.parametrize(
    "fault",
    [
        ready_taken_for_live,
        seeds_folded_twice,
        seeds_in_any_turn,
        no_history,
        nothing_counts_before_ready,
        numbers_begin_anew,
        due_times_left_to_the_coming_project,
    ],
)
def test_a_fault_is_found_in_some_case(fault: Fault, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert any(differs(case, expected) for case, expected in drawn)
