"""A person made two again by an UNLINK, through an engine that is opened anew after each step; what changes nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.log.memory import MemoryLog
from livepost.model.change import Cut
from livepost.model.compiled import CampaignSpec, Compiled, FeatureSpec, SegmentSpec
from livepost.model.decision import Decision, Merge, OutboxItem, Parting
from livepost.model.journal import Consent
from livepost.model.record import KeyKind, Kind, Origin, Record
from livepost.model.unlink import Part, Unlink
from livepost.process import changing
from livepost.runtime.engine.worker import Worker
from livepost.state.memory import MemoryState
from tests.unit.process.records import NOW, event, subject

VIEWS = FeatureSpec(name="views", kind="count", event="Viewed", version="v")
TWICE = {
    "type": "compare",
    "op": ">=",
    "left": {"type": "feature", "name": "views"},
    "right": {"type": "const", "value": 2},
}
ALLOWED = {"consent": {"marketing": True}}
REMINDER = CampaignSpec(name="reminder", version="c", audience="keen", wait_ms=3_600_000, purpose="marketing")
PROJECT = Compiled(
    features=(VIEWS,),
    segments=(SegmentSpec(name="keen", condition=TWICE, version="k"),),
    campaigns=(REMINDER,),
)


class Shop:
    """A log and an engine over it: Ada (A, known), whose tablet (t) looked twice and then was linked to her."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(NOW)
        self.log = MemoryLog(self.clock, host=self.clock)
        self.state = MemoryState()
        self.tell(Kind.PROJECT, {"hash": PROJECT.hash(), "project": msgspec.to_builtins(PROJECT)})
        self.take(event("t", "1", name="Viewed"))
        self.link = self.take(event("A", "2", mentions="t", name="Viewed", context=ALLOWED))
        self.take(event("t", "3", name="Viewed"))

    def take(self, *records: Record) -> int:
        self.clock.advance(1_000)
        return self.log.append(records).last

    def tell(self, kind: Kind, control: Any, origin: Origin = Origin.LIVE) -> int:
        told = msgspec.to_builtins(control, builtin_types=(bytes,))
        return self.take(Record(kind=kind, origin=origin, control=told))

    def unlink(self, origin: Origin = Origin.BACKFILL, **also: Any) -> int:
        ada = Part(
            subjects=((subject("A"), True),),
            history={"v": [{"count": [(0, 1)]}]},
            consents={"marketing": Consent(NOW, "2", True, "web")},
        )
        tablet = Part(subjects=((subject("t"), False),), history={"v": [{"count": [(0, 2)]}]})
        told: dict[str, Any] = {
            "link": self.link,
            "mentioned": subject("t"),
            "upto": self.log.last().seq,
            "project": PROJECT.hash(),
            "parts": (tablet, ada),
        }
        return self.tell(Kind.UNLINK, Unlink(**told | also), origin)

    def engine(self) -> Worker:
        worker = self.opened()
        while worker.turn():
            worker = self.opened()
        return worker

    def opened(self) -> Worker:
        return Worker(Compiled(), self.state, self.log, self.clock, "w")

    def views(self) -> dict[str, int]:
        """Return, by the letters of each person's subjects, how often they viewed."""
        everybody = self.engine().everybody(10)
        return {"".join(chr(one[0]) for one in view.subjects): view.features["views"] for view in everybody}

    def outbox(self) -> list[OutboxItem]:
        return self.engine().decisions(-1, 100).items


def test_each_goes_on_with_their_own_history_and_new_records_count_for_whose_they_are() -> None:
    shop = Shop()
    assert shop.views() == {"At": 3}
    at = shop.unlink()
    assert shop.views() == {"A": 1, "t": 2}
    shop.take(event("t", "4", mentions="A", name="Viewed"), event("A", "5", mentions="t", name="Viewed"))
    assert shop.views() == {"A": 2, "t": 3}
    assert [(undo.position, undo.link, undo.mentioned) for undo in shop.engine().apart()] == [
        (at, shop.link, subject("t"))
    ]


