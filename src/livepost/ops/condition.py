"""A segment's condition over one person's values: does it hold, which comparisons do not, and all that in words.

In: a condition's tree, the compiled project, a person's view. Out: terms and phrases. Promised: `holds` is the engine's
answer (docs/reference/semantics.md); no seal is opened, since conditions compare no personal value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from livepost.expr import And, Compare, Const, Expr, Feature, Not, Op, Or
from livepost.expr.evaluate import holds
from livepost.model.compiled import Compiled, FeatureSpec
from livepost.model.person import PersonView
from livepost.project.money import Money

UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"), (1, "ms"))

_TURNED: dict[Op, Op] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of a segment's condition: the features' values, whether it holds, and both in words."""

    values: dict[str, Any]
    holds: bool
    text: str

    def __str__(self) -> str:
        """Return it as an indented line."""
        return f"    {'yes' if self.holds else 'no '}  {self.text}"


class Reading:
    """One person's values, to read conditions over."""

    def __init__(self, compiled: Compiled, view: PersonView) -> None:
        """Read the person's features as the project defines them."""
        self._currency = compiled.currency
        self._specs = {spec.name: spec for spec in compiled.features}
        self._money = {(e.name, f.name) for e in compiled.events for f in e.fields if f.type == "money"}
        self._values = view.features

    def terms(self, node: Expr) -> Iterator[Term]:
        """Yield the comparisons, left to right."""
        for leaf in _leaves(node):
            names = [side.name for side in (leaf.left, leaf.right) if isinstance(side, Feature)]
            yield Term(
                values={name: self._values.get(name) for name in names},
                holds=self.holds(leaf),
                text=self._is_but_needs(leaf),
            )

    def said(self, node: Expr) -> str:
        """Return the values that a condition compares, in words."""
        return ", ".join(dict.fromkeys(self._is(leaf) for leaf in _leaves(node)))

    def missing(self, node: Expr) -> str:
        """Return what would have to be otherwise for a condition to hold, in words; "" if nothing."""
        if self.holds(node):
            return ""
        match node:
            case And(of):
                return "; ".join(filter(None, (self.missing(part) for part in of)))
            case Or(of):
                return ", or ".join(self.missing(part) for part in of)
            case Not(of):
                return f"{self.said(of)}, needs not: {', '.join(self._needs(leaf) for leaf in _leaves(of))}"
            case Compare():
                return self._is_but_needs(node)
        raise TypeError(f"expected a condition, got {type(node).__name__}")

    def holds(self, node: Expr) -> bool:
        """Return whether a condition holds, as the engine means it (docs/reference/semantics.md)."""
        match node:
            case And(of):
                return all(self.holds(part) for part in of)
            case Or(of):
                return any(self.holds(part) for part in of)
            case Not(of):
                return not self.holds(of)
            case Compare(op, left, right):
                a, b = self._plain(left), self._plain(right)
                return self._never_rule(node, a, b) or holds(Compare(op, Const(a), Const(b)), {})
        raise TypeError(f"expected a condition, got {type(node).__name__}")

    def _never_rule(self, leaf: Compare, left: Any, right: Any) -> bool:
        """Say whether never, being infinitely long ago, makes a comparison of two `since` true."""
        sides = (leaf.left, leaf.right)
        if not all(isinstance(side, Feature) and self._specs[side.name].kind == "since" for side in sides):
            return False
        return (leaf.op, left is None, right is None) in ((">", True, False), ("<", False, True))

    def _plain(self, side: Expr) -> Any:
        """Return a side's value as conditions compare it: money in minor units."""
        if isinstance(side, Const):
            return side.value
        assert isinstance(side, Feature)
        value = self._values.get(side.name)
        return value[0] if isinstance(value, list | tuple) else value

    def _is(self, leaf: Compare) -> str:
        return f"{self._compared(leaf).name} is {self._value(self._compared(leaf))}"

    def _is_but_needs(self, leaf: Compare) -> str:
        return f"{self._is(leaf)}, needs {self._needs(leaf)}"

    def _needs(self, leaf: Compare) -> str:
        """Return the operator and the other side: the right one, or the left with the operator turned round."""
        turned = isinstance(leaf.left, Const)
        op, other = (_TURNED[leaf.op], leaf.left) if turned else (leaf.op, leaf.right)
        if isinstance(other, Feature):
            return f"{op} {other.name}, which is {self._value(other)}"
        assert isinstance(other, Const)
        return f"{op} {self._say(other.value, self._specs[self._compared(leaf).name])}"

    def _compared(self, leaf: Compare) -> Feature:
        side = leaf.right if isinstance(leaf.left, Const) else leaf.left
        assert isinstance(side, Feature)
        return side

    def _value(self, side: Feature) -> str:
        return self._say(self._values.get(side.name), self._specs[side.name])

    def _say(self, value: Any, spec: FeatureSpec) -> str:
        """Return a value of a feature, or what it is compared with, as people say it."""
        if value is None:
            return "never"
        if spec.kind == "since":
            return duration(int(value))
        if spec.type == "money" or ((spec.event, spec.field) in self._money and spec.kind == "mean"):
            minor, currency = value if isinstance(value, list | tuple) else (value, self._currency)
            return str(Money.of_minor(round(minor), currency))
        return repr(value)


def duration(ms: int) -> str:
    """Return a length of time in its two largest units.

    >>> duration(2 * 3_600_000 + 5 * 60_000 + 7)
    '2 hours 5 minutes'
    """
    parts = []
    for unit, word in UNITS:
        whole, ms = divmod(ms, unit)
        if whole:
            parts.append(f"{whole} {word}{'s' if whole > 1 and word != 'ms' else ''}")
    return " ".join(parts[:2]) or "0 seconds"


def _leaves(node: Expr) -> Iterator[Compare]:
    match node:
        case And(of) | Or(of):
            for part in of:
                yield from _leaves(part)
        case Not(of):
            yield from _leaves(of)
        case Compare():
            yield node
