"""Where campaigns stand, put together from the ledger's counts and the engine's.

In: the project's campaigns, tallies, outcomes, who is under way. Out: a standing each. Promised: the project's order,
then, by name, what only the ledger remembers; every decision is counted in one state, and once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from livepost.ledger.base import OutcomeTally, Tally
from livepost.model.standing import CampaignStanding


def campaign_standings(
    declared: Sequence[str],
    tallies: Iterable[Tally],
    outcomes: Iterable[OutcomeTally],
    under_way: Mapping[str, int],
) -> list[CampaignStanding]:
    """Return a standing for each declared campaign, in their order, then for those that only the ledger knows."""
    states: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for tally in tallies:
        states.setdefault(tally.campaign, Counter())[tally.state] += tally.count
        if tally.reason:
            reasons.setdefault(tally.campaign, Counter())[tally.reason] += tally.count
    clicked = {one.campaign: one.count for one in outcomes if one.outcome == "clicked"}
    names = [*declared, *sorted(states.keys() - set(declared))]
    return [
        _standing(
            name,
            name in declared,
            states.get(name, Counter()),
            reasons.get(name, Counter()),
            clicked.get(name, 0),
            under_way.get(name, 0),
        )
        for name in names
    ]


def _standing(
    campaign: str, declared: bool, states: Counter[str], reasons: Counter[str], clicked: int, waiting: int
) -> CampaignStanding:
    return CampaignStanding(
        campaign=campaign,
        declared=declared,
        entered=states.total() + waiting,
        waiting=waiting,
        by_state=dict(states),
        by_reason=dict(reasons),
        sent=states["sent"],
        clicked=clicked,
        held_out=reasons["holdout"],
    )
