"""A compiled project made ready to run: features become slots, conditions become trees over slots.

Three kinds of slots hold numbers: *tiles* (windowed sums), *sums* (lifetime) and *lasts* (time of the newest record,
for `since`). Picks (`latest first recent top`) hold values and are folded one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from livepost.errors import ProjectError
from livepost.expr import Compare, Const, Expr, Feature, Field, Segment, walk
from livepost.expr.evaluate import holds
from livepost.model.compiled import Compiled, FeatureSpec

MICRO = 1_000_000
TILE_SLOTS_MAX = 255
NUMERIC = ("count", "total", "mean")
PICKS = ("latest", "first", "recent", "top")

Where = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class TileSlot:
    """A windowed sum: `counts` says whether it adds 1 or the field's value. Times in ms; the grid is whole seconds."""

    number: int
    grid_ms: int
    over_ms: int
    counts: bool


@dataclass(frozen=True)
class Reading:
    """How a feature's number is read at a moment: from tile slots, sums or a last; mean divides `total` by `count`.

    `micro`: the field is a float, its sums are in units of 1e-6.
    """

    spec: FeatureSpec
    micro: bool = False
    total: int | None = None
    count: int | None = None
    last: int | None = None
    pick: int | None = None

    @property
    def windowed(self) -> bool:
        """Whether the numbers stand in tiles."""
        return self.spec.over_ms is not None


@dataclass(frozen=True)
class Feed:
    """What one event brings to one feature."""

    reading: Reading
    where: Where | None

    @property
    def field(self) -> str | None:
        """The field the feature takes, if it takes one."""
        return self.reading.spec.field


@dataclass(frozen=True)
class Rule:
    """A segment ready to evaluate."""

    name: str
    version: str
    condition: Expr


class Program:
    """Slots, feeds by event name, and segments of one compiled project; immutable after construction."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.hash = compiled.hash()
        self.tiles: list[TileSlot] = []
        self.sums = 0
        self.lasts = 0
        self.picks: list[FeatureSpec] = []
        self.readings: dict[str, Reading] = {spec.name: self._reading(spec) for spec in compiled.features}
        self.rules = [Rule(s.name, s.version, msgspec.convert(s.condition, Expr)) for s in compiled.segments]
        self.feeds: dict[str, list[Feed]] = {}
        for reading in self.readings.values():
            self.feeds.setdefault(reading.spec.event, []).append(Feed(reading, where_of(reading.spec.where)))
        if len(self.tiles) > TILE_SLOTS_MAX:
            raise ProjectError(
                f"expected at most {TILE_SLOTS_MAX} windowed sums, got {len(self.tiles)}: "
                "drop features that no segment, campaign or template uses"
            )
        for rule in self.rules:
            _refuse_unservable(rule, self.readings)

    def _reading(self, spec: FeatureSpec) -> Reading:
        if spec.kind == "since":
            self.lasts += 1
            return Reading(spec, last=self.lasts - 1)
        if spec.kind in PICKS:
            self.picks.append(spec)
            return Reading(spec, pick=len(self.picks) - 1)
        total = self._slot(spec, counts=False) if spec.kind != "count" else None
        count = self._slot(spec, counts=True) if spec.kind != "total" else None
        return Reading(spec, self._is_float(spec), total=total, count=count)

    def _is_float(self, spec: FeatureSpec) -> bool:
        events = (event for event in self.compiled.events if event.name == spec.event)
        return any(f.name == spec.field and f.type == "float" for event in events for f in event.fields)

    def _slot(self, spec: FeatureSpec, *, counts: bool) -> int:
        if spec.over_ms is None:
            self.sums += 1
            return self.sums - 1
        assert spec.grid_ms is not None
        self.tiles.append(TileSlot(len(self.tiles), spec.grid_ms, spec.over_ms, counts))
        return len(self.tiles) - 1


def where_of(tree: dict[str, Any] | None) -> Where | None:
    """Return a test of an event's properties for a `where=` tree, or None where there is none."""
    if tree is None:
        return None
    condition: Expr = msgspec.convert(tree, Expr)
    return lambda properties: holds(condition, properties)


def amount(value: object, micro: bool) -> int:
    """Return a field's value as the integer it folds as: minor units of money, 1e-6 of a float, else itself.

    Integers keep float order from making live differ from batch (SEMANTICS).
    """
    if isinstance(value, list):
        return int(value[0])
    return round(value * MICRO) if micro else int(value)  # type: ignore[operator, call-overload]


def _refuse_unservable(rule: Rule, readings: dict[str, Reading]) -> None:
    for node in walk(rule.condition):
        if isinstance(node, Segment | Field):
            raise ProjectError(
                f"segment {rule.name}: {type(node).__name__.lower()} {node.name!r} cannot be served here"
            )
        if not isinstance(node, Compare):
            continue
        for side in (node.left, node.right):
            if isinstance(side, Feature):
                _refuse_side(rule, node, side, readings)
            elif not isinstance(side, Const):
                raise ProjectError(f"segment {rule.name}: compare features with features or constants only")


def _refuse_side(rule: Rule, node: Compare, side: Feature, readings: dict[str, Reading]) -> None:
    reading = readings.get(side.name)
    if reading is None:
        raise ProjectError(f"segment {rule.name}: there is no feature {side.name!r}")
    if reading.spec.personal:
        raise ProjectError(f"segment {rule.name}: {side.name} is personal and cannot be compared")
    if reading.spec.kind in ("recent", "top"):
        raise ProjectError(f"segment {rule.name}: {side.name} is a list and cannot be compared")
    other = node.right if side is node.left else node.left
    others = readings.get(other.name) if isinstance(other, Feature) else None
    if others is not None and (others.last is None) != (reading.last is None):
        raise ProjectError(
            f"segment {rule.name}: compare since() with since() or a duration, not with {others.spec.name}"
        )
