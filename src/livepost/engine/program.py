"""A compiled project made ready to run: features become slots, conditions become trees over slots. A project that is to
come may stand beside it: its new features fold and nobody reads them (docs/reference/semantics.md, "Changes").

Three kinds of slots hold numbers: *tiles* (windowed sums), *sums* (lifetime) and *lasts* (time of the newest record,
for `since` and `exists`: what is newest is in a window if anything is). Picks (engine.pick) hold values and are folded
one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from livepost.engine.condition import expanded, refuse_unservable
from livepost.engine.layout import HOLE, Layout
from livepost.engine.pick import PICKS, Pick, pick_of
from livepost.engine.tiles import SECOND_MS, Grid, Window, Windows, window_of
from livepost.errors import ProjectError
from livepost.expr import Expr
from livepost.expr.evaluate import holds
from livepost.model.compiled import Compiled, FeatureSpec

MICRO = 1_000_000
TILE_SLOTS_MAX = 255
PROGRAMS = 4
"""Programs of which what depends on them alone is remembered: one serves, and for a while the one before."""

LASTS = ("since", "exists")

GONE = Grid(SECOND_MS, -(1 << 50))
"""The window of a hole: whatever tile is left there has left it."""

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
    """Slots, feeds by event name, and segments of one compiled project; immutable after construction.

    tiles, picks   by slot; a hole is a tile slot that is GONE, or None
    sums, lasts    how many slots there are
    readings       features by name; `warming` those that are only to come, by version
    """

    def __init__(
        self,
        compiled: Compiled,
        coming: Compiled | None = None,
        layout: Layout | None = None,
        sources: Mapping[str, str] | None = None,
        ready: int = -1,
    ) -> None:
        """Make a project ready over the layout of the one before, `sources` and `ready` as in `Layout.following`.

        coming   a project that is to come: its features that `compiled` has not fold beside the others

        Raises ProjectError if windowed sums do not fit, or a segment cannot be served.
        """
        self.compiled = compiled
        self.hash = compiled.hash()
        new = _news(compiled, coming)
        specs = {**{key_of(spec): spec for spec in new}, **{key_of(spec): spec for spec in compiled.features}}
        needs = _needs([*compiled.features, *new])
        names = [segment.name for segment in compiled.segments]
        self.layout = (layout or Layout()).following(needs, names, sources or {}, ready)
        _refuse_too_many(self.layout.tiles)
        self.tiles = [_tile_slot(number, slot, specs) for number, slot in enumerate(self.layout.tiles)]
        self.windows = Windows([slot.window for slot in self.tiles])
        self.sums = len(self.layout.sums)
        self.lasts = len(self.layout.lasts)
        self.picks: list[Pick | None] = [None if s == HOLE else pick_of(specs[s]) for s in self.layout.picks]
        self.readings: dict[str, Reading] = {spec.name: self._reading(spec, compiled) for spec in compiled.features}
        self.warming = {key_of(spec): self._reading(spec, coming) for spec in new if coming is not None}
        conditions = expanded(compiled.segments)
        self.rules = [Rule(s.name, s.version, conditions[s.name]) for s in compiled.segments]
        self.feeds: dict[str, list[Feed]] = {}
        for reading in {key_of(r.spec): r for r in [*self.readings.values(), *self.warming.values()]}.values():
            self.feeds.setdefault(reading.spec.event, []).append(Feed(reading, where_of(reading.spec.where)))
        for rule in self.rules:
            refuse_unservable(rule.name, rule.condition, compiled)

    def _reading(self, spec: FeatureSpec, compiled: Compiled) -> Reading:
        window, key, layout = window_of(spec), key_of(spec), self.layout
        if spec.kind in LASTS:
            return Reading(spec, window, last=layout.lasts.index(key))
        if spec.kind in PICKS:
            return Reading(spec, window, pick=layout.picks.index(key))
        slots = layout.sums if window is None else layout.tiles
        places = {name: slots.index(f"{key}.{name}") for name in _sums_of(spec)}
        return Reading(spec, window, _is_float(spec, compiled), total=places.get("total"), count=places.get("count"))


def key_of(spec: FeatureSpec) -> str:
    """Return what tells a feature from others: its version, which has not its name in it."""
    return spec.version or f"={spec.name} {spec.kind}"


def _news(compiled: Compiled, coming: Compiled | None) -> list[FeatureSpec]:
    """Return the features that are only in `coming`, each definition once."""
    known = {key_of(spec) for spec in compiled.features}
    found = {key_of(spec): spec for spec in reversed(coming.features if coming else ())}
    return [spec for key, spec in reversed(found.items()) if key not in known]


def _needs(specs: Iterable[FeatureSpec]) -> dict[str, list[str]]:
    """Return the slots that features need, by kind of slot."""
    needs: dict[str, list[str]] = {"tiles": [], "sums": [], "lasts": [], "picks": []}
    for spec in specs:
        if spec.kind in LASTS:
            needs["lasts"].append(key_of(spec))
        elif spec.kind in PICKS:
            needs["picks"].append(key_of(spec))
        else:
            slots = needs["sums" if window_of(spec) is None else "tiles"]
            slots += [f"{key_of(spec)}.{name}" for name in _sums_of(spec)]
    return needs


def _sums_of(spec: FeatureSpec) -> list[str]:
    return [name for name, other in (("total", "count"), ("count", "total")) if spec.kind != other]


def _tile_slot(number: int, slot: str, specs: Mapping[str, FeatureSpec]) -> TileSlot:
    if slot == HOLE:
        return TileSlot(number, GONE, counts=True)
    key, _, name = slot.rpartition(".")
    window = window_of(specs[key])
    assert window is not None
    return TileSlot(number, window, counts=name == "count")


def _is_float(spec: FeatureSpec, compiled: Compiled) -> bool:
    events = (event for event in compiled.events if event.name == spec.event)
    return any(f.name == spec.field and f.type == "float" for event in events for f in event.fields)


def _refuse_too_many(tiles: tuple[str, ...]) -> None:
    holes = tiles.count(HOLE)
    if len(tiles) > TILE_SLOTS_MAX:
        raise ProjectError(
            f"expected at most {TILE_SLOTS_MAX} windowed sums, got {len(tiles) - holes}"
            + (f" beside {holes} of features that were removed" if holes else "")
            + ": drop features that no segment, campaign or template uses"
        )


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
