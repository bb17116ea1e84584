"""The front's part in a change: what is named, in which records, after which crash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.intake.plan import TrackingPlan
from livepost.intake.writer import Intake, Lane, Stores
from livepost.log.memory import MemoryLog
from livepost.model.change import Cut, Seed
from livepost.model.compiled import Compiled, EventSpec, FieldSpec
from livepost.model.record import Appended, Kind, Record
from livepost.runtime.data.definitions import Named, read_named, write_named
from livepost.runtime.front.changing import Changing, Wish
from livepost.vault.memory import MemoryVault

NOW = 1_767_225_600_000


def project(*fields: str) -> Compiled:
    event = EventSpec(
        name="Viewed", cls="Viewed", fields=tuple(FieldSpec(name=one, keys=(one,), type="str") for one in fields)
    )
    return Compiled(events=(event,))


A, B, C = project("a"), project("a", "b"), project("c")
EVENT = Record(source="web", subject=b"s" * 16, message_id="m", name="Viewed", effective_ts=NOW)


class Log(MemoryLog):
    """A log whose next write fails, if that is told: `before` it is there or `after`."""

    fails = ""

    def append(self, records: Sequence[Record]) -> Appended:
        fails, self.fails = self.fails, ""
        if fails == "nothing":
            raise StoreError("expected room on the disk, got none")
        appended = None if fails == "before" else super().append(records)
        if fails:
            raise OutcomeUnknownError("the disk said no")
        assert appended is not None
        return appended


class Front:
    """A front's stores and its changes; `new` is the process started again."""

    def __init__(self, path: Path) -> None:
        self.path = path / "definitions.json"
        clock = SimulatedClock(NOW)
        self.log = Log(clock, host=clock)
        self.plans: list[Compiled] = []
        self.new(A)

    def new(self, folder: Compiled) -> Changing:
        stores = Stores(self.log, MemoryVault(root=bytes(32)))
        self.intake = Intake(stores, TrackingPlan(Compiled()), workspace="w", reopen=lambda: stores)
        runs = iter(range(100, 999))
        self.changing = Changing(
            self.path, self.intake, lambda: self.log, self.plans.append, new_run=lambda: f"run-{next(runs)}"
        )
        self.changing.start(folder)
        return self.changing

    def cut(self, coming: Compiled, serving: Compiled = A) -> Named:
        return self.changing.handle_cut(raw(Wish(coming=coming, serving=serving.hash())))

    def ready(self, run: str) -> Named:
        return self.changing.handle_ready(raw(run))

    def records(self) -> list[tuple[str, int]]:
        """Return the kinds of all records, and how many stand in the block of each."""
        return [(Kind(kind).name, block.count) for block in self.log.read(-1, 1_000) for kind in block.kind]


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(value))


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    one = Front(tmp_path)
    with closing(one.log):
        yield one


def test_a_log_that_names_no_project_is_given_the_folders_and_no_second_one(front: Front) -> None:
    assert front.records() == [("PROJECT", 1)]
    assert front.new(A).named == Named(serving=A, project_at=0)
    assert front.records() == [("PROJECT", 1)]


def test_a_log_without_an_event_takes_a_changed_project_at_once(front: Front) -> None:
    assert front.new(B).named.serving == B
    assert front.records() == [("PROJECT", 1), ("CUT", 1), ("READY", 1)]


def test_a_log_with_events_goes_on_with_what_is_applied(front: Front) -> None:
    front.intake.append([EVENT])
    assert front.new(B).named.serving == A
    assert front.records() == [("PROJECT", 1), ("EVENT", 1)]
    assert front.plans[-1] == A


def test_a_change_is_a_cut_seeds_and_ready_each_alone_in_its_block(front: Front) -> None:
    async def change() -> None:
        front.intake.append([EVENT])
        cut = front.cut(B).cut
        assert cut is not None and cut.coming == B
        others = front.intake.admit_records([EVENT, EVENT], Lane.LOAD)
        seed = Seed(run=cut.run, number=0, feature="v", people=[(b"s" * 16, {"count": [(0, 1)]})])
        assert await front.changing.handle_seed(raw(seed)) == 5
        assert others.done()  # what waited went first
        assert front.ready(cut.run).serving == B

    asyncio.run(change())
    assert front.records() == [
        ("PROJECT", 1), ("EVENT", 1), ("CUT", 1), ("EVENT", 2), ("EVENT", 2), ("SEED", 1), ("READY", 1),
    ]  # fmt: skip
    assert front.changing.ready.is_set()


