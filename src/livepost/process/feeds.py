"""What a batch's records bring to each slot and pick; made once a batch, read each round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from livepost.engine.program import Feed, Program, Reading, amount
from livepost.engine.row import Bools, Ints
from livepost.expr import Compare, Feature, walk
from livepost.model.record import KeyKind
from livepost.process.batch import Batch


@dataclass(frozen=True)
class SlotFeed:
    """Which records feed a slot, and with how much (0 where they do not)."""

    fed: Bools
    value: Ints


class Feeds:
    """What a batch brings, by slot and pick.

    picks    per pick: place -> value
    picked   place -> (pick, value) of all that it brings; `picks_something` says whether it is there

    Columns have one entry more than the batch: place -1, a due time, reads the last, which brings nothing.
    """

    def __init__(self, batch: Batch, program: Program) -> None:
        self.program = program
        self.effective = np.append(batch.effective, 0)
        self.message_id = batch.message_id
        self.compared = _compared_picks(program)
        nothing = SlotFeed(_mask(batch, []), np.zeros(len(batch) + 1, np.int64))
        self.tiles = [nothing for _ in program.tiles]
        self.sums = [nothing for _ in range(program.sums)]
        self.lasts = [nothing.fed for _ in range(program.lasts)]
        self.picks: list[dict[int, Any]] = [{} for _ in program.picks]
        for name, feeds in program.feeds.items():
            if name in batch.names:
                event = _Event(batch, name)
                for feed in feeds:
                    self._take(batch, feed, event)
        self.picked = _by_place(self.picks)
        self.picks_something = _mask(batch, list(self.picked))

    def _take(self, batch: Batch, feed: Feed, event: _Event) -> None:
        fed, values = _feeding(batch, feed, event)
        reading = feed.reading
        if reading.last is not None:
            self.lasts[reading.last] = _mask(batch, fed)
        elif reading.pick is not None:
            self.picks[reading.pick] = dict(zip(fed, values, strict=True))
        else:
            self._take_sums(batch, reading, fed, values)

    def _take_sums(self, batch: Batch, reading: Reading, fed: list[int], values: list[Any]) -> None:
        slots = self.tiles if reading.windowed else self.sums
        mask = _mask(batch, fed)
        if reading.count is not None:
            slots[reading.count] = SlotFeed(mask, mask.astype(np.int64))
        if reading.total is not None:
            column = np.zeros(len(batch) + 1, np.int64)
            column[fed] = [amount(value, reading.micro) for value in values]
            slots[reading.total] = SlotFeed(mask, column)


class _Event:
    """The living records of one name, and their fields: each read once, however many features take it."""

    def __init__(self, batch: Batch, name: str) -> None:
        self._batch = batch
        self._places: list[int] = np.flatnonzero(batch.alive & (batch.name == batch.names.index(name))).tolist()
        self._fields: dict[tuple[str | None, bool], tuple[list[int], list[Any]]] = {}

    def values(self, field: str | None, personal: bool) -> tuple[list[int], list[Any]]:
        """Return the places of the records that have the field, and its values (True if no field is asked for)."""
        if (field, personal) not in self._fields:
            read = self._sealed(field) if personal and field else self._open(field)
            there = [(place, value) for place, value in zip(self._places, read, strict=True) if value is not None]
            self._fields[field, personal] = [place for place, _ in there], [value for _, value in there]
        return self._fields[field, personal]

    def _open(self, field: str | None) -> list[Any]:
        if field is None:
            return [True] * len(self._places)
        properties = self._batch.properties
        return [properties[place].get(field) for place in self._places]

    def _sealed(self, field: str) -> list[Any]:
        return [self._batch.record(place).sealed_value(field) for place in self._places]


def _feeding(batch: Batch, feed: Feed, event: _Event) -> tuple[list[int], list[Any]]:
    """Return the records that feed the feature, and what each brings."""
    spec, where, properties = feed.reading.spec, feed.where, batch.properties
    places, values = event.values(spec.field, spec.personal)
    if where is None and not spec.secret_only:
        return places, values
    kept = [
        (place, value)
        for place, value in zip(places, values, strict=True)
        if (not spec.secret_only or batch.key[place] == KeyKind.SECRET) and (where is None or where(properties[place]))
    ]
    return [place for place, _ in kept], [value for _, value in kept]


def _mask(batch: Batch, fed: list[int]) -> Bools:
    mask = np.zeros(len(batch) + 1, bool)
    mask[fed] = True
    return mask


def _by_place(picks: list[dict[int, Any]]) -> dict[int, list[tuple[int, Any]]]:
    brought: dict[int, list[tuple[int, Any]]] = {}
    for number, values in enumerate(picks):
        for place, value in values.items():
            brought.setdefault(place, []).append((number, value))
    return brought


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
