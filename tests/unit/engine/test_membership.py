"""Conditions by hand over people given as numbers: what holds, what never makes false, and when time flips it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from livepost.engine.membership import Values, evaluate
from livepost.engine.program import Program
from livepost.engine.row import NEVER
from livepost.engine.window import Feeding, Moments, Runs
from livepost.expr import And, Compare, Const, Expr, Feature, Not, Op, Or
from livepost.model.compiled import Compiled, EventSpec, FeatureSpec, FieldSpec
from livepost.model.moment import NO_DUE

NOW = 1_767_225_600_000
MINUTE, LEAVES = 60_000, 61_000
FIELDS = (FieldSpec(name="rating", keys=("rating",), type="float"),)
PROGRAM = Program(
    Compiled(
        events=(EventSpec(name="E", cls="E", fields=FIELDS),),
        features=(
            FeatureSpec(name="views", kind="count", event="E"),
            FeatureSpec(name="score", kind="total", event="E", field="rating", type="float"),
            FeatureSpec(name="average", kind="mean", event="E", field="rating", type="float"),
            FeatureSpec(name="viewed", kind="since", event="E"),
            FeatureSpec(name="ordered", kind="since", event="E"),
            FeatureSpec(name="item", kind="latest", event="E", field="item", type="str"),
            FeatureSpec(name="lately", kind="count", event="E", over_ms=MINUTE, grid_ms=1_000),
        ),
    )
)


def values(
    count: int = 1,
    views: int = 0,
    score: int = 0,
    average: tuple[int, int] = (0, 0),
    viewed: int = NEVER,
    ordered: int = NEVER,
    item: Any = None,
    lately: int = 0,
) -> Values:
    """Return one person's features, the same at `count` items at NOW: sums, lasts in ms, a pick, views lately."""
    sums = [np.full(count, number) for number in (views, score, *average)]
    items = np.empty(count, object)
    items[:] = item
    at = Moments(np.zeros(count, np.int64), np.full(count, NOW), np.zeros(1, np.int64))
    fed = Feeding(np.zeros(lately, np.int64), NOW + np.zeros(lately, np.int64), np.ones(lately, np.int64))
    runs = Runs(PROGRAM.tiles, [b""], [fed], at)
    return Values(PROGRAM, at.at, runs, sums, [np.full(count, viewed), np.full(count, ordered)], {0: items})


def compare(left: str, op: Op, right: object) -> Compare:
    """Return `left op right`; a right side that is a feature's name is read as one."""
    other: Expr = Feature(right) if right in ("viewed", "ordered", "lately") else Const(right)  # type: ignore[arg-type]
    return Compare(op, Feature(left), other)


def holds(condition: Expr, of: Values) -> bool:
    return bool(evaluate([condition], of)[0][0][0])


def flips(condition: Expr, of: Values) -> int | None:
    """Return when the condition may flip, in ms after NOW; None if time alone does not flip it."""
    due = int(evaluate([condition], of)[0][1][0])
    return None if due == NO_DUE else due - NOW


@pytest.mark.parametrize(
    ("op", "answers"),
    [
        ("<", [True, False, False]),
        ("<=", [True, True, False]),
        (">", [False, False, True]),
        (">=", [False, True, True]),
        ("==", [False, True, False]),
        ("!=", [True, False, True]),
    ],
)
def test_every_operator_compares_a_number_as_it_is_read(op: Op, answers: list[bool]) -> None:
    assert [holds(compare("views", op, 2), values(views=views)) for views in (1, 2, 3)] == answers
    of_since = [holds(compare("viewed", op, 500), values(viewed=NOW - age)) for age in (499, 500, 501)]
    assert of_since == answers


def test_a_constant_may_stand_on_the_left() -> None:
    assert holds(Compare("<", Const(1), Feature("views")), values(views=2))
    assert flips(Compare("<=", Const(500), Feature("viewed")), values(viewed=NOW)) == 500


def test_two_constants_compare_and_never_flip() -> None:
    condition = Compare("<", Const(1), Const(2))
    assert evaluate([condition], values(count=3))[0][0].tolist() == [True, True, True]
    assert flips(condition, values()) is None


def test_a_float_total_is_read_from_millionths() -> None:
    assert holds(compare("score", "==", 0.3), values(score=300_000))


def test_a_mean_divides_in_double_precision() -> None:
    assert holds(compare("average", "==", 0.3 / 3), values(average=(300_000, 3)))


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize("feature", ["average", "viewed"])
def test_a_comparison_with_never_is_false_whatever_the_operator(feature: str, op: Op) -> None:
    assert not holds(compare(feature, op, 0), values())
    assert holds(Not(compare(feature, op, 0)), values())


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
def test_a_pick_that_never_happened_makes_its_comparison_false(op: Op) -> None:
    assert not holds(compare("item", op, "a"), values())


def test_a_count_and_a_total_of_nothing_are_zero() -> None:
    assert holds(And((compare("views", "==", 0), compare("score", "==", 0))), values())


@pytest.mark.parametrize(
    ("op", "only_viewed", "only_ordered", "neither", "viewed_longer_ago", "at_once"),
    [
        (">", False, True, False, True, False),
        ("<", True, False, False, False, False),
        (">=", False, False, False, True, True),
        ("<=", False, False, False, False, True),
        ("==", False, False, False, False, True),
        ("!=", False, False, False, True, False),
    ],
)
def test_since_against_since_takes_never_for_long_ago_where_one_is_longer_or_shorter_only(
    op: Op, only_viewed: bool, only_ordered: bool, neither: bool, viewed_longer_ago: bool, at_once: bool
) -> None:
    condition = compare("viewed", op, "ordered")
    assert holds(condition, values(viewed=NOW - 5)) is only_viewed
    assert holds(condition, values(ordered=NOW - 5)) is only_ordered
    assert holds(condition, values()) is neither
    assert holds(condition, values(viewed=NOW - 9, ordered=NOW - 5)) is viewed_longer_ago
    assert holds(condition, values(viewed=NOW - 5, ordered=NOW - 5)) is at_once
    assert flips(condition, values(viewed=NOW - 9, ordered=NOW - 5)) is None


