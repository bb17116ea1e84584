"""`where=` over one event, in plain Python."""

import pytest

from livepost.expr import And, Compare, Const, Expr, Feature, Field, Not, Or
from livepost.expr.evaluate import holds

PROPERTIES = {"category": "shoes", "total": [4990, "EUR"], "items": 3, "gift": True, "score": 0.5}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Compare("==", Field("category"), Const("shoes")), True),
        (Compare("!=", Field("category"), Const("shoes")), False),
        (Compare(">=", Field("total"), Const(4990)), True),
        (Compare(">", Field("total"), Const(4990)), False),
        (Compare("<", Field("items"), Const(4)), True),
        (Compare("<=", Field("score"), Field("items")), True),
        (Compare("==", Field("gift"), Const(True)), True),
        (And((Compare("==", Field("items"), Const(3)), Compare("==", Field("gift"), Const(False)))), False),
        (Or((Compare("==", Field("items"), Const(3)), Compare("==", Field("gift"), Const(False)))), True),
        (Not(Compare("==", Field("items"), Const(3))), False),
    ],
)
def test_a_condition_holds_by_its_meaning(condition: Expr, expected: bool) -> None:
    assert holds(condition, PROPERTIES) is expected


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_with_what_is_not_there_is_false(op: str) -> None:
    missing = Compare(op, Field("coupon"), Const("MAY"))  # type: ignore[arg-type]
    assert not holds(missing, PROPERTIES)
    assert holds(Not(missing), PROPERTIES)


def test_values_that_have_no_order_do_not_compare() -> None:
    assert not holds(Compare("<", Field("category"), Const(3)), PROPERTIES)


def test_an_event_knows_no_features() -> None:
    with pytest.raises(TypeError, match="expected a field or a constant"):
        holds(Compare(">=", Feature("views_7d"), Const(3)), PROPERTIES)
