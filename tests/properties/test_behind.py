"""The records that `why` tells are those that a value is made of: over them alone, the oracle comes to the same value.

Features of every word, late and repeated events, taken ids, merges: whatever the generators draw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from livepost.clock import SimulatedClock
from livepost.log.base import Position
from livepost.log.memory import MemoryLog
from livepost.model.letter import Letter
from livepost.model.person import PersonView
from livepost.model.record import Kind, Record
from livepost.ops import behind as behind_module
from livepost.ops.behind import Behind, behind, counted
from livepost.ops.behind import value_over as recomputed
from livepost.ops.search import Searched
from livepost.process.view import view_of
from tests.oracle.naive import run as naive_run
from tests.oracle.values import feeds, in_window, value_of
from tests.properties.driver import WORKSPACE, Run, fold
from tests.properties.generators import Case, seeded_case
from tests.properties.test_engine import plain

SEEDS = range(60)


class Dead:
    """The dead letters of a run, as the engine tells them."""

    def __init__(self, letters: Sequence[Letter]) -> None:
        self._letters = sorted(letters, key=lambda one: one.position)

    def dead(self, after: int, limit: int) -> list[Letter]:
        return [one for one in self._letters if one.position > after][:limit]


def views(run: Run) -> Iterator[PersonView]:
    return (view_of(run.people, n) for n, row in enumerate(run.people.rows) if row is not None)


def found(case: Case, view: PersonView) -> Searched:
    """Return a person's events, the newest first, as a search of the whole log does."""
    own = [one for one in case.records if one.kind is Kind.EVENT and one.subject in view.subjects]
    return Searched(own[::-1], Position(0, 0), whole=True)


def trouble(case: Case, kinds: Counter[str], dead: Sequence[Letter] | None = None) -> list[str]:
    """Return in what the records told are not those that the values are made of; count the words looked at."""
    run = fold(case.compiled, case.records, [7])
    endings = naive_run(case.compiled, case.records, WORKSPACE).endings
    processed = {one.seq for one, ending in zip(case.records, endings, strict=True) if ending == ("processed", "")}
    wrong = []
    for view in views(run):
        known = counted(found(case, view), MemoryLog(SimulatedClock(1)), Dead(run.dead if dead is None else dead))
        own = [one for one in case.records if one.seq in processed and one.subject in view.subjects]
        if [one.seq for one in known.records] != [one.seq for one in own]:
            wrong.append(f"{view.person.hex()}: other records count")
        for spec in case.compiled.features:
            told = behind(spec, known.records, view.as_of)
            fed = [one for one in own if feeds(spec, one) and in_window(spec, one, view.as_of)]
            kinds[spec.kind] += bool(told.records)
            if len(told.records) + told.more + told.others != len(fed) or told.more:
                wrong.append(f"{spec.name}: {told} of {len(fed)}")
            then = recomputed(spec, known.records, view.as_of)
            if not spec.personal and amount(then) != amount(view.features.get(spec.name)):
                wrong.append(f"{spec.name}: recomputed otherwise")
            if value_over(told, own, spec, view) != value_of(spec, fed, view.as_of):
                wrong.append(f"{spec.name}: another value")
            is_unknown = spec.kind in ("distinct", "top") and view.features.get(spec.name) is None
            if value_over(told, own, spec, view) != live(run, view, spec.name) and not is_unknown:
                wrong.append(f"{spec.name}: not the live value")
    return wrong


def value_over(told: Behind, own: list[Record], spec: Any, view: PersonView) -> Any:
    positions = {one.position for one in told.records}
    return value_of(spec, [one for one in own if one.seq in positions], view.as_of)


def amount(value: Any) -> Any:
    """Return money without its currency, which a total over nothing has none of."""
    is_money = isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[1], str)
    return value[0] if is_money and isinstance(value[0], int) else value


def live(run: Run, view: PersonView, name: str) -> Any:
    return plain(run, name, {**view.features, **view.sealed}.get(name))


@pytest.fixture
def all_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind_module, "SHOWN", 1_000_000)


@pytest.mark.usefixtures("all_shown")
def test_the_records_told_are_those_that_the_value_is_made_of() -> None:
    kinds: Counter[str] = Counter()
    assert {seed: wrong for seed in SEEDS if (wrong := trouble(seeded_case(seed), kinds))} == {}
    assert len(kinds) == 12 and min(kinds.values()) >= 4, kinds


@pytest.mark.usefixtures("all_shown")
def test_records_that_were_set_aside_would_be_found_among_them() -> None:
    """The control: nobody tells of dead letters."""
    assert any(trouble(seeded_case(seed), Counter(), dead=[]) for seed in SEEDS)


@pytest.mark.usefixtures("all_shown")
def test_records_that_came_again_would_be_found_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: an id is never remembered."""
    monkeypatch.setattr(behind_module, "REMEMBERED_DAYS", -1)
    assert any(trouble(seeded_case(seed), Counter()) for seed in SEEDS)


@pytest.mark.usefixtures("all_shown")
def test_records_that_left_the_window_would_be_found_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: there are no windows."""
    monkeypatch.setattr(behind_module, "window_of", lambda spec: None)
    assert any(trouble(seeded_case(seed), Counter()) for seed in SEEDS)
