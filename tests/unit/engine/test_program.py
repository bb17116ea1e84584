"""What the compiled project becomes, and which conditions are refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.engine.program import TILE_SLOTS_MAX, Program, TileSlot, amount, where_of
from livepost.engine.tiles import Grid
from livepost.errors import ProjectError
from livepost.expr import Not
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
        TileSlot(0, Grid(1000, HOUR), counts=True),
        TileSlot(1, Grid(1000, HOUR), counts=False),
        TileSlot(2, Grid(1000, HOUR), counts=True),
    ]
    assert (shop.sums, shop.lasts, [pick.spec.name for pick in shop.picks]) == (2, 1, ["item", "items", "name"])
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


def test_what_cannot_be_served_is_refused() -> None:
    with pytest.raises(ProjectError, match="segment s0: there is no feature 'missing'"):
        program(compare(named("feature", "missing"), const(1)))


def test_a_rule_has_the_segments_in_it_written_out() -> None:
    keen = compare(named("feature", "views"), const(1))
    rules = program(keen, {"type": "not", "of": named("segment", "s0")}).rules
    assert rules[1].condition == Not(rules[0].condition)


def test_what_is_newest_is_kept_for_since_and_exists_and_values_for_the_rest() -> None:
    over = {"over_ms": HOUR, "grid_ms": 1000}
    shop = program(
        features=(
            FeatureSpec(name="lately", kind="since", event="Viewed", **over),
            FeatureSpec(name="ever", kind="exists", event="Viewed", type="bool"),
            FeatureSpec(name="kinds", kind="distinct", event="Viewed", field="item", **over),
            FeatureSpec(name="best", kind="maximum", event="Viewed", field="rating", type="float"),
        )
    )
    assert (shop.tiles, shop.sums, shop.lasts) == ([], 0, 2)
    assert [reading.last for reading in shop.readings.values()] == [0, 1, None, None]
    assert [reading.pick for reading in shop.readings.values()] == [None, None, 0, 1]
    assert [reading.windowed for reading in shop.readings.values()] == [True, False, True, False]


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
