"""A crash in the middle of a change, at every commit: the state on disk goes on to the same end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.engine.row import subjects_of
from livepost.model.change import Cut, Ready, Seed
from livepost.model.compiled import Compiled, FeatureSpec, SegmentSpec
from livepost.model.record import Kind, Origin, Record
from livepost.process.people import People
from tests.crash import proofs
from tests.crash.rooms import Rooms

RUN = "0" * 16
CALLS = 10
EVERY = FeatureSpec(name="every", kind="count", event="Product Viewed", version="every")
ONCE = {
    "type": "compare",
    "op": ">=",
    "left": {"type": "feature", "name": "every"},
    "right": {"type": "const", "value": 1},
}


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    rooms = Rooms(tmp_path / "data")
    yield rooms
    rooms.close()


def coming(before: Compiled) -> Compiled:
    """Return a project with one more feature and segment, in front of the others, and a campaign less."""
    seen = SegmentSpec(name="seen", condition=ONCE, version="seen")
    return msgspec.structs.replace(
        before,
        features=(EVERY, *before.features),
        segments=(seen, *before.segments),
        campaigns=before.campaigns[1:],
    )


def lived(rooms: Rooms, copies: Path) -> None:
    """Let shoppers do things while the project changes; copy the state after each commit."""
    project = coming(rooms.project.compiled)
    live(rooms, copies, 3)
    tell(rooms, Kind.CUT, Cut(run=RUN, hash=project.hash(), coming=project))
    live(rooms, copies, 1)
    people = [(subjects_of(row)[0], {"count": [(0, 1)]}) for row in rooms.worker.shard.rows if row is not None]
    for number, one in enumerate(people[:2]):
        tell(rooms, Kind.SEED, Seed(run=RUN, number=number, feature="every", people=[one]))
        live(rooms, copies, 1)
    tell(rooms, Kind.READY, Ready(run=RUN))
    live(rooms, copies, 2)
    rooms.pass_time(10_000)
    rooms.rest()


def tell(rooms: Rooms, kind: Kind, payload: Cut | Seed | Ready) -> None:
    rooms.append([Record(kind=kind, control=msgspec.to_builtins(payload, builtin_types=(bytes,)))])


def live(rooms: Rooms, copies: Path, blocks: int) -> None:
    for _ in range(blocks):
        rooms.happen(CALLS, after_ms=300)
        while rooms.worker.turn():
            rooms.copy_state(copies / f"{len(list(copies.iterdir())):04d}")
            rooms.take_over()
        rooms.rest()


def backfilled(told: Sequence[Any]) -> int:
    return sum(transition.origin == Origin.BACKFILL for transition in told)


def test_a_state_from_any_commit_around_a_change_comes_to_the_same_end(rooms: Rooms, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    lived(rooms, copies)
    end = rooms.told()
    assert backfilled(end.transitions) > 0
    assert rooms.worker.definitions.serving == coming(rooms.project.compiled)
    for copy in [None, *sorted(copies.iterdir())]:
        rooms.put_back(copy)
        taken = rooms.rest()
        assert (taken.inserted, taken.diverged) == (0, 0), copy
        assert proofs.differences(rooms.told(), end) == [], copy


def test_a_start_that_forgot_who_has_to_settle_would_be_found(
    rooms: Rooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: rows of before READY are read as if they had been evaluated at it."""
    copies = tmp_path / "copies"
    copies.mkdir()
    lived(rooms, copies)
    end = rooms.told()
    read = People._fixed_from

    def settled(people: People, parts: list[bytes]) -> Any:
        fixed = read(people, parts)
        fixed["due"][fixed["settling"]] = 1 << 61
        fixed["settling"] = False
        return fixed

    monkeypatch.setattr(People, "_fixed_from", settled)

    def differs(copy: Path) -> bool:
        rooms.put_back(copy)
        rooms.rest()
        return proofs.differences(rooms.told(), end) != []

    assert any(differs(copy) for copy in sorted(copies.iterdir(), reverse=True))
