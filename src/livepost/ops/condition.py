"""A segment's condition over one person's values: does it hold, which comparisons do not, and all that in words.

In: a condition's tree, the compiled project, a person's view. Out: terms and phrases. Promised: `truth` is the engine's
answer (docs/reference/semantics.md); no seal is opened, since conditions compare no personal value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from livepost.expr import And, Arithmetic, Compare, Const, Expr, Feature, Not, Op, Or, Segment, Sign, walk
from livepost.expr.evaluate import holds
from livepost.model.compiled import CalendarSpec, Compiled, FeatureSpec
from livepost.model.person import PersonView
from livepost.ops.behind import Behind
from livepost.project.money import Money

UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"), (1, "ms"))

Truth: TypeAlias = bool | None
"""Whether a condition holds; None where it is unknown."""

_TURNED: dict[Op, Op] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_SIGNS: dict[Sign, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_UNKNOWN: Any = object()
"""The value of what has more different values than are told apart; None is never."""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of a segment's condition, or a segment named in it: the values, whether it holds, both in words.

    `unknown` says that nobody can tell whether it holds, because too many values differ; then `holds` is false.
    `behind` are the records that its features are made of, where the log was asked.
    """

    values: dict[str, Any]
    holds: bool
    text: str
    unknown: bool = False
    behind: tuple[Behind, ...] = ()

    def __str__(self) -> str:
        """Return it as an indented line, with the records behind it."""
        line = f"    {'?  ' if self.unknown else 'yes' if self.holds else 'no '}  {self.text}"
        return "\n".join([line, *map(str, self.behind)])


