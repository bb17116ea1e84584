"""`where=` over one event, in plain Python."""

import pytest

from livepost.expr import And, Arithmetic, Compare, Const, Expr, Feature, Field, Not, Or, Sign
from livepost.expr.evaluate import holds

PROPERTIES = {
    "category": "shoes",
    "total": [4990, "EUR"],
    "items": 3,
    "gift": True,
    "score": 0.5,
    "email.domain": "example.org",
}


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
        (Compare("==", Field("email.domain"), Const("example.org")), True),
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


@pytest.mark.parametrize(
    ("left", "sign", "right", "result"),
    [
        (Field("items"), "+", Field("score"), 3.5),
        (Field("total"), "-", Const(990), 4000.0),
        (Field("items"), "*", Const(0.1), 3 * 0.1),
        (Field("total"), "/", Field("items"), 4990 / 3),
        (Const(1), "-", Arithmetic("/", Const(1), Const(4)), 0.75),
        (Const(2**53), "+", Const(1), float(2**53)),
    ],
)
def test_arithmetic_is_in_double_precision_and_money_in_minor_units(
    left: Expr, sign: Sign, right: Expr, result: float
) -> None:
    assert holds(Compare("==", Arithmetic(sign, left, right), Const(result)), PROPERTIES)


@pytest.mark.parametrize(
    "side",
    [
        Arithmetic("/", Field("items"), Const(0)),
        Arithmetic("/", Const(0.0), Const(0.0)),
        Arithmetic("+", Field("coupon"), Const(1)),
        Arithmetic("*", Const(1e308), Const(10)),
        Arithmetic("-", Field("category"), Const(1)),
        Arithmetic("*", Const(0), Arithmetic("/", Const(1), Const(0))),
    ],
)
def test_arithmetic_without_a_finite_result_is_not_there(side: Expr) -> None:
    for op in ("<", ">=", "==", "!="):
        assert not holds(Compare(op, side, Const(0)), PROPERTIES)  # type: ignore[arg-type]
