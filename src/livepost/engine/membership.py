"""Who is in a segment at each moment, and when time alone can change that.

`Values` reads features at the items of a round; `evaluate` tells of conditions over them what holds, and when it
can flip by itself: early perhaps, never late (SEMANTICS).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from livepost.engine.program import MICRO, Program, Reading
from livepost.engine.row import NEVER, Bools, Ints
from livepost.engine.window import Runs
from livepost.expr import And, Compare, Const, Expr, Feature, Not, Op, Or, walk
from livepost.model.moment import NO_DUE

Numbers = npt.NDArray[Any]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Values:
    """Features at the items of a round.

    at      time of each item (ms)
    runs    the tiles, or None where no feature is windowed
    sums    per lifetime slot, the running sum at each item
    lasts   per `since` slot, the newest effective_ts at each item (NEVER where there is none)
    picks   per pick number, the running value at each item (objects, money in minor units; None is never)
    """

    def __init__(
        self,
        program: Program,
        at: Ints,
        runs: Runs | None,
        sums: list[Ints],
        lasts: list[Ints],
        picks: dict[int, npt.NDArray[np.object_]],
    ) -> None:
        self.program = program
        self.at = at
        self.runs = runs
        self.sums = sums
        self.lasts = lasts
        self.picks = picks

    def number(self, reading: Reading) -> tuple[Numbers, Bools | None]:
        """Return a numeric feature's value at each item, and where it is there (None: everywhere)."""
        if reading.last is not None:
            last = self.lasts[reading.last]
            return self.at - last, last != NEVER
        if reading.spec.kind == "count":
            return self._sum(reading, reading.count), None
        total = self._sum(reading, reading.total)
        scaled = total / MICRO if reading.micro else total
        if reading.spec.kind == "total":
            return scaled, None
        count = self._sum(reading, reading.count)
        return scaled / np.maximum(count, 1), count > 0

    def _sum(self, reading: Reading, slot: int | None) -> Ints:
        assert slot is not None
        if not reading.windowed:
            return self.sums[slot]
        assert self.runs is not None
        return self.runs.sums(slot)


Evaluated: TypeAlias = tuple[Bools, Ints]
"""Whether a condition holds at each item, and the earliest time after it (ms) at which time alone may change that."""

Falls: TypeAlias = dict[Compare, Ints]
"""By leaf that compares a windowed sum with a constant: when, per item, the sum falls so far that the answer flips."""


def evaluate(conditions: Sequence[Expr], values: Values) -> list[Evaluated]:
    """Return what holds and when it may flip, for each condition."""
    falls = _falls(conditions, values)
    return [_evaluate(condition, values, falls) for condition in conditions]


def _evaluate(condition: Expr, values: Values, falls: Falls) -> Evaluated:
    match condition:
        case And(of):
            return _joined([_evaluate(part, values, falls) for part in of], whole=True)
        case Or(of):
            return _joined([_evaluate(part, values, falls) for part in of], whole=False)
        case Not(of):
            answer, flip = _evaluate(of, values, falls)
            return ~answer, flip
        case Compare():
            return _compare(condition, values), falls[condition] if condition in falls else _leaf_flip(
                condition, values
            )
    raise TypeError(f"expected a condition, got {type(condition).__name__}")


def _joined(parts: list[Evaluated], whole: bool) -> Evaluated:
    """Join the parts of an And (`whole` True) or an Or (False): it is `whole` where all its parts are.

    Where it is, the first part to flip ends that. Where it is not, all parts against it must flip first, so it is due
    at the last of these: most of what falls due in one leaf cannot change its segment, and need not be served.
    """
    against = np.array([answer for answer, _ in parts]) != whole
    flips = np.array([flip for _, flip in parts])
    held_back = against.any(axis=0)
    last = np.max(flips, axis=0, where=against, initial=0)
    return held_back != whole, np.where(held_back, last, flips.min(axis=0))


def _compare(leaf: Compare, values: Values) -> Bools:
    left, right = leaf.left, leaf.right
    if isinstance(left, Const) and isinstance(right, Const):
        return np.full(len(values.at), bool(_OPERATORS[leaf.op](left.value, right.value)))
    picked = [side for side in (left, right) if isinstance(side, Feature) and _reading(side, values).pick is not None]
    if picked:
        return _compare_objects(leaf, values)
    if isinstance(left, Feature) and isinstance(right, Feature) and _reading(left, values).last is not None:
        return _compare_since(leaf.op, left, right, values)
    (a, a_there), (b, b_there) = _side(left, values), _side(right, values)
    answer = _OPERATORS[leaf.op](a, b)
    for there in (a_there, b_there):
        if there is not None:
            answer = answer & there
    return np.broadcast_to(np.asarray(answer, bool), values.at.shape)


def _compare_since(op: str, left: Feature, right: Feature, values: Values) -> Bools:
    """Compare two `since`: never is infinitely long ago for > and <, and makes every other comparison false."""
    a, b = (values.lasts[_reading(side, values).last or 0] for side in (left, right))
    both = (a != NEVER) & (b != NEVER)
    answer = _OPERATORS[op](-a, -b) & both
    if op == ">":
        answer = answer | ((a == NEVER) & (b != NEVER))
    if op == "<":
        answer = answer | ((b == NEVER) & (a != NEVER))
    return np.asarray(answer, bool)


