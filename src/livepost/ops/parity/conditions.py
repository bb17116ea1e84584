"""Conditions as SQL: the tree of a `where=` or a segment in, one boolean expression that is never NULL out.

Each comparison is made two-valued at once (never makes it FALSE), so that AND, OR and NOT are plain logic.
"""

from __future__ import annotations

from collections.abc import Callable

from livepost.expr import And, Compare, Const, Expr, Not, Or
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
    if not isinstance(side, Const):
        return read(side)
    value = int(side.value) if isinstance(side.value, bool) else side.value
    return Side(statement.bind(value), isinstance(value, str))


def _comparison(op: str, left: Side, right: Side) -> str:
    if left.text != right.text:  # text and a number: unequal, and not to be ordered
        return f"({left.sql} IS NOT NULL AND {right.sql} IS NOT NULL AND {op == '!='})"
    plain = f"coalesce({left.sql} {OPERATORS[op]} {right.sql}, FALSE)"
    if not (left.since and right.since) or op not in ("<", ">"):
        return plain
    never, happened = (left.sql, right.sql) if op == ">" else (right.sql, left.sql)
    return f"({plain} OR ({never} IS NULL AND {happened} IS NOT NULL))"
