"""Step 6, features: what each record brings to each slot and pick, and the features' values at the items of a round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from livepost.engine import picks
from livepost.engine.membership import Values
from livepost.engine.program import Feed, Program, Reading, amount
from livepost.engine.row import NEVER, Bools, Fixed, Ints
from livepost.engine.window import Feeding, Moments, Runs
from livepost.expr import Compare, Feature, walk
from livepost.model.record import KeyKind
from livepost.process.batch import Batch


@dataclass(frozen=True)
class SlotFeed:
    """Which records feed a slot, and with how much (0 where they do not)."""

    fed: Bools
    value: Ints


@dataclass(frozen=True)
class PickFeed:
    """Which records feed a pick, with which values (by place)."""

    fed: Bools
    values: dict[int, Any]


class Feeds:
    """What a batch brings, by slot and pick; made once a batch, read each round.

    Columns have one entry more than the batch: place -1, a due time, reads the last, which brings nothing.
    """

    def __init__(self, batch: Batch, program: Program) -> None:
        self.program = program
        self.effective = np.append(batch.effective, 0)
        nothing = SlotFeed(_mask(batch, []), np.zeros(len(batch) + 1, np.int64))
        self.tiles = [nothing for _ in program.tiles]
        self.sums = [nothing for _ in range(program.sums)]
        self.lasts = [nothing.fed for _ in range(program.lasts)]
        self.picks = [PickFeed(nothing.fed, {}) for _ in program.picks]
        self.compared = _compared_picks(program)
        self.message_id = batch.message_id
        for name, feeds in program.feeds.items():
            if name in batch.names:
                places = np.flatnonzero(batch.alive & (batch.name == batch.names.index(name)))
                for feed in feeds:
                    self._take(batch, feed, places)
        self.picked = np.logical_or.reduce([nothing.fed, *[pick.fed for pick in self.picks]])

    def _take(self, batch: Batch, feed: Feed, places: Ints) -> None:
        fed, values = _feeding(batch, feed, places)
        reading = feed.reading
        if reading.last is not None:
            self.lasts[reading.last] = _mask(batch, fed)
        elif reading.pick is not None:
            self.picks[reading.pick] = PickFeed(_mask(batch, fed), dict(zip(fed, values, strict=True)))
        else:
            self._take_sums(batch, reading, fed, values)

    def _take_sums(self, batch: Batch, reading: Reading, fed: list[int], values: list[Any]) -> None:
        slots = self.tiles if reading.windowed else self.sums
        if reading.count is not None:
            mask = _mask(batch, fed)
            slots[reading.count] = SlotFeed(mask, mask.astype(np.int64))
        if reading.total is not None:
            column = np.zeros(len(batch) + 1, np.int64)
            column[fed] = [amount(value, reading.micro) for value in values]
            slots[reading.total] = SlotFeed(_mask(batch, fed), column)


class Items(Protocol):
    """The items of a round: `places` are their records in the batch, -1 at a due time."""

    @property
    def moments(self) -> Moments:
        """Whose they are, and when."""
        ...

    @property
    def places(self) -> Ints:
        """Places in the batch."""
        ...


def read_values(
    feeds: Feeds, items: Items, fixed: Fixed, tiles: list[bytes], held: dict[int, list[picks.Held]]
) -> Values:
    """Return the features' values at the items of a round.

    fixed, tiles   parts of the round's people; held: per compared pick, the people's states
    """
    program, moments, places = feeds.program, items.moments, items.places
    runs = None
    if program.tiles:
        runs = Runs(
            program.tiles,
            tiles,
            [_round_feeding(slot, places, feeds.effective) for slot in feeds.tiles],
            moments,
        )
    sums = [_running_sum(slot, places, moments, fixed["sums"][:, n]) for n, slot in enumerate(feeds.sums)]
    lasts = [
        _running_last(fed, places, moments, feeds.effective, fixed["lasts"][:, n]) for n, fed in enumerate(feeds.lasts)
    ]
    running = {pick: _running_pick(feeds, pick, places, moments, held[pick]) for pick in feeds.compared}
    return Values(program, moments.at, runs, sums, lasts, running)


def fold_picks(feeds: Feeds, batch: Batch, place: int, held: list[picks.Held]) -> None:
    """Fold a record into a person's picks, in place."""
    ts, message_id = int(batch.effective[place]), batch.message_id[place]
    for number, spec in enumerate(feeds.program.picks):
        feed = feeds.picks[number]
        if feed.fed[place]:
            held[number] = picks.fold(spec, held[number], ts, message_id, feed.values[place])


