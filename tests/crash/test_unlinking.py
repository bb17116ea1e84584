"""A crash around the undo of a merge, at every commit: the state on disk goes on to the same end, and mails nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.deliver.keep import each
from livepost.identity import Separation
from livepost.log.base import Position
from livepost.model.block import Block
from livepost.model.record import Kind, Origin, Record
from livepost.model.unlink import Apart
from livepost.ops.unlinks import Link, Unlinks
from livepost.runtime.engine import stepping
from livepost.runtime.engine.sweep import Pace
from tests.crash import proofs
from tests.crash.rooms import Rooms
from tests.crash.test_changing import backfilled, live

SWEPT = Pace(redo_ms=20, commits=2)
"""An image every few steps, so that the undo is among the steps that are done again."""


@pytest.fixture(params=[None, SWEPT], ids=["rows in the step", "swept"])
def rooms(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rooms]:
    rooms = Rooms(tmp_path / "data", pace=request.param)
    yield rooms
    rooms.close()


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    folder = tmp_path / "copies"
    folder.mkdir()
    return folder


def lived(rooms: Rooms, copies: Path) -> list[Apart]:
    """Let shoppers do things while merges are undone that records after it mention again; copy each commit's state."""
    live(rooms, copies, 14)
    links = [undo(rooms, copies), undo(rooms, copies)]
    live(rooms, copies, 1)
    for link in links:
        [record] = [record for block in blocks_of(rooms) for record in block.records() if record.seq == link.position]
        again = {"message_id": f"again-{link.position}", "content_hash": bytes(16), "sealed": {}}
        rooms.append([msgspec.structs.replace(record, **again)])
    live(rooms, copies, 2)
    rooms.pass_time(10_000)
    rooms.rest()
    return rooms.worker.apart()


def undo(rooms: Rooms, copies: Path) -> Link:
    """Undo the first link of somebody who is in a segment, with shoppers coming in between."""
    rooms.rest()
    done = {subject for undo in rooms.worker.apart() for side in undo.sides for subject in side}
    blocks = list(blocks_of(rooms))
    acted = {record.subject for block in blocks for record in block.records()}
    linked = [view for view in rooms.worker.everybody(1_000) if len(acted & {*view.subjects}) > 1]
    people = [view for view in linked if view.person not in done]
    person = max(people, key=lambda view: sum(one.inside for one in view.memberships))
    with Unlinks(rooms.worker.definitions.serving, person.subjects, rooms.worker.apart()) as unlinks:
        unlinks.read(blocks, Position(blocks[-1].first + blocks[-1].count - 1, blocks[-1].stamp))
        link = next(one for one in unlinks.links.links if one.mentioned in acted)
        control = msgspec.to_builtins(unlinks.unlink(link, {}), builtin_types=(bytes,))
    rooms.append([Record(kind=Kind.UNLINK, origin=Origin.BACKFILL, control=control)])
    live(rooms, copies, 1)
    return link


def blocks_of(rooms: Rooms) -> Iterator[Block]:
    after = -1
    while blocks := rooms.log.read(after, 5_000):
        yield from blocks
        after = blocks[-1].first + blocks[-1].count - 1


def mails(rooms: Rooms) -> int:
    with closing(rooms.folder.vault(readonly=True)) as vault:
        return len(list(each(rooms.folder.mailbox, vault, rooms.folder.settings.workspace)))


def test_a_state_from_any_commit_around_an_undo_comes_to_the_same_end(rooms: Rooms, copies: Path) -> None:
    apart = lived(rooms, copies)
    end, sent = rooms.told(), mails(rooms)
    assert len(apart) == 2
    assert backfilled(end.transitions) > 0
    assert sent > 0
    assert len(set(end.transition_ids)) == len(end.transition_ids)
    for copy in [None, *sorted(copies.iterdir())]:
        rooms.put_back(copy)
        taken = rooms.rest()
        assert (taken.inserted, taken.diverged) == (0, 0), copy
        assert proofs.differences(rooms.told(), end) == [], copy
        assert rooms.worker.apart() == apart
    assert mails(rooms) == sent


def test_a_start_that_forgot_who_is_kept_apart_would_be_found(
    rooms: Rooms, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the first record that mentions the other makes them one again."""
    lived(rooms, copies)
    end = rooms.told()
    monkeypatch.setattr(stepping, "_separation", lambda kept: Separation())
    rooms.put_back(None)
    rooms.rest()
    assert "people differ" in proofs.differences(rooms.told(), end)
