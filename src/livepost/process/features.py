"""Step 6, features: their values at the items of a round."""

from __future__ import annotations

import numpy as np

from livepost.engine.pick import Held
from livepost.engine.row import NEVER, Bools, Fixed, Ints
from livepost.engine.values import Picked, Values
from livepost.engine.window import Feeding, Moments, Runs
from livepost.model.moment import NO_DUE
from livepost.process.feeds import Feeds, SlotFeed
from livepost.process.round import Round


def read_values(feeds: Feeds, a_round: Round, fixed: Fixed, tiles: list[bytes], held: list[list[Held]]) -> Values:
    """Return the features' values at the items of a round.

    fixed, tiles   parts of the round's people; held: their picks, if any are compared
    """
    program, moments, places = feeds.program, a_round.moments, a_round.places
    runs = None
    if program.tiles:
        fed = {slot: _feeding(slot, places, feeds.effective) for slot in set(feeds.tiles)}
        runs = Runs(program.tiles, tiles, [fed[slot] for slot in feeds.tiles], moments)
    sums = [_running_sum(slot, places, moments, fixed["sums"][:, n]) for n, slot in enumerate(feeds.sums)]
    lasts = _running_lasts(feeds, places, moments, fixed["lasts"])
    running = {
        pick: _running_pick(feeds, pick, places, moments, [person[pick] for person in held]) for pick in feeds.compared
    }
    return Values(program, moments.at, runs, sums, lasts, running)


def _feeding(slot: SlotFeed, places: Ints, effective: Ints) -> Feeding:
    items = np.flatnonzero(slot.fed[places])
    fed = places[items]
    return Feeding(items, effective[fed], slot.value[fed])


def _running_sum(slot: SlotFeed, places: Ints, moments: Moments, start: Ints) -> Ints:
    gained = slot.value[places]
    total = np.cumsum(gained)
    before = (total - gained)[moments.begin]
    return total + (start - before)[moments.person]


def _running_lasts(feeds: Feeds, places: Ints, moments: Moments, start: Ints) -> list[Ints]:
    """Return, per slot, the newest effective_ts at each item; `start` is what each person had, by slot."""
    if not feeds.lasts:
        return []
    times, rank = np.unique(feeds.effective[places], return_inverse=True)
    columns = enumerate(feeds.lasts)
    return [_running_last(fed[places], times, rank, moments, start[:, slot]) for slot, fed in columns]


def _running_last(fed: Bools, times: Ints, rank: Ints, moments: Moments, start: Ints) -> Ints:
    """Return the newest effective_ts at each item: a running maximum of ranks, which starts anew with each person.

    times, rank   all effective_ts, ascending, and which of them is each item's
    """
    base = moments.person * (len(times) + 1)
    newest = np.maximum.accumulate(base + np.where(fed, rank + 1, 0)) - base
    happened = np.where(newest > 0, times[newest - 1], NEVER)
    return np.maximum(happened, start[moments.person])


def _running_pick(feeds: Feeds, number: int, places: Ints, moments: Moments, held: list[Held]) -> Picked:
    """Fold record by record; the value is read anew where something came, or may have left the window."""
    pick, brought = feeds.program.picks[number], feeds.picks[number]
    assert pick is not None
    values, expiry = np.empty(len(places), object), np.full(len(places), NO_DUE)
    owner, state, value, leaves = -1, [], None, NO_DUE
    items = zip(places.tolist(), moments.person.tolist(), moments.at.tolist(), strict=True)
    for item, (place, person, at) in enumerate(items):
        if person != owner:
            owner, state, leaves = person, held[person], at
        if place in brought:
            entry = (int(feeds.effective[place]), feeds.message_id[place], brought[place])
            state, leaves = pick.fold(state, [entry]), at
        if at >= leaves:
            value, leaves = pick.value(state, at), pick.expiry(state, at)
            value = value[0] if isinstance(value, list) and value else value
        values[item], expiry[item] = value, leaves
    return Picked(values, expiry)
