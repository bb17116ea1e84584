"""Where a field stands in a record's JSON."""

from __future__ import annotations

from livepost.ops.parity.fields import Types, path_of, type_of


def test_money_is_read_at_its_minor_units_and_the_rest_whole() -> None:
    assert (path_of("price", "money"), path_of("item", "str")) == ("/price/0", "/item")


def test_what_a_json_pointer_gives_a_meaning_is_escaped() -> None:
    assert path_of("a/b~c", "str") == "/a~1b~0c"


def test_a_facet_is_text_and_any_other_field_is_as_declared() -> None:
    types: Types = {("Viewed", "units"): "int"}
    assert (type_of(types, "Viewed", "units"), type_of(types, "Viewed", "ip.country")) == ("int", "str")