def test_it_is_told_before_what_comes_of_it_and_no_transition_id_is_given_twice() -> None:
    shop = Shop()
    at = shop.unlink()
    (merge, *_, parting) = [item for item in shop.outbox() if isinstance(item, Merge | Parting)]
    assert isinstance(merge, Merge)
    ada, tablet = subject("A"), subject("t")
    assert parting == Parting(person=ada, other=tablet, subjects=(tablet,), lost=(), at=NOW + 5_000, position=at)
    newest = shop.engine().transitions(None, "keen", 10)
    told = {(one.person, one.number, one.entered, one.origin) for one in newest if one.position == at}
    assert told == {(ada, 2, False, Origin.BACKFILL), (tablet, 2, True, Origin.BACKFILL)}


def test_a_journey_goes_to_who_is_in_the_audience_and_is_not_begun_again() -> None:
    shop = Shop()
    (waiting,) = shop.engine().people([subject("A")])[subject("A")].journeys
    shop.unlink()
    people = shop.engine().people([subject("A"), subject("t")])
    assert people[subject("A")].journeys == ()
    assert people[subject("t")].journeys == (waiting,)
    shop.clock.advance(3_600_000)
    shop.log.append([Record(kind=Kind.TICK)])
    (decision,) = [item for item in shop.outbox() if isinstance(item, Decision)]
    assert (decision.person, decision.skip) == (subject("t"), "consent")


def test_a_journey_that_is_nobodys_ends_with_a_reason() -> None:
    shop = Shop()
    nothing = tuple(Part(subjects=((subject(letter), letter == "A"),)) for letter in "tA")
    at = shop.unlink(parts=nothing)
    (decision,) = [item for item in shop.outbox() if isinstance(item, Decision)]
    assert (decision.person, decision.skip, decision.position) == (subject("A"), "unlink", at)


@pytest.mark.parametrize(
    "also",
    [
        {"origin": Origin.LIVE},
        {"project": "another"},
        {"parts": (Part(subjects=((subject("t"), False),)), Part(subjects=((subject("t"), False),)))},
        {"parts": (Part(subjects=((subject("A"), True),)), Part(subjects=()))},
        {"parts": (Part(subjects=((subject("A"), True),)), Part(subjects=((subject("z"), False),)))},
    ],
)
def test_an_undo_that_is_not_of_one_whole_person_of_the_past_and_the_project_changes_nothing(also: Any) -> None:
    shop = Shop()
    at = shop.unlink(**also)
    assert shop.views() == {"At": 3}
    assert (shop.engine().status().position, shop.engine().apart()) == (at, [])


def test_one_that_cannot_be_read_changes_nothing() -> None:
    shop = Shop()
    shop.tell(Kind.UNLINK, {"link": "x"}, Origin.BACKFILL)
    assert shop.views() == {"At": 3}


def test_one_on_which_the_engine_fails_is_passed_by_and_the_engine_goes_on() -> None:
    shop = Shop()
    broken = tuple(Part(subjects=((subject(letter), letter == "A"),), history={"v": ["nonsense"]}) for letter in "tA")
    shop.unlink(parts=broken)
    shop.take(event("t", "4", name="Viewed"))
    worker = shop.opened()
    while worker.turn():
        pass
    assert shop.views() == {"At": 4}


def test_the_same_link_is_undone_once_though_an_alias_made_them_one_again() -> None:
    shop = Shop()
    shop.unlink()
    shop.take(event("A", "6", mentions="t", name="$alias", key=KeyKind.SECRET))
    assert shop.views() == {"At": 3}
    shop.unlink()
    assert shop.views() == {"At": 3}


def test_nothing_is_undone_while_the_project_changes() -> None:
    shop = Shop()
    shop.tell(Kind.CUT, Cut(run="r", hash=PROJECT.hash(), coming=PROJECT))
    shop.unlink()
    assert shop.views() == {"At": 3}


def test_no_more_is_undone_than_one_state_can_remember(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "UNLINKS_MAX", 0)
    shop = Shop()
    shop.unlink()
    assert shop.views() == {"At": 3}
    monkeypatch.setattr(changing, "UNLINKS_MAX", 1)
    shop.unlink()
    assert shop.views() == {"A": 1, "t": 2}
