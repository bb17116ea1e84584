"""People swept behind the commits, over a line of events with merges, duplicates and waits, stopped after any step."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from livepost.clock import DAY_MS
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.process.people import People
from livepost.runtime.engine import sweep as sweep_module
from livepost.runtime.engine.recovery import OtherwiseError
from livepost.runtime.engine.sweep import PERSON_US, STEP_US, Pace, Sweep, Taken
from livepost.runtime.engine.worker import Worker
from livepost.state.base import Commit
from livepost.state.image import Images
from livepost.state.memory import MemoryState
from tests.unit.runtime.engine.test_worker import PAGE, Line, answers, run

QUICK = Pace(redo_ms=10, commits=3)
"""An image begins after four steps and is written over three."""

WAVE = 2
"""Fewer than are due at one moment: some steps have no record."""


def a_life(line: Line) -> Iterator[None]:
    """Let forty shoppers look, come back under a name, and be quiet; yield after each block."""
    dice = random.Random(3)
    for number in range(60):
        shopper = f"{dice.randrange(40)}"
        seen = {"type": "track", "event": "Product Viewed", "properties": {"productId": "a"}}
        anonymous = {"anonymousId": f"a{shopper}"}
        line.take(
            {**seen, **anonymous, "messageId": f"m{number - dice.randrange(2)}"},
            {**seen, **anonymous, "messageId": f"n{number}"},
        )
        if dice.random() < 0.3:
            line.take({"type": "identify", **anonymous, "userId": shopper, "messageId": f"i{number}"})
        if number % 20 == 19:
            line.pass_time(40_000)
        yield


@contextmanager
def opened(
    line: Line, store: MemoryState, folder: Path, pace: Pace | None = QUICK, wave: int = WAVE
) -> Iterator[Worker]:
    """Open a worker, as a new process would."""
    worker = Worker(PAGE, store, line.log, line.clock, "shop", wave, images=Images(folder / "images"), pace=pace)
    with closing(worker):
        yield worker


def all_of(people: People) -> dict[str, Any]:
    """Return everything that the next step can depend on."""
    return {
        "rows": people.packed(np.arange(len(people.rows))),
        "numbers": (dict(people.number), len(people.rows)),
        "seen": len(people.seen),
        "place": (people.position, people.as_of, people.complete_to, people.counts),
        "told": (len(people), people.inside(), people.under_way(), people.next_due()),
    }


def ends(worker: Worker) -> dict[str, Any]:
    """Return everything that others can ask; what different people did at one moment is in no order."""
    told = answers(worker)
    order = {"transitions": told["transitions"], "outbox": told["outbox"]}
    return {**told, **{name: sorted(map(repr, items)) for name, items in order.items()}}


def unstopped(line: Line) -> dict[str, Any]:
    """Return what an engine makes of the line that never stopped and sweeps nobody."""
    return ends(run(Worker(PAGE, MemoryState(), line.log, line.clock, "shop")))


def first_difference(folder: Path, store: MemoryState | None = None) -> str:
    """Live a life, and after each step bring another worker to where the first is; return the first that differs."""
    line, store = Line(), store or MemoryState()
    with opened(line, store, folder) as worker:
        for _ in a_life(line):
            while worker.turn():
                try:
                    with opened(line, store, folder, pace=None) as other:
                        if all_of(other.shard) != all_of(worker.shard):
                            return f"people at {worker.shard.position}"
                except OtherwiseError as error:
                    return str(error)
        assert store.numbering().last > 20
        assert len({name.name for name in (folder / "images").iterdir()}) <= 2
    return ""


def test_people_are_as_they_were_wherever_the_engine_stops(tmp_path: Path) -> None:
    assert first_difference(tmp_path) == ""


def test_images_that_were_not_of_one_moment_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: who changes while an image is under way comes into it as they are then."""
    monkeypatch.setattr(Sweep, "_keep", lambda self, changing: None)
    assert first_difference(tmp_path) != ""


def test_with_the_newest_steps_left_out_people_would_be_found_to_differ(tmp_path: Path) -> None:
    class Forgetful(MemoryState):
        def steps(self) -> Iterator[tuple[int, bytes]]:
            yield from list(super().steps())[:-1]

    assert "end at position" in first_difference(tmp_path, Forgetful())


def test_steps_done_again_in_another_cut_are_found(tmp_path: Path) -> None:
    class Joining(MemoryState):
        """Gives two steps as one: people would be the same, but nobody could say so."""

        def steps(self) -> Iterator[tuple[int, bytes]]:
            steps = list(super().steps())
            yield from steps[1:] if len(steps) > 1 else steps

    assert "come out as it did before" in first_difference(tmp_path, Joining())


def test_a_life_in_stops_comes_to_the_end_of_one_without(tmp_path: Path) -> None:
    line, store = Line(), MemoryState()
    for _ in a_life(line):
        with opened(line, store, tmp_path, wave=2_000) as worker:
            run(worker, 2)
    with opened(line, store, tmp_path, wave=2_000) as worker:
        assert ends(run(worker)) == unstopped(line)


