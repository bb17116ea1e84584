"""Conditions over one person's values, in words."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS
from livepost.expr import And, Compare, Const, Feature, Not, Or
from livepost.model.compiled import Compiled, EventSpec, FeatureSpec, FieldSpec
from livepost.model.person import PersonView
from livepost.ops.condition import Reading, duration

COMPILED = Compiled(
    currency="EUR",
    events=(
        EventSpec(
            name="Order Completed",
            cls="OrderCompleted",
            fields=(FieldSpec(name="total", keys=("total",), type="money", currency_key="currency"),),
        ),
    ),
    features=(
        FeatureSpec(name="views", kind="count", event="Product Viewed"),
        FeatureSpec(name="spend", kind="total", event="Order Completed", field="total", type="money"),
        FeatureSpec(name="basket", kind="mean", event="Order Completed", field="total", type="float"),
        FeatureSpec(name="plan", kind="latest", event="$identify", field="plan", type="str"),
        FeatureSpec(name="added", kind="since", event="Product Added"),
        FeatureSpec(name="ordered", kind="since", event="Order Completed"),
    ),
)
VIEWS, SPEND, BASKET, PLAN = Feature("views"), Feature("spend"), Feature("basket"), Feature("plan")
ADDED, ORDERED = Feature("added"), Feature("ordered")
MANY = Compare(">=", VIEWS, Const(3))


def reading(**features: Any) -> Reading:
    told = {"views": 0, "spend": [0, "EUR"], "basket": None, "plan": None, "added": None, "ordered": None, **features}
    return Reading(
        COMPILED,
        PersonView(
            person=bytes(16),
            subjects=(bytes(16),),
            position=0,
            as_of=0,
            features=told,
            sealed={},
            memberships=(),
            journeys=(),
            consents={},
            next_due=None,
        ),
    )


def test_a_comparison_that_does_not_hold_says_what_it_is_and_what_it_needs() -> None:
    assert reading(views=2).missing(MANY) == "views is 2, needs >= 3"
    assert reading(views=3).missing(MANY) == ""


def test_a_constant_on_the_left_is_turned_round() -> None:
    assert reading(views=2).missing(Compare("<=", Const(3), VIEWS)) == "views is 2, needs >= 3"


def test_of_several_conditions_only_those_that_do_not_hold_are_missing() -> None:
    both = And((MANY, Compare("==", PLAN, Const("pro"))))
    assert reading(views=3, plan="free").missing(both) == "plan is 'free', needs == 'pro'"
    assert reading().missing(both) == "views is 0, needs >= 3; plan is never, needs == 'pro'"


def test_of_alternatives_all_are_missing_if_none_holds() -> None:
    either = Or((MANY, Compare("==", PLAN, Const("pro"))))
    assert reading(views=1).missing(either) == "views is 1, needs >= 3, or plan is never, needs == 'pro'"
    assert reading(plan="pro").missing(either) == ""


def test_a_negation_says_what_must_not_be() -> None:
    assert reading(views=5).missing(Not(MANY)) == "views is 5, needs not: >= 3"


def test_money_is_said_in_major_units() -> None:
    rich = Compare(">=", SPEND, Const(50_000))
    assert reading(spend=[1_250, "EUR"]).missing(rich) == "spend is 12.50 EUR, needs >= 500.00 EUR"
    assert reading(spend=[50_000, "EUR"]).holds(rich)
    assert (
        reading(basket=1_999.5).missing(Compare(">", BASKET, Const(2_000))) == "basket is 20.00 EUR, needs > 20.00 EUR"
    )


def test_lengths_of_time_are_said_in_words() -> None:
    waited = Compare(">=", ADDED, Const(HOUR_MS))
    assert reading(added=59 * MINUTE_MS).missing(waited) == "added is 59 minutes, needs >= 1 hour"


@pytest.mark.parametrize(
    ("op", "added", "ordered", "holds"),
    [
        (">", 5, None, False),
        (">", None, 5, True),
        ("<", 5, None, True),
        ("<", None, 5, False),
        (">=", None, 5, False),
        ("==", None, None, False),
        (">", None, None, False),
        (">", 6, 5, True),
    ],
)
def test_never_is_infinitely_long_ago_between_two_since_and_nowhere_else(
    op: Any, added: int | None, ordered: int | None, holds: bool
) -> None:
    assert reading(added=added, ordered=ordered).holds(Compare(op, ADDED, ORDERED)) is holds


def test_a_comparison_with_never_is_false_and_its_negation_true() -> None:
    assert not reading().holds(Compare(">=", ADDED, Const(0)))
    assert reading().holds(Not(Compare(">=", ADDED, Const(0))))


def test_two_features_are_said_with_both_values() -> None:
    later = Compare(">", ORDERED, ADDED)
    assert (
        reading(ordered=DAY_MS, added=2 * DAY_MS).missing(later) == "ordered is 1 day, needs > added, which is 2 days"
    )


def test_terms_carry_the_values_for_programs() -> None:
    terms = list(reading(views=2, added=HOUR_MS).terms(And((MANY, Compare("<", ADDED, ORDERED)))))
    assert [(term.values, term.holds) for term in terms] == [
        ({"views": 2}, False),
        ({"added": HOUR_MS, "ordered": None}, True),
    ]


def test_what_was_said_once_is_not_said_twice() -> None:
    window = And((MANY, Compare("<", VIEWS, Const(9))))
    assert reading(views=4).said(window) == "views is 4"


def test_a_duration_has_its_two_largest_units() -> None:
    assert [duration(ms) for ms in (0, 1, 1_500, HOUR_MS, 3 * DAY_MS + 2 * HOUR_MS + MINUTE_MS)] == [
        "0 seconds",
        "1 ms",
        "1 second 500 ms",
        "1 hour",
        "3 days 2 hours",
    ]
