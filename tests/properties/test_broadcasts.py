"""A broadcast asks everybody in its audience at its place in the log, however the log is cut and the engine begun anew.

The controls put faults into how an engine does it; the same comparison finds each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.engine.row import Bools, Fixed
from livepost.model.broadcast import LastBroadcast
from livepost.model.record import Record
from livepost.process import changing
from livepost.process.changing import Kept
from livepost.process.people import Changed, People
from livepost.process.working import Working
from livepost.runtime.engine import stepping
from livepost.runtime.engine.stepping import Stepper
from tests.oracle.changing import run as oracle_run
from tests.oracle.naive import OracleResult, essences
from tests.properties.broadcasts import broadcast_cases
from tests.properties.drawn import Drawn, drawn_from
from tests.properties.driver import WORKSPACE
from tests.properties.generators import Case
from tests.properties.test_changes import assert_same, engine_run
from tests.properties.test_engine import SIZES, SLOW, oracle_people, people_of

CASES = 120
"""Drawn once, always the same ones, for all controls."""

ANEW = (*(True,) * 40, *(False,) * 10_000)
"""Not for ever: an engine that asks people again at each new start would never come to an end."""

Fault = Callable[[pytest.MonkeyPatch], None]


@settings(SLOW, max_examples=80)
@given(
    case=broadcast_cases(),
    sizes=SIZES,
    wave=st.sampled_from([1, 2, 1000]),
    anew=st.lists(st.booleans(), min_size=1, max_size=3),
    fails=st.booleans(),
)
def test_any_cut_and_any_new_start_gives_the_oracles_decisions(
    case: Case, sizes: list[int], wave: int, anew: list[bool], fails: bool
) -> None:
    expected = oracle_run(case.compiled, case.records, WORKSPACE)
    assert_same(engine_run(case, sizes, wave, anew, fails=fails), expected)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Return the cases, each with what the oracle says."""
    return drawn_from(broadcast_cases(), CASES, oracle_run)


def differs(case: Case, expected: OracleResult) -> bool:
    """Say whether the engine, begun anew behind its first steps, says anything else than the oracle."""
    run = engine_run(case, [100], 1, ANEW)
    return essences(run.outbox) != essences(expected.outbox) or people_of(run) != oracle_people(expected)


def not_noted_who_was_asked(patch: pytest.MonkeyPatch) -> None:
    """Let rows not say that people were asked."""
    changed = Working.changed

    def unnoted(work: Working) -> Changed:
        work.broadcast = None
        return changed(work)

    patch.setattr(Working, "changed", unnoted)


def not_asked_after_a_new_start(patch: pytest.MonkeyPatch) -> None:
    """Forget, where an engine begins anew, who is still to be asked."""
    hear = People.hear

    def heard(people: People, broadcast: LastBroadcast | None) -> None:
        if people.position >= 0:
            hear(people, broadcast)

    patch.setattr(People, "hear", heard)


def asked_before_what_was_due(patch: pytest.MonkeyPatch) -> None:
    """Take a broadcast while people are due before it."""

    def at_once(stepper: Stepper, blocks: Sequence[object]) -> None:
        return None

    patch.setattr(Stepper, "to_serve_before", at_once)


def done_again(patch: pytest.MonkeyPatch) -> None:
    """Do a broadcast again that is told again."""
    broadcast_of = changing.broadcast_of

    def forgetful(kept: Kept, record: Record) -> Kept | None:
        return broadcast_of(msgspec.structs.replace(kept, broadcasts=()), record)

    patch.setattr(stepping, "broadcast_of", forgetful)


def everybody_asked(patch: pytest.MonkeyPatch) -> None:
    """Ask those, too, who are in another segment."""

    def concerned(people: People, fixed: Fixed, broadcast: LastBroadcast) -> Bools:
        asked: Bools = fixed["inside"].any(axis=1) & (fixed["asked"] < broadcast.number)
        return asked

    patch.setattr(People, "concerned", concerned)


FAULTS: tuple[Fault, ...] = (
    not_noted_who_was_asked,
    not_asked_after_a_new_start,
    asked_before_what_was_due,
    done_again,
    everybody_asked,
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_in_broadcasts_is_found(fault: Fault, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert any(differs(case, expected) for case, expected in drawn)


def test_without_a_fault_nothing_is_found(drawn: Drawn) -> None:
    assert not any(differs(case, expected) for case, expected in drawn)
    assert sum(bool(expected.outbox) for _, expected in drawn) > CASES // 3
