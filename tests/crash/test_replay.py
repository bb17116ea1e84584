"""A house of processes lives, changes its project, stops, and is replayed: killed on the way, it comes out as it was.

One story for each body of the state; the controls stand at its end, on copies of what it left.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.clock import WallClock
from livepost.model.record import Kind, Record
from livepost.runtime.engine.worker import Worker
from tests.altered import alter
from tests.crash import proofs
from tests.crash.house import SHOP, House, rows_of, wait_until
from tests.crash.load import Load, send, shopper_who_looks_thrice
from tests.crash.replaying import Told, worked_off

SEED = int(os.environ.get("LIVEPOST_CRASH_SEED", "1"))
ACKS = 120
DIES_AFTER = (2, 1, 4)
"""Steps after which a replay is killed, one after the other."""

BODIES = ("sqlite: step", "rocksdb: sweep")
"""The other two pairs are replayed, without kills, by tests/unit/cli/test_replay.py; the controls take the first."""

CHANGED = (
    (
        "    browsing = ",
        "    seen = count(ProductViewed, over=hours(2))\n    keen = segment(seen >= 4)\n    browsing = ",
    ),
)
"""What is put into the shop's page while the house runs: a feature with a history, and a segment of it."""


@pytest.fixture(scope="module", params=BODIES)
def house(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> House:
    """A house that stopped in peace after a load with merges and waves, and a change of its project."""
    place = tmp_path_factory.mktemp("replay")
    shop = Path(shutil.copytree(SHOP, place / "shop"))
    body, rows = request.param.split()
    settings = {"LIVEPOST_STATE": body, "LIVEPOST_STATE_ROWS": rows, "LIVEPOST_REDO_MS": "100"}
    house = House(place / "house", project=shop, settings=settings)
    load = Load(house, SEED)
    house.start()
    try:
        load.start()
        load.wait_for_acks(ACKS)
        page = shop / "shop.py"
        for before, after in CHANGED:
            page.write_text(page.read_text().replace(before, after))
        applied = livepost(house, "apply", "--yes")
        assert applied.returncode == 0, applied.stderr
        load.wait_for_acks(ACKS)
        load.stop()
        house.drain()
        refused = livepost(house, "replay")
        assert (refused.returncode, "expected a house that is stopped" in refused.stderr) == (1, True)
    finally:
        load.stop()
        house.stop()
    return house


def livepost(house: House, *words: str, dies_after: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, or to that of a replay that kills itself."""
    module = ["livepost.cli"] if dies_after is None else ["tests.crash.dying_replay", str(dies_after)]
    return subprocess.run(
        [sys.executable, "-m", *module, *words],
        cwd=house.project_folder,
        env=house._environment,
        capture_output=True,
        text=True,
        check=False,
    )


def told(house: House) -> Told:
    """Return what the state on disk has."""
    folder = house.folder
    with closing(folder.state()) as store, closing(folder.log_reader()) as log:
        worker = Worker(
            house.project.compiled, store, log, WallClock(), folder.settings.workspace, images=folder.images
        )
        return worked_off(worker, store)


def moves(house: House) -> list[Any]:
    return rows_of(house.folder.path / "ledger.db", "SELECT * FROM moves")


def decided(house: House) -> int:
    """Return how many decisions the ledger has."""
    ((count,),) = rows_of(house.folder.path / "ledger.db", "SELECT count(*) FROM deliveries")
    assert isinstance(count, int)
    return count


def cursor(house: House) -> int:
    with closing(house.folder.ledger()) as ledger:
        return ledger.cursor()


def behind(house: House, fence: int, known: int) -> list[Any]:
    """Return the moves after the first `known` that are of decisions at or before a position."""
    sql = (
        f"SELECT * FROM moves m JOIN deliveries d ON d.id = m.decision WHERE m.number > {known} AND position <= {fence}"
    )
    return rows_of(house.folder.path / "ledger.db", sql)


def kinds(house: House) -> set[Kind]:
    with closing(house.folder.log_reader()) as log:
        return {record.kind for record in proofs.records_of(log)}


def test_a_replay_that_is_killed_and_begun_again_comes_out_as_it_was_and_mails_nobody(house: House) -> None:
    before, ledger = told(house), moves(house)
    assert {Kind.CUT, Kind.SEED, Kind.READY, Kind.TICK} <= kinds(house)
    for lives in DIES_AFTER:
        died = livepost(house, "replay", dies_after=lives)
        assert died.returncode == -signal.SIGKILL
        assert proofs.differences(told(house), before) == []
        assert house.folder.replay_folder.exists()
    done = livepost(house, "replay", "--json", dies_after=0)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for compared in (found["outcome"]["transitions"], found["outcome"]["decisions"]):
        assert (compared["different"], compared["new"], compared["missing"]) == (0, 0, 0)
        assert compared["same"] > 100
    assert (found["holds"], found["taken"], house.folder.replay_folder.exists()) == (True, True, False)
    after = told(house)
    assert proofs.differences(after, before) == []
    assert any(len(view.subjects) > 1 for view in after.people)
    assert moves(house) == ledger
    assert livepost(house, "parity").stdout.endswith("no mismatch\n")


def test_the_house_goes_on_with_it_and_mails_nobody_again(house: House) -> None:
    house.start()
    try:
        house.drain()
        known = decided(house)
        send(house, shopper_who_looks_thrice("after-the-replay"))
        wait_until("another decision", lambda: decided(house) > known)
        house.drain()
    finally:
        house.stop()
    assert proofs.divergences(house.folder) == []
    assert json.loads(livepost(house, "replay", "--json").stdout)["holds"]


@pytest.mark.parametrize("house", BODIES[:1], indirect=True)
def test_a_record_that_is_another_one_is_shown_and_mails_nobody(house: House, tmp_path: Path) -> None:
    """The control: the log is another one."""
    with copied(house, tmp_path) as other:
        orders = [record for record in records(other) if record.name == "Order Completed"]
        lost = orders[len(orders) // 2].message_id
        assert alter(other.folder.path / "log", lambda record: renamed(record, lost)) > 0
        assert_shown(other)


@pytest.mark.parametrize("house", BODIES[:1], indirect=True)
def test_definitions_that_are_other_ones_are_shown_and_mail_nobody(house: House, tmp_path: Path) -> None:
    """The control: the first project's segments are of another version."""
    with copied(house, tmp_path) as other:
        assert alter(other.folder.path / "log", with_another_version) == 1
        assert_shown(other)


def assert_shown(house: House) -> None:
    before, ledger = told(house), moves(house)
    done = livepost(house, "replay")
    assert done.returncode == 1, done.stdout
    assert "It did not come out as it was" in done.stdout
    assert "  missing   " in done.stdout
    assert proofs.differences(told(house), before) == []
    taken = livepost(house, "replay", "--yes")
    assert taken.returncode == 0, taken.stderr
    assert proofs.differences(told(house), before) != []
    assert moves(house) == ledger
    fence = cursor(house)
    house.start()
    try:
        house.drain()
    finally:
        house.stop()
    assert behind(house, fence, len(ledger)) == []  # what time alone brought since lies beyond it
    assert proofs.divergences(house.folder) != []


class copied:
    """A copy of a house's data folder, for who spoils it."""

    def __init__(self, house: House, to: Path) -> None:
        shutil.copytree(house.folder.path, to / "house")
        self._house = House(
            to / "house",
            project=house.project_folder,
            settings={
                "LIVEPOST_STATE": house.folder.settings.state,
                "LIVEPOST_STATE_ROWS": house.folder.settings.state_rows,
                "LIVEPOST_KEK": house.folder.settings.kek,
            },
        )

    def __enter__(self) -> House:
        return self._house

    def __exit__(self, *exc: object) -> None:
        """Leave it to the folder that goes."""


def records(house: House) -> Sequence[Record]:
    with closing(house.folder.log_reader()) as log:
        return list(proofs.records_of(log))


def renamed(record: Record, lost: str) -> Record:
    return msgspec.structs.replace(record, name="Else") if record.message_id == lost else record


def with_another_version(record: Record) -> Record:
    if record.kind is not Kind.PROJECT:
        return record
    project = dict(record.control["project"])
    project["segments"] = [{**one, "version": one["version"] + "x"} for one in project["segments"]]
    return msgspec.structs.replace(record, control={**record.control, "project": project})