def _feeding(batch: Batch, feed: Feed, places: Ints) -> tuple[list[int], list[Any]]:
    """Return the records among `places` that feed the feature, and what of them (None for those without a field)."""
    spec = feed.reading.spec
    if spec.secret_only:
        places = places[batch.key[places] == KeyKind.SECRET]
    fed, values = [], []
    for place, value in _field_values(batch, feed, places):
        if value is not None and (feed.where is None or feed.where(batch.properties[place])):
            fed.append(place)
            values.append(value)
    return fed, values


def _field_values(batch: Batch, feed: Feed, places: Ints) -> Iterator[tuple[int, Any]]:
    field = feed.field
    if field is None:
        return ((place, True) for place in places.tolist())
    if feed.reading.spec.personal:
        return ((place, _sealed(batch, place, field)) for place in places.tolist())
    properties = batch.properties
    return ((place, properties[place].get(field)) for place in places.tolist())


def _sealed(batch: Batch, place: int, field: str) -> Any:
    return batch.record(place).sealed_value(field)


def _mask(batch: Batch, fed: list[int]) -> Bools:
    mask = np.zeros(len(batch) + 1, bool)
    mask[fed] = True
    return mask


def _round_feeding(slot: SlotFeed, places: Ints, effective: Ints) -> Feeding:
    items = np.flatnonzero(slot.fed[places])
    fed = places[items]
    return Feeding(items, effective[fed], slot.value[fed])


def _running_sum(slot: SlotFeed, places: Ints, moments: Moments, start: Ints) -> Ints:
    gained = slot.value[places]
    total = np.cumsum(gained)
    before = (total - gained)[moments.begin]
    return total + (start - before)[moments.person]


def _running_last(fed: Bools, places: Ints, moments: Moments, effective: Ints, start: Ints) -> Ints:
    """Return the newest effective_ts at each item: behind the first, records of a round are never late."""
    item = np.where(fed[places], np.arange(len(places)), -1)
    newest = np.maximum.accumulate(item)
    mine = newest >= moments.begin[moments.person]
    happened = np.where(mine, effective[places[newest]], NEVER)
    return np.maximum(happened, start[moments.person])


def _running_pick(
    feeds: Feeds, pick: int, places: Ints, moments: Moments, held: list[picks.Held]
) -> npt.NDArray[np.object_]:
    spec, feed = feeds.program.picks[pick], feeds.picks[pick]
    values = np.empty(len(places), object)
    state: picks.Held = []
    for item, (place, person) in enumerate(zip(places.tolist(), moments.person.tolist(), strict=True)):
        if item == moments.begin[person]:
            state = held[person]
        if place >= 0 and feed.fed[place]:
            state = picks.fold(spec, state, int(feeds.effective[place]), feeds.message_id[place], feed.values[place])
        picked = picks.value(spec, state, 0)
        values[item] = picked[0] if spec.type == "money" and picked else picked
    return values


def _compared_picks(program: Program) -> list[int]:
    """Return the picks that segments compare: their values are needed at each item, not only at the end."""
    used = {
        side.name
        for rule in program.rules
        for node in walk(rule.condition)
        if isinstance(node, Compare)
        for side in (node.left, node.right)
        if isinstance(side, Feature)
    }
    numbers = [program.readings[name].pick for name in sorted(used)]
    return [number for number in numbers if number is not None]
