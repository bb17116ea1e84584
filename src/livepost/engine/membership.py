"""Who is in a segment at each moment, where that cannot be known, and when time alone can change the answer.

In come features at the items of a round (engine.values); `Conditions` tell of them what holds, what is
unknown, and when that can flip by itself: early perhaps, never late (SEMANTICS).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from livepost.engine.program import Program, Reading
from livepost.engine.row import NEVER, Bools, Ints
from livepost.engine.values import Side, Values
from livepost.expr import And, Arithmetic, Compare, Const, Expr, Feature, Not, Op, Or, walk
from livepost.model.moment import NO_DUE

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


NEVER_PASSED = (1 << 63) - 1
"""More than any sum."""


class Evaluated(NamedTuple):
    """A condition at each item: where it holds, where it is unknown (None: nowhere), and the earliest time after the
    item (ms) at which time alone may change either.
    """

    holds: Bools
    unknown: Bools | None
    flip: Ints


class _Leaves(NamedTuple):
    """Leaves that compare a windowed sum with a constant, one behind the other: `slots` are the sums, and what an
    integer sum is compared with, as a column: it is past `low`, and not past `high`, where the comparison holds; the
    other way round where it is `negated`.
    """

    slots: Ints
    low: Ints
    high: Ints
    negated: Bools


class _Plain(NamedTuple):
    """Any other leaf: the features with a window in it; and where it compares a `since` with a constant, that one, the
    operator and the constant.
    """

    leaf: Compare
    windowed: list[Reading]
    since: tuple[Reading, Op, Any] | None


class _Joint(NamedTuple):
    """An And (`whole`) or an Or of its parts."""

    parts: list[_Tree]
    whole: bool


class _Negation(NamedTuple):
    of: _Tree


_Tree: TypeAlias = "int | _Joint | _Negation"
"""A condition, with its leaves by number."""


class Conditions:
    """Conditions over the features of a program, made ready: what depends on these alone is found out once."""

    def __init__(self, conditions: Sequence[Expr], program: Program) -> None:
        """Make conditions ready; raises TypeError for what is none."""
        leaves = dict.fromkeys(_leaves(conditions))
        falling = {leaf: slot for leaf in leaves if (slot := _falling(leaf, program)) is not None}
        self._falling = _falling_leaves(falling)
        self._plain = [_plain(leaf, program) for leaf in leaves if leaf not in falling]
        number = {leaf: number for number, leaf in enumerate([*falling, *(one.leaf for one in self._plain)])}
        self._trees = [_tree(condition, number) for condition in conditions]

    def evaluate(self, values: Values) -> list[Evaluated]:
        """Return what holds, what is unknown and when that may flip, for each condition."""
        told = _fallen(self._falling, values) if len(self._falling.slots) else []
        told += [Evaluated(*_compare(one.leaf, values), _plain_flip(one, values)) for one in self._plain]
        return [_evaluated(tree, told) for tree in self._trees]


def _tree(condition: Expr, number: Mapping[Compare, int]) -> _Tree:
    match condition:
        case And(of) | Or(of):
            return _Joint([_tree(part, number) for part in of], isinstance(condition, And))
        case Not(of):
            return _Negation(_tree(of, number))
        case Compare():
            return number[condition]
    raise TypeError(f"expected a condition, got {type(condition).__name__}")


def _evaluated(tree: _Tree, leaves: list[Evaluated]) -> Evaluated:
    """Put a condition together from its leaves."""
    if isinstance(tree, int):
        return leaves[tree]
    if isinstance(tree, _Joint):
        return _joined([_evaluated(part, leaves) for part in tree.parts], tree.whole)
    holds, unknown, flip = _evaluated(tree.of, leaves)
    return Evaluated(~holds if unknown is None else ~(holds | unknown), unknown, flip)


def _falling_leaves(leaves: Mapping[Compare, int]) -> _Leaves:
    low, high, negated = [], [], []
    for leaf in leaves:
        _, right, op = _constant_right(leaf)
        assert isinstance(right, Const)
        constant = _bounded(right.value)
        at_least, above = math.ceil(constant), math.floor(constant) + 1
        low.append(above if op in (">", "<=") else at_least)
        high.append(above if op in ("==", "!=") else NEVER_PASSED)
        negated.append(op in ("<", "<=", "!="))
    column = (len(leaves), 1)
    return _Leaves(
        np.array([*leaves.values()], np.int64),
        np.array(low, np.int64).reshape(column),
        np.array(high, np.int64).reshape(column),
        np.array(negated, bool).reshape(column),
    )


def _fallen(leaves: _Leaves, values: Values) -> list[Evaluated]:
    """Return the leaves all at once: a call of numpy costs as much as hundreds of answers."""
    assert values.runs is not None
    now = values.runs.sums(leaves.slots)
    past = now >= leaves.high
    holds = ((now >= leaves.low) & ~past) ^ leaves.negated
    least = np.where(past, leaves.high, leaves.low)
    return [Evaluated(*one) for one in zip(holds, repeat(None), values.runs.falls_below(leaves.slots, least))]


def _plain(leaf: Compare, program: Program) -> _Plain:
    readings = [program.readings[node.name] for node in walk(leaf) if isinstance(node, Feature)]
    left, right, op = _constant_right(leaf)
    since = None
    if isinstance(right, Const) and isinstance(left, Feature) and program.readings[left.name].spec.kind == "since":
        since = program.readings[left.name], op, right.value
    return _Plain(leaf, [reading for reading in readings if reading.windowed], since)


def _joined(parts: list[Evaluated], whole: bool) -> Evaluated:
    """Join the parts of an And (`whole` True) or an Or (False): it is `whole` where all its parts are, not where one is
    against it, else unknown.

    Where parts are against it, all of these must flip first, so it is due at the last of them: most of what falls due
    in one leaf cannot change its segment, and need not be served. Else it is due with the first part of all, for that
    may end what holds, or tell what is unknown.
    """
    unknown = _any([part.unknown for part in parts])
    against = [~part.holds if whole else part.holds for part in parts]
    if unknown is not None:
        known = [~_mask(part.unknown, len(unknown)) for part in parts]
        against = [one & sure for one, sure in zip(against, known, strict=True)]
    held_back = reduce(np.logical_or, against)
    last = reduce(np.maximum, [part.flip * one for part, one in zip(parts, against, strict=True)])
    flip = np.where(held_back, last, reduce(np.minimum, [part.flip for part in parts]))
    holds = ~held_back if whole else held_back
    if unknown is None:
        return Evaluated(holds, None, flip)
    unknown = unknown & ~held_back
    return Evaluated(holds & ~unknown, unknown, flip)


def _mask(mask: Bools | None, size: int) -> Bools:
    return np.zeros(size, bool) if mask is None else mask


def _compare(leaf: Compare, values: Values) -> tuple[Bools, Bools | None]:
    """Return where a comparison holds, and where it is unknown."""
    left, right, shape = leaf.left, leaf.right, values.at.shape
    if _is_since(left, values) and _is_since(right, values):
        return _compare_since(leaf.op, left, right, values), None
    a, b = _side(left, values), _side(right, values)
    there, unknown = _all([a.there, b.there]), _any([a.unknown, b.unknown])
    answer = _answer(_OPERATORS[leaf.op], a.value, b.value, len(values.at))
    if answer.shape != shape:
        answer = np.broadcast_to(answer, shape)
    if there is not None:
        answer = answer & there
    if unknown is None:
        return answer, None
    return answer & ~unknown, np.broadcast_to(unknown if there is None else unknown & there, shape)


def _answer(compare: Callable[[Any, Any], Any], a: Any, b: Any, size: int) -> Bools:
    if not _is_objects(a) and not _is_objects(b):
        return np.asarray(compare(a, b), bool)
    pairs = zip(_objects(a, size), _objects(b, size), strict=True)
    return np.fromiter((_sound(compare, one, other) for one, other in pairs), bool, size)


def _compare_since(op: str, left: Expr, right: Expr, values: Values) -> Bools:
    """Compare two `since`: never is infinitely long ago for > and <, and makes every other comparison false."""
    a, b = (values.last(_reading(side, values)) for side in (left, right))
    both = (a != NEVER) & (b != NEVER)
    answer = _OPERATORS[op](-a, -b) & both
    if op == ">":
        answer = answer | ((a == NEVER) & (b != NEVER))
    if op == "<":
        answer = answer | ((b == NEVER) & (a != NEVER))
    return np.asarray(answer, bool)


def _sound(compare: Callable[[Any, Any], Any], a: object, b: object) -> bool:
    """Compare two values; values of kinds that cannot be ordered against each other do not compare."""
    try:
        return bool(compare(a, b))
    except TypeError:
        return False


def _side(side: Expr, values: Values) -> Side:
    match side:
        case Const(constant):
            return Side(constant)
        case Arithmetic():
            return _computed(side, values)
    return values.side(_reading(side, values))


def _computed(node: Arithmetic, values: Values) -> Side:
    """Return what arithmetic gives, in double precision: never where a side is, where it divides by zero, and where
    the result is not finite. What is never or unknown has no number (NaN) to get there by.
    """
    a, b = _side(node.left, values), _side(node.right, values)
    dividend, divisor = _doubles(a.value), _doubles(b.value)
    with np.errstate(all="ignore"):
        result = np.asarray(_OPERATORS[node.sign](dividend, divisor))
    unknown = _any([a.unknown, b.unknown])
    sound = np.isfinite(result) if unknown is None else np.isfinite(result) | unknown
    there = _all([a.there, b.there, sound, divisor != 0 if node.sign == "/" else None])
    return Side(result, there, unknown)


def _doubles(value: Any) -> npt.NDArray[np.float64]:
    if _is_objects(value):
        return np.array([math.nan if one is None else float(one) for one in value])
    return np.asarray(value, np.float64)


def _is_objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object


def _objects(value: Any, size: int) -> list[Any]:
    """Return a side's values one by one."""
    array = np.asarray(value)
    return list(array.tolist()) if array.shape else [value] * size


