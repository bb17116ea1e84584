"""What needs no running engine: bounds, and what the process itself knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from livepost.cli.workspace import folder_here
from livepost.errors import StoreError
from livepost.ledger.base import MAX_LISTED
from livepost.observe.rates import Rates
from livepost.runtime.front import looking
from livepost.runtime.front.looking import Looking
from livepost.settings.load import load
from tests.unit.nobody import nobody
from tests.unit.runtime.engine.test_asking import EngineProcess
from tests.unit.runtime.still import StillHouse, make_project

LETTERS = [
    {
        "type": "track",
        "userId": "bob",
        "messageId": f"m{n}",
        "event": "Product Viewed",
        "properties": {"productId": [n]},
    }
    for n in (1, 2)
]
NOBODY = nobody(b"n" * 16)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "shop")


@pytest.fixture
def looked(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looking]:
    house = StillHouse(project)
    monkeypatch.chdir(project)
    with ExitStack() as opened:
        ledger = opened.enter_context(closing(house.folder.ledger()))
        one = Looking(folder_here(), house.project, ledger, Rates(), lambda: None, outcomes=lambda: 0)
        yield opened.enter_context(closing(one))


def test_settings_are_those_that_doctor_prints_with_where_they_came_from(looked: Looking, project: Path) -> None:
    assert looked.settings() == load(project, {}).shown()
    assert any(one.origin.startswith("livepost.toml:") for one in looked.settings())


@pytest.mark.parametrize("limit", [0, MAX_LISTED + 1])
def test_a_story_is_as_long_as_its_bounds_say(looked: Looking, limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit of 1 to {MAX_LISTED}, got {limit}"):
        looked.story(NOBODY, limit)


def test_the_log_is_searched_for_one_question_at_a_time_and_the_others_wait_only_so_long(
    looked: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "WAIT_S", 0.01)
    with looked._search_turn(), pytest.raises(StoreError, match=r"turn to search the log within 0\.01 s, got none"):
        looked.story(NOBODY, 1)
    with looked._search_turn():
        pass


def test_a_house_that_nobody_supervises_has_its_front_and_its_stores(looked: Looking) -> None:
    assert [(one.name, one.supervised) for one in looked.processes()] == [("front", False)]
    assert {"vault.db", "ledger.db"} <= {one.name for one in looked.stores()}


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Looking]:
    """A look at a house of which only the engine runs, with two letters."""
    house = StillHouse(make_project(tmp_path / "shop"))
    house.take(*LETTERS)
    engine = EngineProcess(house)
    engine.wait_served()
    with closing(house.folder.ledger()) as ledger:
        one = Looking(house.folder, house.project, ledger, Rates(), lambda: None, outcomes=lambda: 0)
        yield one
        one.close()
    engine.stop()


def test_letters_are_listed_from_a_position_on_and_no_more_than_asked_for(answering: Looking) -> None:
    first, second = answering.letters(-1, 10)
    assert (first.source, first.name, first.fate) == ("server", "Product Viewed", "dead_lettered")
    assert answering.letters(-1, 1) == [first]
    assert answering.letters(first.position, 10) == [second]
    assert answering.letters(second.position, 10) == []


def test_a_letter_is_masked_unless_it_is_to_be_opened(answering: Looking) -> None:
    first, _ = answering.letters(-1, 10)
    assert answering.letter(first.position, open=False).call["properties"] == {"productId": ["a number"]}
    opened = answering.letter(first.position, open=True)
    assert (opened.call, opened.reason) == (LETTERS[0], first.reason)
    with pytest.raises(StoreError, match="there is no dead letter at position 99"):
        answering.letter(99, open=True)


def test_who_replays_gets_a_letter_with_its_record_once_the_engine_is_so_far(answering: Looking) -> None:
    first, second = answering.letters(-1, 10)
    letter, record = answering.kept(first.position, second.position)
    assert (letter, record.seq, record.message_id) == (first, first.position, "m1")
    assert answering.put_aside(second.position) == second
    with pytest.raises(StoreError, match="asked for 99; ask again"):
        answering.kept(first.position, 99)
