"""Conditions by hand over people given as numbers: what holds, what never makes false, and when time flips it."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from livepost.engine.membership import Conditions
from livepost.engine.program import Program
from livepost.engine.row import NEVER
from livepost.engine.values import Picked, Values
from livepost.engine.window import Feeding, Moments, Runs
from livepost.expr import And, Arithmetic, Compare, Const, Expr, Feature, Not, Op, Or, Sign
from livepost.model.compiled import CalendarSpec, Compiled, EventSpec, FeatureSpec, FieldSpec
from livepost.model.moment import NO_DUE

NOW = 1_767_225_600_000
MINUTE, LEAVES = 60_000, 61_000
FIELDS = (FieldSpec(name="rating", keys=("rating",), type="float"),)
DAY = CalendarSpec(unit="day", times=1, zone="Europe/Berlin")
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
            FeatureSpec(name="ever", kind="exists", event="E", type="bool"),
            FeatureSpec(name="just", kind="exists", event="E", type="bool", over_ms=MINUTE, grid_ms=1_000),
            FeatureSpec(name="last", kind="since", event="E", over_ms=MINUTE, grid_ms=1_000),
            FeatureSpec(name="today", kind="since", event="E", calendar=DAY),
            FeatureSpec(name="kinds", kind="distinct", event="E", field="item", over_ms=MINUTE, grid_ms=1_000),
            FeatureSpec(name="best", kind="maximum", event="E", field="price", over_ms=MINUTE, grid_ms=1_000),
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
    happened: int = NEVER,
    kinds: int | None = 0,
    best: int | None = None,
) -> Values:
    """Return one person's features, the same at `count` items at NOW: sums, lasts in ms (`happened` that of exists and
    of since over a window), picks (kinds None: unknown), views lately.
    """
    sums = [np.full(count, number) for number in (views, score, *average)]
    at = Moments(np.zeros(count, np.int64), np.full(count, NOW), np.zeros(1, np.int64))
    fed = Feeding(np.zeros(lately, np.int64), NOW + np.zeros(lately, np.int64), np.ones(lately, np.int64))
    runs = Runs(PROGRAM.tiles, [b""], [fed], at)
    lasts = [np.full(count, last) for last in (viewed, ordered, *[happened] * 4)]
    picks = {0: picked(item, count), 1: picked(kinds, count, NOW + 7_000), 2: picked(best, count, NOW + 5_000)}
    return Values(PROGRAM, at.at, runs, sums, lasts, picks)


def picked(value: object, count: int, expiry: int = NO_DUE) -> Picked:
    """Return a pick that is worth the same at so many items."""
    worth = np.empty(count, object)
    worth[:] = value
    return Picked(worth, np.full(count, expiry))


def compare(left: str, op: Op, right: object) -> Compare:
    """Return `left op right`; a right side that is a feature's name is read as one."""
    other: Expr = Feature(right) if right in ("viewed", "ordered", "lately") else Const(right)  # type: ignore[arg-type]
    return Compare(op, Feature(left), other)


def holds(condition: Expr, of: Values) -> bool:
    """Return whether the condition is known to hold."""
    return bool(Conditions([condition], PROGRAM).evaluate(of)[0].holds[0])


def unknown(condition: Expr, of: Values) -> bool:
    """Return whether the condition is unknown; then it is told to hold nowhere."""
    told = Conditions([condition], PROGRAM).evaluate(of)[0]
    return told.unknown is not None and bool(told.unknown[0]) and not told.holds[0]


def arithmetic(left: object, sign: Sign, right: object) -> Arithmetic:
    """Return `left sign right`; strings are features."""
    sides = [Feature(side) if isinstance(side, str) else Const(side) for side in (left, right)]  # type: ignore[arg-type]
    return Arithmetic(sign, *sides)


def flips(condition: Expr, of: Values) -> int | None:
    """Return when the condition may flip, in ms after NOW; None if time alone does not flip it."""
    due = int(Conditions([condition], PROGRAM).evaluate(of)[0].flip[0])
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


@pytest.mark.parametrize("constant", [-1, 0, 2, 2.0, 2.5, True, -0.5, 1e30, -1e30, 2**70])
@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
def test_a_windowed_sum_compares_with_a_constant_as_the_numbers_do(op: Op, constant: float) -> None:
    exactly = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
    for lately in range(5):
        answer = lately != constant if op == "!=" else exactly[op](lately, constant)
        assert holds(compare("lately", op, constant), values(lately=lately)) is answer