def _any(masks: Sequence[Bools | None]) -> Bools | None:
    """Return where any of the masks is set; None is nowhere."""
    given = [mask for mask in masks if mask is not None]
    return np.logical_or.reduce(given) if given else None


def _all(masks: Sequence[Bools | None]) -> Bools | None:
    """Return where all of the masks are set; None is everywhere."""
    given = [mask for mask in masks if mask is not None]
    return reduce(operator.and_, given) if given else None


def _leaves(conditions: Sequence[Expr]) -> Iterator[Compare]:
    for condition in conditions:
        for node in walk(condition):
            if isinstance(node, Compare):
                yield node


def _falling(leaf: Compare, program: Program) -> int | None:
    """Return the slot of the windowed sum that the leaf compares with a constant, None if it is no such leaf."""
    left, right, _ = _constant_right(leaf)
    if not isinstance(left, Feature) or not isinstance(right, Const) or isinstance(right.value, str):
        return None
    reading = program.readings[left.name]
    if not reading.windowed or reading.micro or reading.spec.kind not in ("count", "total"):
        return None
    return reading.count if reading.spec.kind == "count" else reading.total


def _constant_right(leaf: Compare) -> tuple[Expr, Expr, Op]:
    """Return the leaf's sides and operator, turned round if a constant stands on the left."""
    if isinstance(leaf.left, Const):
        return leaf.right, leaf.left, _MIRRORED[leaf.op]
    return leaf.left, leaf.right, leaf.op


