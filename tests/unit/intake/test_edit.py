"""Corrections: a place is set or unset, the call itself stays as it was, and what cannot be is said."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.intake.call import MAX_DEPTH
from livepost.intake.edit import EDITS_MAX, CorrectionError, edited

CALL: dict[str, Any] = {"type": "track", "properties": {"total": "much", "foo": None, "items": [{"sku": "a"}]}}


def test_values_are_read_as_json_and_else_as_text() -> None:
    sets = [
        "properties.total=12.5",
        "properties.sku=12a",
        'properties.code="12"',
        "userId=ada=b",
        "properties.gift=true",
    ]
    changed = edited(CALL, sets, [])
    assert changed["properties"] | {} == {
        "total": 12.5,
        "foo": None,
        "items": [{"sku": "a"}],
        "sku": "12a",
        "code": "12",
        "gift": True,
    }
    assert changed["userId"] == "ada=b"


def test_objects_on_the_way_are_made_and_the_original_is_not_changed() -> None:
    assert edited(CALL, ["context.consent.x=[1]"], [])["context"] == {"consent": {"x": [1]}}
    assert edited({"context": None}, ["context.locale=de"], []) == {"context": {"locale": "de"}}
    assert "context" not in CALL


def test_what_is_unset_is_gone_even_where_it_was_null_or_just_set() -> None:
    assert edited(CALL, ["properties.a=1"], ["properties.foo", "properties.a", "properties.items"])["properties"] == {
        "total": "much"
    }


@pytest.mark.parametrize(
    ("sets", "unsets", "told"),
    [
        (["properties.total"], [], "expected a place and a value, such as properties.total=12.5, got no `=`"),
        (["properties..a=1"], [], "expected a place such as properties.total, got one with an empty or no name"),
        (["=1"], [], "got one with an empty or no name"),
        (["properties.total.a=1"], [], "expected an object at `properties.total`, got a string"),
        (["properties.items.sku=1"], [], "expected an object at `properties.items`, got an array"),
        ([], ["properties.bar"], "expected something at `properties.bar`, got nothing"),
        ([], ["traits.bar"], "expected something at `traits.bar`, got nothing"),
    ],
)
def test_a_place_that_cannot_be_is_said(sets: list[str], unsets: list[str], told: str) -> None:
    with pytest.raises(CorrectionError, match=told):
        edited(CALL, sets, unsets)


def test_a_call_that_is_no_object_is_corrected_as_a_whole_only() -> None:
    with pytest.raises(CorrectionError, match="expected a call that is an object, got an array"):
        edited([1], ["type=track"], [])


def test_places_and_corrections_are_bounded() -> None:
    deep = ".".join("a" * MAX_DEPTH)
    edited({}, [f"{deep}=1"], [])
    with pytest.raises(CorrectionError, match="empty or no name"):
        edited({}, [f"{deep}.a=1"], [])
    edited({}, ["a=1"] * EDITS_MAX, [])
    with pytest.raises(CorrectionError, match=f"expected at most {EDITS_MAX} corrections, got {EDITS_MAX + 1}"):
        edited({}, ["a=1"] * EDITS_MAX, ["a"])
