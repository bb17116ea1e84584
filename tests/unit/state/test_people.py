from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from livepost.state.file import StateFile
from livepost.state.pack import Chosen, Numbers, Pack, pack_of
from livepost.state.people import USUAL, Bounds, Change, People
from tests.unit.state.files import file_in

OLDEST = Bounds(floor_bytes=0, full_bytes=64, loose_bytes=0)
NEWEST = Bounds(floor_bytes=10**9, loose_bytes=100, loose_max=3)


class Forgetful(People):
    """Drops packs and carries nobody on."""

    def _counting(self, number: int, pack: Pack, changed: Numbers) -> Chosen:
        return np.zeros(len(pack.numbers), np.bool_)


class Reviving(People):
    """Forgets that somebody was deleted when it puts loose packs together."""

    def _deleted(self, pack: Pack, changed: Numbers) -> Chosen:
        return np.zeros(len(pack.numbers), np.bool_)


def commit(file: StateFile, people: People, rows: list[tuple[int, bytes | None]]) -> Change:
    change = people.plan(pack_of(rows))
    with file.transaction():
        people.write(change)
    people.apply(change)
    return change


def packs_in(file: StateFile) -> int:
    ((count,),) = file.select("SELECT count(*) FROM packs")
    return int(count)


def first_difference(body: type[People], bounds: Bounds, folder: Path) -> int | None:
    """Let people come, change and go, and begin anew from the file; return the first commit that lost or kept one."""
    drawn = random.Random(5)
    model: dict[int, bytes | None] = {}
    with file_in(folder) as file:
        for number in range(300):
            rows = [(drawn.randrange(60), drawn.choice((None, drawn.randbytes(9)))) for _ in range(drawn.randrange(4))]
            commit(file, body(file, bounds), rows)
            model.update(rows)
            if sorted(body(file, bounds).rows()) != sorted((n, row) for n, row in model.items() if row is not None):
                return number
    return None


@pytest.mark.parametrize("bounds", [OLDEST, NEWEST])
def test_whatever_packs_are_taken_up_the_newest_rows_are_there(bounds: Bounds, tmp_path: Path) -> None:
    assert first_difference(People, bounds, tmp_path) is None


@pytest.mark.parametrize("bounds", [OLDEST, NEWEST])
def test_if_nobody_were_carried_on_people_would_be_missed(bounds: Bounds, tmp_path: Path) -> None:
    assert first_difference(Forgetful, bounds, tmp_path) is not None


def test_if_deletions_were_dropped_with_loose_packs_people_would_come_back(tmp_path: Path) -> None:
    bounds = Bounds(floor_bytes=10**9, loose_bytes=30, loose_max=3)
    assert first_difference(People, bounds, tmp_path) is None
    (tmp_path / "state.db").unlink()
    assert first_difference(Reviving, bounds, tmp_path) is not None


def test_packs_hold_twice_what_counts_at_most_and_a_commit_takes_up_a_bounded_piece(tmp_path: Path) -> None:
    drawn = random.Random(3)
    bounds = Bounds(floor_bytes=100_000, full_bytes=20_000, loose_bytes=2_000)
    held, written, brought = [], 0, 0
    with file_in(tmp_path) as file:
        people = People(file, bounds)
        commit(file, people, [(number, bytes(500)) for number in range(2_000)])
        for _ in range(400):
            # Most of those who change are few; the others have to be carried on again and again.
            rows = [(int(2_000 * drawn.random() ** 4), drawn.randbytes(500)) for _ in range(50)]
            size = 512 * len(dict(rows))
            change = commit(file, people, [*rows])
            new = sum(pack.nbytes for pack in change.packs)
            assert change.taken.freed <= bounds.pace * size + bounds.full_bytes + 512
            assert new <= size + change.taken.freed
            written, brought = written + new, brought + size
            ((bytes_held,),) = file.select("SELECT sum(length(head) + length(body)) FROM packs")
            held.append(bytes_held)
    assert max(held) < 1.1 * bounds.held_share * 512 * 2_000
    assert written < 2.2 * brought


def test_steps_of_one_person_leave_few_packs(tmp_path: Path) -> None:
    with file_in(tmp_path) as file:
        people = People(file)
        counts = []
        for number in range(1_000):
            commit(file, people, [(number % 300, bytes(700))])
            counts.append(packs_in(file))
        assert max(counts) <= USUAL.loose_max + 1_000 * 712 // USUAL.loose_bytes
        assert len(list(people.rows())) == 300


def test_a_commit_that_failed_is_not_taken_over(tmp_path: Path) -> None:
    with file_in(tmp_path) as file:
        people = People(file, OLDEST)
        commit(file, people, [(1, b"one"), (2, b"two")])
        change = people.plan(pack_of([(1, None), (3, b"three")]))
        with pytest.raises(KeyError), file.transaction():
            people.write(change)
            raise KeyError
        assert sorted(people.rows()) == [(1, b"one"), (2, b"two")]
        commit(file, people, [(3, b"three")])
        assert sorted(People(file, OLDEST).rows()) == [(1, b"one"), (2, b"two"), (3, b"three")]