def _plain_flip(leaf: _Plain, values: Values) -> Ints:
    """Return the first expiry among the leaf's features; a `since` compared with a constant passes that, too."""
    flips = [values.expiry(reading) for reading in leaf.windowed]
    if leaf.since is not None:
        since, op, constant = leaf.since
        flips.append(_since_flip(values.last(since), op, constant, values.at))
    return reduce(np.minimum, flips) if flips else np.full(len(values.at), NO_DUE)


def _since_flip(last: Ints, op: str, constant: Any, at: Ints) -> Ints:
    """Return last + d for >= and <, last + d + 1 for > and <=, both for == and !=, where that is still to come."""
    constant = _bounded(constant)
    passes = math.ceil(constant) if op in (">=", "<", "==", "!=") else math.floor(constant) + 1
    first, second = last + passes, last + math.floor(constant) + 1
    later = np.where(second > at, second, NO_DUE) if op in ("==", "!=") else NO_DUE
    return np.where(last == NEVER, NO_DUE, np.where(first > at, first, later))


def _bounded(constant: Any) -> Any:
    """Return a constant no further off than any number or time it is compared with."""
    return max(min(constant, NO_DUE), -NO_DUE)


def _is_since(side: Expr, values: Values) -> bool:
    return isinstance(side, Feature) and _reading(side, values).spec.kind == "since"


def _reading(side: Expr, values: Values) -> Reading:
    assert isinstance(side, Feature)
    return values.program.readings[side.name]


_MIRRORED: dict[Op, Op] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
