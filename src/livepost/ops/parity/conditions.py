"""Conditions as SQL: the tree of a `where=` or a segment in, one boolean expression out, NULL where it is unknown.

A comparison with never is made FALSE and one with what is unknown NULL, so that SQL's AND, OR and NOT are the logic of
docs/reference/semantics.md. Arithmetic is of DOUBLE: NULL is never, and NaN, which no result is, stands for unknown, so
that both go through it as they should.
"""

from __future__ import annotations

from collections.abc import Callable

from livepost.expr import And, Arithmetic, Compare, Const, Expr, Not, Or, Sign
from livepost.ops.parity.fields import Side
from livepost.ops.parity.statement import Statement

Read = Callable[[Expr], Side]
"""How a feature or field of a comparison is written in SQL."""
Look = Callable[[Expr], str]
"""How another segment's condition is written in SQL."""

OPERATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=", "!=": "<>"}


def condition_sql(condition: Expr, statement: Statement, read: Read, look: Look | None = None) -> str:
    """Return the condition as SQL, its constants bound in `statement`; TypeError for a node that is no condition."""
    match condition:
        case And(of):
            return _joined("AND", "TRUE", [condition_sql(part, statement, read, look) for part in of])
        case Or(of):
            return _joined("OR", "FALSE", [condition_sql(part, statement, read, look) for part in of])
        case Not(of):
            return f"(NOT {condition_sql(of, statement, read, look)})"
        case Compare(op, left, right):
            return _comparison(op, _side(left, statement, read), _side(right, statement, read))
    if look is None:
        raise TypeError(f"expected a condition, got {type(condition).__name__}")
    return look(condition)


def _joined(word: str, neutral: str, parts: list[str]) -> str:
    return f"({f' {word} '.join([neutral, *parts])})"


def _side(side: Expr, statement: Statement, read: Read) -> Side:
    match side:
        case Const(constant):
            value = int(constant) if isinstance(constant, bool) else constant
            return Side(statement.bind(value), isinstance(value, str))
        case Arithmetic(sign, left, right):
            return _computed(sign, _side(left, statement, read), _side(right, statement, read))
    return read(side)


def _computed(sign: Sign, left: Side, right: Side) -> Side:
    """Return an operation: NULL on a division by zero, and for what is infinite."""
    if left.text or right.text:
        raise TypeError(f"expected numbers on both sides of {sign}, got text")
    a, b = f"CAST({left.sql} AS DOUBLE)", f"CAST({right.sql} AS DOUBLE)"
    result = f"{a} / nullif({b}, 0)" if sign == "/" else f"{a} {sign} {b}"
    infinity = "CAST('infinity' AS DOUBLE)"
    return Side(f"nullif(nullif({result}, {infinity}), -{infinity})", False, unknown=left.unknown or right.unknown)


def _comparison(op: str, left: Side, right: Side) -> str:
    if left.text != right.text:  # text and a number: unequal, and not to be ordered
        return f"({left.sql} IS NOT NULL AND {right.sql} IS NOT NULL AND {op == '!='})"
    plain = f"coalesce({left.sql} {OPERATORS[op]} {right.sql}, FALSE)"
    if left.unknown or right.unknown:
        there = f"{left.sql} IS NOT NULL AND {right.sql} IS NOT NULL"
        nans = " OR ".join(f"isnan({side.sql})" for side in (left, right) if side.unknown)
        return f"CASE WHEN {there} AND ({nans}) THEN NULL ELSE {plain} END"
    if not (left.since and right.since) or op not in ("<", ">"):
        return plain
    never, happened = (left.sql, right.sql) if op == ">" else (right.sql, left.sql)
    return f"({plain} OR ({never} IS NULL AND {happened} IS NOT NULL))"
