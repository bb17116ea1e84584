"""SIGKILL of each process in turn, under load: what was acknowledged is there, folded once, decided once, mailed once.

LIVEPOST_CRASH_KILLS says how often each process is killed, LIVEPOST_CRASH_SEED what the load draws from,
LIVEPOST_CRASH_STATES which bodies the state has, each with how people's rows are written.
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

from livepost.clock import WallClock
from livepost.ledger.base import MAX_IN_FLIGHT
from livepost.model.decision import Merge
from livepost.runtime.engine.worker import Worker
from livepost.runtime.house.supervisor import processes
from tests.crash import proofs
from tests.crash.house import RECORDERS, House, rows_of, wait_until
from tests.crash.load import Load, send, shopper_who_looks_thrice
from tests.crash.replaying import CutReader, Told, replayed, worked_off
from tests.oracle.naive import essence, run

KILLS = int(os.environ.get("LIVEPOST_CRASH_KILLS", "2"))
SEED = int(os.environ.get("LIVEPOST_CRASH_SEED", "1"))
STATES = os.environ.get("LIVEPOST_CRASH_STATES", "sqlite: step, sqlite: sweep").split(", ")
REDO_MS = 100
"""With a sweep: so little that there are many images between two kills."""

ACKS_BETWEEN = 1_000
PROCESSES = processes(RECORDERS)
CUTS = ((40, 2_000), (300, 3), (20_000, 500))
"""Records a step reads at most, and people whose due times it serves beside them."""

ORACLE_RECORDS = 8_000
"""The naive engine is slow: it is asked about the log's beginning."""


@dataclass(frozen=True)
class Crashed:
    """A house after the kills, stopped: what the clients heard, the state's account, and a fresh engine's."""

    house: House
    load: Load
    state: Told
    fresh: Told


@pytest.fixture(scope="module", params=STATES)
def crashed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Crashed:
    body, rows = request.param.split()
    settings = {"LIVEPOST_STATE": body, "LIVEPOST_STATE_ROWS": rows, "LIVEPOST_REDO_MS": str(REDO_MS)}
    house = House(tmp_path_factory.mktemp("house"), settings=settings)
    with closing(house.folder.state()) as store:
        epoch = store.numbering().epoch
    load = killed_under_load(house, PROCESSES[::-1], KILLS)
    with closing(house.folder.state()) as store, closing(house.folder.log_reader()) as log:
        folder = house.folder
        worker = Worker(
            house.project.compiled, store, log, WallClock(), folder.settings.workspace, images=folder.images
        )
        assert store.numbering().epoch == epoch, "the state was rebuilt from the log on the way"
        loaded = store.loaded()
        assert loaded is not None and (loaded.image not in ("", "people-0")) is (rows == "sweep")
        state = worked_off(worker, store)
    fresh = replayed(house.folder, house.project.compiled)
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
    counts = crashed.state.counts
    return {
        "seed": SEED,
        "kills": KILLS * len(PROCESSES),
        "acks": crashed.load.acks,
        "events": len(crashed.load.acked),
        "retries": crashed.load.retries,
        "counts": counts,
        "people": len(crashed.state.people),
        "merges": sum(isinstance(item, Merge) for item in crashed.fresh.outbox),
        "transitions": len(crashed.state.transitions),
        "decisions": len(crashed.fresh.decisions),
        "skips": Counter(decision.skip for decision in crashed.fresh.decisions.values()),
        "unknown for a time": proofs.unknown_once(folder),
        "ledger": {str(state): count for state, count in states},
    }


def sent(house: House) -> set[str]:
    """Return the campaigns of which a mail was sent."""
    with closing(house.folder.ledger()) as ledger:
        return {tally.campaign for tally in ledger.counts() if tally.state == "sent"}


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


@pytest.mark.parametrize(("at_most", "wave"), CUTS)
def test_ids_do_not_depend_on_how_the_log_is_read(crashed: Crashed, at_most: int, wave: int) -> None:
    told = replayed(crashed.house.folder, crashed.house.project.compiled, at_most, wave)
    assert sorted(told.transition_ids) == sorted(crashed.fresh.transition_ids)
    assert told.decisions == crashed.fresh.decisions


def test_the_naive_engine_says_the_same(crashed: Crashed) -> None:
    folder, compiled = crashed.house.folder, crashed.house.project.compiled
    told = replayed(folder, compiled, ORACLE_RECORDS, until=ORACLE_RECORDS)
    with closing(CutReader(folder.path / "log", ORACLE_RECORDS, until=ORACLE_RECORDS)) as log:
        records = list(proofs.records_of(log))
    oracle = run(compiled, records, folder.settings.workspace)
    assert len(told.decisions) > 100
    assert sorted(map(essence, oracle.transitions)) == sorted(map(essence, told.transitions))
    assert sorted(map(essence, oracle.outbox)) == sorted(map(essence, told.outbox))


def test_a_front_that_was_killed_hears_again_when_time_must_pass(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    house.start()
    try:
        send(house, shopper_who_looks_thrice("ada"))
        wait_until("the mail that waits for a second", lambda: sent(house) == {"reminder"})
        house.kill("front")
        wait_until("the mail that waits for three", lambda: sent(house) == {"reminder", "come_back"})
    finally:
        house.stop()


def test_a_front_that_acknowledges_before_it_commits_would_be_found(tmp_path: Path) -> None:
    """The negative control: the same load, kills and proof against a front with the fault put in."""
    house = House(tmp_path / "house", front="tests.crash.hasty_front")
    load = killed_under_load(house, ("front",), 2)
    assert proofs.lost_or_unreadable(house.folder, load.acked) != []