def test_and_or_and_not_join_what_they_hold() -> None:
    yes, no = compare("views", "==", 2), compare("views", "==", 3)
    of = values(views=2)
    assert [holds(And((yes, no)), of), holds(Or((no, yes)), of), holds(Not(no), of)] == [False, True, True]


def test_values_that_cannot_be_ordered_do_not_compare() -> None:
    assert not holds(compare("item", "<", 3), values(item="a"))
    assert holds(compare("item", "==", "a"), values(item="a"))


@pytest.mark.parametrize(("op", "flip"), [(">=", 500), ("<", 500), (">", 501), ("<=", 501), ("==", 500), ("!=", 500)])
def test_a_since_flips_at_the_millisecond_its_operator_says(op: Op, flip: int) -> None:
    condition = compare("viewed", op, 500)
    assert flips(condition, values(viewed=NOW)) == flip
    before, at = (values(viewed=NOW - age) for age in (flip - 1, flip))
    assert holds(condition, before) is not holds(condition, at)


@pytest.mark.parametrize(("op", "flip"), [(">=", None), ("<", None), (">", 1), ("<=", 1), ("==", 1), ("!=", 1)])
def test_a_since_at_its_constant_flips_a_millisecond_later_or_not_at_all(op: Op, flip: int | None) -> None:
    assert flips(compare("viewed", op, 500), values(viewed=NOW - 500)) == flip


@pytest.mark.parametrize("op", [">=", "<", ">", "<=", "==", "!="])
def test_a_since_beyond_its_constant_does_not_flip_any_more(op: Op) -> None:
    assert flips(compare("viewed", op, 500), values(viewed=NOW - 501)) is None


@pytest.mark.parametrize("op", [">=", "<", ">", "<=", "==", "!="])
def test_a_since_of_what_never_happened_does_not_flip(op: Op) -> None:
    assert flips(compare("viewed", op, 500), values()) is None


@pytest.mark.parametrize(("op", "flip"), [(">=", 3), ("<", 3), (">", 3), ("<=", 3)])
def test_a_since_against_half_milliseconds_flips_at_the_next_whole_one(op: Op, flip: int) -> None:
    condition = compare("viewed", op, 2.5)
    assert flips(condition, values(viewed=NOW)) == flip
    assert holds(condition, values(viewed=NOW - 2)) is not holds(condition, values(viewed=NOW - 3))


@pytest.mark.parametrize(
    ("op", "constant", "flip"),
    [
        (">=", 1, LEAVES),
        (">=", 3, LEAVES),
        (">=", 4, None),  # too few already: time brings none
        (">=", 0, None),  # always true
        ("<", 3, LEAVES),
        (">", 2, LEAVES),
        (">", 3, None),
        ("<=", 2, LEAVES),
        ("==", 3, LEAVES),
        ("!=", 3, LEAVES),
        ("==", 1, LEAVES),
        ("==", 4, None),
    ],
)
def test_a_windowed_count_of_three_flips_when_its_tile_leaves_if_that_changes_the_answer(
    op: Op, constant: int, flip: int | None
) -> None:
    assert flips(compare("lately", op, constant), values(lately=3)) == flip


def test_a_lifetime_number_never_flips_by_itself() -> None:
    assert flips(compare("views", ">", 2), values(views=3)) is None
    assert flips(compare("average", ">", 2), values(average=(3_000_000, 1))) is None
    assert flips(compare("item", "==", "a"), values(item="a")) is None


def test_a_windowed_count_against_another_feature_may_flip_when_the_tile_leaves() -> None:
    assert flips(compare("views", ">", "lately"), values(views=3, lately=2)) == LEAVES


def test_a_condition_flips_when_its_first_part_does() -> None:
    parts = (compare("viewed", ">=", 500), Not(compare("ordered", ">", 300)))
    assert flips(Or(parts), values(viewed=NOW, ordered=NOW)) == 301


LATELY, SOON, LATER = compare("lately", ">=", 1), compare("viewed", ">=", 500), compare("viewed", ">=", 700)


def test_an_and_that_is_held_back_waits_for_the_last_part_that_holds_it_back() -> None:
    assert flips(And((SOON, LATER)), values(viewed=NOW)) == 700
    assert flips(And((SOON, compare("views", "==", 1))), values(viewed=NOW)) is None
    assert flips(And((SOON, LATELY)), values(viewed=NOW, lately=1)) == 500


def test_an_and_that_holds_ends_with_the_first_part_that_does() -> None:
    assert flips(And((Not(SOON), Not(LATER), LATELY)), values(viewed=NOW, lately=1)) == 500


def test_an_or_that_holds_ends_with_the_last_part_that_holds() -> None:
    assert flips(Or((Not(SOON), Not(LATER), compare("views", "==", 1))), values(viewed=NOW)) == 700
    assert flips(Or((Not(SOON), compare("views", "==", 0))), values(viewed=NOW)) is None


def test_an_or_that_is_false_may_hold_with_its_first_part() -> None:
    assert flips(Or((LATER, SOON)), values(viewed=NOW)) == 500


def test_what_is_no_condition_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a condition, got Feature"):
        evaluate([Feature("views")], values())
