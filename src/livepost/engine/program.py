"""A compiled project made ready to run: features become slots, conditions become trees over slots.

Three kinds of slots hold numbers: *tiles* (windowed sums), *sums* (lifetime) and *lasts* (time of the newest record,
for `since` and `exists`: what is newest is in a window if anything is). Picks (engine.pick) hold values and are folded
one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from livepost.engine.condition import expanded, refuse_unservable
from livepost.engine.pick import PICKS, Pick, pick_of
from livepost.engine.tiles import Window, window_of
from livepost.errors import ProjectError
from livepost.expr import Expr
from livepost.expr.evaluate import holds
from livepost.model.compiled import Compiled, FeatureSpec

MICRO = 1_000_000
TILE_SLOTS_MAX = 255
LASTS = ("since", "exists")

Where = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class TileSlot:
    """A windowed sum: `counts` says whether it adds 1 or the field's value."""

    number: int
    window: Window
    counts: bool


@dataclass(frozen=True)
class Reading:
    """How a feature is read at a moment: from tile slots, sums, a last or a pick; mean divides `total` by `count`.

    `window` None means lifetime. `micro`: the field is a float, its sums are in units of 1e-6.
    """

    spec: FeatureSpec
    window: Window | None = None
    micro: bool = False
    total: int | None = None
    count: int | None = None
    last: int | None = None
    pick: int | None = None

    @property
    def windowed(self) -> bool:
        """Whether it is over a window."""
        return self.window is not None


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
        self.picks: list[Pick] = []
        self.readings: dict[str, Reading] = {spec.name: self._reading(spec) for spec in compiled.features}
        conditions = expanded(compiled.segments)
        self.rules = [Rule(s.name, s.version, conditions[s.name]) for s in compiled.segments]
        self.feeds: dict[str, list[Feed]] = {}
        for reading in self.readings.values():
            self.feeds.setdefault(reading.spec.event, []).append(Feed(reading, where_of(reading.spec.where)))
        if len(self.tiles) > TILE_SLOTS_MAX:
            raise ProjectError(
                f"expected at most {TILE_SLOTS_MAX} windowed sums, got {len(self.tiles)}: "
                "drop features that no segment, campaign or template uses"
            )
        for rule in self.rules:
            refuse_unservable(rule.name, rule.condition, compiled)

    def _reading(self, spec: FeatureSpec) -> Reading:
        window = window_of(spec)
        if spec.kind in LASTS:
            self.lasts += 1
            return Reading(spec, window, last=self.lasts - 1)
        if spec.kind in PICKS:
            self.picks.append(pick_of(spec))
            return Reading(spec, window, pick=len(self.picks) - 1)
        total = self._slot(window, counts=False) if spec.kind != "count" else None
        count = self._slot(window, counts=True) if spec.kind != "total" else None
        return Reading(spec, window, self._is_float(spec), total=total, count=count)

    def _is_float(self, spec: FeatureSpec) -> bool:
        events = (event for event in self.compiled.events if event.name == spec.event)
        return any(f.name == spec.field and f.type == "float" for event in events for f in event.fields)

    def _slot(self, window: Window | None, *, counts: bool) -> int:
        if window is None:
            self.sums += 1
            return self.sums - 1
        self.tiles.append(TileSlot(len(self.tiles), window, counts))
        return len(self.tiles) - 1


def where_of(tree: dict[str, Any] | None) -> Where | None:
    """Return a test of an event's fields, its facets among them, for a `where=` tree; None where there is none."""
    if tree is None:
        return None
    condition: Expr = msgspec.convert(tree, Expr)
    return lambda fields: holds(condition, fields)


def amount(value: object, micro: bool) -> int:
    """Return a field's value as the integer it folds as: minor units of money, 1e-6 of a float, else itself.

    Integers keep float order from making live differ from batch (SEMANTICS).
    """
    if isinstance(value, list):
        return int(value[0])
    return round(value * MICRO) if micro else int(value)  # type: ignore[operator, call-overload]
