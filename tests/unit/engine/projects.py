"""Small projects for tests: each line a declaration, as data."""

from __future__ import annotations

from typing import Any

from livepost.engine.program import Program
from livepost.model.compiled import (
    CampaignSpec,
    Compiled,
    EventSpec,
    FeatureKind,
    FeatureSpec,
    FieldSpec,
    FieldType,
    SegmentSpec,
    Tree,
)

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def feature(name: str, kind: FeatureKind = "count", **rest: Any) -> FeatureSpec:
    """Return a feature of the event Viewed, unless told otherwise."""
    return FeatureSpec(**{"name": name, "kind": kind, "event": "Viewed", "version": name} | rest)


def windowed(name: str, over: int, grid: int, kind: FeatureKind = "count", **rest: Any) -> FeatureSpec:
    """Return a feature over a window; `over` and `grid` in ms."""
    return feature(name, kind, over_ms=over, grid_ms=grid, **rest)


def compare(left: str | int | float, op: str, right: str | int | float, *, text: bool = False) -> Tree:
    """Return a comparison; strings are features, numbers (and a right side that is `text`) constants."""
    return {"type": "compare", "op": op, "left": _side(left, False), "right": _side(right, text)}


def negated(tree: Tree) -> Tree:
    """Return `~tree`."""
    return {"type": "not", "of": tree}


def both(*trees: Tree) -> Tree:
    """Return all of the trees at once."""
    return {"type": "and", "of": list(trees)}


def either(*trees: Tree) -> Tree:
    """Return any of the trees."""
    return {"type": "or", "of": list(trees)}


def segment(name: str, condition: Tree) -> SegmentSpec:
    """Return a segment, version 1."""
    return SegmentSpec(name=name, condition=condition, version="1")


def event_spec(name: str = "Viewed", **fields: FieldType) -> EventSpec:
    """Return an event with optional fields of these types."""
    specs = tuple(FieldSpec(name=f, keys=(f,), type=t, required=False) for f, t in fields.items())
    return EventSpec(name=name, cls=name, fields=specs)


def compiled(
    features: list[FeatureSpec],
    segments: list[SegmentSpec] | None = None,
    campaigns: list[CampaignSpec] | None = None,
    events: list[EventSpec] | None = None,
) -> Compiled:
    """Return a project."""
    return Compiled(
        profile="Shopper",
        events=tuple(events or ()),
        features=tuple(features),
        segments=tuple(segments or ()),
        campaigns=tuple(campaigns or ()),
    )


def program(
    features: list[FeatureSpec], segments: list[SegmentSpec] | None = None, events: list[EventSpec] | None = None
) -> Program:
    """Return a project ready to run."""
    return Program(compiled(features, segments, events=events))


def _side(side: str | int | float, text: bool) -> Tree:
    if isinstance(side, str) and not text:
        return {"type": "feature", "name": side}
    return {"type": "const", "value": side}
