"""What the compiled project becomes, and which conditions are refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.engine.program import TILE_SLOTS_MAX, Program, TileSlot, amount, where_of
from livepost.errors import ProjectError
from livepost.model.compiled import Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec

HOUR = 3_600_000
FIELDS = (
    FieldSpec(name="units", keys=("units",), type="int"),
    FieldSpec(name="rating", keys=("rating",), type="float"),
)
FEATURES = (
    FeatureSpec(name="views", kind="count", event="Viewed"),
    FeatureSpec(name="lately", kind="count", event="Viewed", over_ms=HOUR, grid_ms=1000),
    FeatureSpec(name="average", kind="mean", event="Viewed", field="rating", over_ms=HOUR, grid_ms=1000, type="float"),
    FeatureSpec(name="units", kind="total", event="Viewed", field="units"),
    FeatureSpec(name="quiet", kind="since", event="Viewed"),
    FeatureSpec(name="item", kind="latest", event="Viewed", field="item", type="str"),
    FeatureSpec(name="items", kind="recent", event="Viewed", field="item", n=3, type="list"),
    FeatureSpec(name="name", kind="latest", event="Viewed", field="name", type="str", personal=True),
)


def const(value: Any) -> dict[str, Any]:
    return {"type": "const", "value": value}


def named(tag: str, name: str) -> dict[str, Any]:
    return {"type": tag, "name": name}


def compare(left: dict[str, Any], right: dict[str, Any], op: str = ">") -> dict[str, Any]:
    return {"type": "compare", "op": op, "left": left, "right": right}


def program(*conditions: dict[str, Any], features: tuple[FeatureSpec, ...] = FEATURES) -> Program:
    segments = tuple(SegmentSpec(name=f"s{n}", condition=tree) for n, tree in enumerate(conditions))
    return Program(
        Compiled(events=(EventSpec(name="Viewed", cls="Viewed", fields=FIELDS),), features=features, segments=segments)
    )


def windowed(count: int) -> tuple[FeatureSpec, ...]:
    return tuple(
        FeatureSpec(name=f"f{n}", kind="count", event="Viewed", over_ms=HOUR, grid_ms=1000) for n in range(count)
    )


def test_each_feature_gets_the_slots_its_kind_needs() -> None:
    shop = program()
    assert shop.tiles == [
        TileSlot(0, 1000, HOUR, counts=True),
        TileSlot(1, 1000, HOUR, counts=False),
        TileSlot(2, 1000, HOUR, counts=True),
    ]
    assert (shop.sums, shop.lasts, [spec.name for spec in shop.picks]) == (2, 1, ["item", "items", "name"])
    average = shop.readings["average"]
    assert (average.total, average.count, average.micro, average.windowed) == (1, 2, True, True)
    assert (shop.readings["units"].micro, shop.readings["units"].windowed) == (False, False)


def test_features_are_fed_by_their_event() -> None:
    assert [feed.reading.spec.name for feed in program().feeds["Viewed"]] == [spec.name for spec in FEATURES]
    assert program().feeds["Viewed"][3].field == "units"


def test_as_many_windowed_sums_as_a_tile_can_name_are_taken_and_one_more_is_refused() -> None:
    assert len(program(features=windowed(TILE_SLOTS_MAX)).tiles) == TILE_SLOTS_MAX
    with pytest.raises(ProjectError, match="at most 255 windowed sums, got 256"):
        program(features=windowed(TILE_SLOTS_MAX + 1))


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (named("segment", "other"), "segment s0: segment 'other' cannot be served here"),
        (compare(named("field", "units"), const(1)), "segment s0: compare features with features or constants only"),
        (compare(named("feature", "missing"), const(1)), "there is no feature 'missing'"),
        (compare(const(1), named("feature", "missing")), "there is no feature 'missing'"),
        (compare(named("feature", "name"), const("x")), "name is personal and cannot be compared"),
        (compare(named("feature", "items"), const("x")), "items is a list and cannot be compared"),
        (compare(named("feature", "quiet"), named("feature", "views")), "compare since.. with since.. or a duration"),
        (compare(named("feature", "views"), named("feature", "quiet")), "compare since.. with since.. or a duration"),
        (
            compare(compare(const(1), const(2)), const(True), "=="),
            "compare features with features or constants only",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_by_the_segments_name(condition: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProjectError, match=sentence):
        program(condition)


def test_a_known_feature_against_one_that_is_not_there_is_refused_with_a_sentence() -> None:
    with pytest.raises(ProjectError, match="there is no feature 'missing'"):
        program(compare(named("feature", "views"), named("feature", "missing")))


def test_what_cannot_be_served_is_found_inside_a_negation_too() -> None:
    inner = compare(named("feature", "items"), const(1))
    with pytest.raises(ProjectError, match="is a list"):
        program({"type": "not", "of": {"type": "and", "of": [inner, inner]}})


@pytest.mark.parametrize(
    ("value", "micro", "folded"),
    [
        (3, False, 3),
        ([1_999, "USD"], False, 1_999),
        (0.1, True, 100_000),
        (2.5e-6, True, 2),  # half to even
        (3.5e-6, True, 4),
        (-0.1, True, -100_000),
        (True, False, 1),
    ],
)
def test_a_value_folds_as_an_integer(value: object, micro: bool, folded: int) -> None:
    assert amount(value, micro) == folded


def test_where_is_a_test_of_the_events_properties() -> None:
    test = where_of(compare(named("field", "units"), const(2), ">="))
    assert test is not None
    assert [test({"units": 2}), test({"units": 1}), test({})] == [True, False, False]


def test_no_where_is_no_test() -> None:
    assert where_of(None) is None
