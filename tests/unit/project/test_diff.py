"""Two versions of a page side by side: what is new, changed, renamed, removed, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from livepost import Email, Event, Money, Profile, campaign, count, days, latest, segment, total
from livepost.project.campaign import Campaign
from livepost.project.compiled import compile_project
from livepost.project.declarations import Declarations, collect
from livepost.project.diff import Change, Diff, diff
from livepost.project.renames import Renames, renames_of


class Viewed(Event):
    product_id: str
    price: Money


class Bought(Event):
    total: Money


def mail(shopper: Profile) -> Email:
    return Email("mail", subject="Hello")


def page(*campaigns: Campaign[Any], **body: Any) -> Declarations:
    """Return a page with campaigns and a profile of this body."""
    return collect({"Shopper": type("Shopper", (Profile,), body), **{one.name: one for one in campaigns}})


def told(before: Declarations, after: Declarations) -> Diff:
    return diff(compile_project(before), compile_project(after), renames_of(after))


def said(found: Diff) -> list[tuple[str, str, str, str | None]]:
    return [(one.kind, one.what, one.name, one.before) for one in found.changes]


def views(**options: Any) -> Any:
    return count(Viewed, over=days(options.pop("over", 7)), **options)


def test_the_same_page_has_no_diff_and_every_other_one_has() -> None:
    one = page(views=views())
    assert told(one, page(views=views())) == Diff()
    reordered = told(page(a=views(), b=views(over=8)), page(b=views(over=8), a=views()))
    assert said(reordered) == [("project", "changed", "Shopper", None)]


def test_features_are_found_by_their_definition() -> None:
    found = told(
        page(week=views(), spend=total(Bought.total), old=count(Bought)),
        page(views_7d=views(), spend=total(Bought.total, over=days(90)), fresh=views(over=30)),
    )
    assert said(found) == [
        ("feature", "renamed", "views_7d", "week"),
        ("feature", "changed", "spend", None),
        ("feature", "new", "fresh", None),
        ("feature", "removed", "old", None),
    ]
    assert [spec.name for spec in found.history] == ["spend", "fresh"]


def test_a_second_name_of_a_definition_needs_no_history() -> None:
    found = told(page(week=views()), page(week=views(), again=views()))
    assert found.history == ()
    assert found.changes == (
        Change(kind="feature", what="new", name="again", notes=("the same as week: nothing is to be read",)),
    )


def test_one_definition_under_two_new_names_is_read_once() -> None:
    assert len(told(page(), page(a=views(), b=views())).history) == 1


def test_was_of_a_feature_says_renamed_though_its_definition_changed() -> None:
    found = told(page(week=views()), page(month=views(over=30, was="week")))
    assert said(found) == [("feature", "renamed", "month", "week")]
    assert found.changes[0].notes[0] == "with another definition"
    assert [spec.name for spec in found.history] == ["month"]


def test_a_segment_is_carried_over_by_was_and_not_without() -> None:
    looks = views()
    before = page(looks=looks, browsing=segment(looks >= 3))
    same, other = views(), views()
    carried = told(before, page(looks=same, keen=segment(same >= 3, was="browsing")))
    assert (said(carried), carried.carried) == (
        [("segment", "renamed", "keen", "browsing")],
        {"segment": {"browsing": "keen"}},
    )
    without = told(before, page(looks=other, keen=segment(other >= 3)))
    assert without.carried == {}
    assert said(without) == [("segment", "new", "keen", None), ("segment", "removed", "browsing", None)]


def test_renaming_a_feature_changes_no_segment_that_reads_it() -> None:
    week, seven, eight = views(), views(), views(over=8)
    before = page(week=week, keen=segment(week >= 3))
    renamed = told(before, page(seven=seven, keen=segment(seven >= 3)))
    assert said(renamed) == [("feature", "renamed", "seven", "week")]
    assert ("segment", "changed", "keen", None) in said(told(before, page(week=eight, keen=segment(eight >= 3))))


@pytest.mark.parametrize(
    ("was", "problem"),
    [
        ("brwosing", "expected was= to name a segment that serves (browsing, vip), got 'brwosing'"),
        ("vip", "expected was= to name a segment that goes, got 'vip', which is still declared"),
    ],
)
def test_was_that_names_nothing_that_goes_is_a_problem(was: str, problem: str) -> None:
    one, two = views(), views()
    before = page(looks=one, browsing=segment(one >= 3), vip=segment(one >= 9))
    found = told(before, page(looks=two, keen=segment(two >= 3, was=was), vip=segment(two >= 9)))
    assert found.carried == {}
    assert found.problems == (f"keen: {problem}; correct was=, or take it out",)


def test_two_cannot_both_be_what_one_was() -> None:
    one, two = views(), views()
    found = told(
        page(looks=one, old=segment(one >= 3)),
        page(looks=two, a=segment(two >= 3, was="old"), b=segment(two >= 4, was="old")),
    )
    assert [problem.partition(";")[0] for problem in found.problems] == [
        "a: expected one segment to be what 'old' was, got 2",
        "b: expected one segment to be what 'old' was, got 2",
    ]


def test_was_that_is_done_with_is_a_note_and_no_change() -> None:
    one, two = views(), views()
    found = told(page(looks=one, keen=segment(one >= 3)), page(looks=two, keen=segment(two >= 3, was="browsing")))
    assert (found.changes, found.problems) == ((), ())
    assert found.notes == ("keen: was='browsing' is done with; it may be taken out",)


def test_a_campaign_that_goes_says_what_becomes_of_who_waits() -> None:
    old = campaign(on=Bought)(mail)
    gone = told(page(old), page())
    assert gone.changes[-2:] == (
        Change(kind="event", what="removed", name="Bought"),
        Change(kind="campaign", what="removed", name="mail", notes=("who waits in it gets nothing of it (kill)",)),
    )


def test_a_campaign_is_carried_over_by_was() -> None:
    def letter(shopper: Profile) -> Email:
        return mail(shopper)

    found = told(page(campaign(on=Bought)(mail)), page(campaign(on=Bought, was="mail")(letter)))
    assert found.carried == {"campaign": {"mail": "letter"}}
    assert said(found) == [("campaign", "renamed", "letter", "mail")]


def test_a_field_that_was_not_declared_counts_from_now_on() -> None:
    class Wider(Event, name="Viewed"):
        product_id: str
        price: Money
        shelf: str | None = None

    found = told(page(looks=views()), page(looks=count(Wider, over=days(7)), shelf=latest(Wider.shelf)))
    assert [one.name for one in found.changes] == ["Viewed", "shelf"]
    assert found.changes[1].notes[1].startswith("counts from now on: shelf of Viewed was not declared until now")


def test_a_field_that_features_read_keeps_its_type_and_one_that_none_reads_need_not() -> None:
    class Other(Event, name="Viewed"):
        product_id: int
        price: Money

    before = page(last=latest(Viewed.product_id))
    found = told(before, page(last=latest(Other.product_id)))
    (problem,) = found.problems
    assert problem.startswith(
        "Viewed: expected product_id, which features read, to stay str, as the log holds it, got int"
    )
    assert told(before, page(looks=count(Other))).problems == ()


def test_was_is_no_part_of_the_compiled_project() -> None:
    one, two = views(), views(was="week")
    plain = page(campaign(on=Bought)(mail), looks=one, keen=segment(one >= 3))
    renamed = page(campaign(on=Bought, was="letter")(mail), looks=two, keen=segment(two >= 3, was="browsing"))
    assert compile_project(plain) == compile_project(renamed)
    assert renames_of(renamed) == Renames(
        features={"looks": "week"}, segments={"keen": "browsing"}, campaigns={"mail": "letter"}
    )
