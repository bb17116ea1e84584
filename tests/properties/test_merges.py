"""Links in any order give the same person, and the oracle's; with a broken rule put in, the comparison finds it.

What is compared: who is whom and called what, every value, memberships, consents, journeys, and all decisions (so whom
a campaign left out, and what counted for its cap). Left out is what tells of the way: transition numbers, under which
name the outbox was told of a consent, and memberships nobody can know (semantics.md: the stored bit stays).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.decide import joining, stage
from livepost.model.decision import Cancellation, Decision
from livepost.model.journal import Journal, Memory
from livepost.process.working import Working
from tests.oracle.naive import OracleResult, essence, essences
from tests.oracle.naive import run as naive_run
from tests.properties.driver import WORKSPACE, Run, fold
from tests.properties.merges import Merging, mergings, seeded_merging
from tests.properties.test_engine import SIZES, SLOW, oracle_people, people_of

SEEDS = range(150)
"""Cases for the controls, always the same ones."""

FEWER = settings(SLOW, max_examples=50)

Fault = Callable[[pytest.MonkeyPatch], None]
Drawn = list[tuple[Merging, OracleResult]]


def outcome(run: Run) -> Any:
    """Return what must not depend on the order of links."""
    return [(name, _without_numbers(told)) for name, told in sorted(people_of(run).items())], sorted(
        essence(item) for item in run.outbox if isinstance(item, Decision | Cancellation)
    )


def _without_numbers(told: tuple[Any, ...]) -> tuple[Any, ...]:
    subjects, memberships, *rest = told
    return subjects, {name: None if unknown else inside for name, (inside, _, unknown) in memberships.items()}, rest


def says(run: Run) -> Any:
    """Return all that the oracle says too, transition numbers and all."""
    return essences(run.transitions), essences(run.outbox), people_of(run)


def says_the_oracle(result: OracleResult) -> Any:
    """Return the same of the oracle."""
    return essences(result.transitions), essences(result.outbox), oracle_people(result)


@FEWER
@given(merging=mergings(), dice=st.randoms(use_true_random=False), sizes=SIZES)
def test_links_in_any_order_give_the_same_person(merging: Merging, dice: random.Random, sizes: list[int]) -> None:
    given_order = list(range(len(merging.links)))
    another = dice.sample(given_order, len(given_order))
    one, other = (fold(merging.compiled, merging.log(order), sizes) for order in (given_order, another))
    assert says(other) == says_the_oracle(naive_run(merging.compiled, merging.log(another), WORKSPACE))
    assert outcome(one) == outcome(other)


@FEWER
@given(merging=mergings(), dice=st.randoms(use_true_random=False), sizes=SIZES)
def test_who_is_named_in_one_record_in_any_order_becomes_the_same_person_to_the_transition_number(
    merging: Merging, dice: random.Random, sizes: list[int]
) -> None:
    given_order = list(range(len(merging.links) + 1))
    another = dice.sample(given_order, len(given_order))
    one, other = (fold(merging.compiled, merging.in_one_record(order), sizes) for order in (given_order, another))
    assert people_of(one) == people_of(other)
    assert essences(one.transitions) == essences(other.transitions)
    assert outcome(one) == outcome(other)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Return the cases, each with what the oracle says of its links in reversed order."""
    cases = [seeded_merging(seed) for seed in SEEDS]
    return [(case, naive_run(case.compiled, case.log(backwards(case)), WORKSPACE)) for case in cases]


def backwards(merging: Merging) -> list[int]:
    """Return the links' order reversed."""
    return list(reversed(range(len(merging.links))))


def differs(merging: Merging, expected: OracleResult) -> bool:
    """Say whether the engine differs from the oracle, or between two orders."""
    orders = [backwards(merging), list(range(len(merging.links)))]
    one, other = (fold(merging.compiled, merging.log(order), [100]) for order in orders)
    return says(one) != says_the_oracle(expected) or outcome(one) != outcome(other)


def the_one_who_speaks_names_the_person(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Working, "winner", lambda work, a, b: (a, b))


def sums_of_one_are_lost(patch: pytest.MonkeyPatch) -> None:
    join = Working.join

    def without_sums(work: Working, winner: int, loser: int) -> None:
        work.fixed[loser]["sums"] = 0
        join(work, winner, loser)

    patch.setattr(Working, "join", without_sums)


def the_bits_of_one_are_lost(patch: pytest.MonkeyPatch) -> None:
    join = Working.join

    def without_bits(work: Working, winner: int, loser: int) -> None:
        work.fixed[loser]["inside"] = False
        join(work, winner, loser)

    patch.setattr(Working, "join", without_bits)


def _memories_joined_by(rule: Callable[[Memory, Memory, Memory], Memory]) -> Fault:
    """Return a fault that makes a memory of (joined rightly, winner's, loser's)."""
    rightly = joining._join

    def fault(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(joining, "_join", lambda a, b: rule(rightly(a, b), a, b))

    return fault


def _with_journey_of_one(right: Memory, a: Memory, b: Memory) -> Memory:
    right.journey = a.journey or b.journey
    return right


def _with_assignment_of_one(right: Memory, a: Memory, b: Memory) -> Memory:
    right.held_out = a.held_out if a.held_out is not None else b.held_out
    return right


def _with_decisions_of_one(right: Memory, a: Memory, b: Memory) -> Memory:
    right.decided = a.decided
    return right


def _with_entry_of_one(right: Memory, a: Memory, b: Memory) -> Memory:
    right.entered = a.entered
    return right


def the_consents_of_one_go_first(patch: pytest.MonkeyPatch) -> None:
    join = stage.join_journals

    def with_those_of_one(winner: Journal, loser: Journal) -> Journal:
        joined = join(winner, loser)
        joined.consents = {**loser.consents, **winner.consents}
        return joined

    patch.setattr(stage, "join_journals", with_those_of_one)


FAULTS: dict[str, Fault] = {
    "named by who speaks": the_one_who_speaks_names_the_person,
    "sums lost": sums_of_one_are_lost,
    "bits lost": the_bits_of_one_are_lost,
    "consents of one": the_consents_of_one_go_first,
    "journey of one": _memories_joined_by(_with_journey_of_one),
    "assignment of one": _memories_joined_by(_with_assignment_of_one),
    "decisions of one": _memories_joined_by(_with_decisions_of_one),
    "entry of one": _memories_joined_by(_with_entry_of_one),
}


def test_without_a_fault_no_case_differs(drawn: Drawn) -> None:
    assert [seed for seed, case in enumerate(drawn) if differs(*case)] == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_in_some_case(fault: Fault, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert any(differs(*case) for case in drawn)
