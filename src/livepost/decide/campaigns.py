"""Campaigns made ready to run: rules by what can start, end or hold a journey."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from livepost.engine.program import where_of
from livepost.model.compiled import CampaignSpec, Compiled


@dataclass(frozen=True)
class Campaign:
    """A campaign's rules and its `where` as a test of an event's properties."""

    spec: CampaignSpec
    where: Callable[[Mapping[str, Any]], bool] | None

    @property
    def name(self) -> str:
        """The campaign's name: the identity of its decisions."""
        return self.spec.name


def campaigns_of(compiled: Compiled) -> tuple[Campaign, ...]:
    """Return the project's campaigns in its order."""
    return tuple(Campaign(spec, where_of(spec.where)) for spec in compiled.campaigns)


def names_of(campaigns: tuple[Campaign, ...]) -> frozenset[str]:
    """Return the names of records that can start or end a journey."""
    starts = {c.spec.on for c in campaigns if c.spec.on}
    return frozenset(starts.union(*(c.spec.until for c in campaigns)))
