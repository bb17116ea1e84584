"""A project changes: what new features count from when, and what a change that cannot be does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from livepost.clock import SimulatedClock
from livepost.engine.layout import NAME_USED_AGAIN
from livepost.engine.program import TILE_SLOTS_MAX, Program
from livepost.log.memory import MemoryLog
from livepost.model.change import Cut, Ready, Seed, taken_over
from livepost.model.compiled import Compiled, FeatureSpec, SegmentSpec
from livepost.model.person import PersonView
from livepost.model.record import Kind, Origin, Record
from livepost.process import changing
from livepost.process.people import People
from livepost.runtime.engine.waves import SETTLING, SETTLING_ALONE
from livepost.runtime.engine.worker import Worker
from livepost.state.memory import MemoryState
from tests.unit.process.records import DAY, NOW, event, subject

VIEWS = FeatureSpec(name="views", kind="count", event="Viewed", version="v")
LATELY = FeatureSpec(name="lately", kind="count", event="Viewed", version="l", over_ms=30 * DAY, grid_ms=DAY)
TWICE = {
    "type": "compare",
    "op": ">=",
    "left": {"type": "feature", "name": "lately"},
    "right": {"type": "const", "value": 2},
}
BEFORE = Compiled(features=(VIEWS,))
AFTER = Compiled(
    features=(msgspec.structs.replace(VIEWS, name="looks"), LATELY),
    segments=(SegmentSpec(name="keen", condition=TWICE, version="k"),),
)


class Shop:
    """A log and an engine over it, opened anew after each step."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(NOW)
        self.log = MemoryLog(self.clock, host=self.clock)
        self.state = MemoryState()
        self.tell(Kind.PROJECT, {"hash": BEFORE.hash(), "project": msgspec.to_builtins(BEFORE)})

    def take(self, *records: Record) -> int:
        self.clock.advance(1_000)
        return self.log.append(records).last

    def look(self, letter: str, message_id: str) -> int:
        return self.take(event(letter, message_id))

    def tell(self, kind: Kind, payload: Any) -> int:
        return self.take(Record(kind=kind, control=msgspec.to_builtins(payload, builtin_types=(bytes,))))

    def cut(self, run: str, coming: Compiled = AFTER) -> int:
        return self.tell(Kind.CUT, Cut(run=run, hash=coming.hash(), coming=coming))

    def seed(self, run: str, letter: str, tiles: Sequence[tuple[int, int]], number: int = 0) -> int:
        people = [(subject(letter), {"count": list(tiles)})]
        return self.tell(Kind.SEED, Seed(run=run, number=number, feature="l", people=people))

    def ready(self, run: str) -> int:
        return self.tell(Kind.READY, Ready(run=run))

    def engine(self) -> Worker:
        worker = self.opened()
        while worker.turn():
            worker = self.opened()
        return worker

    def opened(self) -> Worker:
        return Worker(Compiled(), self.state, self.log, self.clock, "w")

    def person(self, letter: str) -> PersonView:
        return self.engine().people([subject(letter)])[subject(letter)]

    def features(self, letter: str) -> dict[str, Any]:
        return self.person(letter).features


