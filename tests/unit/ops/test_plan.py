"""What a change would do: who enters and leaves, what is read, how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from livepost.ids import digest
from livepost.model.block import Block, block_of
from livepost.model.compiled import Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec
from livepost.model.person import MembershipView, PersonView
from livepost.model.record import Record
from livepost.ops.plan import SAMPLE_RECORDS, SEED_S, Moves, Plan, plan
from livepost.project.diff import diff
from livepost.project.renames import Renames

NOW = 1_767_225_600_000
EVENT = EventSpec(name="Viewed", cls="Viewed", fields=(FieldSpec(name="item", keys=("item",), type="str"),))
VIEWS = FeatureSpec(name="views", kind="count", event="Viewed", version="v1")
PEOPLE = [digest("person", number) for number in range(6)]


def segment(name: str, least: int, **spec: Any) -> SegmentSpec:
    condition = {
        "type": "compare",
        "op": ">=",
        "left": {"type": "feature", "name": spec.get("of", "views")},
        "right": {"type": "const", "value": least},
    }
    return SegmentSpec(name=name, condition=condition, version=f"{name} {least}")


def project(*segments: SegmentSpec, features: tuple[FeatureSpec, ...] = (VIEWS,)) -> Compiled:
    return Compiled(events=(EVENT,), features=features, segments=segments)


def blocks() -> Iterator[Block]:
    """Yield a log in which person n looked n times, in blocks of a record each."""
    seq = count()
    for number, person in enumerate(PEOPLE):
        for look in range(number):
            told = Record(source="web", subject=person, message_id=f"{number}-{look}", name="Viewed", effective_ts=NOW)
            yield block_of([told], next(seq), NOW)


RECORDS = sum(range(len(PEOPLE)))


def people(**inside: int) -> list[PersonView]:
    """Return everybody who looked at all; in a segment is who looked so often."""
    return [
        PersonView(
            person=person,
            subjects=(person,),
            position=RECORDS - 1,
            as_of=NOW,
            features={"views": number},
            sealed={},
            memberships=tuple(
                MembershipView(segment=name, inside=number >= least, since=0, number=0)
                for name, least in inside.items()
            ),
            journeys=(),
            consents={},
            next_due=None,
        )
        for number, person in enumerate(PEOPLE)
        if number
    ]


def planned(before: Compiled, after: Compiled, renames: Renames | None = None, **inside: int) -> Plan:
    found = diff(before, after, renames or Renames())
    return plan(found, after, people(**inside), blocks, kept=RECORDS, now=iter(range(9)).__next__)


def test_who_enters_and_leaves_is_counted_for_what_changes_and_for_nothing_else() -> None:
    told = planned(
        project(segment("keen", 2), segment("vip", 4), segment("same", 1), segment("old", 5)),
        project(segment("keen", 4), segment("vip", 3), segment("same", 1), segment("new", 3)),
        keen=2, vip=4, same=1, old=5,
    )  # fmt: skip
    assert told.moves == (
        Moves(segment="keen", enter=0, leave=2),
        Moves(segment="vip", enter=1, leave=0),
        Moves(segment="new", enter=3, leave=0),
        Moves(segment="old", enter=0, leave=1),
    )
    assert (told.people, told.records, told.unsaid) == (5, 0, "")


def test_a_renamed_segment_moves_nobody_and_one_that_changes_too_moves_from_what_it_was() -> None:
    renames = Renames(segments={"eager": "keen"})
    same = SegmentSpec(name="eager", condition=segment("keen", 2).condition, version="keen 2")
    assert planned(project(segment("keen", 2)), project(same), renames, keen=2).moves == ()
    told = planned(project(segment("keen", 2)), project(segment("eager", 3)), renames, keen=2)
    assert told.moves == (Moves(segment="eager", enter=0, leave=1),)


def test_history_is_estimated_by_a_sample() -> None:
    recent = FeatureSpec(name="recent", kind="count", event="Viewed", over_ms=1_000, grid_ms=1_000, version="v2")
    told = planned(project(), project(features=(VIEWS, recent)))
    assert (told.records, told.moves) == (RECORDS, ())
    assert told.seconds == 1 + SEED_S  # the clock of this test goes a second a look
    assert RECORDS < SAMPLE_RECORDS


def test_of_a_log_whose_beginning_is_gone_it_is_said_that_it_cannot_be_said() -> None:
    before, after = project(segment("keen", 2)), project(segment("keen", 3))
    found = diff(before, after, Renames())
    late = list(blocks())[3:]
    told = plan(found, after, people(keen=2), lambda: late, kept=len(late))
    assert (told.people, told.moves) == (None, ())
    assert "people cannot be recomputed" in told.unsaid


def test_in_a_house_without_people_nobody_moves() -> None:
    found = diff(project(), project(segment("keen", 3)), Renames())
    assert plan(found, project(segment("keen", 3)), [], lambda: (), kept=0) == Plan(diff=found, people=0)
