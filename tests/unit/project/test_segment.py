"""A segment is a part of further ones: by its name, with a version that covers it, within one profile."""

from typing import Any

import msgspec
import pytest

from livepost import Email, Event, Profile, campaign, count, days, exists, segment
from livepost.errors import ProjectError
from livepost.expr import And, Compare, Const, Expr, Feature, Not, Or, Segment
from livepost.model.compiled import Compiled
from livepost.project.check import check_project
from livepost.project.compiled import compile_project
from livepost.project.declarations import Declarations, collect


class Viewed(Event):
    product_id: str


class Ordered(Event):
    order_id: str


def project(**names: Any) -> Declarations:
    """Return a project whose profile holds these names."""
    return collect({"Shopper": type("Shopper", (Profile,), names)})


def conditions(compiled: Compiled) -> dict[str, Expr]:
    """Return the conditions of all segments by name."""
    return {one.name: msgspec.convert(one.condition, Expr) for one in compiled.segments}


def test_a_segment_stands_in_a_condition_by_its_name() -> None:
    views = count(Viewed)
    keen, vip = segment(views >= 3), segment(count(Ordered) >= 9)
    names = {"views": views, "keen": keen, "vip": vip}
    both = project(**names, both=segment(keen & ~vip), either=segment((views == 1) | vip), same=segment(vip))
    assert check_project(both) == []
    compiled = compile_project(both)
    assert conditions(compiled)["both"] == And((Segment("keen"), Not(Segment("vip"))))
    assert conditions(compiled)["either"] == Or((Compare("==", Feature("views"), Const(1)), Segment("vip")))
    assert conditions(compiled)["same"] == Segment("vip")
    assert [one.text for one in compiled.segments][2:] == ["keen and not vip", "views == 1 or vip", "vip"]


def test_a_segment_without_a_name_is_taken_in_as_its_condition() -> None:
    views = count(Viewed)
    inner = segment(segment((views >= 3) | exists(Ordered)))
    some = project(views=views, some=segment(inner & (views < 9)))
    compiled = compile_project(some)
    assert check_project(some) == []
    assert compiled.segments[0].text == "(views >= 3 or exists(Ordered)) and views < 9"
    assert conditions(compiled)["some"] == And(
        (
            Or(
                (
                    Compare(">=", Feature("views"), Const(3)),
                    Compare("==", Feature("exists(Ordered)"), Const(True)),
                )
            ),
            Compare("<", Feature("views"), Const(9)),
        )
    )
    assert {event.name for event in compiled.events} == {"$identify", "Viewed", "Ordered"}


def test_a_segments_version_covers_the_segments_it_uses() -> None:
    def versions(window: Any, least: int) -> dict[str, str]:
        views = count(Viewed, over=window)
        keen = segment(views >= least)
        apart = segment(exists(Ordered))
        names = {"views": views, "keen": keen, "very": segment(keen & apart), "far": segment(~segment(keen | apart))}
        deep = segment(names["very"])
        compiled = compile_project(project(**names, apart=apart, deep=deep))
        return {one.name: one.version for one in compiled.segments}

    week, month, more = versions(days(7), 3), versions(days(30), 3), versions(days(7), 4)
    assert [name for name in week if week[name] == month[name]] == ["apart"]
    assert [name for name in week if week[name] == more[name]] == ["apart"]
    assert week == versions(days(7), 3)


def test_a_segment_of_another_profile_is_refused_with_its_line() -> None:
    class Other(Profile):
        keen = segment(count(Viewed) >= 3)

    with pytest.raises(ProjectError, match="expected a segment of Shopper, got keen of another class") as refused:
        compile_project(project(some=segment(Other.keen & (count(Viewed) < 9))))
    assert "test_segment.py:" in str(refused.value)


def test_a_segment_of_a_parent_profile_serves() -> None:
    class Visitor(Profile):
        keen = segment(count(Viewed) >= 3)

    class Shopper(Visitor):
        quiet = segment(~Visitor.keen)

    compiled = compile_project(collect({"Shopper": Shopper}))
    assert conditions(compiled)["quiet"] == Not(Segment("keen"))


def test_one_segment_under_two_names_is_refused() -> None:
    keen = segment(count(Viewed) >= 3)
    problems = check_project(project(keen=keen, eager=keen))
    assert problems[0].sentence == (
        "expected one name for a segment, got keen and eager; write segment(keen) for the second"
    )


def test_an_event_knows_no_segments() -> None:
    keen = segment(count(Viewed) >= 3)

    @campaign(on=Ordered, where=keen)
    def mail(shopper: Profile) -> Email:
        return Email("mail", subject="Hello")

    shopper = type("Shopper", (Profile,), {"keen": keen})
    with pytest.raises(ProjectError, match="expected a field of Ordered in where=, got the segment keen"):
        compile_project(collect({"Shopper": shopper, "mail": mail}))


def test_a_segment_is_no_truth_by_itself() -> None:
    with pytest.raises(ProjectError, match=r"write \(a\) & \(b\)"):
        segment(count(Viewed) >= 3) and segment(count(Ordered) >= 3)