def test_a_new_feature_is_shown_when_ready_with_what_came_live_and_what_the_seed_brought() -> None:
    shop = Shop()
    shop.look("a", "1")
    shop.cut("r")
    shop.look("a", "2")
    shop.seed("r", "a", [(NOW // 1000, 1)])
    assert shop.features("a") == {"views": 2}
    assert shop.engine().definitions.seeded == 1
    at = shop.ready("r")
    assert shop.features("a") == {"looks": 2, "lately": 2}
    (told,) = shop.engine().transitions(None, None, 10)
    assert (told.segment, told.number, told.position, told.origin) == ("keen", 1, at, Origin.BACKFILL)
    assert shop.engine().definitions.serving == AFTER and shop.engine().definitions.cut is None


def test_people_settle_a_few_at_a_time_beside_records_and_a_wave_is_large_again_behind_them() -> None:
    shop = Shop()
    shop.cut("r")
    everybody = SETTLING + SETTLING_ALONE + 1
    for number in range(everybody):
        whose = {"subject": number.to_bytes(16, "big")}
        shop.take(*(msgspec.structs.replace(event("a", f"{number}-{time}"), **whose) for time in range(2)))
    worker = shop.opened()
    while worker.turn():
        pass
    shop.ready("r")
    assert worker.turn()  # READY itself
    told = []
    while worker.turn():
        told.append(worker.transition_count)
        if len(told) == 1:
            shop.look("b", "beside them")
    assert told == [SETTLING_ALONE, SETTLING_ALONE + SETTLING, everybody]
    assert worker.shard.complete_to == worker.shard.position > worker.shard.ready_at


def test_what_a_change_that_was_given_up_had_counted_is_dropped() -> None:
    shop = Shop()
    shop.cut("r")
    shop.look("a", "1")
    shop.seed("r", "a", [(NOW // 1000, 5)])
    shop.cut("s")
    shop.look("a", "2")
    shop.ready("r")  # of a run that is over
    assert shop.features("a") == {"views": 2}
    shop.ready("s")
    assert shop.features("a") == {"looks": 2, "lately": 1}


def test_without_the_dropping_it_would_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "_alone", lambda kept: kept.layouts[-1])
    shop = Shop()
    shop.cut("r")
    shop.look("a", "1")
    shop.cut("s")
    shop.look("a", "2")
    shop.ready("s")
    assert shop.features("a")["lately"] == 2


def test_what_was_unknown_of_a_segment_is_known_when_another_condition_serves() -> None:
    pages = FeatureSpec(name="pages", kind="distinct", event="Viewed", field="page", cap=1, version="p")
    many = {**TWICE, "left": {"type": "feature", "name": "pages"}}
    unsure = Compiled(features=(VIEWS, pages), segments=(SegmentSpec(name="keen", condition=many, version="m"),))
    shop = Shop()
    shop.look("a", "1")
    shop.cut("r", unsure)
    shop.ready("r")
    shop.take(event("a", "2", properties={"page": "x"}), event("a", "3", properties={"page": "y"}))
    assert [one.unknown for one in shop.person("a").memberships] == [True]
    shop.cut("s")
    shop.ready("s")
    assert [one.unknown for one in shop.person("a").memberships] == [False]


def test_a_seed_counts_once_in_its_turn_and_for_people_who_are_there() -> None:
    shop = Shop()
    shop.look("a", "1")
    shop.cut("r")
    shop.seed("r", "a", [(NOW // 1000, 9)], number=1)
    shop.seed("x", "a", [(NOW // 1000, 9)])
    shop.seed("r", "a", [(NOW // 1000, 1)])
    shop.seed("r", "a", [(NOW // 1000, 1)])
    shop.seed("r", "z", [(NOW // 1000, 1)], number=1)
    shop.ready("r")
    assert shop.features("a")["lately"] == 1
    assert len(shop.engine().everybody(10)) == 1


def test_a_change_that_does_not_fit_does_not_happen_and_says_so() -> None:
    shop = Shop()
    shop.look("a", "1")
    many = [msgspec.structs.replace(LATELY, name=f"f{n}", version=f"f{n}") for n in range(TILE_SLOTS_MAX + 1)]
    at = shop.cut("r", Compiled(features=tuple(many)))
    shop.ready("r")
    expected = f"expected at most {TILE_SLOTS_MAX} windowed sums, got {TILE_SLOTS_MAX + 1}"
    assert shop.engine().status().refused.startswith(f"the change at {at} did not happen: {expected}")
    assert shop.features("a") == {"views": 1}
    shop.cut("s")
    shop.ready("s")
    assert shop.engine().status().refused == ""
    assert shop.engine().definitions.serving == AFTER


def test_a_control_record_that_cannot_be_read_changes_nothing() -> None:
    shop = Shop()
    shop.look("a", "1")
    shop.tell(Kind.CUT, {"run": 1})
    shop.tell(Kind.READY, {"of": "nothing"})
    shop.tell(Kind.SEED, {})
    assert "did not happen" in shop.engine().status().refused
    shop.cut("r")
    shop.tell(Kind.SEED, {"run": "r", "number": 0, "people": "all"})
    shop.tell(Kind.READY, {"of": "nothing"})
    assert shop.features("a") == {"views": 1}
    assert shop.engine().definitions.seeded == 0


def test_features_of_one_definition_share_a_slot_and_what_is_removed_leaves_a_hole() -> None:
    twice = Compiled(features=(LATELY, msgspec.structs.replace(LATELY, name="also")))
    first = Program(twice)
    assert len(first.tiles) == 1 and first.readings["lately"].count == first.readings["also"].count == 0
    second = Program(BEFORE, layout=first.layout)
    assert second.layout.tiles == ("",) and second.layout.number == first.layout.number + 1
    third = Program(twice, layout=second.layout)
    assert third.readings["lately"].count == 1  # never the hole: somebody's row may still have tiles there


def test_a_program_of_the_same_need_has_the_same_layout() -> None:
    first = Program(AFTER)
    assert Program(AFTER, layout=first.layout).layout == first.layout
    assert Program(AFTER, BEFORE, first.layout).layout == first.layout  # nothing of it is new
    assert Program(AFTER, layout=first.layout, ready=NOW).layout.number == first.layout.number + 1


def test_a_segment_that_comes_back_gives_no_id_twice() -> None:
    shop = Shop()
    shop.look("a", "1")
    shop.look("a", "2")
    for run, coming in (("r", AFTER), ("s", BEFORE), ("t", AFTER)):
        shop.cut(run, coming)
        shop.seed(run, "a", [(NOW // 1000, 2)])
        shop.ready(run)
    shop.look("b", "3")
    told = shop.engine().transitions(None, None, 10)
    assert sorted(one.number for one in told) == [1, NAME_USED_AGAIN + 1]
    assert len({one.id for one in told}) == 2
    assert shop.person("b").memberships[0].number == NAME_USED_AGAIN


def test_a_renamed_segment_under_a_name_that_was_used_goes_on_above_it() -> None:
    keen = SegmentSpec(name="keen", condition=TWICE, version="k")
    other = msgspec.structs.replace(keen, name="other")
    layout = Program(msgspec.structs.replace(AFTER, segments=(keen, other))).layout
    alone = Program(AFTER, layout=layout, sources={"keen": "other"}).layout
    assert alone.segments == {"keen": layout.segments["other"]} and alone.floors == {"keen": NAME_USED_AGAIN}
    same = Program(AFTER, layout=alone, sources={"keen": "keen"}).layout
    assert same == alone
    back = Program(msgspec.structs.replace(AFTER, segments=(other,)), layout=alone, sources={"other": "keen"}).layout
    assert back.floors == {"other": NAME_USED_AGAIN}


def test_what_was_renames_goes_before_what_is_called_the_same() -> None:
    assert taken_over(["a", "b", "c"], ["b", "c", "d"], {"a": "b"}) == {"b": "a", "c": "c"}
    assert taken_over(["a", "b"], ["b", "a"], {"a": "b", "b": "a"}) == {"b": "a", "a": "b"}
    assert taken_over(["a"], ["b"], {"a": "gone", "x": "b"}) == {}


def test_people_in_memory_are_converted_in_one_pass() -> None:
    first = Program(AFTER)
    people = People(first)
    people.rows = [None] * 1_000
    people.fixed["inside"][:] = True
    people.adopt(Program(AFTER, BEFORE, first.layout, ready=NOW), 7)
    assert not people.fixed["inside"].any()  # nobody is there
    assert not people.fixed["settling"].any() and people.next_due() > NOW
    assert np.all(people.fixed["layout"] == first.layout.number + 1)
