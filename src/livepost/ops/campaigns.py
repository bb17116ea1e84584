"""Where campaigns stand, put together from the ledger's counts and the engine's.

In: the project's campaigns, tallies, outcomes, who is under way, what was earned. Out: a standing each. Promised: the
project's order, then, by name, what only the ledger remembers; every decision is counted in one state, and once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from livepost.ledger.base import OutcomeTally, Tally
from livepost.model.earning import Earned
from livepost.model.standing import CampaignStanding


def campaign_standings(
    declared: Sequence[str],
    tallies: Iterable[Tally],
    outcomes: Iterable[OutcomeTally],
    under_way: Mapping[str, int],
    earned: Iterable[Earned] = (),
) -> list[CampaignStanding]:
    """Return a standing for each declared campaign, in their order, then for those that only the ledger knows."""
    states: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for tally in tallies:
        states.setdefault(tally.campaign, Counter())[tally.state] += tally.count
        if tally.reason:
            reasons.setdefault(tally.campaign, Counter())[tally.reason] += tally.count
    happened: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        happened.setdefault(outcome.campaign, Counter())[outcome.outcome] += outcome.count
    earnings: dict[str, list[Earned]] = {}
    for one in earned:
        earnings.setdefault(one.campaign, []).append(one)
    names = [*declared, *sorted(states.keys() - set(declared))]
    return [
        _standing(
            name,
            name in declared,
            states.get(name, Counter()),
            reasons.get(name, Counter()),
            happened.get(name, Counter()),
            under_way.get(name, 0),
            tuple(earnings.get(name, ())),
        )
        for name in names
    ]


def _standing(
    campaign: str,
    declared: bool,
    states: Counter[str],
    reasons: Counter[str],
    happened: Counter[str],
    waiting: int,
    earned: tuple[Earned, ...],
) -> CampaignStanding:
    return CampaignStanding(
        campaign=campaign,
        declared=declared,
        entered=states.total() + waiting,
        waiting=waiting,
        by_state=dict(states),
        by_reason=dict(reasons),
        sent=states["sent"],
        clicked=happened["clicked"],
        held_out=reasons["holdout"],
        delivered=happened["delivered"],
        opened=happened["opened"],
        machine_opened=happened["machine_opened"],
        machine_clicked=happened["machine_clicked"],
        earned=earned,
    )