def _compare_objects(leaf: Compare, values: Values) -> Bools:
    compare = _OPERATORS[leaf.op]
    left, right = _objects(leaf.left, values), _objects(leaf.right, values)
    pairs = zip(left, right, strict=True)
    return np.fromiter((a is not None and b is not None and _sound(compare, a, b) for a, b in pairs), bool, len(left))


def _sound(compare: Callable[[Any, Any], Any], a: object, b: object) -> bool:
    """Compare two values; values of kinds that cannot be ordered against each other do not compare."""
    try:
        return bool(compare(a, b))
    except TypeError:
        return False


def _objects(side: Expr, values: Values) -> npt.NDArray[np.object_]:
    if isinstance(side, Const):
        return np.full(len(values.at), side.value, object)
    assert isinstance(side, Feature)
    reading = _reading(side, values)
    if reading.pick is not None:
        return values.picks[reading.pick]
    numbers, there = values.number(reading)
    objects = numbers.astype(object)
    if there is not None:
        objects[~there] = None
    return objects


def _side(side: Expr, values: Values) -> tuple[Any, Bools | None]:
    if isinstance(side, Const):
        return side.value, None
    assert isinstance(side, Feature)
    return values.number(_reading(side, values))


def _falls(conditions: Sequence[Expr], values: Values) -> Falls:
    leaves = {leaf: slot for leaf in _leaves(conditions) if (slot := _falling(leaf, values)) is not None}
    if values.runs is None or not leaves:
        return {}
    least = [_least(leaf, values.runs.sums(slot)) for leaf, slot in leaves.items()]
    flips = values.runs.falls_below(np.array(list(leaves.values())), np.array(least))
    return dict(zip(leaves, flips, strict=True))


def _leaves(conditions: Sequence[Expr]) -> Iterator[Compare]:
    for condition in conditions:
        for node in walk(condition):
            if isinstance(node, Compare):
                yield node


def _falling(leaf: Compare, values: Values) -> int | None:
    """Return the slot of the windowed sum that the leaf compares with a constant, None if it is no such leaf."""
    left, right, _ = _constant_right(leaf)
    if not isinstance(left, Feature) or not isinstance(right, Const) or isinstance(right.value, str):
        return None
    reading = _reading(left, values)
    if not reading.windowed or reading.micro or reading.spec.kind not in ("count", "total"):
        return None
    return reading.count if reading.spec.kind == "count" else reading.total


def _constant_right(leaf: Compare) -> tuple[Expr, Expr, Op]:
    """Return the leaf's sides and operator, turned round if a constant stands on the left."""
    if isinstance(leaf.left, Const):
        return leaf.right, leaf.left, _MIRRORED[leaf.op]
    return leaf.left, leaf.right, leaf.op


def _leaf_flip(leaf: Compare, values: Values) -> Ints:
    left, right, op = _constant_right(leaf)
    if not isinstance(left, Feature):
        return np.full(len(values.at), NO_DUE)
    reading = _reading(left, values)
    if isinstance(right, Feature):
        return np.minimum(_any_expiry(reading, values), _any_expiry(_reading(right, values), values))
    assert isinstance(right, Const)
    if reading.last is not None:
        return _since_flip(values.lasts[reading.last], op, right.value, values.at)
    return _any_expiry(reading, values)


def _since_flip(last: Ints, op: str, constant: Any, at: Ints) -> Ints:
    """Return last + d for >= and <, last + d + 1 for > and <=, both for == and !=, where that is still to come."""
    passes = math.ceil(constant) if op in (">=", "<", "==", "!=") else math.floor(constant) + 1
    first, second = last + passes, last + math.floor(constant) + 1
    later = np.where(second > at, second, NO_DUE) if op in ("==", "!=") else NO_DUE
    return np.where(last == NEVER, NO_DUE, np.where(first > at, first, later))


def _least(leaf: Compare, now: Ints) -> Ints:
    """Return the smallest integer sum that keeps the leaf's present answer, while sums only fall."""
    _, right, op = _constant_right(leaf)
    assert isinstance(right, Const)
    constant: Any = right.value
    at_least, above = math.ceil(constant), math.floor(constant) + 1
    if op in (">=", "<"):
        return np.full(len(now), at_least)
    if op in (">", "<="):
        return np.full(len(now), above)
    return np.where(now >= above, above, at_least)


def _any_expiry(reading: Reading, values: Values) -> Ints:
    if not reading.windowed or values.runs is None or reading.pick is not None:
        return np.full(len(values.at), NO_DUE)
    slots = [slot for slot in (reading.total, reading.count) if slot is not None]
    return np.minimum.reduce([values.runs.next_expiry(slot) for slot in slots])


def _reading(side: Feature, values: Values) -> Reading:
    return values.program.readings[side.name]


_MIRRORED: dict[Op, Op] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
