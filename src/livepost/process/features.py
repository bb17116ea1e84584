"""Step 6, features: their values at the items of a round."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livepost.engine import picks
from livepost.engine.membership import Values
from livepost.engine.row import NEVER, Bools, Fixed, Ints
from livepost.engine.window import Feeding, Moments, Runs
from livepost.process.feeds import Feeds, SlotFeed
from livepost.process.round import Round


def read_values(
    feeds: Feeds, a_round: Round, fixed: Fixed, tiles: list[bytes], held: dict[int, list[picks.Held]]
) -> Values:
    """Return the features' values at the items of a round.

    fixed, tiles   parts of the round's people; held: per compared pick, the people's states
    """
    program, moments, places = feeds.program, a_round.moments, a_round.places
    runs = None
    if program.tiles:
        fed = {slot: _feeding(slot, places, feeds.effective) for slot in set(feeds.tiles)}
        runs = Runs(program.tiles, tiles, [fed[slot] for slot in feeds.tiles], moments)
    sums = [_running_sum(slot, places, moments, fixed["sums"][:, n]) for n, slot in enumerate(feeds.sums)]
    lasts = [
        _running_last(fed[places], feeds.effective[places], moments, fixed["lasts"][:, n])
        for n, fed in enumerate(feeds.lasts)
    ]
    running = {pick: _running_pick(feeds, pick, places, moments, held[pick]) for pick in feeds.compared}
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


def _running_last(fed: Bools, effective: Ints, moments: Moments, start: Ints) -> Ints:
    """Return the newest effective_ts at each item: a running maximum of ranks, which starts anew with each person."""
    times, rank = np.unique(effective, return_inverse=True)
    base = moments.person * (len(times) + 1)
    newest = np.maximum.accumulate(base + np.where(fed, rank + 1, 0)) - base
    happened = np.where(newest > 0, times[newest - 1], NEVER)
    return np.maximum(happened, start[moments.person])


def _running_pick(
    feeds: Feeds, pick: int, places: Ints, moments: Moments, held: list[picks.Held]
) -> npt.NDArray[np.object_]:
    spec, brought = feeds.program.picks[pick], feeds.picks[pick]
    values = np.empty(len(places), object)
    state: picks.Held = []
    for item, (place, person) in enumerate(zip(places.tolist(), moments.person.tolist(), strict=True)):
        if item == moments.begin[person]:
            state = held[person]
        if place in brought:
            state = picks.fold(spec, state, int(feeds.effective[place]), feeds.message_id[place], brought[place])
        picked = picks.value(spec, state, 0)
        values[item] = picked[0] if spec.type == "money" and picked else picked
    return values
