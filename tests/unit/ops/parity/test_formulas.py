"""Each word of the vocabulary as SQL, over one person's history."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.ids import digest
from livepost.log.base import Position
from livepost.model.block import block_of
from livepost.model.compiled import DISTINCT_MAX, CalendarSpec, Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec
from livepost.model.record import KeyKind, Record, SealedValue
from livepost.ops.parity.recompute import recompute

HOUR, DAY = 3_600_000, 86_400_000
NOON = 1_767_225_600_000 + DAY // 2
ADA = digest("ada")

TYPES: dict[str, Any] = {
    "item": "str",
    "units": "int",
    "rating": "float",
    "price": "money",
    "gift": "bool",
    "moment": "datetime",
    "tags": "list",
}
FIELDS = tuple(FieldSpec(name=name, keys=(name,), type=type_, required=False) for name, type_ in TYPES.items())
EVENT = EventSpec(name="Viewed", cls="Viewed", fields=FIELDS)


def viewed(number: int, *, at: int = NOON, key: KeyKind = KeyKind.WRITE, **properties: Any) -> Record:
    return Record(
        source="web",
        subject=ADA,
        key=key,
        message_id=f"m{number:04}",
        name="Viewed",
        effective_ts=at,
        facets={name: properties.pop(name) for name in list(properties) if "." in name},
        properties=properties,
    )


def value(kind: Any, *records: Record, **spec: Any) -> Any:
    """Return the value of the feature at noon."""
    feature = FeatureSpec(name="it", kind=kind, event="Viewed", **spec)
    compiled = Compiled(events=(EVENT,), features=(feature,))
    return ada(compiled, *records).features["it"]


def ada(compiled: Compiled, *records: Record) -> Any:
    other = Record(source="web", subject=ADA, message_id="first", name="Other", effective_ts=NOON)
    log = block_of([other, *records], 0, NOON)
    return recompute([log], compiled, [(ADA,)], Position(len(records), NOON)).recomputed[ADA]


def items(*values: Any) -> list[Record]:
    return [viewed(number, item=item) for number, item in enumerate(values)]


@pytest.mark.parametrize(
    ("kind", "empty"),
    [("count", 0), ("since", None)],
)
def test_without_a_record_there_is_nothing_or_never(kind: str, empty: Any) -> None:
    assert value(kind) == empty
    assert value("total", field="price", type="money") == [0, "USD"]
    assert value("mean", field="units") is None
    assert value("latest", field="item") is None
    assert value("recent", field="item", n=2) == []


def test_a_window_begins_on_its_grid_and_takes_its_first_millisecond() -> None:
    begin = (NOON - 90 * 60_000) // HOUR * HOUR
    ages = [viewed(0, at=begin - 1), viewed(1, at=begin), viewed(2)]
    assert value("count", *ages, over_ms=90 * 60_000, grid_ms=HOUR) == 2
    assert value("count", *ages) == 3


def test_a_record_without_the_field_feeds_only_what_takes_none() -> None:
    records = [viewed(0, units=5), viewed(1), viewed(2, units=None)]
    assert (value("count", *records), value("mean", *records, field="units")) == (3, 5)


def test_totals_are_exact_in_the_units_of_their_type() -> None:
    assert value("total", viewed(0, units=2**53), viewed(1, units=1), field="units") == 2**53 + 1
    refund = [viewed(0, price=[1_999, "USD"]), viewed(1, price=[-500, "USD"])]
    assert value("total", *refund, field="price", type="money") == [1_499, "USD"]
    assert value("mean", *refund, field="price", type="float") == 749.5
    tenths = [viewed(number, rating=0.1) for number in range(10)]
    assert value("total", *tenths, field="rating", type="float") == 1.0
    assert value("mean", *tenths, field="rating", type="float") == 0.1


def test_floats_fold_as_millionths_rounded_half_to_even() -> None:
    ratings = (2.5e-6, 3.5e-6, -2.5e-6, 4.9999999e-7, 1e9 + 0.1, 7)
    for rating in ratings:
        told = value("total", viewed(0, rating=rating), field="rating", type="float")
        assert told == round(rating * 1_000_000) / 1_000_000


def test_since_counts_from_the_newest() -> None:
    assert value("since", viewed(0, at=NOON - HOUR), viewed(1, at=NOON - DAY)) == HOUR


def test_latest_and_first_go_by_time_and_message_id_and_never_by_arrival() -> None:
    records = [
        viewed(3, at=NOON, item="b"),
        viewed(4, at=NOON, item="c"),
        viewed(2, at=NOON, item="a"),
        viewed(9, at=NOON - 2, item="old"),
        viewed(1, at=NOON - 2, item="older"),
    ]
    assert (value("latest", *records, field="item"), value("first", *records, field="item")) == ("c", "older")


@pytest.mark.parametrize(
    ("field", "given"),
    [("price", [5, "EUR"]), ("gift", False), ("rating", 0.1), ("moment", NOON), ("tags", ["a", "b"]), ("item", 'é"\n')],
)
def test_latest_gives_back_what_came(field: str, given: Any) -> None:
    assert value("latest", viewed(0, **{field: given}), field=field) == given


def test_recent_takes_the_newest_and_among_equals_the_smaller_message_id() -> None:
    records = [viewed(0, at=NOON - 1, item="old"), viewed(2, item="b"), viewed(1, item="a")]
    assert value("recent", *records, field="item", n=2, type="list") == ["a", "b"]
    assert value("recent", viewed(0, tags=["a"]), field="tags", n=2, type="list") == [["a"]]


def test_top_takes_the_most_frequent_and_among_equals_the_smaller_value() -> None:
    assert value("top", *items("b", "c", "a", "c", "b"), field="item", n=2, type="list") == ["b", "c"]
    numbers = [viewed(number, units=units) for number, units in enumerate((10, 9, -1))]
    assert value("top", *numbers, field="units", n=3, type="list") == [-1, 9, 10]
    truths = [viewed(number, gift=gift) for number, gift in enumerate((True, False, True))]
    assert value("top", *truths, field="gift", n=2, type="list") == [True, False]


def test_top_over_its_cap_of_different_values_is_unknown() -> None:
    exact = items(*range(DISTINCT_MAX))
    assert value("top", *exact, field="item", n=1, type="list") == [0]
    assert value("top", *items(*range(DISTINCT_MAX + 1)), field="item", n=1, type="list") is None


def test_secret_only_takes_what_a_secret_key_brought() -> None:
    records = [viewed(0, item="a", key=KeyKind.SECRET), viewed(1, item="b"), viewed(2, item="c", key=KeyKind.NONE)]
    assert value("latest", *records, field="item", secret_only=True) == "a"


def test_a_personal_field_may_be_taken_where_an_open_one_says_so() -> None:
    named = FieldSpec(name="first_name", keys=("first_name",), type="str", personal=True)
    event = EventSpec(name="Viewed", cls="Viewed", fields=(*FIELDS, named))
    left, right = {"type": "field", "name": "units"}, {"type": "const", "value": 1}
    where = {"type": "compare", "op": "==", "left": left, "right": right}
    spec = FeatureSpec(name="it", kind="latest", event="Viewed", field="first_name", personal=True, where=where)
    records = [viewed(0, units=1), viewed(1, units=2), viewed(2, units=1)]
    records[0].sealed, records[1].sealed = {"first_name": b"\xff one"}, {"first_name": b"two"}
    told = ada(Compiled(events=(event,), features=(spec,)), *records).features["it"]
    assert told == SealedValue("web", ADA, "m0000", "first_name", b"\xff one")


@pytest.mark.parametrize(
    ("field", "op", "bound", "takes"),
    [
        ("item", "==", "a' OR TRUE --", 0),
        ("item", "==", "a", 1),
        ("item", "!=", "b", 1),
        ("units", ">=", 2, 1),
        ("units", "<", 2.5, 1),
        ("rating", "==", 0.1, 1),
        ("price", ">", 499, 1),
        ("price", ">", 500, 0),
        ("gift", "==", True, 1),
        ("gift", "==", False, 0),
        ("moment", "<=", NOON, 1),
    ],
)
def test_where_compares_by_the_declared_type(field: str, op: str, bound: Any, takes: int) -> None:
    record = viewed(0, item="a", units=2, rating=0.1, price=[500, "USD"], gift=True, moment=NOON)
    left, right = {"type": "field", "name": field}, {"type": "const", "value": bound}
    where = {"type": "compare", "op": op, "left": left, "right": right}
    assert value("count", record, viewed(1), where=where) == takes
    assert value("count", record, viewed(1), where={"type": "not", "of": where}) == 2 - takes


def test_a_segment_may_name_another_one() -> None:
    views = FeatureSpec(name="views", kind="count", event="Viewed")
    left, right = {"type": "feature", "name": "views"}, {"type": "const", "value": 1}
    seen = SegmentSpec(name="seen", condition={"type": "compare", "op": ">=", "left": left, "right": right})
    unseen = SegmentSpec(name="unseen", condition={"type": "not", "of": {"type": "segment", "name": "seen"}})
    compiled = Compiled(events=(EVENT,), features=(views,), segments=(seen, unseen))
    assert ada(compiled, viewed(0)).segments == {"seen": True, "unseen": False}
    assert ada(compiled).segments == {"seen": False, "unseen": True}


@pytest.mark.parametrize(
    ("kind", "field", "bound"), [("latest", "item", "a"), ("mean", "rating", 0.5), ("total", "rating", 1)]
)
def test_a_segment_compares_values_of_each_type(kind: Any, field: str, bound: Any) -> None:
    feature = FeatureSpec(name="it", kind=kind, event="Viewed", field=field)
    left, right = {"type": "feature", "name": "it"}, {"type": "const", "value": bound}
    segment = SegmentSpec(name="s", condition={"type": "compare", "op": "==", "left": left, "right": right})
    compiled = Compiled(events=(EVENT,), features=(feature,), segments=(segment,))
    records = [viewed(0, item="b", rating=0.25), viewed(1, item="a", rating=0.75)]
    assert ada(compiled, *records).segments == {"s": True}
    assert ada(compiled).segments == {"s": False}


def test_minimum_and_maximum_are_values_that_came() -> None:
    prices = [viewed(number, price=[minor, "USD"]) for number, minor in enumerate((300, -500, 200))]
    assert value("minimum", *prices, field="price", type="money") == [-500, "USD"]
    assert value("maximum", *prices, field="price", type="money") == [300, "USD"]
    assert value("maximum", viewed(0, rating=0.1), viewed(1, rating=0.3), field="rating", type="float") == 0.3
    assert value("minimum", viewed(0, units=2**53 + 1), field="units") == 2**53 + 1
    assert value("minimum", viewed(0), field="units") is None


def test_exists_is_true_or_false() -> None:
    old = viewed(0, at=NOON - 2 * HOUR)
    assert (value("exists", old), value("exists")) == (True, False)
    assert value("exists", old, over_ms=HOUR, grid_ms=1_000) is False


def test_distinct_counts_different_values_up_to_its_cap() -> None:
    assert value("distinct", *items("a", "b", "a"), field="item") == 2
    assert value("distinct", *items("a", "b"), field="item", cap=2) == 2
    assert value("distinct", *items("a", "b", "c"), field="item", cap=2) is None
    assert value("distinct", field="item") == 0
    gifts = [viewed(number, gift=gift) for number, gift in enumerate((True, False, True))]
    assert value("distinct", *gifts, field="gift") == 2


def test_distinct_without_a_cap_tells_a_thousand_apart() -> None:
    assert value("distinct", *items(*range(DISTINCT_MAX)), field="item") == DISTINCT_MAX
    assert value("distinct", *items(*range(DISTINCT_MAX + 1)), field="item") is None


def test_a_cap_of_its_own_makes_a_top_unknown() -> None:
    assert value("top", *items("a", "b", "b"), field="item", n=1, cap=2, type="list") == ["b"]
    assert value("top", *items("a", "b", "c"), field="item", n=1, cap=2, type="list") is None


def test_since_latest_and_first_take_a_window() -> None:
    window: dict[str, Any] = {"over_ms": HOUR, "grid_ms": 1_000}
    records = viewed(0, at=NOON - 2 * HOUR, item="a"), viewed(1, at=NOON - HOUR, item="b"), viewed(2, item="c")
    assert value("first", *records, field="item", **window) == "b"
    assert value("latest", records[0], field="item", **window) is None
    assert value("since", records[0], **window) is None


def test_a_calendar_window_begins_in_its_zone() -> None:
    day = CalendarSpec(unit="day", times=1, zone="Asia/Kolkata")  # NOON is half past five there
    midnight = NOON - 17 * HOUR - HOUR // 2
    records = viewed(0, at=midnight - 1), viewed(1, at=midnight), viewed(2)
    assert value("count", *records, calendar=day) == 2


def test_a_name_with_a_dot_is_a_facet() -> None:
    facets = [viewed(number, **{"ip.country": country}) for number, country in enumerate(("DE", "AT", "DE"))]
    left, right = {"type": "field", "name": "ip.country"}, {"type": "const", "value": "DE"}
    where = {"type": "compare", "op": "==", "left": left, "right": right}
    assert value("count", *facets, viewed(9), where=where) == 2
    assert value("top", *facets, viewed(9), field="ip.country", n=1, type="list") == ["DE"]
    assert value("distinct", *facets, viewed(9), field="ip.country") == 2


def test_a_segment_over_what_is_unknown_is_unknown() -> None:
    different = FeatureSpec(name="it", kind="distinct", event="Viewed", field="item", cap=2)
    left, right = {"type": "feature", "name": "it"}, {"type": "const", "value": 2}
    many = {"type": "compare", "op": ">=", "left": left, "right": right}
    none = {"type": "compare", "op": "<", "left": {"type": "const", "value": 1}, "right": right | {"value": 0}}
    segments = (
        SegmentSpec(name="many", condition=many),
        SegmentSpec(name="few", condition={"type": "not", "of": {"type": "segment", "name": "many"}}),
        SegmentSpec(name="nobody", condition={"type": "and", "of": [many, none]}),
    )
    compiled = Compiled(events=(EVENT,), features=(different,), segments=segments)
    assert ada(compiled, *items("a", "b")).segments == {"many": True, "few": False, "nobody": False}
    assert ada(compiled, *items("a", "b", "c")).segments == {"many": None, "few": None, "nobody": False}
    assert ada(compiled).segments == {"many": False, "few": True, "nobody": False}