class Reading:
    """One person's values, to read conditions over."""

    def __init__(self, compiled: Compiled, view: PersonView) -> None:
        """Read the person's features as the project defines them."""
        self._currency = compiled.currency
        self._specs = {spec.name: spec for spec in compiled.features}
        self._segments = {spec.name: spec.condition for spec in compiled.segments}
        self._money = {(e.name, f.name) for e in compiled.events for f in e.fields if f.type == "money"}
        self._values = view.features

    def terms(self, node: Expr) -> Iterator[Term]:
        """Yield the comparisons and the segments named, left to right."""
        for leaf in _leaves(node):
            told = self.truth(leaf)
            yield Term(
                values={part.name: self._shown(part) for part in walk(leaf) if isinstance(part, Feature | Segment)},
                holds=told is True,
                text=self._is_but_needs(leaf),
                unknown=told is None,
            )

    def said(self, node: Expr) -> str:
        """Return the values that a condition compares, in words."""
        return ", ".join(dict.fromkeys(self._is(leaf) for leaf in _leaves(node)))

    def missing(self, node: Expr) -> str:
        """Return what would have to be otherwise for a condition to hold, in words; "" if nothing."""
        if self.truth(node) is True:
            return ""
        if _is_leaf(node):
            return self._is_but_needs(node)
        match node:
            case And(of):
                return "; ".join(filter(None, (self.missing(part) for part in of)))
            case Or(of):
                return ", or ".join(self.missing(part) for part in of)
            case Not(of):
                return f"{self.said(of)}, needs not: {', '.join(self._needs(leaf) for leaf in _leaves(of))}"
        raise TypeError(f"expected a condition, got {type(node).__name__}")

    def worded(self, feature: str) -> str:
        """Return what a feature's value was, in words."""
        value = self._value(Feature(feature))
        return value if self._plain(Feature(feature)) is _UNKNOWN else f"was {value}"

    def features(self, names: Iterable[str]) -> list[FeatureSpec]:
        """Return the features of these names, and those that the segments of these names read, each once."""
        found: dict[str, FeatureSpec] = {}
        for name in names:
            if name in self._specs:
                found[name] = self._specs[name]
            else:
                parts = walk(self._condition(name))
                inner = [part.name for part in parts if isinstance(part, Feature | Segment)]
                found |= {spec.name: spec for spec in self.features(inner)}
        return list(found.values())

    def truth(self, node: Expr) -> Truth:
        """Return whether a condition holds, as the engine means it (docs/reference/semantics.md)."""
        match node:
            case And(of):
                return _all([self.truth(part) for part in of])
            case Or(of):
                return _negated(_all([_negated(self.truth(part)) for part in of]))
            case Not(of):
                return _negated(self.truth(of))
            case Segment(name):
                return self.truth(self._condition(name))
            case Compare(op, left, right):
                a, b = self._plain(left), self._plain(right)
                if a is None or b is None:
                    return self._never_rule(node, a, b)
                return None if _UNKNOWN in (a, b) else holds(Compare(op, Const(a), Const(b)), {})
        raise TypeError(f"expected a condition, got {type(node).__name__}")

    def _condition(self, segment: str) -> Expr:
        condition: Expr = msgspec.convert(self._segments[segment], Expr)
        return condition

    def _never_rule(self, leaf: Compare, left: Any, right: Any) -> bool:
        """Say whether never, being infinitely long ago, makes a comparison of two `since` true."""
        sides = (leaf.left, leaf.right)
        if not all(isinstance(side, Feature) and self._specs[side.name].kind == "since" for side in sides):
            return False
        return (leaf.op, left is None, right is None) in ((">", True, False), ("<", False, True))

    def _plain(self, side: Expr) -> Any:
        """Return a side's value as conditions compare it: money in minor units, None for never, or unknown."""
        match side:
            case Const(constant):
                return constant
            case Arithmetic(sign, left, right):
                return _computed(sign, self._plain(left), self._plain(right))
        assert isinstance(side, Feature)
        value = self._values.get(side.name)
        if value is None and self._specs[side.name].kind in ("distinct", "top"):
            return _UNKNOWN  # where there is none, it is 0
        return value[0] if isinstance(value, list | tuple) else value

    def _shown(self, part: Feature | Segment) -> Any:
        return self._values.get(part.name) if isinstance(part, Feature) else self.truth(part)

    # --- words: what is

    def _is(self, leaf: Expr) -> str:
        if isinstance(leaf, Segment):
            words = {True: "is in", False: "is not in", None: "cannot be told to be in"}
            return f"{words[self.truth(leaf)]} {leaf.name}"
        side = _compared(leaf)
        if isinstance(side, Feature) and self._specs[side.name].kind == "exists":
            spec, has = self._specs[side.name], "has" if self._values.get(side.name) else "has not"
            where = " so that `where` holds" if spec.where is not None else ""
            return " ".join(filter(None, (spec.event, f"{has} happened{where}", window(spec))))
        parts = [self._named(part) for part in dict.fromkeys(walk(side)) if isinstance(part, Feature)]
        return f"{self._named(side)} ({', '.join(parts)})" if isinstance(side, Arithmetic) else self._named(side)

    def _named(self, side: Expr) -> str:
        """Return a side with its value, and the calendar it is counted by."""
        value = self._value(side)
        if self._plain(side) is _UNKNOWN:
            return f"{self._formula(side)} {value}"
        when = window(self._specs[side.name]) if isinstance(side, Feature) and self._by_calendar(side) else ""
        return f"{self._formula(side)} is {value} {when}".rstrip()

    def _by_calendar(self, side: Feature) -> bool:
        return self._specs[side.name].calendar is not None

    def _formula(self, side: Expr) -> str:
        """Return a side as an author would write it."""
        match side:
            case Feature(name):
                return name
            case Arithmetic(sign, left, right):
                in_money = sign in "+-" and self._is_money(side)
                return f"{self._operand(left, in_money)} {sign} {self._operand(right, in_money)}"
        assert isinstance(side, Const)
        return repr(side.value)

    def _operand(self, side: Expr, in_money: bool) -> str:
        if isinstance(side, Const):
            return self._say(side.value, in_money)
        return f"({self._formula(side)})" if isinstance(side, Arithmetic) else self._formula(side)

    # --- words: what has to be

    def _is_but_needs(self, leaf: Expr) -> str:
        if isinstance(leaf, Segment) and self.truth(leaf) is not True:
            return f"{self._is(leaf)} ({self.missing(self._condition(leaf.name))}), needs {self._needs(leaf)}"
        return f"{self._is(leaf)}, needs {self._needs(leaf)}"

    def _needs(self, leaf: Expr) -> str:
        """Return the operator and the other side: the right one, or the left with the operator turned round."""
        side = _compared(leaf)
        match leaf:
            case Segment():
                return "to be in it"
            case Or(of):
                others = [self._beside(side, part.right) for part in of if isinstance(part, Compare)]
                return f"one of {', '.join(others)}"
            case Compare(op, left, right):
                if isinstance(side, Feature) and self._specs[side.name].kind == "exists":
                    return self._needs_happening(op, left if side is right else right)
                return (
                    f"{op} {self._beside(side, right)}" if side is left else f"{_TURNED[op]} {self._beside(side, left)}"
                )
        raise TypeError(f"expected a comparison or a segment, got {type(leaf).__name__}")

    def _needs_happening(self, op: Op, other: Expr) -> str:
        wanted = isinstance(other, Const) and (other.value is True) == (op == "==")
        return "to have happened" if wanted else "not to have happened"

    def _beside(self, side: Expr, other: Expr) -> str:
        """Return what a side is compared with."""
        if isinstance(other, Const):
            is_ago = isinstance(side, Feature) and self._specs[side.name].kind == "since"
            return duration(int(other.value)) if is_ago else self._say(other.value, self._is_money(side))
        verb = "which" if self._plain(other) is _UNKNOWN else "which is"
        return f"{self._formula(other)}, {verb} {self._value(other)}"

    # --- words: values

    def _value(self, side: Expr) -> str:
        value = self._plain(side)
        if value is _UNKNOWN:
            caps = [
                self._specs[part.name].told_apart
                for part in walk(side)
                if isinstance(part, Feature) and self._plain(part) is _UNKNOWN
            ]
            return f"cannot be told: more than {min(caps):,} different values"
        if isinstance(side, Feature):
            if value is not None and self._specs[side.name].kind == "since":
                return duration(int(value))
            shown = self._values.get(side.name)
            if isinstance(shown, list | tuple):  # money with its own currency
                return self._say(shown[0], True, shown[1])
        return self._say(value, self._is_money(side))

    def _is_money(self, side: Expr) -> bool:
        """Say whether a side is an amount of money: money times or over a number is, money over money is not."""
        match side:
            case Feature(name):
                spec = self._specs[name]
                return spec.type == "money" or ((spec.event, spec.field) in self._money and spec.kind == "mean")
            case Arithmetic(sign, left, right):
                if sign == "/":
                    return self._is_money(left) and not self._is_money(right)
                return self._is_money(left) or self._is_money(right)
        return False

    def _say(self, value: Any, is_money: bool, currency: str = "") -> str:
        """Return a value, or what it is compared with, as people say it."""
        if value is None:
            return "never"
        return str(Money.of_minor(round(value), currency or self._currency)) if is_money else repr(value)


