"""Equalities around values that may have fractions: well defined, and hardly ever meant; `check` warns of them."""

from __future__ import annotations

from collections.abc import Iterator

from livepost.project.choice import Choice
from livepost.project.condition import Combination, Condition, Negation
from livepost.project.feature import Feature
from livepost.project.operand import Comparison, Constant, Formula, Operand


def fractions_compared(condition: Condition) -> Iterator[tuple[str, str]]:
    """Yield the text and line of each equality with a side that may have fractions."""
    match condition.inner:
        case Combination() as several:
            for part in several.parts:
                yield from fractions_compared(part)
        case Negation() as negation:
            yield from fractions_compared(negation.of)
        case Comparison() as comparison if comparison.op in ("==", "!="):
            if _has_fractions(comparison.left) or _has_fractions(comparison.right):
                yield comparison.text, comparison.line
        case Choice() as choice if _has_fractions(choice.of):
            yield choice.text, choice.line


def _has_fractions(side: Operand | Constant) -> bool:
    if isinstance(side, Formula):
        return side.sign == "/" or _has_fractions(side.left) or _has_fractions(side.right)
    if isinstance(side, Feature):
        return side.definition.value_type == "float"
    return isinstance(side, float)
