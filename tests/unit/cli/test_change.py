"""`plan` and `apply` where no house runs; with one that does they are in tests/real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from livepost.runtime.data.definitions import Named, write_named
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


@pytest.fixture
def applied(house: StillHouse) -> StillHouse:
    """The house, whose log names its project."""
    write_named(house.folder.definitions_file, Named(serving=house.project.compiled, project_at=0))
    return house


def edit(project: Path, old: str, new: str) -> None:
    page = project / "shop.py"
    assert old in page.read_text()
    page.write_text(page.read_text().replace(old, new))
    sys.modules.pop("shop", None)  # a command is a process of its own, and imports it anew


def test_where_nothing_ran_yet_the_sentence_says_what_to_do(livepost: Command, project: Path) -> None:
    for words in (["plan"], ["apply", "--yes"]):
        told = livepost(*words)
        assert (told.code, told.out) == (1, "")
        assert "`livepost run` in the project's folder begins" in told.err


def test_a_log_that_names_nothing_yet_is_begun_by_run(livepost: Command, house: StillHouse) -> None:
    told = livepost("plan")
    assert (told.code, told.err) == (0, "")
    assert told.out == "Nothing is applied yet: `livepost run` begins with the folder's project.\n"


def test_the_same_page_is_nothing_to_do(livepost: Command, applied: StillHouse) -> None:
    told = livepost("plan")
    assert (told.code, told.out) == (0, "The folder's project is what serves: nothing to do.\n")
    assert livepost("plan", "--json").json()["diff"]["changes"] == []


def test_a_changed_page_is_told_with_the_people_it_moves_and_exits_with_2(
    livepost: Command, applied: StillHouse, project: Path
) -> None:
    edit(project, "    vip ", "    views_90d = count(ProductViewed, over=days(90))\n    vip ")
    edit(project, "    vip ", "    lookers = segment(views_90d >= 3)\n    vip ")
    told = livepost("plan")
    assert (told.code, told.err) == (2, "")
    assert told.out.splitlines() == [
        "features",
        "  + views_90d                its history is to be read",
        "segments",
        "  + lookers                  1 enter, 0 leave",
        "History is read from 6 records: about a second, by a sample.",
        "Entering a segment by a change starts no campaign.",
    ]
    as_json = livepost("plan", "--json").json()
    assert as_json["moves"] == [{"segment": "lookers", "enter": 1, "leave": 0}]


def test_a_rename_that_cannot_be_is_told_in_the_plan(livepost: Command, applied: StillHouse, project: Path) -> None:
    before = "browsing  = segment((views_7d >= 3) & (orders_7d == 0))"
    edit(project, before, "keen = segment(views_7d >= 3, was='brow')")
    edit(project, "Shopper.browsing", "Shopper.keen")
    told = livepost("plan")
    assert told.code == 2
    assert "It cannot be applied: keen: expected was= to name a segment that serves (browsing, " in told.out


def test_a_changed_page_is_not_what_why_and_parity_speak_of(
    livepost: Command, applied: StillHouse, project: Path
) -> None:
    edit(project, "(views_7d >= 3)", "(views_7d >= 9)")
    assert "views_7d is 3, needs >= 3" in livepost("why", "ada", "browsing").out
    assert livepost("parity").out.endswith("no mismatch\n")


def test_a_house_that_does_not_run_cannot_be_changed(livepost: Command, applied: StillHouse, project: Path) -> None:
    edit(project, "(views_7d >= 3)", "(views_7d >= 9)")
    told = livepost("apply", "--yes")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("livepost: expected a house that runs, to change it, got no answer from its front")
