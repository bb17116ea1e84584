"""What a batch's records bring to each slot and pick; made once a batch, read each round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import compress
from typing import Any

import numpy as np

from livepost.engine import picks
from livepost.engine.message_id import shortened
from livepost.engine.program import PROGRAMS, Feed, Program, Reading, amount
from livepost.engine.row import Bools, Ints
from livepost.expr import Feature, walk
from livepost.model.record import KeyKind
from livepost.process.batch import Batch


@dataclass(frozen=True, eq=False)
class SlotFeed:
    """Which records feed a slot, and with how much (0 where they do not). Slots that take the same share one."""

    fed: Bools
    value: Ints


class Feeds:
    """What a batch brings, by slot and pick.

    picks     per compared pick: place -> value
    brought   place -> what it brings to all picks, as it waits in rows; `brings` says whether it is there

    Columns have one entry more than the batch: place -1, a due time, reads the last, which brings nothing.
    """

    def __init__(self, batch: Batch, program: Program) -> None:
        self.program = program
        self.effective = np.append(batch.effective, 0)
        self.message_id = batch.message_id
        self.compared = _compared_picks(program)
        nothing = _counting(batch, np.zeros(0, np.int64))
        self.tiles = [nothing for _ in program.tiles]
        self.sums = [nothing for _ in range(program.sums)]
        self.lasts = [nothing.fed for _ in range(program.lasts)]
        self.picks: dict[int, dict[int, Any]] = {pick: {} for pick in self.compared}
        self.brought: dict[int, bytes] = {}
        for name, feeds in program.feeds.items():
            if name in batch.names:
                self._take(_Event(batch, name), feeds)
        self.brings = _mask(batch, list(self.brought))

    def _take(self, event: _Event, feeds: list[Feed]) -> None:
        picked: dict[int, _Column] = {}
        for feed in feeds:
            column = event.column(feed)
            if feed.reading.last is not None:
                self.lasts[feed.reading.last] = column.count.fed
            elif feed.reading.pick is not None:
                picked[feed.reading.pick] = column
            else:
                self._take_sums(feed.reading, column)
        self._bring(event, picked)
        for pick in self.picks.keys() & picked.keys():
            self.picks[pick] = dict(zip(picked[pick].places, picked[pick].values, strict=True))

    def _bring(self, event: _Event, picked: dict[int, _Column]) -> None:
        """Note what columns bring to picks, of records that bring the same ones at once."""
        numbers: dict[_Column, list[int]] = {}
        for pick, column in picked.items():
            numbers.setdefault(column, []).append(pick)
        for at, columns in _alike(event, [*numbers]) if numbers else ():
            places = at.tolist()
            message_ids = shortened([self.message_id[place] for place in places])
            values = [column.values_at(at) for column in columns]
            told = picks.brought(self.effective[at].tolist(), message_ids, [numbers[c] for c in columns], values)
            self.brought.update(zip(places, told, strict=True))

    def _take_sums(self, reading: Reading, column: _Column) -> None:
        slots = self.tiles if reading.windowed else self.sums
        if reading.count is not None:
            slots[reading.count] = column.count
        if reading.total is not None:
            slots[reading.total] = column.total(reading.micro)


class _Column:
    """Records and what each brings; as counts and totals made once, however many slots take them.

    `at` are the places as an array, given where there is one already: numpy reads a list slowly.
    """

    def __init__(self, batch: Batch, places: list[int], values: list[Any], at: Ints | None = None) -> None:
        self.places = places
        self.values = values
        self.at = np.array(places, np.int64) if at is None else at
        self.count = _counting(batch, self.at)
        self._totals: dict[bool, SlotFeed] = {}

    def values_at(self, at: Ints) -> list[Any]:
        """Return the values at some of the places."""
        if len(at) == len(self.places):
            return self.values
        return [self.values[number] for number in np.searchsorted(self.at, at).tolist()]

    def total(self, micro: bool) -> SlotFeed:
        """Return the feed of the values as integers; `micro` for floats."""
        if micro not in self._totals:
            value = np.zeros_like(self.count.value)
            value[self.at] = [amount(one, micro) for one in self.values]
            self._totals[micro] = SlotFeed(self.count.fed, value)
        return self._totals[micro]


class _Event:
    """The living records of one name, and the columns that features take of them."""

    def __init__(self, batch: Batch, name: str) -> None:
        self._batch = batch
        self.at = np.flatnonzero(batch.alive & (batch.name == batch.names.index(name)))
        self.places: list[int] = self.at.tolist()
        self._columns: dict[tuple[str | None, bool], _Column] = {}

    def column(self, feed: Feed) -> _Column:
        """Return the records that feed the feature, and what each brings (True if it takes no field)."""
        spec, where = feed.reading.spec, feed.where
        whole = self._field(spec.field, spec.personal)
        if where is None and not spec.secret_only:
            return whole
        key, fields = self._batch.key, self._batch.fields
        kept = [
            (not spec.secret_only or key[place] == KeyKind.SECRET) and (where is None or where(fields(place)))
            for place in whole.places
        ]
        return _Column(self._batch, list(compress(whole.places, kept)), list(compress(whole.values, kept)))

    def _field(self, field: str | None, personal: bool) -> _Column:
        """Return the records that have the field, with its values."""
        if (field, personal) not in self._columns:
            read = self._sealed(field) if personal and field else self._open(field)
            places, values = _present(self.places, read)
            at = self.at if places is self.places else None
            self._columns[field, personal] = _Column(self._batch, places, values, at)
        return self._columns[field, personal]

    def _open(self, field: str | None) -> list[Any]:
        if field is None:
            return [True] * len(self.places)
        if "." in field:
            return [self._batch.facets(place).get(field) for place in self.places]
        return [properties.get(field) for properties in self._properties]

    @cached_property
    def _properties(self) -> list[dict[str, Any]]:
        properties = self._batch.properties
        return [properties[place] for place in self.places]

    def _sealed(self, field: str) -> list[Any]:
        return [self._batch.record(place).sealed_value(field) for place in self.places]


def _present(places: list[int], values: list[Any]) -> tuple[list[int], list[Any]]:
    """Return places and values without those where there is none."""
    if None not in values:
        return places, values
    there = [value is not None for value in values]
    return list(compress(places, there)), list(compress(values, there))


def _counting(batch: Batch, places: Ints) -> SlotFeed:
    mask = _mask(batch, places)
    return SlotFeed(mask, mask.astype(np.int64))


def _mask(batch: Batch, places: Ints | list[int]) -> Bools:
    mask = np.zeros(len(batch) + 1, bool)
    mask[places] = True
    return mask


def _alike(event: _Event, columns: Sequence[_Column]) -> Iterator[tuple[Ints, list[_Column]]]:
    """Yield places of the event with those of the columns that have them: mostly all have all."""
    if all(column.places is event.places for column in columns):
        yield event.at, [*columns]
        return
    there = np.array([np.isin(event.at, column.at) for column in columns])
    kinds, which = np.unique(there, axis=1, return_inverse=True)
    for number, kind in enumerate(kinds.T.tolist()):
        if any(kind):
            yield event.at[which.ravel() == number], [*compress(columns, kind)]


@lru_cache(PROGRAMS)
def _compared_picks(program: Program) -> list[int]:
    """Return the picks that segments compare: their values are needed at each item, not only at the end."""
    used = {node.name for rule in program.rules for node in walk(rule.condition) if isinstance(node, Feature)}
    numbers = [program.readings[name].pick for name in sorted(used)]
    return [number for number in numbers if number is not None]
