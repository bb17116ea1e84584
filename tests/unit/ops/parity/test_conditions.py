"""Conditions as SQL, tried on DuckDB over values given as rows."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from livepost.expr import And, Arithmetic, Compare, Const, Expr, Feature, Not, Op, Or, Segment, Sign
from livepost.ops.parity.conditions import condition_sql
from livepost.ops.parity.fields import Side
from livepost.ops.parity.statement import Statement

A, B = Feature("a"), Feature("b")


NAN = float("nan")


def answer(
    condition: Expr,
    a: Any = None,
    b: Any = None,
    *,
    text: bool = False,
    since: bool = False,
    type_: str = "BIGINT",
    unknown: bool = False,
) -> Any:
    statement = Statement()

    def read(side: Expr) -> Side:
        assert isinstance(side, Feature)
        return Side(side.name, text, since, unknown)

    sql = condition_sql(condition, statement, read)
    kind = "VARCHAR" if text else type_
    row = f"SELECT CAST({statement.bind(a)} AS {kind}) AS a, CAST({statement.bind(b)} AS {kind}) AS b"
    with duckdb.connect(":memory:") as db:
        return db.execute(f"SELECT {sql} FROM ({row})", statement.values).fetchall()[0][0]


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_with_never_is_false_and_its_negation_true(op: Op) -> None:
    assert answer(Compare(op, A, Const(1))) is False
    assert answer(Compare(op, Const(1), A)) is False
    assert answer(Not(Compare(op, A, B)), a=1) is True


@pytest.mark.parametrize(("op", "told"), [("<", 1), ("<=", 1), (">", 0), (">=", 0), ("==", 0), ("!=", 1)])
def test_every_operator_compares(op: Op, told: int) -> None:
    assert answer(Compare(op, A, B), a=1, b=2) is bool(told)
    assert answer(Compare(op, A, B), a="1", b="é", text=True) is bool(told)


@pytest.mark.parametrize(
    ("op", "a", "b", "told"),
    [
        (">", None, 5, True),
        (">", 5, None, False),
        (">", None, None, False),
        ("<", 5, None, True),
        ("<", None, 5, False),
        (">=", None, 5, False),
        ("<=", 5, None, False),
        ("!=", None, 5, False),
    ],
)
def test_between_two_since_never_is_infinitely_long_ago(op: Op, a: int | None, b: int | None, told: bool) -> None:
    assert answer(Compare(op, A, B), a=a, b=b, since=True) is told
    assert answer(Compare(op, A, B), a=a, b=b) is False


def test_a_since_against_a_constant_knows_no_infinity() -> None:
    assert answer(Compare(">", A, Const(5)), since=True) is False


@pytest.mark.parametrize(("op", "told"), [("==", False), ("!=", True), ("<", False), (">=", False)])
def test_text_and_a_number_are_unequal_and_not_ordered(op: Op, told: bool) -> None:
    assert answer(Compare(op, A, Const("1")), a=1) is told
    assert answer(Compare(op, A, Const("1"))) is False


def test_true_is_one() -> None:
    assert answer(Compare("==", A, Const(True)), a=1) is True


def test_and_or_nest_and_may_be_empty() -> None:
    yes, no = Compare("==", Const(1), Const(1)), Compare("==", Const(1), Const(2))
    assert answer(And((yes, Or((no, yes)), Not(no)))) is True
    assert answer(And((yes, no))) is False
    assert (answer(And(())), answer(Or(()))) == (True, False)


def test_a_constant_is_never_part_of_the_text() -> None:
    assert answer(Compare("==", A, Const("' OR TRUE --")), a="x", text=True) is False


def test_what_is_no_condition_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a condition, got Segment"):
        condition_sql(Segment("vip"), Statement(), lambda side: Side("a", False))


def computes(left: Any, sign: Sign, right: Any, result: float) -> Any:
    """Say whether `left sign right` is the result, told of whole numbers."""
    return answer(Compare("==", Arithmetic(sign, A, B), Const(result)), a=left, b=right)


@pytest.mark.parametrize(
    ("left", "sign", "right", "result"),
    [(7, "/", 2, 3.5), (1, "-", 2, -1.0), (3, "*", 4, 12.0), (2**53, "+", 1, 2.0**53), (1, "/", 3, 1 / 3)],
)
def test_arithmetic_is_in_double_precision(left: int, sign: Sign, right: int, result: float) -> None:
    assert computes(left, sign, right, result) is True
    assert computes(left, sign, right, result + 1) is (result + 1 == result)


@pytest.mark.parametrize("op", ["<", ">=", "==", "!="])
def test_arithmetic_with_never_by_zero_and_without_bounds_is_never(op: Op) -> None:
    def told(left: Expr, sign: Sign, right: Expr, a: Any = None) -> Any:
        return answer(Compare(op, Arithmetic(sign, left, right), Const(1)), a=a, type_="DOUBLE")

    assert told(A, "+", Const(1)) is False
    assert told(A, "/", Const(0), a=1) is False
    assert told(Const(0), "/", A, a=-0.0) is False
    assert told(Const(1e308), "*", Const(10)) is False
    assert told(Const(-1e308), "*", Const(10)) is False
    assert told(Arithmetic("*", Const(1e308), Const(10)), "*", Const(0)) is False


def test_arithmetic_of_text_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected numbers on both sides of \+, got text"):
        answer(Compare("==", Arithmetic("+", A, Const("1")), Const(2)), a=1)


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_with_what_is_unknown_is_unknown_unless_the_other_side_is_never(op: Op) -> None:
    unknown: dict[str, Any] = {"type_": "DOUBLE", "unknown": True}
    assert answer(Compare(op, A, Const(1)), a=NAN, **unknown) is None
    assert answer(Not(Compare(op, Const(1), A)), a=NAN, **unknown) is None
    assert answer(Compare(op, A, B), a=NAN, **unknown) is False
    assert answer(Compare(op, Arithmetic("*", A, B), Const(1)), a=NAN, b=0, **unknown) is None
    assert answer(Compare(op, Arithmetic("/", A, B), Const(1)), a=NAN, b=0, **unknown) is False
    assert answer(Compare(op, Arithmetic("/", B, A), Const(1)), a=NAN, b=0, **unknown) is None
    assert answer(Compare(op, Arithmetic("+", A, B), Const(1)), a=NAN, **unknown) is False


def test_and_or_not_have_three_truths() -> None:
    yes, no = Compare("==", Const(1), Const(1)), Compare("==", Const(1), Const(2))
    unknown = Compare(">", A, Const(1))

    def told(condition: Expr) -> Any:
        return answer(condition, a=NAN, type_="DOUBLE", unknown=True)

    assert [told(And((unknown, yes))), told(And((unknown, no)))] == [None, False]
    assert [told(Or((unknown, yes))), told(Or((unknown, no)))] == [True, None]
    assert [told(Not(unknown)), told(Not(And((unknown, no))))] == [None, True]
