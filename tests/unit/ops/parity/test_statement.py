"""Values beside the text of a statement."""

from __future__ import annotations

from livepost.ops.parity.statement import Statement


def test_each_value_gets_a_name_of_its_own() -> None:
    statement = Statement()
    assert [statement.bind("a"), statement.bind("a"), statement.bind(None)] == ["$v0", "$v1", "$v2"]
    assert statement.values == {"v0": "a", "v1": "a", "v2": None}
