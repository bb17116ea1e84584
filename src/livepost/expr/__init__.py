"""Conditions as data: what segments and `where=` compile to, hashed, logged and evaluated in more than one engine.

A comparison with *never* (a value that does not exist yet) is false, except `since(a) > since(b)` and its mirror,
true where only b happened. `Not` is plain negation (SEMANTICS).
"""

from livepost.expr.tree import And, Arithmetic, Compare, Const, Expr, Feature, Field, Not, Op, Or, Segment, Sign, walk

__all__ = [
    "And",
    "Arithmetic",
    "Compare",
    "Const",
    "Expr",
    "Feature",
    "Field",
    "Not",
    "Op",
    "Or",
    "Segment",
    "Sign",
    "walk",
]
