"""Segments' conditions made ready: other segments written out, and what the engine cannot serve refused.

In come the specs of a compiled project, out go trees over features alone. Promised: what is let through has an answer
at every moment, and is due whenever time alone changes that (SEMANTICS).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livepost.errors import ProjectError
from livepost.expr import And, Arithmetic, Compare, Const, Expr, Feature, Field, Not, Or, Segment, walk
from livepost.model.compiled import Compiled, FeatureSpec, SegmentSpec

NODES_MAX = 10_000
"""So many nodes a condition may have, the segments in it written out: each costs time at every evaluation."""

NUMBERS = ("int", "float", "money")


def expanded(segments: Sequence[SegmentSpec]) -> dict[str, Expr]:
    """Return each segment's condition by its name, with the conditions of other segments in their place.

    Raises ProjectError for a segment that is not there, that stands for itself, or that gets larger than NODES_MAX.
    """
    return _Expansion({spec.name: msgspec.convert(spec.condition, Expr) for spec in segments}).all()


def refuse_unservable(segment: str, condition: Expr, compiled: Compiled) -> None:
    """Raise ProjectError for what a condition cannot ask: in one sentence, which segment and why."""
    features = {spec.name: spec for spec in compiled.features}
    for node in walk(condition):
        match node:
            case Field(name):
                raise ProjectError(f"segment {segment}: field {name!r} is of an event; compare features of the person")
            case Feature(name):
                _refuse_feature(segment, name, features)
            case Arithmetic(_, left, right):
                for side in (left, right):
                    _refuse_term(segment, side, features)
            case Compare():
                _refuse_comparison(segment, node, features)


class _Expansion:
    def __init__(self, written: dict[str, Expr]) -> None:
        self._written = written
        self._done: dict[str, Expr] = {}
        self._sizes: dict[str, int] = {}

    def all(self) -> dict[str, Expr]:
        return {name: self._segment(name, ()) for name in self._written}

    def _segment(self, name: str, within: tuple[str, ...]) -> Expr:
        if name in within:
            raise ProjectError(f"segment {name}: stands for itself, by way of {' -> '.join((*within, name))}")
        if name not in self._written:
            raise ProjectError(f"segment {within[-1]}: there is no segment {name!r}")
        if name not in self._done:
            self._done[name] = self._expanded(self._written[name], (*within, name))
            self._sizes[name] = self._size(name)
        return self._done[name]

    def _expanded(self, node: Expr, within: tuple[str, ...]) -> Expr:
        match node:
            case Segment(name):
                return self._segment(name, within)
            case And(of):
                return And(tuple(self._expanded(part, within) for part in of))
            case Or(of):
                return Or(tuple(self._expanded(part, within) for part in of))
            case Not(of):
                return Not(self._expanded(of, within))
        return node

    def _size(self, name: str) -> int:
        """Return how many nodes a segment has, by what is known of those in it; refuse it if they are too many."""
        nodes = [*walk(self._written[name])]
        size = sum(self._sizes[node.name] if isinstance(node, Segment) else 1 for node in nodes)
        if size > NODES_MAX:
            raise ProjectError(
                f"segment {name}: expected at most {NODES_MAX} nodes, got {size} with the segments in it written out; "
                "write it with fewer"
            )
        return size


def _refuse_feature(segment: str, name: str, features: dict[str, FeatureSpec]) -> None:
    spec = features.get(name)
    if spec is None:
        raise ProjectError(f"segment {segment}: there is no feature {name!r}")
    if spec.personal:
        raise ProjectError(f"segment {segment}: {name} is personal and cannot be compared")
    if spec.kind in ("recent", "top"):
        raise ProjectError(f"segment {segment}: {name} is a list and cannot be compared")


def _refuse_term(segment: str, side: Expr, features: dict[str, FeatureSpec]) -> None:
    """Refuse what arithmetic has no number for, and `since`, which would change all the time."""
    match side:
        case Arithmetic():
            return
        case Const(value) if isinstance(value, int | float) and not isinstance(value, bool):
            return
        case Feature(name):
            spec = features.get(name)
            if spec is None or (spec.type in NUMBERS and spec.kind != "since"):
                return
            raise ProjectError(f"segment {segment}: arithmetic is of numbers and money; {name} is neither")
    raise ProjectError(f"segment {segment}: arithmetic is of features and constants that are numbers or money")


def _refuse_comparison(segment: str, leaf: Compare, features: dict[str, FeatureSpec]) -> None:
    for side, other in ((leaf.left, leaf.right), (leaf.right, leaf.left)):
        if not isinstance(side, Feature | Field | Const | Arithmetic):
            raise ProjectError(f"segment {segment}: compare features, constants and arithmetic of these only")
        if not _is_since(side, features) or _is_since(other, features):
            continue
        if not isinstance(other, Const) or isinstance(other.value, str | bool):
            said = other.name if isinstance(other, Feature) else "something else"
            raise ProjectError(f"segment {segment}: compare since() with since() or a duration, not with {said}")


def _is_since(side: Expr, features: dict[str, FeatureSpec]) -> bool:
    return isinstance(side, Feature) and side.name in features and features[side.name].kind == "since"
