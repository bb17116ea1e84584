"""Conditions over one person's values, in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livepost.clock import DAY_MS, HOUR_MS, MINUTE_MS
from livepost.expr import And, Arithmetic, Compare, Const, Expr, Feature, Not, Or, Segment
from livepost.model.compiled import CalendarSpec, Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec
from livepost.model.person import PersonView
from livepost.ops.condition import Reading, duration, window

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
        FeatureSpec(name="brands", kind="distinct", event="Product Viewed", field="brand"),
        FeatureSpec(name="shops", kind="distinct", event="Product Viewed", field="shop", cap=3),
        FeatureSpec(name="seen", kind="exists", event="Product Viewed", type="bool", over_ms=30 * DAY_MS),
        FeatureSpec(name="dearest", kind="maximum", event="Order Completed", field="total", type="money"),
        FeatureSpec(
            name="orders",
            kind="count",
            event="Order Completed",
            calendar=CalendarSpec(unit="week", times=1, zone="Europe/Berlin"),
        ),
    ),
    segments=(
        SegmentSpec(
            name="vip",
            condition=msgspec.to_builtins(Compare(">=", Feature("spend"), Const(50_000))),
            text="spend >= 500",
        ),
    ),
)
VIEWS, SPEND, BASKET, PLAN = Feature("views"), Feature("spend"), Feature("basket"), Feature("plan")
ADDED, ORDERED = Feature("added"), Feature("ordered")
MANY = Compare(">=", VIEWS, Const(3))


def reading(**features: Any) -> Reading:
    nothing = {"views": 0, "spend": [0, "EUR"], "brands": 0, "shops": 0, "seen": False, "orders": 0}
    told = {**dict.fromkeys(("basket", "plan", "added", "ordered", "dearest")), **nothing, **features}
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
    assert reading(spend=[50_000, "EUR"]).truth(rich)
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
    assert reading(added=added, ordered=ordered).truth(Compare(op, ADDED, ORDERED)) is holds


def test_a_comparison_with_never_is_false_and_its_negation_true() -> None:
    assert reading().truth(Compare(">=", ADDED, Const(0))) is False
    assert reading().truth(Not(Compare(">=", ADDED, Const(0))))


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


# --- the words that came later --------------------------------------------------------------------

BRANDS, SHOPS, SEEN, ORDERS = Feature("brands"), Feature("shops"), Feature("seen"), Feature("orders")
TRUE, FALSE = Const(True), Const(False)
VIP = Segment("vip")
UNTOLD = Compare(">=", BRANDS, Const(3))


def test_what_exists_has_happened_in_its_window() -> None:
    known = Compare("==", SEEN, TRUE)
    assert reading(seen=True).said(known) == "Product Viewed has happened in the last 30 days"
    assert reading().missing(known) == "Product Viewed has not happened in the last 30 days, needs to have happened"
    for unseen in (Compare("==", SEEN, FALSE), Compare("!=", SEEN, TRUE), Compare("==", FALSE, SEEN)):
        told = "Product Viewed has happened in the last 30 days, needs not to have happened"
        assert reading(seen=True).missing(unseen) == told


def test_a_calendar_window_is_said_with_its_zone() -> None:
    told = reading(orders=1).missing(Compare(">=", ORDERS, Const(2)))
    assert told == "orders is 1 this week (Europe/Berlin), needs >= 2"


@pytest.mark.parametrize(
    ("unit", "times", "words"),
    [
        ("day", 1, "today (UTC)"),
        ("day", 2, "today and the day before (UTC)"),
        ("month", 3, "this month and the 2 months before (UTC)"),
    ],
)
def test_each_unit_of_a_calendar_has_its_words(unit: Any, times: int, words: str) -> None:
    calendar = CalendarSpec(unit=unit, times=times, zone="UTC")
    assert window(FeatureSpec(name="x", kind="count", event="E", calendar=calendar)) == words


def test_too_many_different_values_cannot_be_told() -> None:
    few, many = reading(brands=2), reading(brands=None)
    assert few.missing(UNTOLD) == "brands is 2, needs >= 3"
    assert many.missing(UNTOLD) == "brands cannot be told: more than 1,000 different values, needs >= 3"
    assert (
        reading(shops=None).said(Compare(">", SHOPS, Const(1))) == "shops cannot be told: more than 3 different values"
    )


def test_a_term_can_be_unknown() -> None:
    term = next(reading(brands=None).terms(UNTOLD))
    assert (term.values, term.holds, term.unknown) == ({"brands": None}, False, True)
    assert str(term) == "    ?    brands cannot be told: more than 1,000 different values, needs >= 3"
    assert not next(reading(brands=2).terms(UNTOLD)).unknown


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (UNTOLD, None),
        (Not(UNTOLD), None),
        (And((UNTOLD, MANY)), False),
        (And((UNTOLD, Not(MANY))), None),
        (Or((UNTOLD, Not(MANY))), True),
        (Or((UNTOLD, MANY)), None),
        (Compare("<", BRANDS, BASKET), False),  # never before unknown
        (Compare("<", Arithmetic("+", BRANDS, VIEWS), Const(3)), None),
        (Compare("<", Arithmetic("/", BRANDS, VIEWS), Const(3)), False),  # a division by zero
        (Compare("<", Arithmetic("/", VIEWS, BRANDS), Const(3)), None),
        (VIP, False),
        (Not(VIP), True),
    ],
)
def test_conditions_have_three_truths(condition: Expr, told: bool | None) -> None:
    assert reading(brands=None).truth(condition) is told


def test_arithmetic_is_said_with_its_operands_and_in_money_where_it_is_money() -> None:
    each = Compare(">=", Arithmetic("/", SPEND, ORDERS), Const(5_000))
    said = (
        "spend / orders is 41.67 EUR (spend is 125.00 EUR, orders is 3 this week (Europe/Berlin)), needs >= 50.00 EUR"
    )
    assert reading(spend=[12_500, "EUR"], orders=3).missing(each) == said
    assert reading(spend=[12_500, "EUR"]).missing(each).startswith("spend / orders is never (spend is 125.00 EUR, ")
    nested = Arithmetic("-", Arithmetic("*", VIEWS, Const(2)), BRANDS)
    told = reading(views=2, brands=1).missing(Compare("==", Const(4), nested))
    assert told == "(views * 2) - brands is 3.0 (views is 2, brands is 1), needs == 4"
    ratio = Compare(">", Arithmetic("/", SPEND, Feature("dearest")), Const(2))
    told = "spend / dearest is 1.5 (spend is 1.50 EUR, dearest is 1.00 EUR), needs > 2"
    assert reading(spend=[150, "EUR"], dearest=[100, "EUR"]).missing(ratio) == told
    more = Compare(">", SPEND, Arithmetic("+", Feature("dearest"), Const(100)))
    told = "spend is 0.00 EUR, needs > dearest + 1.00 EUR, which is 2.00 EUR"
    assert reading(dearest=[100, "EUR"]).missing(more) == told


def test_what_cannot_be_told_goes_through_arithmetic() -> None:
    told = reading(brands=None).missing(Compare(">", Arithmetic("*", BRANDS, Const(2)), Const(1)))
    cannot = "cannot be told: more than 1,000 different values"
    assert told == f"brands * 2 {cannot} (brands {cannot}), needs > 1"
    assert reading(brands=None).missing(Compare("<", VIEWS, BRANDS)) == f"views is 0, needs < brands, which {cannot}"


def test_a_choice_among_constants_is_one_term() -> None:
    choice = Or((Compare("==", PLAN, Const("pro")), Compare("==", PLAN, Const("team"))))
    assert reading(plan="free").missing(choice) == "plan is 'free', needs one of 'pro', 'team'"
    assert [term.holds for term in reading(plan="team").terms(choice)] == [True]
    assert reading(plan="free").missing(Not(choice)) == ""
    assert reading(plan="pro").missing(Not(choice)) == "plan is 'pro', needs not: one of 'pro', 'team'"


def test_a_segment_in_a_condition_is_said_by_its_name_and_what_it_wants() -> None:
    out, within = reading(spend=[1_250, "EUR"]), reading(spend=[50_000, "EUR"])
    assert out.missing(VIP) == "is not in vip (spend is 12.50 EUR, needs >= 500.00 EUR), needs to be in it"
    assert within.said(VIP) == "is in vip"
    assert within.missing(Not(VIP)) == "is in vip, needs not: to be in it"
    assert [(term.values, term.holds) for term in within.terms(And((VIP, MANY)))] == [
        ({"vip": True}, True),
        ({"views": 0}, False),
    ]
