"""Negative controls of what the ledger's contract says of choices: with a part left out, its checks find it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from livepost.clock import SimulatedClock
from livepost.ledger import choices
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.decision import Merge
from livepost.testing.contracts.choices import OFF, chosen_against, reminder, said
from livepost.testing.contracts.ledger import ADA, BOB, START_MS, consent, page

SWITCHED = ["decide", "off", "claim", "confirm"]
FEWER = ["less", "decide", "decide", "claim", "claim", "confirm"]
LATE = ["decide", "claim", "off", "confirm"]


@pytest.fixture
def ledger() -> Iterator[SqliteLedger]:
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as one:
        yield one


@pytest.mark.parametrize("steps", [SWITCHED, FEWER, LATE])
def test_a_claim_that_forgets_choices_would_be_found(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, steps: list[str]
) -> None:
    monkeypatch.setattr(choices, "refused_choices", lambda said, withdrawn: frozenset[str]())
    assert chosen_against(ledger, steps) != []


@pytest.mark.parametrize("steps", [SWITCHED, FEWER, LATE])
def test_without_the_fault_nothing_goes_against_a_choice(ledger: SqliteLedger, steps: list[str]) -> None:
    assert chosen_against(ledger, steps) == []


def test_the_check_lets_mails_through_that_nobody_refused(ledger: SqliteLedger) -> None:
    assert chosen_against(ledger, ["decide", "claim", "merge", "off", "on", "confirm"]) == []
    assert [one.state for one in ledger.deliveries()] == ["sent"]


def claimed_after_a_merge(ledger: SqliteLedger) -> int:
    """Return how many mails go where one refused, and the other allowed later, and both are one."""
    words = said(1, OFF, allowed=False, at=START_MS + 1), said(1, OFF, allowed=True, at=START_MS + 2, person=BOB)
    granted = consent(0), consent(0, person=BOB)
    ledger.take_over(page(*granted, *words, Merge(old=ADA, new=BOB, position=2), reminder(3, person=BOB)), START_MS)
    return len(ledger.claim(START_MS, 10, "w"))


def test_a_merge_that_took_the_later_word_on_a_choice_would_be_found(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "move", lambda store, source, target: None)
    assert claimed_after_a_merge(ledger) == 1


def test_without_that_fault_the_refusal_counts(ledger: SqliteLedger) -> None:
    assert claimed_after_a_merge(ledger) == 0
