"""The state goes back, the ledger does not: whatever is decided once more is compared, and nobody is mailed twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import apsw
import msgspec
import pytest

from livepost.ledger.base import MAX_LISTED
from livepost.ledger.store import CURSOR
from livepost.model.compiled import Compiled
from livepost.model.decision import Decision
from livepost.runtime.engine.snapshot import write_snapshot
from livepost.runtime.engine.sweep import Pace
from tests.crash import proofs
from tests.crash.house import House, rows_of
from tests.crash.load import Load
from tests.crash.replaying import replayed
from tests.crash.rooms import Rooms

BLOCKS = 40
CALLS = 10
ACKS = 400


SWEPT = Pace(redo_ms=20, commits=4)
"""So short that there is an image every few steps, and some under way at most copies."""

BODIES = {
    "sqlite": ("sqlite:", None),
    "sqlite, swept": ("sqlite:", SWEPT),
    "rocksdb": ("rocksdb:", None),
    "rocksdb, swept": ("rocksdb:", SWEPT),
}


@pytest.fixture(params=["sqlite", "sqlite, swept"])
def rooms(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rooms]:
    rooms = Rooms(tmp_path / "data", *BODIES[request.param])
    yield rooms
    rooms.close()


def lived(rooms: Rooms, copies: Path | None = None) -> None:
    """Let shoppers do things, engine and courier working after each block; copy the state after each commit."""
    turns = count()
    for _ in range(BLOCKS):
        rooms.happen(CALLS, after_ms=300)
        while rooms.worker.turn():
            if copies is not None:
                rooms.copy_state(copies / f"{next(turns):04d}")
            rooms.take_over()
        rooms.rest()
    rooms.pass_time(10_000)
    rooms.rest()


def moves(rooms: Rooms) -> list[tuple[object, ...]]:
    """Return every move of the ledger: what was inserted, claimed, sent."""
    return rows_of(rooms.folder.path / "ledger.db", "SELECT * FROM moves")


def edited(compiled: Compiled, campaign: str, **rules: object) -> Compiled:
    """Return the project with other rules for one campaign."""
    campaigns = [msgspec.structs.replace(one, **rules) if one.name == campaign else one for one in compiled.campaigns]
    return msgspec.structs.replace(compiled, campaigns=tuple(campaigns))


def with_another_segment(compiled: Compiled) -> Compiled:
    """Return the project with a new version of every segment: all transitions and decisions get other ids."""
    segments = [msgspec.structs.replace(segment, version=segment.version + "x") for segment in compiled.segments]
    return msgspec.structs.replace(compiled, segments=tuple(segments))


@pytest.mark.parametrize("rooms", BODIES, indirect=True)
def test_a_state_rolled_back_to_any_commit_comes_to_the_same_end_and_mails_nobody_twice(
    rooms: Rooms, tmp_path: Path
) -> None:
    (tmp_path / "copies").mkdir()
    lived(rooms, tmp_path / "copies")
    end, ledger = rooms.told(), moves(rooms)
    copies = sorted((tmp_path / "copies").iterdir())
    assert len(copies) >= BLOCKS
    compared = []
    for copy in [None, *copies]:
        rooms.put_back(copy)
        taken = rooms.rest()
        compared.append(taken.compared)
        assert (taken.inserted, taken.diverged) == (0, 0), copy
        assert proofs.differences(rooms.told(), end) == [], copy
        assert moves(rooms) == ledger, copy
    assert compared[0] == len(rooms.ledger.deliveries(limit=MAX_LISTED)) > 0


def test_a_state_rolled_back_goes_on_with_what_is_new(rooms: Rooms, tmp_path: Path) -> None:
    lived(rooms)
    rooms.copy_state(tmp_path / "old")
    lived(rooms)
    fence, before = rooms.ledger.cursor(), len(moves(rooms))
    rooms.put_back(tmp_path / "old")
    lived(rooms)
    fresh = replayed(rooms.folder, rooms.project.compiled)
    assert inserted_behind(rooms, fence, before) == []
    assert len(moves(rooms)) > before
    assert proofs.mail_trouble(rooms.folder, fresh, lost_at_most=0) == []
    assert proofs.divergences(rooms.folder) == []


@pytest.mark.parametrize("rooms", BODIES, indirect=True)
def test_a_snapshot_and_the_log_behind_it_give_the_same_people_and_mail_nobody(rooms: Rooms, tmp_path: Path) -> None:
    lived(rooms)
    rooms.happen(CALLS, after_ms=300)
    rooms.worker.turn()
    write_snapshot(rooms.folder, rooms.store, tmp_path / "snapshot")
    lived(rooms)
    end, ledger = rooms.told(), moves(rooms)
    rooms.put_back(tmp_path / "snapshot")
    taken = rooms.rest()
    assert (taken.inserted, taken.diverged) == (0, 0)
    assert taken.compared > 0
    assert proofs.differences(rooms.told(), end) == []
    assert moves(rooms) == ledger


def test_an_edited_campaign_is_replayed_and_nobody_hears_of_the_past_again(rooms: Rooms) -> None:
    lived(rooms)
    ledger = moves(rooms)
    rooms.put_back(None, edited(rooms.project.compiled, "reminder", wait_ms=500))
    taken = rooms.rest()
    assert taken.inserted == 0
    assert taken.diverged > 0
    assert moves(rooms) == ledger
    assert {divergence.campaign for divergence in rooms.ledger.divergences()} == {"reminder"}
    assert {"at", "position"} <= {field for one in rooms.ledger.divergences() for field in one.fields}


def test_decisions_with_other_ids_are_not_inserted_behind_the_fence(rooms: Rooms) -> None:
    lived(rooms)
    ledger = moves(rooms)
    rooms.put_back(None, with_another_segment(rooms.project.compiled))
    taken = rooms.rest()
    assert taken.inserted == 0
    assert moves(rooms) == ledger
    assert {divergence.fields for divergence in rooms.ledger.divergences()} == {("missing",)}


def test_without_the_fence_people_would_be_mailed_again(rooms: Rooms) -> None:
    """The negative control: the same replay against a ledger that forgot how far it is."""
    lived(rooms)
    fence, before = rooms.ledger.cursor(), len(moves(rooms))
    with closing(apsw.Connection(str(rooms.folder.path / "ledger.db"))) as ledger:
        ledger.execute("DELETE FROM bookmarks WHERE name = ?", (CURSOR,))
    rooms.put_back(None, with_another_segment(rooms.project.compiled))
    assert rooms.rest().inserted > 0
    assert inserted_behind(rooms, fence, before) != []


def test_a_house_that_finds_an_old_state_mails_nobody_twice(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    loaded(house, seed=1)
    old = (house.folder.path / "state.db").read_bytes()
    loaded(house, seed=2)
    (house.folder.path / "state.db").write_bytes(old)
    loaded(house, seed=3)
    (house.folder.path / "state.db").unlink()
    loaded(house, seed=4)
    fresh = replayed(house.folder, house.project.compiled)
    assert len(fresh.decisions) > 100
    assert proofs.mail_trouble(house.folder, fresh, lost_at_most=0) == []
    assert proofs.divergences(house.folder) == []


def loaded(house: House, seed: int) -> None:
    """Run a house under load for a while, drain it, stop it."""
    load = Load(house, seed)
    house.start()
    try:
        load.start()
        load.wait_for_acks(ACKS)
        load.stop()
        house.drain()
    finally:
        load.stop()
        house.stop()


def inserted_behind(rooms: Rooms, fence: int, before: int) -> list[Decision]:
    """Return the decisions that were inserted after the first `before` moves and lie at or before the fence."""
    found = rows_of(
        rooms.folder.path / "ledger.db",
        f"SELECT DISTINCT d.id FROM moves m JOIN deliveries d ON d.id = m.decision"
        f" WHERE m.number > {before} AND m.before = '' AND d.position <= {fence}",
    )
    deliveries = [rooms.ledger.delivery(bytes(id)) for (id,) in found]  # type: ignore[arg-type]
    return [delivery.decision for delivery in deliveries if delivery is not None]
