"""Arithmetic as a term: what of two kinds of value gives what, and which cannot be.

Numbers reckon with numbers, money adds to money, and is multiplied and divided by numbers; money by money is a number.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from livepost.errors import ProjectError
from livepost.expr import tree
from livepost.project.money import Money
from livepost.project.operand import Constant, Formula, Operand, constant_text
from livepost.project.term import EXAMPLES, Kind, Term, constant

RESULTS: dict[tuple[Kind, tree.Sign, Kind], Kind] = {
    ("number", "+", "number"): "number",
    ("number", "-", "number"): "number",
    ("number", "*", "number"): "number",
    ("number", "/", "number"): "number",
    ("money", "+", "money"): "money",
    ("money", "-", "money"): "money",
    ("money", "*", "number"): "money",
    ("number", "*", "money"): "money",
    ("money", "/", "number"): "money",
    ("money", "/", "money"): "number",
}
"""What arithmetic gives; what is not here means nothing."""


def of_formula(formula: Formula, read: Callable[[Operand], Term], currency: str) -> Term:
    """Return arithmetic as a term; `read` gives the terms of operands. `ProjectError` says what cannot be."""
    left, right = (_side(side, formula, read, currency) for side in (formula.left, formula.right))
    kind = RESULTS.get((left.kind, formula.sign, right.kind))
    if kind is None:
        raise ProjectError(_mixed(formula, left.kind, right.kind), formula.line)
    whole = kind == "money" and formula.sign in "+-" and left.whole and right.whole
    return Term(tree.Arithmetic(formula.sign, left.node, right.node), kind, whole=whole)


def _side(side: Operand | Constant, formula: Formula, read: Callable[[Operand], Term], currency: str) -> Term:
    try:
        term = read(side) if isinstance(side, Operand) else _constant(side, formula, currency)
    except ProjectError as error:
        raise error if error.where else ProjectError(str(error), formula.line) from None
    if term.personal:
        raise ProjectError(
            f"expected an open value in arithmetic, got {constant_text(side)}, which is personal and stays sealed; "
            "use a field that is not Personal",
            formula.line,
        )
    if term.kind == "time" and isinstance(side, Operand):
        raise ProjectError(
            f"expected a number or money in arithmetic, got {side.text}, which changes all the time; "
            "compare it with a length of time or with another since()",
            formula.line,
        )
    if term.kind not in ("number", "money"):
        raise ProjectError(
            f"expected a number or money in arithmetic, got {constant_text(side)}, which is {EXAMPLES[term.kind]}; "
            f"leave it out of ({formula.text})",
            formula.line,
        )
    return term


def _constant(value: Constant, formula: Formula, currency: str) -> Term:
    kind: Kind = "money" if isinstance(value, Money) else "number"
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Money):
        raise ProjectError(f"expected a number or money in ({formula.text}), got {value!r}; leave it out")
    return Term(constant(kind, value, formula.text, currency), kind)


def _mixed(formula: Formula, left: Kind, right: Kind) -> str:
    text = formula.text
    if formula.sign in "+-":
        return f"expected money with money or numbers with numbers, got ({text}); write an amount as Money('100')"
    if formula.sign == "*":
        return f"expected an amount times a number, got two amounts in ({text}); multiply by a plain number"
    return (
        f"expected money or a number by a number, or money by money, got a number by money in ({text}); turn it round"
    )
