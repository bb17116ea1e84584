"""Segments inside segments, written out; and what a condition cannot ask, each with its sentence."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.engine.condition import NODES_MAX, expanded, refuse_unservable
from livepost.errors import ProjectError
from livepost.expr import And, Arithmetic, Compare, Const, Expr, Feature, Field, Not, Or, Sign
from livepost.model.compiled import Compiled, FeatureSpec, SegmentSpec, Tree
from tests.unit.engine.projects import both, compare, either, feature, negated, segment

KEEN, QUIET = compare("views", ">", 3), compare("quiet", ">=", 500)
FEATURES = (
    feature("views"),
    feature("quiet", "since"),
    feature("away", "since"),
    feature("spent", "total", field="price", type="money"),
    feature("kinds", "distinct", field="item", cap=5),
    feature("ordered", "exists", type="bool"),
    feature("item", "latest", field="item", type="str"),
    feature("items", "recent", field="item", n=3, type="list"),
    feature("favourites", "top", field="item", n=3, type="list"),
    feature("name", "latest", field="name", type="str", personal=True),
)


def named(name: str) -> Tree:
    """Return another segment as a condition."""
    return {"type": "segment", "name": name}


def whole(*segments: SegmentSpec) -> dict[str, Expr]:
    return expanded(segments)


def refuse(condition: Expr, features: tuple[FeatureSpec, ...] = FEATURES) -> None:
    refuse_unservable("s", condition, Compiled(features=features))


def arithmetic(sign: Sign, left: Any, right: Any) -> Arithmetic:
    return Arithmetic(sign, *(Feature(side) if isinstance(side, str) else Const(side) for side in (left, right)))


def test_a_segment_stands_for_its_condition_wherever_it_is_written() -> None:
    found = whole(
        segment("b", either(both(named("a"), QUIET), negated(named("a")))), segment("a", KEEN), segment("c", named("b"))
    )
    keen, quiet = Compare(">", Feature("views"), Const(3)), Compare(">=", Feature("quiet"), Const(500))
    assert found["a"] == keen
    assert found["b"] == Or((And((keen, quiet)), Not(keen)))
    assert found["c"] == found["b"]


def test_a_segment_that_stands_for_itself_is_refused_with_the_way_round() -> None:
    with pytest.raises(ProjectError, match="segment a: stands for itself, by way of a -> b -> c -> a"):
        whole(segment("a", negated(named("b"))), segment("b", both(KEEN, named("c"))), segment("c", named("a")))
    with pytest.raises(ProjectError, match="segment a: stands for itself, by way of a -> a"):
        whole(segment("a", named("a")))


def test_a_segment_that_is_not_there_is_refused() -> None:
    with pytest.raises(ProjectError, match="segment a: there is no segment 'gone'"):
        whole(segment("a", both(KEEN, named("gone"))))


def test_as_many_nodes_as_a_condition_may_have_are_taken_and_one_more_is_refused() -> None:
    leaves = (NODES_MAX - 1) // 3  # three nodes each, below one Or
    parts = [KEEN] * leaves
    assert len(whole(segment("a", either(*parts)))) == 1
    with pytest.raises(ProjectError, match=f"segment b: expected at most {NODES_MAX} nodes, got {NODES_MAX + 1} with"):
        whole(segment("a", either(*parts)), segment("b", negated(named("a"))))


def test_segments_that_double_at_each_step_are_refused_before_they_fill_the_memory() -> None:
    doubled = [segment(f"s{n + 1}", both(named(f"s{n}"), named(f"s{n}"))) for n in range(60)]
    with pytest.raises(ProjectError, match="expected at most"):
        whole(segment("s0", KEEN), *doubled)


@pytest.mark.parametrize(
    "condition",
    [
        Compare(">", Feature("views"), Feature("spent")),
        Compare(">", Feature("quiet"), Feature("away")),
        Compare("<", Const(500), Feature("quiet")),
        Compare("==", Feature("ordered"), Const(True)),
        Compare("==", Feature("item"), Const("a")),
        Compare(">", Feature("kinds"), Const(3)),
        Compare(">", arithmetic("/", "spent", "views"), Const(500)),
        Compare("<", Const(2), Arithmetic("*", arithmetic("+", "views", 1), Feature("kinds"))),
        Compare("==", Const(1), Const(1.0)),
    ],
)
def test_what_the_contract_allows_is_served(condition: Expr) -> None:
    refuse(Not(And((condition, condition))))


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (Compare(">", Field("units"), Const(1)), "field 'units' is of an event; compare features of the person"),
        (Compare(">", Feature("missing"), Const(1)), "there is no feature 'missing'"),
        (Compare(">", Const(1), Feature("missing")), "there is no feature 'missing'"),
        (Compare(">", Feature("views"), Feature("missing")), "there is no feature 'missing'"),
        (Compare(">", arithmetic("+", "missing", 1), Const(1)), "there is no feature 'missing'"),
        (Compare("==", Feature("name"), Const("x")), "name is personal and cannot be compared"),
        (Compare("==", Feature("items"), Const("x")), "items is a list and cannot be compared"),
        (Compare("==", Feature("favourites"), Const("x")), "favourites is a list and cannot be compared"),
        (
            Compare(">", Feature("quiet"), Feature("views")),
            "compare since.. with since.. or a duration, not with views",
        ),
        (
            Compare(">", Feature("views"), Feature("quiet")),
            "compare since.. with since.. or a duration, not with views",
        ),
        (Compare(">", Feature("quiet"), arithmetic("+", "views", 1)), "or a duration, not with something else"),
        (Compare(">", Feature("quiet"), Const("long")), "or a duration, not with something else"),
        (Compare(">", arithmetic("+", "quiet", 1), Const(1)), "arithmetic is of numbers and money; quiet is neither"),
        (Compare(">", arithmetic("+", "item", 1), Const(1)), "arithmetic is of numbers and money; item is neither"),
        (
            Compare(">", arithmetic("+", "ordered", 1), Const(1)),
            "arithmetic is of numbers and money; ordered is neither",
        ),
        (Compare(">", arithmetic("+", 1, True), Const(1)), "arithmetic is of features and constants"),
        (Compare(">", Arithmetic("+", Const("a"), Const(1)), Const(1)), "arithmetic is of features and constants"),
        (Compare("==", Compare("<", Const(1), Const(2)), Const(True)), "compare features, constants and arithmetic"),
    ],
)
def test_what_cannot_be_served_is_refused_by_the_segments_name(condition: Expr, sentence: str) -> None:
    with pytest.raises(ProjectError, match=f"segment s: .*{sentence}"):
        refuse(condition)
    with pytest.raises(ProjectError, match=sentence):
        refuse(Not(Or((Compare(">", Feature("views"), Const(1)), condition))))
