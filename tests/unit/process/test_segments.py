"""Segments over a log, by hand: each word's change to the millisecond, and what happens where nothing can be known."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.model.compiled import CalendarSpec, FeatureSpec, Tree
from livepost.model.person import MembershipView
from livepost.model.record import Kind, Record
from livepost.process.view import view_of
from tests.unit.engine.projects import both, compare, compiled, event_spec, feature, negated, segment, windowed
from tests.unit.process.records import DAY, HOUR, MINUTE, NOW, SECOND, Folded, block, event

FIELDS = event_spec(item="str", units="int", price="money")
LEAVES = MINUTE + SECOND
LATELY = {"over_ms": MINUTE, "grid_ms": SECOND}
TODAY = {"calendar": CalendarSpec(unit="day", times=1, zone="Europe/Berlin")}


def folded(
    features: list[FeatureSpec], condition: Tree, *viewed: tuple[int, dict[str, Any]], until: int = DAY
) -> Folded:
    """Return one person who viewed so many ms after NOW, each a block of its own, and a last tick."""
    some = Folded(compiled(features, [segment("keen", condition)], events=[FIELDS]))
    for seq, (after, properties) in enumerate(viewed):
        record = event("a", str(seq), effective_ts=NOW + after, properties=properties)
        some.step(block(seq, NOW + after, record))
    some.step(block(len(viewed), NOW + until, Record(kind=Kind.TICK, effective_ts=NOW + until)))
    return some


def turns(some: Folded) -> list[tuple[bool, int]]:
    """Return when the person went in (True) and out, in ms after NOW."""
    return [(transition.entered, transition.at - NOW) for transition in some.transitions]


def membership(some: Folded) -> MembershipView:
    return view_of(some.people, some.person("a")).memberships[0]


def units(*numbers: int) -> list[tuple[int, dict[str, Any]]]:
    """Return views a second apart, each with so many units."""
    return [(second * SECOND, {"units": number}) for second, number in enumerate(numbers)]


def constant(value: Any) -> Tree:
    return {"type": "const", "value": value}


def named(name: str) -> Tree:
    return {"type": "feature", "name": name}


def is_so(name: str) -> Tree:
    return {"type": "compare", "op": "==", "left": named(name), "right": constant(True)}


@pytest.mark.parametrize(
    ("spec", "condition", "viewed", "expected"),
    [
        # the 9 leaves at 61 s, and what is left is 3
        (
            feature("f", "maximum", field="units", **LATELY),
            compare("f", ">", 5),
            units(9, 3),
            [(True, 0), (False, LEAVES)],
        ),
        (
            feature("f", "minimum", field="units", **LATELY),
            compare("f", "<", 5),
            units(9, 3, 7),
            [(True, SECOND), (False, SECOND + LEAVES)],
        ),
        (feature("f", "minimum", field="units"), compare("f", "<", 5), units(9, 3, 7), [(True, SECOND)]),
        (
            feature("f", "first", field="units", **LATELY),
            compare("f", "==", 3),
            units(9, 3, 7),
            [(True, LEAVES), (False, 62_000)],
        ),
        (
            feature("f", "latest", field="units", **LATELY),
            compare("f", "==", 7),
            units(9, 7),
            [(True, 1_000), (False, 62_000)],
        ),
        (
            feature("f", "distinct", field="units", **LATELY),
            compare("f", ">=", 2),
            units(9, 3, 9),
            [(True, 1_000), (False, 62_000)],
        ),
        (feature("f", "exists", type="bool", **LATELY), is_so("f"), units(1, 1), [(True, 0), (False, 62_000)]),
        (feature("f", "since", **LATELY), compare("f", ">", 500), units(1), [(True, 501), (False, LEAVES)]),
        (feature("f", **LATELY), compare("f", "<=", 1), units(1, 1), [(True, 0), (False, SECOND), (True, LEAVES)]),
        # NOW is one o'clock in Berlin: 23 hours later it is another day
        (feature("f", **TODAY), compare("f", ">=", 2), units(1, 1), [(True, SECOND), (False, 23 * HOUR)]),
        (feature("f", "since", **TODAY), compare("f", ">=", 0), units(1), [(True, 0), (False, 23 * HOUR)]),
        (feature("f", "exists", type="bool", **TODAY), negated(is_so("f")), units(1), [(True, 23 * HOUR)]),
        (
            feature("f", "maximum", field="units", **TODAY),
            compare("f", ">", 5),
            units(9),
            [(True, 0), (False, 23 * HOUR)],
        ),
    ],
)
def test_each_word_changes_by_itself_when_its_window_says_so(
    spec: FeatureSpec, condition: Tree, viewed: list[tuple[int, dict[str, Any]]], expected: list[tuple[bool, int]]
) -> None:
    assert turns(folded([spec], condition, *viewed)) == expected


def test_a_day_with_an_hour_more_lasts_an_hour_more() -> None:
    saturday = 1_792_792_800_000 - NOW  # 2026-10-23 22:00 UTC: midnight in Berlin, two days before clocks go back
    assert turns(folded([feature("f", **TODAY)], compare("f", ">=", 1), (saturday, {}), until=saturday + 3 * DAY)) == [
        (True, saturday),
        (False, saturday + DAY),
    ]
    sunday = saturday + DAY
    assert turns(folded([feature("f", **TODAY)], compare("f", ">=", 1), (sunday, {}), until=sunday + 3 * DAY)) == [
        (True, sunday),
        (False, sunday + 25 * HOUR),
    ]


def test_arithmetic_changes_when_a_tile_of_any_of_its_features_leaves() -> None:
    features = [windowed("lately", MINUTE, SECOND), feature("best", "maximum", field="units", **LATELY)]
    product = {"type": "arithmetic", "sign": "*", "left": named("lately"), "right": named("best")}
    condition = {"type": "compare", "op": ">=", "left": product, "right": constant(8)}
    assert turns(folded(features, condition, *units(4, 3, 3))) == [(True, SECOND), (False, LEAVES)]  # 4 8 12 6 3


KINDS = feature("kinds", "distinct", field="item", cap=2, **LATELY)


def items(*letters: str) -> list[tuple[int, dict[str, Any]]]:
    return [(second * SECOND, {"item": letter}) for second, letter in enumerate(letters)]


def test_where_a_condition_is_unknown_who_was_inside_stays_inside_until_it_is_known() -> None:
    some = folded([KINDS], compare("kinds", ">=", 1), *items("a", "b", "c"), until=3_000)
    assert turns(some) == [(True, 0)]
    assert membership(some) == MembershipView(segment="keen", inside=True, since=NOW, number=1, unknown=True)
    assert (some.people.inside(), some.people.unknown()) == ([1], [1])
    some.step(block(4, NOW + DAY, Record(kind=Kind.TICK, effective_ts=NOW + DAY)))
    assert turns(some) == [(True, 0), (False, 2 * SECOND + LEAVES)]
    assert not membership(some).unknown
    assert (some.people.inside(), some.people.unknown()) == ([0], [0])


def test_where_a_condition_is_unknown_who_was_out_stays_out_and_enters_once_it_is_known() -> None:
    features = [feature("kinds", "distinct", field="item", cap=1, **LATELY), feature("views")]
    condition = both(compare("kinds", "==", 1), compare("views", ">=", 2))
    some = folded(features, condition, *items("a", "b"), until=LEAVES - 1)
    assert (turns(some), membership(some).unknown) == ([], True)
    some.step(block(3, NOW + DAY, Record(kind=Kind.TICK, effective_ts=NOW + DAY)))
    assert turns(some) == [(True, LEAVES), (False, SECOND + LEAVES)]


def test_unknown_on_the_way_from_in_to_in_makes_no_transition() -> None:
    some = folded([KINDS], compare("kinds", "==", 2), *items("a", "b", "c", "d"))
    assert turns(some) == [(True, SECOND), (False, 2 * SECOND + LEAVES)]  # c and d alone are 2 again


def test_all_in_one_batch_is_as_one_by_one() -> None:
    for condition in (compare("kinds", "==", 1), negated(compare("kinds", "==", 1)), compare("kinds", ">=", 2)):
        apart = folded([KINDS], condition, *items(*"abcabca"))
        at_once = Folded(apart.compiled)
        records = [
            (after, event("a", str(n), effective_ts=NOW + after, properties=p))
            for n, (after, p) in enumerate(items(*"abcabca"))
        ]
        blocks = [block(seq, NOW + after, record) for seq, (after, record) in enumerate(records)]
        at_once.step(*blocks, block(7, NOW + DAY, Record(kind=Kind.TICK, effective_ts=NOW + DAY)))
        assert turns(at_once) == turns(apart)


def test_two_who_merge_are_unknown_together() -> None:
    some = Folded(compiled([KINDS], [segment("keen", compare("kinds", "==", 1))], events=[FIELDS]))
    some.step(
        block(0, NOW, event("a", "1", properties={"item": "x"}), event("B", "2", properties={"item": "y"})),
        block(1, NOW + 1, event("B", "3", "Other", effective_ts=NOW + 1)),
    )
    assert some.people.inside() == [2]
    some.step(block(2, NOW + 2, event("B", "4", effective_ts=NOW + 2, mentions="a", properties={"item": "z"})))
    assert (some.people.inside(), some.people.unknown(), len(some.people)) == ([1], [1], 1)


def test_who_is_merged_away_is_unknown_to_nobody() -> None:
    some = Folded(compiled([KINDS], [segment("keen", compare("kinds", "==", 1))], events=[FIELDS]))
    viewed = [event(letter, f"{letter}{item}", properties={"item": item}) for letter in "aB" for item in "xyz"]
    some.step(block(0, NOW, *viewed))
    assert some.people.unknown() == [2]
    some.step(block(6, NOW + 1, event("B", "m", "Other", effective_ts=NOW + 1, mentions="a")))
    assert some.people.unknown() == [1]


def test_a_segment_in_a_segment_changes_at_the_same_time() -> None:
    inner = segment("inner", compare("lately", ">=", 2))
    outer = segment("outer", both({"type": "segment", "name": "inner"}, compare("lately", "<", 3)))
    some = Folded(compiled([windowed("lately", MINUTE, SECOND)], [outer, inner], events=[FIELDS]))
    for second in range(3):
        some.step(block(second, NOW + second * SECOND, event("a", str(second), effective_ts=NOW + second * SECOND)))
    some.step(block(3, NOW + HOUR, Record(kind=Kind.TICK, effective_ts=NOW)))
    told = [(t.segment, t.entered, t.at - NOW) for t in some.transitions]
    assert told == [
        ("outer", True, SECOND),
        ("inner", True, SECOND),
        ("outer", False, 2 * SECOND),
        ("outer", True, LEAVES),
        ("outer", False, LEAVES + SECOND),
        ("inner", False, LEAVES + SECOND),
    ]


def test_facets_are_fields_with_a_dot_for_features_and_where() -> None:
    of_germany = {
        "type": "compare",
        "op": "==",
        "left": {"type": "field", "name": "ip.country"},
        "right": constant("DE"),
    }
    features = [
        feature("domain", "latest", field="email.domain", type="str"),
        feature("from there", where=of_germany),
        feature("views"),
    ]
    some = Folded(
        compiled(features, [segment("keen", compare("domain", "==", "example.org", text=True))], events=[FIELDS])
    )
    some.step(
        block(0, NOW, event("a", "0", facets={"email.domain": "example.org", "ip.country": "DE"})),
        block(1, NOW + 1, event("a", "1", effective_ts=NOW + 1, facets={"ip.country": "AT"})),
        block(2, NOW + 2, event("a", "2", effective_ts=NOW + 2)),
    )
    view = view_of(some.people, some.person("a"))
    assert view.features == {"domain": "example.org", "from there": 1, "views": 3}
    assert view.memberships[0].inside


def test_who_was_unknown_under_a_project_before_is_known_where_nothing_can_be_unknown_any_more() -> None:
    some = folded([feature("f")], compare("f", ">=", 1), *units(1))
    some.people.fixed["unknown"] = True
    some.step(block(2, NOW + DAY, event("a", "again", effective_ts=NOW + DAY)))
    assert not membership(some).unknown
