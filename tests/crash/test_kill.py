"""SIGKILL of each process in turn, under load: what was acknowledged is there, folded once, decided once, mailed once.

LIVEPOST_CRASH_KILLS says how often each process is killed, LIVEPOST_CRASH_SEED what the load draws from.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from livepost.ledger.base import MAX_IN_FLIGHT
from livepost.model.decision import Merge
from livepost.runtime.supervisor import PROCESSES
from tests.crash import proofs
from tests.crash.house import House, rows_of
from tests.crash.load import Load
from tests.crash.replaying import Told, replayed, worked_off
from tests.oracle.naive import essence, run

KILLS = int(os.environ.get("LIVEPOST_CRASH_KILLS", "2"))
SEED = int(os.environ.get("LIVEPOST_CRASH_SEED", "1"))
ACKS_BETWEEN = 1_000
CUTS = (1, 37, 20_000)
ORACLE_RECORDS = 60_000
"""The naive engine is asked about logs up to this length."""


@dataclass(frozen=True)
class Crashed:
    """A house after the kills, stopped: what the clients heard, the state's account, and a fresh engine's."""

    house: House
    load: Load
    state: Told
    fresh: Told


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Crashed:
    house = House(tmp_path_factory.mktemp("house"))
    load = killed_under_load(house, PROCESSES, KILLS)
    with closing(house.folder.state()) as store, closing(house.folder.log_reader()) as log:
        state = worked_off(house.project.compiled, store, log, house.folder.settings.workspace)
    fresh = replayed(house.folder.path / "log", house.project.compiled, house.folder.settings.workspace)
    crashed = Crashed(house, load, state, fresh)
    print(json.dumps(figures(crashed)))
    return crashed


def killed_under_load(house: House, names: tuple[str, ...], kills: int) -> Load:
    """Run a house under load and kill each of the named processes so often; drain and stop it."""
    dice = random.Random(SEED)
    load = Load(house, SEED)
    house.start()
    try:
        load.start()
        for _ in range(kills):
            for name in names:
                load.wait_for_acks(ACKS_BETWEEN + dice.randrange(200))
                house.kill(name)
        load.wait_for_acks(ACKS_BETWEEN)
        load.stop()
        house.drain()
    finally:
        load.stop()
        house.stop()
    return load


def figures(crashed: Crashed) -> dict[str, object]:
    """Return what a run came to, for the docs."""
    folder = crashed.house.folder
    states = rows_of(folder.path / "ledger.db", "SELECT state, sum(count) FROM tallies GROUP BY state")
    return {
        "kills": KILLS * len(PROCESSES),
        "acks": crashed.load.acks,
        "events": len(crashed.load.acked),
        "retries": crashed.load.retries,
        "counts": crashed.state.counts,
        "people": len(crashed.state.people),
        "merges": sum(isinstance(item, Merge) for item in crashed.fresh.outbox),
        "transitions": len(crashed.state.transitions),
        "decisions": len(crashed.fresh.decisions),
        "skips": Counter(decision.skip for decision in crashed.fresh.decisions.values()),
        "ledger": dict(states),
    }


def test_nothing_acknowledged_is_lost_or_unreadable(crashed: Crashed) -> None:
    assert crashed.load.acks >= ACKS_BETWEEN * KILLS * len(PROCESSES)
    assert proofs.lost_or_unreadable(crashed.house.folder, crashed.load.acked) == []


def test_every_event_is_folded_once_and_none_vanishes(crashed: Crashed) -> None:
    assert proofs.folding_trouble(crashed.house.folder, crashed.state.counts) == []
    assert crashed.state.counts["duplicate"] > 0


def test_every_decision_is_in_the_ledger_once_and_mailed_once(crashed: Crashed) -> None:
    assert proofs.mail_trouble(crashed.house.folder, crashed.fresh, KILLS * MAX_IN_FLIGHT) == []
    assert proofs.divergences(crashed.house.folder) == []
    mailed = {decision.campaign for decision in crashed.fresh.decisions.values() if not decision.skip}
    assert mailed == {"reminder", "come_back", "receipt"}


def test_the_state_is_that_of_an_engine_that_never_crashed(crashed: Crashed) -> None:
    assert proofs.differences(crashed.state, crashed.fresh) == []


@pytest.mark.parametrize("at_most", CUTS)
def test_ids_do_not_depend_on_how_the_log_is_read(crashed: Crashed, at_most: int) -> None:
    folder = crashed.house.folder
    compiled, workspace = crashed.house.project.compiled, folder.settings.workspace
    told = replayed(folder.path / "log", compiled, workspace, at_most, wave=at_most)
    assert sorted(told.transition_ids) == sorted(crashed.fresh.transition_ids)
    assert told.decisions == crashed.fresh.decisions


def test_the_naive_engine_says_the_same(crashed: Crashed) -> None:
    with closing(crashed.house.folder.log_reader()) as log:
        if log.last().seq >= ORACLE_RECORDS:
            pytest.skip(f"the log has {log.last().seq + 1} records; the naive engine is asked up to {ORACLE_RECORDS}")
        records = list(proofs.records_of(log))
    oracle = run(crashed.house.project.compiled, records, crashed.house.folder.settings.workspace)
    assert sorted(map(essence, oracle.transitions)) == sorted(map(essence, crashed.state.transitions))
    assert sorted(map(essence, oracle.outbox)) == sorted(map(essence, crashed.fresh.outbox))


def test_a_front_that_acknowledges_before_it_commits_would_be_found(tmp_path: Path) -> None:
    """The negative control: the same load, kills and proof against a front with the fault put in."""
    house = House(tmp_path / "house", front=Path(__file__).parent / "hasty_front.py")
    load = killed_under_load(house, ("front",), 2)
    assert proofs.lost_or_unreadable(house.folder, load.acked) != []
