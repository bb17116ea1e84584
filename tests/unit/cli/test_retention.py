from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from livepost.clock import DAY_MS
from livepost.control import retention
from livepost.control.retention import Run, Went
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada


@pytest.fixture
def house(promising: Path) -> StillHouse:
    """The house of `conftest`, of a project with a policy."""
    still = StillHouse(promising)
    still.take(ada(), *THREE_LOOKS)
    still.work()
    return still


def test_what_would_go_is_shown_by_field_and_store(livepost: Command, house: StillHouse) -> None:
    told = livepost("retention", "plan", "--json").json()
    assert {one["store"] for one in told} == {"log", "ledger.db", "mailbox"}
    assert next(one for one in told if one["field"] == "Identified.email")["count"] == 0, "it came just now"
    assert "Identified.email" in livepost("retention", "plan").out


def test_what_went_is_told_and_that_nothing_did(livepost: Command, house: StillHouse) -> None:
    assert livepost("retention", "report").out == "Nothing was taken out yet: there was no run.\n"
    went = Went(store="log", field="Identified.email", purposes=("shop",), count=3, before=DAY_MS)
    run = Run(id="ab" * 8, by="house", begun_at=0, as_of=0, ended_at=1_000, done=("log",), went=(went,))
    with closing(house.folder.control()) as control:
        retention.begin(control, run)
        retention.go_on(control, run)
    shown = livepost("retention", "report").out
    assert "Identified.email" in shown and "1970-01-01 00:00:01 UTC" in shown
    assert livepost("retention", "report", "--json").json()[0]["went"][0]["count"] == 3


def test_a_run_needs_a_house_that_runs(livepost: Command, house: StillHouse) -> None:
    assert "`livepost run`" in livepost("retention", "run").err