def window(spec: FeatureSpec) -> str:
    """Return the window of a feature as people say it; "" for all time.

    >>> from livepost.model.compiled import CalendarSpec, FeatureSpec
    >>> window(FeatureSpec(name="views", kind="count", event="Viewed", over_ms=30 * 86_400_000))
    'in the last 30 days'
    >>> calendar = CalendarSpec(unit="week", times=1, zone="Europe/Berlin")
    >>> window(FeatureSpec(name="views", kind="count", event="Viewed", calendar=calendar))
    'this week (Europe/Berlin)'
    """
    if spec.calendar is not None:
        return _units(spec.calendar)
    return "" if spec.over_ms is None else f"in the last {duration(spec.over_ms)}"


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


def _units(calendar: CalendarSpec) -> str:
    """Return the units of a calendar window: the one at hand, and those before it."""
    now = "today" if calendar.unit == "day" else f"this {calendar.unit}"
    before = {1: "", 2: f" and the {calendar.unit} before"}
    more = before.get(calendar.times, f" and the {calendar.times - 1} {calendar.unit}s before")
    return f"{now}{more} ({calendar.zone})"


def _all(parts: list[Truth]) -> Truth:
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def _negated(part: Truth) -> Truth:
    return None if part is None else not part


def _computed(sign: Sign, left: Any, right: Any) -> Any:
    """Return `left sign right` in double precision: never before unknown before a number."""
    if left is None or right is None or (sign == "/" and right is not _UNKNOWN and right == 0):
        return None
    if left is _UNKNOWN or right is _UNKNOWN:
        return _UNKNOWN
    result = _SIGNS[sign](float(left), float(right))
    return result if math.isfinite(result) else None


def _leaves(node: Expr) -> Iterator[Expr]:
    """Yield what a condition is made of: comparisons, choices among constants, segments."""
    if _is_leaf(node):
        yield node
        return
    match node:
        case And(of) | Or(of):
            for part in of:
                yield from _leaves(part)
        case Not(of):
            yield from _leaves(of)


def _is_leaf(node: Expr) -> bool:
    return isinstance(node, Compare | Segment) or (isinstance(node, Or) and _is_choice(node))


def _is_choice(node: Or) -> bool:
    """Say whether an Or is what `in_` compiles to: one side, and each of some constants."""
    sides = {part.left for part in node.of if isinstance(part, Compare)}
    return len(sides) == 1 and all(
        isinstance(part, Compare) and part.op == "==" and isinstance(part.right, Const) for part in node.of
    )


def _compared(leaf: Expr) -> Expr:
    """Return the side that a leaf is about: the left one, unless that is a constant."""
    match leaf:
        case Or(of):
            return _compared(of[0])
        case Compare(_, left, right):
            return right if isinstance(left, Const) else left
    return leaf