def test_calls_are_judged_by_both_plans_from_the_cut_on_and_by_the_coming_one_from_ready_on(front: Front) -> None:
    front.intake.append([EVENT])
    cut = front.cut(C).cut
    assert cut is not None
    assert [one.name for one in front.plans[-1].events[0].fields] == ["c", "a"]
    front.ready(cut.run)
    assert front.plans[-1] == C


def test_who_asks_twice_brings_about_one_change(front: Front) -> None:
    front.intake.append([EVENT])
    run = front.cut(B).cut
    assert front.cut(B).cut == run and run is not None
    ready = front.ready(run.run)
    assert front.ready(run.run) == ready
    assert front.records()[2:] == [("CUT", 1), ("READY", 1)]


def test_another_change_takes_the_place_of_one_under_way_whose_seeds_are_refused(front: Front) -> None:
    front.intake.append([EVENT])
    first, second = front.cut(B).cut, front.cut(C).cut
    assert first is not None and second is not None and first.run != second.run
    with pytest.raises(StoreError, match=r"expected the change run-1\d\d to be under way"):
        front.ready(first.run)
    seed = Seed(run=first.run, number=0, feature="v", people=[])
    with pytest.raises(StoreError, match="somebody else began one"):
        asyncio.run(front.changing.handle_seed(raw(seed)))
    assert front.ready(second.run).serving == C


def test_a_change_that_was_planned_against_another_project_is_refused(front: Front) -> None:
    with pytest.raises(StoreError, match="`livepost plan` again"):
        front.cut(C, serving=B)
    assert front.records() == [("PROJECT", 1)]


def test_a_front_started_again_in_the_middle_goes_on_with_the_change(front: Front) -> None:
    front.intake.append([EVENT])
    named = front.cut(C)
    assert front.new(C).named == named
    assert [one.name for one in front.plans[-1].events[0].fields] == ["c", "a"]
    assert front.changing.under_way


@pytest.mark.parametrize("file", ["kept", "lost"])
@pytest.mark.parametrize("fails", ["before", "after"])
def test_after_a_crash_at_the_write_what_is_named_is_what_the_log_says(front: Front, fails: str, file: str) -> None:
    front.intake.append([EVENT])
    front.log.fails = fails
    with pytest.raises(OutcomeUnknownError):
        front.cut(C)
    if file == "lost":
        front.path.unlink()
    assert front.new(B).under_way is (fails == "after")
    assert front.new(B).named.serving == A


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_front_that_opens_its_stores_again_knows_whether_the_record_is_there(front: Front, fails: str) -> None:
    front.intake.append([EVENT])
    cut = front.cut(C).cut
    assert cut is not None
    front.log.fails = fails
    with pytest.raises(OutcomeUnknownError):
        front.ready(cut.run)
    with pytest.raises(StoreError, match="nothing is written"):
        front.changing.handle_named(raw(None))
    front.intake.recover()
    assert front.changing.handle_named(raw(None)).serving == (C if fails == "after" else A)


def test_what_could_not_be_written_leaves_the_plan_and_the_names_as_they_were(front: Front) -> None:
    front.intake.append([EVENT])
    front.log.fails = "nothing"
    with pytest.raises(StoreError, match="room on the disk"):
        front.cut(C)
    assert front.plans[-1] == A
    front.intake.append([EVENT])
    assert front.changing.handle_named(raw(None)) == Named(serving=A, project_at=0)


def test_without_the_file_the_log_is_read_through(front: Front) -> None:
    front.intake.append([EVENT])
    cut = front.cut(B).cut
    assert cut is not None
    front.ready(cut.run)
    front.cut(C, serving=B)
    front.path.unlink()
    found = read_named(front.path, front.log)
    assert found == front.changing.named
    assert found is not None and (found.serving, found.run, found.ready_at) == (B, cut.run, 3)


def test_a_file_that_cannot_be_read_is_said(front: Front) -> None:
    front.path.write_text("{")
    with pytest.raises(StoreError, match="made anew from the log"):
        front.new(A)


def test_what_retention_dropped_is_named_again(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    front.intake.append([EVENT])
    front.changing.name_again()
    assert len(front.records()) == 2
    monkeypatch.setattr(front.log, "first", lambda: 1)
    front.changing.name_again()
    front.changing.name_again()
    assert front.changing.named.project_at == 2
    monkeypatch.undo()
    assert front.records() == [("PROJECT", 1), ("EVENT", 1), ("PROJECT", 1)]


def test_a_crash_before_the_first_record_leaves_nothing_named(front: Front, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    write_named(path, Named(serving=B, project_at=-1, intent=-1))
    clock = SimulatedClock(NOW)
    front.log, front.path = Log(clock, host=clock), path
    assert front.new(A).named == Named(serving=A, project_at=0)
    assert Cut(run="r", hash="h", coming=A).carried == {}
