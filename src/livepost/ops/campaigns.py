"""Where campaigns and broadcasts stand, put together from the ledger's counts and the engine's.

In: the project's campaigns, tallies, outcomes, who is under way, what was earned. Out: a standing each. Promised: the
project's order, then, by name, what only the ledger remembers; every decision is counted in one state, and once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from livepost.ledger.base import BroadcastTally, OutcomeTally, Tally
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


def broadcast_standings(counts: Iterable[BroadcastTally], earned: Iterable[Earned]) -> dict[bytes, CampaignStanding]:
    """Return what became of each broadcast's decisions by its id, those that have any: a campaign's standing without
    a name, for a broadcast has the same steps, and nobody waits in it.
    """
    states: dict[bytes, Counter[str]] = {}
    reasons: dict[bytes, Counter[str]] = {}
    happened: dict[bytes, Counter[str]] = {}
    for one in counts:
        if one.kind == "outcome":
            happened.setdefault(one.broadcast, Counter())[one.what] += one.count
            continue
        states.setdefault(one.broadcast, Counter())[one.what] += one.count
        if one.reason:
            reasons.setdefault(one.broadcast, Counter())[one.reason] += one.count
    earnings: dict[bytes, list[Earned]] = {}
    for line in earned:
        earnings.setdefault(line.broadcast, []).append(line)
    nothing: Counter[str] = Counter()
    return {
        id_: _standing(
            "",
            True,
            told,
            reasons.get(id_, nothing),
            happened.get(id_, nothing),
            0,
            tuple(earnings.get(id_, ())),
        )
        for id_, told in states.items()
    }


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