def test_people_go_from_steps_to_a_sweep_and_back(tmp_path: Path) -> None:
    line, store = Line(), MemoryState()
    for number, _ in enumerate(a_life(line)):
        with opened(line, store, tmp_path, pace=QUICK if number // 5 % 2 else None, wave=2_000) as worker:
            run(worker)
            swept = store.loaded()
            assert bool(swept and swept.image) is bool(number // 5 % 2)
            assert bool(list(store.rows())) is not bool(swept and swept.image)
    with opened(line, store, tmp_path, pace=None, wave=2_000) as worker:
        assert ends(run(worker)) == unstopped(line)


def test_a_commit_that_nobody_knows_of_is_gone_on_from_whether_it_is_there_or_not(tmp_path: Path) -> None:
    class Failing(MemoryState):
        def commit(self, commit: Commit) -> None:
            fails = commit.step is not None and commit.step[0] % 5 == 4 and commit.step[0] not in failed
            if fails and len(failed) % 2:
                super().commit(commit)
            if fails:
                failed.append(commit.step[0])
                raise OutcomeUnknownError("who knows")
            super().commit(commit)

    failed: list[int] = []
    line, store = Line(), Failing()
    for _ in a_life(line):
        while True:
            with opened(line, store, tmp_path, wave=2_000) as worker:
                try:
                    run(worker)
                    break
                except OutcomeUnknownError:
                    continue
    assert len(failed) > 5
    with opened(line, store, tmp_path, wave=2_000) as worker:
        assert ends(worker) == unstopped(line)


def test_a_commit_that_fails_is_tried_again_and_the_image_goes_on(tmp_path: Path) -> None:
    class Full(MemoryState):
        full = False

        def commit(self, commit: Commit) -> None:
            if self.full:
                raise StoreError("the disk is full")
            super().commit(commit)

    line, store = Line(), Full()
    with opened(line, store, tmp_path) as worker:
        for number, _ in enumerate(a_life(line)):
            store.full = number % 3 == 0
            try:
                run(worker)
            except StoreError:
                store.full = False
                with opened(line, store, tmp_path, pace=None) as other:
                    assert all_of(other.shard) == all_of(worker.shard)
        store.full = False
        assert ends(run(worker)) == unstopped(line)


def test_what_a_start_does_again_is_bounded(tmp_path: Path) -> None:
    line, store = Line(), MemoryState()
    left = []
    with opened(line, store, tmp_path) as worker:
        for number in range(100):
            line.look(f"p{number % 7}", f"{number}")
            worker.turn()
            left.append(sum(1 for _ in store.steps()))
    begun_after = QUICK.redo_ms * 1_000 // STEP_US + 1
    assert begun_after <= max(left) <= begun_after + 2 * (2 * QUICK.commits + 1)


def test_a_share_of_an_image_is_bounded_however_many_people_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "SHARE_MAX", 2)
    line, store = Line(), MemoryState()
    shares, images = set(), set()
    with opened(line, store, tmp_path) as worker:
        for number in range(60):
            line.look(f"p{number % 20}", f"{number}")
            worker.turn()
            assert worker._sweep is not None
            shares.add(worker._sweep._share())
            loaded = store.loaded()
            images.add(loaded.image if loaded else "")
        assert max(shares) == 2
        assert len(images) > 2
        with opened(line, store, tmp_path, pace=None) as other:
            assert all_of(other.shard) == all_of(worker.shard)


def test_an_image_is_begun_when_a_day_has_passed_and_finished_when_nothing_is_left_to_do(tmp_path: Path) -> None:
    line, store = Line(), MemoryState()
    slow = Pace(redo_ms=600_000)
    first = line.look("ada", "a")
    with opened(line, store, tmp_path, slow) as worker:
        run(worker)
        line.look("ada", "a2")
        run(worker)
        before = store.loaded()
        assert (len(list(store.steps())), worker.log_needed_after) == (1, first)
        line.clock.advance(DAY_MS)
        end = line.look("ada", "b")
        run(worker)
        after = store.loaded()
        assert before and after and before.image != after.image
        assert (list(store.steps()), worker.log_needed_after) == ([], end)
        assert [path.name for path in (tmp_path / "images").iterdir()] == [after.image]


def test_an_engine_that_stops_in_peace_leaves_nothing_to_do_again(tmp_path: Path) -> None:
    line, store = Line(), MemoryState()
    with opened(line, store, tmp_path, Pace()) as worker:
        for _ in a_life(line):
            run(worker)
        assert len(list(store.steps())) > 60
        worker.settle()
        worker.settle()
        assert list(store.steps()) == []
        assert len(list((tmp_path / "images").iterdir())) == 1
        with opened(line, store, tmp_path, pace=None) as other:
            assert all_of(other.shard) == all_of(worker.shard)


def test_where_people_are_many_an_image_waits_until_it_is_a_tenth_of_the_work(tmp_path: Path) -> None:
    line, store = Line(), MemoryState()
    line.look("ada", "a")
    with opened(line, store, tmp_path) as worker:
        run(worker)
        sweep = worker._sweep
        assert sweep is not None
        steps = 0
        people = 10_000
        worker.shard._people = people
        while not sweep._is_due():
            sweep.applied(Commit(position=0, as_of=0, complete_to=0, program=""), 0)
            steps += 1
    assert steps * STEP_US >= 10 * PERSON_US * people - STEP_US


def test_a_state_whose_images_are_gone_is_refused_with_what_to_do(tmp_path: Path) -> None:
    line, store = Line(), MemoryState()
    line.look("ada", "a")
    with opened(line, store, tmp_path) as worker:
        run(worker)
    for path in (tmp_path / "images").iterdir():
        path.unlink()
    with pytest.raises(StoreError, match="expected a whole image of people in"), opened(line, store, tmp_path):
        pass


def test_the_digest_of_a_step_has_all_that_it_put_out(tmp_path: Path) -> None:
    line, store = Line(), MemoryState()
    with opened(line, store, tmp_path, Pace()) as worker:
        for _ in a_life(line):
            run(worker)
    taken = [msgspec.msgpack.decode(body, type=Taken) for _, body in store.steps()]
    assert len({one.digest for one in taken}) == len(taken) > 60
    assert {one.wave for one in taken} == {WAVE}
