"""`livepost replay` and `livepost snapshot` over a house at rest; real processes: tests/real/test_replay.py."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.cli import replay as replay_module
from livepost.model.record import Record
from livepost.runtime.engine import rebuilding, worker
from livepost.runtime.engine.asking import engine_of
from livepost.runtime.engine.snapshot import SNAPSHOTS_MAX, snapshots
from tests.altered import alter
from tests.crash.house import rows_of
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada, look, make_project, swept

SAME = "It came out as it was, with the same ids, and is the state now.\n"
BODIES = {
    "sqlite": "",
    "sqlite, swept": 'state_rows = "sweep"\n',
    "rocksdb": 'state = "rocksdb:"\n',
    "rocksdb, swept": 'state = "rocksdb:"\nstate_rows = "sweep"\n',
}


def told(house: StillHouse) -> tuple[Any, ...]:
    """Return people, the ids of their transitions, and the fates of events as the state on disk has them."""
    with engine_of(house.folder, house.project) as engine:
        people = sorted(engine.everybody(1_000), key=lambda view: view.person)
        return people, sorted(one.id for one in engine.transitions(None, None, 1_000)), engine.status().counts


def moves(house: StillHouse) -> list[Any]:
    return rows_of(house.folder.path / "ledger.db", "SELECT * FROM moves")


def without_a_look(record: Record) -> Record:
    return msgspec.structs.replace(record, name="Page Viewed") if record.message_id == "ada-oolong" else record


@pytest.mark.parametrize("body", BODIES)
def test_a_replay_comes_out_as_it_was_and_nobody_is_mailed(
    livepost: Command, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(tmp_path / "shop")
    with (folder / "livepost.toml").open("a") as settings:
        settings.write("\n" + BODIES[body])
    monkeypatch.chdir(folder)
    house = StillHouse(folder)
    house.take(ada(), *THREE_LOOKS, look("green-tea", "bob"))
    house.work()
    before, ledger = told(house), moves(house)
    done = livepost("replay")
    assert done.code == 0, done.err
    assert "transitions  1 same, 0 different, 0 new, 0 missing\n" in done.out
    assert "decisions    1 same, 0 different, 0 new, 0 missing\n" in done.out
    assert done.out.endswith(SAME)
    assert not house.folder.replay_folder.exists()
    assert told(house) == before
    house.work()
    assert moves(house) == ledger


def test_another_program_is_shown_and_taken_only_if_told_so_and_mails_nobody(
    livepost: Command, house: StillHouse
) -> None:
    """The control: the fold is another one."""
    page = house.project.folder / "shop.py"
    page.write_text(page.read_text().replace("views_7d >= 3", "views_7d >= 2"))
    sys.modules.pop("shop")
    before, ledger = told(house), moves(house)
    done = livepost("replay")
    assert done.code == 1
    assert "transitions  0 same, 0 different, 1 new, 1 missing" in done.out
    assert "decisions    0 same, 0 different, 1 new, 1 missing" in done.out
    assert "  missing   browse_reminder          person " in done.out
    assert "The state is as it was" in done.out
    assert (told(house), moves(house)) == (before, ledger)
    sys.modules.pop("shop")
    taken = livepost("replay", "--yes", "--json").json()
    assert (taken["holds"], taken["taken"], taken["outcome"]["decisions"]["new"]) == (False, True, 1)
    assert told(house)[1] != before[1]
    house.work()
    assert moves(house) == ledger
    with closing(house.folder.ledger()) as known:
        assert [one.fields for one in known.divergences()] == [("missing",)]


def test_another_log_is_shown_and_mails_nobody(livepost: Command, house: StillHouse) -> None:
    """The control: a record is another one."""
    ledger = moves(house)
    assert alter(house.folder.path / "log", without_a_look) == 1
    done = livepost("replay")
    assert done.code == 1
    assert "transitions  0 same, 0 different, 0 new, 1 missing" in done.out
    assert "decisions    0 same, 0 different, 0 new, 1 missing" in done.out
    assert moves(house) == ledger


def test_a_yes_at_the_terminal_takes_what_came_out(
    livepost: Command, house: StillHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(house.folder.path / "log", without_a_look)
    monkeypatch.setattr(replay_module, "_is_wanted", lambda: True)
    done = livepost("replay")
    assert done.code == 0
    assert done.out.endswith("It is the state now; `livepost parity` compares it with the log once more.\n")
    assert told(house)[1] == []


def test_a_state_that_is_gone_or_cannot_be_read_is_made_anew(livepost: Command, house: StillHouse) -> None:
    before = told(house)
    house.folder.state_path.write_bytes(b"not a database at all" * 1_000)
    done = livepost("replay")
    assert "transitions  not compared: the state before could not be read" in done.out
    assert (done.code, told(house)) == (0, before)
    house.folder.state_path.unlink()
    done = livepost("replay")
    assert "transitions  not compared: there was no state before" in done.out
    assert (done.code, told(house)) == (0, before)


def test_a_house_that_runs_is_not_replayed(livepost: Command, house: StillHouse) -> None:
    with closing(house.folder.hold()):
        done = livepost("replay")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("livepost: expected a house that is stopped, to replay its log, one runs on ")
    with closing(house.folder.state()):  # an engine alone
        assert "another engine has the state" in livepost("replay").err
    assert livepost("replay").code == 0


def test_cut_short_it_leaves_the_state_and_goes_on_where_it_was(
    livepost: Command, house: StillHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = told(house)
    monkeypatch.setattr(worker, "STEP_RECORDS", 2)

    class StopsAfterAStep:
        def __init__(self) -> None:
            self.asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 1

    with monkeypatch.context() as patched:
        patched.setattr(replay_module, "stop_on_signals", StopsAfterAStep)
        done = livepost("replay")
    assert (done.code, told(house)) == (1, before), done.err
    assert "stopped after " in done.err and "the state is as it was" in done.err
    done = livepost("replay")
    assert done.out.startswith("Going on with a replay that was cut short at record ")
    assert done.out.endswith(SAME)
    assert told(house) == before
    assert "Going on" not in livepost("replay").out


def test_what_was_begun_by_another_livepost_or_is_not_wanted_is_begun_anew(
    livepost: Command, house: StillHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(house.folder.path / "log", without_a_look)
    assert livepost("replay").code == 1
    assert livepost("replay").out.startswith("Going on")
    assert not livepost("replay", "--anew").out.startswith("Going on")
    monkeypatch.setattr(rebuilding, "version", lambda name: "0.0.0")
    assert not livepost("replay").out.startswith("Going on")


def test_what_was_begun_and_cannot_be_gone_on_with_is_begun_anew(
    livepost: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(swept(make_project(tmp_path / "shop")))
    house = StillHouse(tmp_path / "shop")
    house.take(ada(), *THREE_LOOKS)
    house.work()
    alter(house.folder.path / "log", without_a_look)
    assert livepost("replay").code == 1
    for image in house.folder.replay_folder.glob("*.images/*"):
        image.unlink()
    done = livepost("replay", "--yes")
    assert (done.code, "Going on" in done.out) == (0, False)
    assert told(house)[1] == []


def test_a_snapshot_is_begun_from_and_what_it_says_is_what_the_log_says(livepost: Command, house: StillHouse) -> None:
    position = livepost("snapshot", "--json").json()["position"]
    assert f"as of record {position}; `livepost replay --from {position + 1}` uses it" in livepost("snapshot").out
    house.take(look("white-tea"), look("white-tea", "bob"))
    house.work()
    before = told(house)
    found = livepost("replay", "--from", str(position + 2), "--json").json()
    assert (found["outcome"]["start"], found["holds"], found["taken"]) == (position + 1, True, True)
    assert told(house) == before
    refused = livepost("replay", "--from", str(position))
    assert refused.code == 1
    assert f"expected a snapshot of the state before record {position}, there is none" in refused.err
    assert livepost("replay", "--from", "0", "--json").json()["outcome"]["start"] == 0


def test_a_snapshot_of_a_swept_state_has_its_people(
    livepost: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(swept(make_project(tmp_path / "shop")))
    house = StillHouse(tmp_path / "shop")
    house.take(ada(), *THREE_LOOKS)
    house.work()
    position = livepost("snapshot", "--json").json()["position"]
    house.take(look("white-tea"))
    house.work()
    before = told(house)
    assert livepost("replay", "--from", str(position + 1), "--json").json()["taken"]
    assert told(house) == before


def test_the_newest_snapshots_are_kept(livepost: Command, house: StillHouse) -> None:
    taken = []
    for number in range(SNAPSHOTS_MAX + 1):
        house.take(look(f"tea-{number}"))
        house.work()
        taken.append(livepost("snapshot", "--json").json()["position"])
    assert [one.position for one in snapshots(house.folder)] == taken[1:]


def test_what_retention_dropped_is_said_before_it_is_forgotten(
    livepost: Command, house: StillHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.take(look("white-tea"))
    house.work()
    first = 3
    monkeypatch.setattr("livepost.log.sqlite.SqliteLogReader.first", lambda self: first)
    refused = livepost("replay")
    assert refused.code == 1
    assert f"the log from its first record, it begins at {first}" in refused.err
    assert f"`livepost replay --from {first}`" in refused.err
    assert livepost("replay", "--from", str(first), "--json").json()["outcome"]["start"] == first


def test_where_nothing_ran_yet_the_sentence_says_what_to_do(livepost: Command, project: Path) -> None:
    for words in (["replay"], ["snapshot"]):
        told = livepost(*words)
        assert (told.code, told.out) == (1, "")
        assert told.err.startswith("livepost: there is nothing in ")


def test_an_engine_that_runs_keeps_a_snapshot_too(livepost: Command, house: StillHouse) -> None:
    engine = subprocess.Popen(
        [sys.executable, "-m", "livepost.cli", "run", "engine"], cwd=house.project.folder, stdin=subprocess.DEVNULL
    )
    try:
        with engine_of(house.folder, house.project) as running:
            position = running.status().position
        assert json.loads(livepost("snapshot", "--json").out) == {"position": position}
    finally:
        engine.terminate()
        engine.wait(20)