def test_conditions_are_told_in_their_order_whatever_leaves_they_share() -> None:
    lately, viewed = compare("lately", ">=", 2), compare("viewed", "<", 500)
    conditions = [Or((viewed, lately)), viewed, Not(lately), And((lately, viewed)), lately]
    told = Conditions(conditions, PROGRAM).evaluate(values(lately=2, viewed=NOW - 500))
    assert [bool(one.holds[0]) for one in told] == [True, False, False, False, True]


def test_a_constant_may_stand_on_the_left() -> None:
    assert holds(Compare("<", Const(1), Feature("views")), values(views=2))
    assert flips(Compare("<=", Const(500), Feature("viewed")), values(viewed=NOW)) == 500


def test_two_constants_compare_and_never_flip() -> None:
    condition = Compare("<", Const(1), Const(2))
    assert Conditions([condition], PROGRAM).evaluate(values(count=3))[0].holds.tolist() == [True, True, True]
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
        Conditions([Feature("views")], PROGRAM)


@pytest.mark.parametrize(
    ("name", "age", "there"), [("ever", 10**9, True), ("just", 60_000, True), ("just", 60_001, False)]
)
def test_something_exists_while_it_is_in_the_window(name: str, age: int, there: bool) -> None:
    of = values(happened=NOW - age)
    assert holds(compare(name, "==", True), of) is there
    assert holds(compare(name, "==", False), of) is not there
    assert flips(compare(name, "==", True), of) == (61_000 - age if there and name == "just" else None)


def test_what_never_happened_does_not_exist_and_that_is_no_never() -> None:
    assert holds(And((compare("ever", "==", False), compare("just", "!=", True))), values())


def test_a_since_over_a_window_is_never_once_its_tile_has_left() -> None:
    condition = compare("last", ">=", 1)
    assert [holds(condition, values(happened=NOW - age)) for age in (60_000, 60_001)] == [True, False]


@pytest.mark.parametrize(("constant", "flip"), [(500, 500), (60_999, 60_999), (61_000, 61_000), (90_000, 61_000)])
def test_a_since_over_a_window_flips_when_it_passes_or_when_its_tile_leaves(constant: int, flip: int) -> None:
    assert flips(compare("last", ">=", constant), values(happened=NOW)) == flip


def test_a_since_of_today_is_never_from_midnight_on() -> None:
    last_night, this_morning = NOW - 3_600_000 - 1, NOW - 3_600_000  # NOW is one o'clock in Berlin
    assert [holds(compare("today", ">=", 0), values(happened=at)) for at in (last_night, this_morning)] == [False, True]
    assert flips(compare("today", "<", 10**9), values(happened=this_morning)) == 23 * 3_600_000


def test_a_windowed_since_against_another_flips_when_its_tile_leaves() -> None:
    longer = compare("last", ">", "viewed")
    assert flips(longer, values(happened=NOW - 900, viewed=NOW)) == 61_000 - 1_000
    assert holds(longer, values(happened=NOW - 61_000, viewed=NOW))  # never: infinitely long ago


def test_a_pick_flips_when_it_says_so() -> None:
    assert holds(compare("best", ">", 3), values(best=4))
    assert flips(compare("best", ">", 3), values(best=4)) == 5_000
    assert flips(And((compare("best", ">", 3), compare("kinds", ">", 0))), values(best=4, kinds=1)) == 5_000


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_with_what_is_unknown_is_unknown_unless_the_other_side_is_never(op: Op) -> None:
    of = values(kinds=None, average=(0, 0))
    assert unknown(compare("kinds", op, 3), of)
    assert unknown(Compare(op, Const(3), Feature("kinds")), of)
    never = Compare(op, Feature("average"), Feature("kinds"))
    assert not holds(never, of)
    assert not unknown(never, of)
    assert holds(Not(never), of)


YES, NO, WHO_KNOWS = compare("views", "==", 2), compare("views", "==", 3), compare("kinds", ">", 3)


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        (And((YES, WHO_KNOWS)), None),
        (And((NO, WHO_KNOWS)), False),
        (And((WHO_KNOWS, WHO_KNOWS)), None),
        (Or((YES, WHO_KNOWS)), True),
        (Or((NO, WHO_KNOWS)), None),
        (Or((WHO_KNOWS, WHO_KNOWS)), None),
        (Not(WHO_KNOWS), None),
        (Not(Or((NO, Not(WHO_KNOWS)))), None),
        (And((YES, Or((WHO_KNOWS, YES)))), True),
        (Or((NO, And((WHO_KNOWS, NO)))), False),
    ],
)
def test_and_or_and_not_join_what_is_unknown_as_kleene_does(condition: Expr, answer: bool | None) -> None:
    of = values(views=2, kinds=None)
    assert unknown(condition, of) is (answer is None)
    assert holds(condition, of) is (answer is True)


