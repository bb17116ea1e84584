"""Campaigns made ready to run: rules by what can start, end or hold a journey."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

from livepost.engine.program import where_of
from livepost.model.compiled import CampaignSpec, Compiled
from livepost.model.moment import Moment

Places: TypeAlias = "tuple[int, ...]"
"""Which campaigns, by place in the order of deciding."""


@dataclass(frozen=True)
class Campaign:
    """A campaign's rules and its `where` as a test of an event's properties."""

    spec: CampaignSpec
    where: Callable[[Mapping[str, Any]], bool] | None

    @property
    def name(self) -> str:
        """The campaign's name: the identity of its decisions."""
        return self.spec.name


class Roster:
    """The project's campaigns in the order of deciding, found by what starts or ends a journey in them: a moment
    concerns few.
    """

    def __init__(self, compiled: Compiled) -> None:
        self.all = campaigns_of(compiled)
        self._place = {campaign.name: place for place, campaign in enumerate(self.all)}
        specs = [campaign.spec for campaign in self.all]
        self._on = _places((spec.on,) if spec.on else () for spec in specs)
        self._entered = _places((spec.audience,) if spec.audience and not spec.broadcast else () for spec in specs)
        self._until = _places(spec.until for spec in specs)
        self._left = _places((spec.audience,) if spec.audience and spec.exit else () for spec in specs)

    def __contains__(self, name: str) -> bool:
        """Say whether the project has a campaign of this name."""
        return name in self._place

    def started_by(self, moment: Moment) -> list[Campaign]:
        """Return the campaigns in which the moment may start a journey."""
        if moment.broadcast:
            return self.ordered((moment.broadcast,))
        return self._concerned(moment, self._on, self._entered, entered=True)

    def ended_by(self, moment: Moment) -> list[Campaign]:
        """Return the campaigns in which the moment ends what waits."""
        return self._concerned(moment, self._until, self._left, entered=False)

    def ordered(self, names: Iterable[str]) -> list[Campaign]:
        """Return the campaigns of these names in the order of deciding; the project may not have all any more."""
        places = [self._place[name] for name in names if name in self._place]
        return [self.all[place] for place in sorted(places)]

    def _concerned(
        self, moment: Moment, by_record: Mapping[str, Places], by_segment: Mapping[str, Places], *, entered: bool
    ) -> list[Campaign]:
        found = [by_record[moment.name]] if moment.name in by_record else []
        for transition in moment.transitions:
            if transition.entered is entered and transition.segment in by_segment:
                found.append(by_segment[transition.segment])
        if not found:
            return []
        places = found[0] if len(found) == 1 else sorted({*chain.from_iterable(found)})
        return [self.all[place] for place in places]


def campaigns_of(compiled: Compiled) -> tuple[Campaign, ...]:
    """Return the project's campaigns, those of a higher priority first, else in its order."""
    specs = sorted(compiled.campaigns, key=lambda spec: -spec.priority)
    return tuple(Campaign(spec, where_of(spec.where)) for spec in specs)


def names_of(campaigns: tuple[Campaign, ...]) -> frozenset[str]:
    """Return the names of records that can start or end a journey."""
    starts = {c.spec.on for c in campaigns if c.spec.on}
    return frozenset(starts.union(*(c.spec.until for c in campaigns)))


def _places(keys_of: Iterable[Iterable[str]]) -> dict[str, Places]:
    """Return by key the places of those who have it."""
    found: defaultdict[str, Places] = defaultdict(tuple)
    for place, keys in enumerate(keys_of):
        for key in dict.fromkeys(keys):
            found[key] += (place,)
    return dict(found)
