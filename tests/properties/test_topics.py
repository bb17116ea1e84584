"""What people choose beside consent, topics and how often: decided as the oracle does, however the log is cut.

The controls put faults into how it is decided and joined; the same comparison finds each.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.decide import joining, verdict
from livepost.model.compiled import Compiled
from livepost.model.record import Record
from tests.oracle.naive import OracleResult, essences
from tests.oracle.naive import run as naive_run
from tests.properties.drawn import Drawn, drawn_from
from tests.properties.driver import fold
from tests.properties.generators import Case, Dice, any_log, any_project
from tests.properties.test_engine import SIZES, SLOW, compare_with_oracle

CASES = 200
"""Drawn once, always the same ones, for all controls."""

CHOICES = ("topic:tea", "topic:pots", "frequency:1 per 7d")

Fault = Callable[[pytest.MonkeyPatch], None]


@st.composite
def topic_cases(draw: st.DrawFn) -> Case:
    """Return cases whose campaigns are about something, and whose people choose."""
    dice = Dice(draw)
    project = with_topics(dice, any_project(dice))
    return Case(project, [[choosing(dice, record) for record in block] for block in any_log(dice, project)])


def with_topics(dice: Dice, project: Compiled) -> Compiled:
    """Return a project whose campaigns have topics, most of them."""
    campaigns = [msgspec.structs.replace(one, topic=dice.pick(("tea", "tea", "pots", ""))) for one in project.campaigns]
    return msgspec.structs.replace(project, campaigns=tuple(campaigns))


def choosing(dice: Dice, record: Record) -> Record:
    """Return a record that says something about a choice, now and then; a repeated one says what it said."""
    if not record.message_id or not dice.chance(3):
        return record
    said = {dice.pick(CHOICES): dice.pick((True, False, False))}
    consent = {**record.context.get("consent", {}), **said}
    fresh = {"message_id": f"{record.message_id}-{record.seq}"}
    return msgspec.structs.replace(record, context={**record.context, "consent": consent}, **fresh)


@settings(SLOW, max_examples=80)
@given(case=topic_cases(), sizes=SIZES, wave=st.sampled_from([1, 1000]))
def test_any_batching_gives_the_oracles_decisions(case: Case, sizes: list[int], wave: int) -> None:
    compare_with_oracle(case, sizes, wave)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Return the cases, each with what the oracle says."""
    return drawn_from(topic_cases(), CASES, naive_run)


def differs(case: Case, expected: OracleResult) -> bool:
    """Say whether the engine decides anything else than the oracle."""
    return essences(fold(case.compiled, case.records, [100]).outbox) != essences(expected.outbox)


def topics_not_asked(patch: pytest.MonkeyPatch) -> None:
    """Decide whatever people switched off."""
    patch.setattr(verdict, "_topic", lambda *asked: None)


def the_later_word_counts_at_a_merge(patch: pytest.MonkeyPatch) -> None:
    """Join choices as consents."""
    patch.setattr(joining, "is_choice", lambda key: False)


@pytest.mark.parametrize("fault", [topics_not_asked, the_later_word_counts_at_a_merge], ids=lambda f: f.__name__)
def test_a_fault_in_choices_is_found(fault: Fault, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert any(differs(case, expected) for case, expected in drawn)


def test_without_a_fault_nothing_is_found(drawn: Drawn) -> None:
    assert not any(differs(case, expected) for case, expected in drawn)
    skips = {getattr(item, "skip", "") for _, expected in drawn for item in expected.outbox}
    assert "topic" in skips
