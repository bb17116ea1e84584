"""Values in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livepost.console.feature import VALUE_MAX, feature_lines, plain
from livepost.model.compiled import Compiled, EventSpec, FeatureSpec, FieldSpec
from tests.unit.console.shop import VIEW
from tests.unit.console.told import START

ORDER = EventSpec(name="Order", cls="Order", fields=(FieldSpec(name="total", keys=("total",), type="money"),))


@pytest.mark.parametrize(
    ("kind", "field", "type", "value", "said"),
    [
        ("count", None, "int", 12_345, "12,345"),
        ("count", "total", "int", 3, "3"),
        ("total", "total", "money", [12_990, "EUR"], "129.90 EUR"),
        ("total", "total", "money", [500, "JPY"], "500 JPY"),
        ("mean", "total", "float", 1_250.4, "12.50 EUR"),
        ("mean", "stars", "float", 4.25, "4.25"),
        ("recent", "total", "list", [[100, "EUR"], [250, "EUR"]], "1.00 EUR, 2.50 EUR"),
        ("top", "name", "list", [], "none"),
        ("latest", "at", "datetime", START, "2026-01-05 09:00:00 UTC"),
        ("latest", "gift", "bool", True, "yes"),
        ("latest", "extra", "json", {"a": 1}, '{"a":1}'),
        ("since", None, "int", 90_000_000, "1 day 1 hour"),
        ("since", None, "int", None, "never"),
    ],
)
def test_a_value_is_said_by_its_kind_and_type(kind: Any, field: str | None, type: Any, value: Any, said: str) -> None:
    spec = FeatureSpec(name="it", kind=kind, event="Order", field=field, type=type, n=3)
    view = msgspec.structs.replace(VIEW, features={"it": value}, sealed={})
    assert feature_lines(Compiled(currency="EUR", events=(ORDER,), features=(spec,)), view)[0].value == said


def test_a_condition_of_a_feature_is_said_to_be_there() -> None:
    spec = FeatureSpec(name="it", kind="count", event="Order", where={"type": "const", "value": True})
    assert feature_lines(Compiled(features=(spec,)), VIEW)[0].meaning == "how many Order, so that `where` holds"


def test_a_value_is_cut_behind_what_a_page_bears() -> None:
    assert plain("x" * VALUE_MAX) == "x" * VALUE_MAX
    assert plain("x" * (VALUE_MAX + 1)) == "x" * VALUE_MAX + "… (501 characters)"
