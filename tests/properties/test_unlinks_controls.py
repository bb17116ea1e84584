"""Negative controls of test_unlinks.py: with a fault put into how a merge is undone, the comparison finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from livepost.decide import stage as deciding
from livepost.decide.stage import Campaigns
from livepost.engine.row import blank
from livepost.model.journal import Journal
from livepost.process import identify, parting
from livepost.process.rounds import Rounds
from livepost.process.working import Working
from tests.oracle.naive import OracleResult, essences
from tests.oracle.unlinking import run as oracle_run
from tests.properties.drawn import Drawn, drawn_from
from tests.properties.generators import Case
from tests.properties.test_changes import engine_run
from tests.properties.test_engine import oracle_people, people_of
from tests.properties.unlinks import unlinking_cases

CASES = 120
"""Drawn once, always the same ones, for all controls; those without an undo are left out."""

Fault = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Return the cases, each with what the oracle says."""
    found = drawn_from(unlinking_cases(), CASES, oracle_run)
    return [one for one in found if any(item[1] == "part" for item in essences(one[1].outbox))]


def differs(case: Case, expected: OracleResult) -> bool:
    """Say whether the engine says anything else than the oracle."""
    run = engine_run(case, [100], anew=[True])
    return (
        essences(run.transitions) != essences(expected.transitions)
        or essences(run.outbox) != essences(expected.outbox)
        or people_of(run) != oracle_people(expected)
    )


def linked_again_by_a_mention(patch: pytest.MonkeyPatch) -> None:
    """Let any mention make the two one again."""
    patch.setattr(identify, "kept_apart", lambda one, other: False)


def numbers_begin_anew(patch: pytest.MonkeyPatch) -> None:
    """Give the other transition numbers from 0, so that ids are given twice."""
    part = Working.part

    def anew(work: Working, kept: int, other: int, subjects: Any) -> None:
        part(work, kept, other, subjects)
        work.fixed["numbers"][other] = blank(work.program, 1)[0]["numbers"]

    patch.setattr(Working, "part", anew)


def no_history(patch: pytest.MonkeyPatch) -> None:
    """Let both begin with nothing."""
    patch.setattr(parting, "fold_states", lambda reading, states, work: None)


def not_evaluated(patch: pytest.MonkeyPatch) -> None:
    """Leave the two as they are until something happens to them."""
    records = Rounds.records

    def only_living(rounds: Rounds, owners: Any, places: Any) -> None:
        alive = [pair for pair in zip(owners, places, strict=True) if rounds._batch.alive[pair[1]]]
        records(rounds, [owner for owner, _ in alive], [place for _, place in alive])

    patch.setattr(Rounds, "records", only_living)


def memories_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Forget what campaigns decided, so that they may begin anew."""
    part_journal = deciding.part_journal

    def forgetful(whole: Journal, *said: Any) -> Any:
        kept, other, waiting, lost = part_journal(whole, *said)
        other.campaigns = {name: type(memory)() for name, memory in other.campaigns.items()}
        return kept, other, waiting, lost

    patch.setattr(deciding, "part_journal", forgetful)


def consents_with_both(patch: pytest.MonkeyPatch) -> None:
    """Let both be allowed what either was."""
    part_journal = deciding.part_journal

    def generous(whole: Journal, kept: Mapping[str, Any], other: Mapping[str, Any]) -> Any:
        return part_journal(whole, {**kept, **whole.consents}, {**other, **whole.consents})

    patch.setattr(deciding, "part_journal", generous)


def journeys_dropped(patch: pytest.MonkeyPatch) -> None:
    """Let nobody have the journeys that wait, and tell nobody."""
    patch.setattr(Campaigns, "share", lambda campaigns, waiting, halves, moment: [])


def journeys_stay_with_the_name(patch: pytest.MonkeyPatch) -> None:
    """Give every journey to the one who keeps the name."""
    share = Campaigns.share

    def name_first(campaigns: Campaigns, waiting: Any, halves: Any, moment: Any) -> Any:
        halves[0].events |= {journey.cause for journey in waiting.values()}
        return share(campaigns, waiting, halves, moment)

    patch.setattr(Campaigns, "share", name_first)


def test_without_a_fault_no_case_differs(drawn: Drawn) -> None:
    assert len(drawn) > CASES / 4
    assert [number for number, (case, expected) in enumerate(drawn) if differs(case, expected)] == []


@pytest.mark.parametrize(
    "fault",
    [
        linked_again_by_a_mention,
        numbers_begin_anew,
        no_history,
        not_evaluated,
        memories_forgotten,
        consents_with_both,
        journeys_dropped,
        journeys_stay_with_the_name,
    ],
)
def test_a_fault_is_found_in_some_case(fault: Fault, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert any(differs(case, expected) for case, expected in drawn)