@pytest.mark.parametrize(
    ("condition", "flip"),
    [
        (WHO_KNOWS, 7_000),
        (Not(WHO_KNOWS), 7_000),
        (And((WHO_KNOWS, compare("views", "==", 2))), 7_000),
        (And((WHO_KNOWS, compare("viewed", "<", 500))), 500),  # may end as false before it is known
        (And((WHO_KNOWS, compare("viewed", ">=", 9_000))), 9_000),  # false until then, whatever is known
        (Or((WHO_KNOWS, compare("viewed", ">=", 500))), 500),
        (Or((WHO_KNOWS, compare("viewed", "<", 9_000))), 9_000),  # true until then
    ],
)
def test_what_is_unknown_may_become_anything_when_a_tile_leaves(condition: Expr, flip: int) -> None:
    assert flips(condition, values(views=2, kinds=None, viewed=NOW)) == flip


@pytest.mark.parametrize(
    ("left", "sign", "right", "result"),
    [
        ("views", "+", "score", 3.5),
        ("views", "-", 5, -3.0),
        ("score", "*", "views", 3.0),
        ("views", "/", 3, 2 / 3),
        (0.1, "+", 0.2, 0.1 + 0.2),
        ("best", "/", "views", 2.5),
        ("kinds", "*", 2, 8.0),
        ("average", "-", "views", -1.5),
        (2**53, "+", 1, float(2**53)),  # double precision
    ],
)
def test_arithmetic_is_in_double_precision(left: object, sign: Sign, right: object, result: float) -> None:
    of = values(views=2, score=1_500_000, best=5, kinds=4, average=(1_000_000, 2))
    assert holds(Compare("==", arithmetic(left, sign, right), Const(result)), of)
    assert holds(Compare("<=", Const(result), arithmetic(left, sign, right)), of)


@pytest.mark.parametrize(
    "side",
    [
        arithmetic("views", "/", 0),
        arithmetic(0, "/", 0),
        arithmetic("views", "/", "score"),
        arithmetic("average", "+", 1),
        arithmetic("best", "*", 0),
        arithmetic(1e308, "*", 10),
        arithmetic("kinds", "/", 0),  # never goes before unknown
        Arithmetic("+", arithmetic("views", "/", 0), Const(1)),
        Arithmetic("*", Feature("kinds"), arithmetic("average", "-", 1)),
    ],
)
def test_arithmetic_without_a_finite_result_is_never(side: Arithmetic) -> None:
    of = values(views=2, kinds=None)
    for op in ("<", ">=", "==", "!="):
        never = Compare(op, side, Const(0))  # type: ignore[arg-type]
        assert (holds(never, of), unknown(never, of)) == (False, False)


@pytest.mark.parametrize(
    "side",
    [
        arithmetic("kinds", "+", 1),
        arithmetic(0, "*", "kinds"),
        arithmetic(1, "/", "kinds"),
        Arithmetic("/", arithmetic("kinds", "*", 2), Const(3)),
    ],
)
def test_arithmetic_with_what_is_unknown_is_unknown(side: Arithmetic) -> None:
    assert unknown(Compare(">", side, Const(0)), values(kinds=None))
    assert not unknown(Compare(">", side, Const(0)), values(kinds=1))


def test_arithmetic_may_flip_with_the_first_expiry_among_its_features() -> None:
    of = values(views=3, best=4, kinds=2, lately=1)
    both = Arithmetic("+", arithmetic("best", "*", "kinds"), Feature("lately"))
    assert flips(Compare(">", both, Const(1)), of) == 5_000
    assert flips(Compare(">", Const(1), arithmetic("kinds", "-", "lately")), of) == 7_000
    assert flips(Compare(">", arithmetic("lately", "/", "views"), Const(1)), of) == LEAVES
    assert flips(Compare(">", arithmetic("views", "+", 1), Const(1)), of) is None


def test_constants_beyond_every_number_are_compared_all_the_same() -> None:
    assert flips(compare("lately", "<", 1e300), values(lately=3)) is None
    assert holds(compare("viewed", "<", 1e300), values(viewed=NOW))
