"""Who is in a segment at each moment, and when time alone can change that.

`Values` reads features at the items of a round; `inside` evaluates a condition over them; `next_flip` gives, per item,
the earliest later time at which a leaf can flip by itself: early perhaps, never late (SEMANTICS).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

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


def inside(condition: Expr, values: Values) -> Bools:
    """Return whether the condition holds at each item."""
    match condition:
        case And(of):
            return np.logical_and.reduce([inside(part, values) for part in of])
        case Or(of):
            return np.logical_or.reduce([inside(part, values) for part in of])
        case Not(of):
            return ~inside(of, values)
        case Compare():
            return _compare(condition, values)
    raise TypeError(f"expected a condition, got {type(condition).__name__}")


def next_flip(condition: Expr, values: Values) -> Ints:
    """Return, per item, the earliest time after it (ms) at which time alone may change the condition's value."""
    earliest = np.full(len(values.at), NO_DUE)
    for node in walk(condition):
        if isinstance(node, Compare):
            earliest = np.minimum(earliest, _leaf_flip(node, values))
    return earliest


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


def _leaf_flip(leaf: Compare, values: Values) -> Ints:
    left, right, op = leaf.left, leaf.right, leaf.op
    if isinstance(left, Const):
        left, right, op = right, left, _MIRRORED[op]
    if not isinstance(left, Feature):
        return np.full(len(values.at), NO_DUE)
    reading = _reading(left, values)
    if isinstance(right, Const):
        return _flip_against_constant(reading, op, right.value, values)
    assert isinstance(right, Feature)
    return np.minimum(_any_expiry(reading, values), _any_expiry(_reading(right, values), values))


def _flip_against_constant(reading: Reading, op: str, constant: Any, values: Values) -> Ints:
    if reading.last is not None:
        return _since_flip(values.lasts[reading.last], op, constant, values.at)
    slot = reading.count if reading.spec.kind == "count" else reading.total
    exact = reading.windowed and reading.spec.kind in ("count", "total") and not reading.micro
    if not exact or slot is None or values.runs is None or isinstance(constant, str):
        return _any_expiry(reading, values)
    return values.runs.falls_below(slot, _least(op, constant, values.runs.sums(slot)))


def _since_flip(last: Ints, op: str, constant: Any, at: Ints) -> Ints:
    """Return last + d for >= and <, last + d + 1 for > and <=, both for == and !=, where that is still to come."""
    passes = math.ceil(constant) if op in (">=", "<", "==", "!=") else math.floor(constant) + 1
    first, second = last + passes, last + math.floor(constant) + 1
    later = np.where(second > at, second, NO_DUE) if op in ("==", "!=") else NO_DUE
    return np.where(last == NEVER, NO_DUE, np.where(first > at, first, later))


def _least(op: str, constant: Any, now: Ints) -> Ints:
    """Return the smallest integer sum that keeps the leaf's present answer, while sums only fall."""
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
