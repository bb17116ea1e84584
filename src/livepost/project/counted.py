"""Which money is counted: the fields that a feature adds up or a condition compares have one currency, the project's.

In come definitions as data, out go the events with the currency in those fields; any other field may come in any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import msgspec

from livepost.expr import tree
from livepost.model.compiled import CampaignSpec, EventSpec, FeatureSpec, FieldSpec, SegmentSpec, Tree

Place: TypeAlias = tuple[str, str]
"""An event's name and its field's."""

COUNTING = ("total", "mean", "minimum", "maximum")
"""What counts a field by itself; what only keeps values does once a condition compares it."""


def with_currency(
    events: Iterable[EventSpec],
    features: tuple[FeatureSpec, ...],
    segments: tuple[SegmentSpec, ...],
    campaigns: tuple[CampaignSpec, ...],
    currency: str,
) -> tuple[EventSpec, ...]:
    """Return the events with `currency` as that of each money field that is counted."""
    counted = {*_by_features(features), *_by_segments(segments, features), *_by_campaigns(campaigns)}
    return tuple(_event(event, counted, currency) for event in events)


def _event(event: EventSpec, counted: set[Place], currency: str) -> EventSpec:
    fields = tuple(_field(field, currency) if (event.name, field.name) in counted else field for field in event.fields)
    return msgspec.structs.replace(event, fields=fields)


def _field(field: FieldSpec, currency: str) -> FieldSpec:
    return msgspec.structs.replace(field, currency=currency) if field.type == "money" else field


def _by_features(features: tuple[FeatureSpec, ...]) -> Iterator[Place]:
    for feature in features:
        if feature.kind in COUNTING and feature.field is not None:
            yield feature.event, feature.field
        yield from _by_where(feature.event, feature.where)


def _by_segments(segments: tuple[SegmentSpec, ...], features: tuple[FeatureSpec, ...]) -> Iterator[Place]:
    known = {feature.name: feature for feature in features}
    for segment in segments:
        for node in tree.walk(msgspec.convert(segment.condition, tree.Expr)):
            feature = known.get(node.name) if isinstance(node, tree.Feature) else None
            if feature is not None and feature.field is not None:
                yield feature.event, feature.field


def _by_campaigns(campaigns: tuple[CampaignSpec, ...]) -> Iterator[Place]:
    for campaign in campaigns:
        if campaign.on is not None:
            yield from _by_where(campaign.on, campaign.where)


def _by_where(event: str, where: Tree | None) -> Iterator[Place]:
    for node in () if where is None else tree.walk(msgspec.convert(where, tree.Expr)):
        if isinstance(node, tree.Field):
            yield event, node.name
