"""What a feature that keeps values keeps: `latest first minimum maximum recent top distinct`, one class each.

A pick is a set of entries, each beginning with a time (ms), of which `_kept` keeps those that can still matter. What is
kept of two sets together is the same however they were put together before: so records fold in any order, and two
people become one by joining what they keep. Money is compared by its minor units.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np

from livepost.engine.message_id import Kept, shortened, whole
from livepost.engine.tiles import SECOND_MS, Window, window_of
from livepost.model.compiled import FeatureKind, FeatureSpec
from livepost.model.moment import NO_DUE

Held = list[Any]
"""One pick's state: entries (lists), the time first. latest, first, recent: [effective_ts, message_id, value];
minimum, maximum, distinct: [tile, value]; top: [tile, {value: count}], where the counts may still be msgpack (Raw).
Tiles are in seconds, so that they take few bytes."""

Entry = tuple[int, Kept, Any]
"""What a record brings to a pick: effective_ts, message_id, value."""

_time, _value = itemgetter(0), itemgetter(1)
_decode = msgspec.msgpack.Decoder(list[Any]).decode
_decode_counts = msgspec.msgpack.Decoder(dict[Any, int]).decode
_decode_tiles = msgspec.msgpack.Decoder(list[tuple[int, msgspec.Raw]]).decode


class Pick(ABC):
    """How one feature keeps values. States are never changed in place.

    unit_ms   what the times of its entries count
    """

    unit_ms = SECOND_MS

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self._window: Window | None = window_of(spec)

    def fold(self, held: Held, entries: Iterable[Entry]) -> Held:
        """Return the state with more records in it."""
        return self.join(held, self._entries(entries))

    def join(self, left: Held, right: Held) -> Held:
        """Return the state of two people become one, or of two sets of records of one; their order does not matter.

        What has left the window by the newest of them is gone for good: no evaluation is before that.
        """
        both = [*left, *right]
        if self._window is not None and both:
            both = self._alive(both, max(map(_time, both)) * self.unit_ms)
        return self._kept(both) if both else both

    def seeded(self, state: Iterable[Any]) -> Held:
        """Return the state that the history of a seed is (`model.change.SeedState`)."""
        return self.fold([], [tuple(entry) for entry in state])

    def value(self, held: Held, at: int) -> Any:
        """Return what the pick is worth at `at` (ms); None is never, of a `distinct` or `top` it is unknown."""
        return self._worth(self._alive(held, at))

    def expiry(self, held: Held, at: int) -> int:
        """Return when time alone may next change the value that it has at `at` (ms): early perhaps, never late."""
        alive = self._alive(held, at)
        if self._window is None or not alive:
            return NO_DUE
        return int(self._window.leaves(self._window.tile(min(map(_time, alive)) * self.unit_ms)))

    def read(self, raw: bytes | msgspec.Raw) -> Held:
        """Return a state from msgpack, as far as folding needs it."""
        return _decode(raw)

    def _alive(self, held: Held, at: int) -> Held:
        if self._window is None:
            return held
        oldest = int(self._window.oldest(at)) // self.unit_ms
        return [entry for entry in held if entry[0] >= oldest]

    def _tile(self, ts: int) -> int:
        return 0 if self._window is None else int(self._window.tile(ts)) // self.unit_ms

    @abstractmethod
    def _entries(self, came: Iterable[Entry]) -> Held:
        """Return records as entries."""

    @abstractmethod
    def _kept(self, entries: Held) -> Held:
        """Return what can still matter of some entries, at least one."""

    @abstractmethod
    def _worth(self, alive: Held) -> Any:
        """Return what the entries in the window are worth."""


class _Moments(Pick):
    """Keeps records with their moment. Message ids are made whole only where a tie asks for them."""

    unit_ms = 1

    def seeded(self, state: Iterable[Any]) -> Held:
        """Return the state that the history of a seed is: records, their message ids whole."""
        records = [*state]
        message_ids = shortened([message_id for _, message_id, _ in records])
        return self.fold([], [(ts, kept, value) for (ts, _, value), kept in zip(records, message_ids, strict=True)])

    def _entries(self, came: Iterable[Entry]) -> Held:
        return [*map(list, came)]


class Latest(_Moments):
    """The newest: while it is in the window nothing else matters, and once it is not nothing else is there."""

    def _kept(self, entries: Held) -> Held:
        newest = max(map(_time, entries))
        of_then = [entry for entry in entries if entry[0] == newest]
        return of_then if len(of_then) == 1 else [max(of_then, key=_message_id)]

    def _worth(self, alive: Held) -> Any:
        return alive[0][2] if alive else None


class First(_Moments):
    """The oldest of each tile, in order: when its tile leaves, the next tile's is the first."""

    def _kept(self, entries: Held) -> Held:
        oldest: dict[int, list[Any]] = {}
        for entry in entries:
            tile = self._tile(entry[0])
            if tile not in oldest or _is_before(entry, oldest[tile]):
                oldest[tile] = entry
        return sorted(oldest.values(), key=_time)

    def _worth(self, alive: Held) -> Any:
        return alive[0][2] if alive else None


class Recent(_Moments):
    """The newest n: by effective_ts descending, then message_id ascending."""

    def _kept(self, entries: Held) -> Held:
        n = self.spec.n or 1
        newest_first = sorted(entries, key=_time, reverse=True)
        last = newest_first[min(n, len(entries)) - 1][0]
        counting = [entry for entry in newest_first if entry[0] >= last]
        return sorted(_by_id(counting), key=_time, reverse=True)[:n]  # the sort is stable

    def _worth(self, alive: Held) -> list[Any]:
        return [entry[2] for entry in alive]


class Extreme(Pick):
    """The smallest or largest value; of each tile, newest first, only what none of a newer tile comes up to."""

    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__(spec)
        self._largest = spec.kind == "maximum"
        self._beats = operator.gt if self._largest else operator.lt

    def _entries(self, came: Iterable[Entry]) -> Held:
        return [[self._tile(ts), value[0] if isinstance(value, list) else value] for ts, _, value in came]

    def _kept(self, entries: Held) -> Held:
        best_first = sorted(entries, key=_value, reverse=self._largest)
        kept: Held = []
        for entry in sorted(best_first, key=_time, reverse=True):
            if not kept or self._beats(entry[1], kept[-1][1]):
                kept.append(entry)
        return kept

    def _worth(self, alive: Held) -> Any:
        return alive[-1][1] if alive else None


class _Values(Pick):
    """Tells values apart, up to a cap."""

    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__(spec)
        self._cap = spec.told_apart

    def seeded(self, state: Iterable[Any]) -> Held:
        """Return the state that the history of a seed is: how often each value came in each tile."""
        return self.join([], [self._counted(tile, value, count) for tile, value, count in state])

    @abstractmethod
    def _counted(self, tile: int, value: Any, count: int) -> list[Any]:
        """Return a tile's value that came so often as an entry."""


class Distinct(_Values):
    """Each value with its newest tile, which alone says when the value leaves; no more than one beyond the cap.

    Values beyond that, the oldest, say nothing more: while one is in the window, so are all that are kept.
    """

    def _entries(self, came: Iterable[Entry]) -> Held:
        return [[self._tile(ts), value] for ts, _, value in came]

    def _counted(self, tile: int, value: Any, count: int) -> list[Any]:
        return [tile, value]

    def _kept(self, entries: Held) -> Held:
        newest = {_key(entry[1]): entry for entry in sorted(entries, key=_time)}
        return sorted(newest.values(), key=_time, reverse=True)[: self._cap + 1]

    def _worth(self, alive: Held) -> int | None:
        return len(alive) if len(alive) <= self._cap else None


class Top(_Values):
    """How often each value comes, by tile. A tile beyond its cap takes no more values: it is unknown while it lives."""

    def read(self, raw: bytes | msgspec.Raw) -> Held:
        """Return a state from msgpack; the counts of its tiles stay unread."""
        return list(_decode_tiles(raw))

    def fold(self, held: Held, entries: Iterable[Entry]) -> Held:
        """Return the state with more records in it; tiles into which none of them counts are only passed on."""
        came = self._entries(entries)
        newest = max(map(_time, [*held, *came]), default=0) * self.unit_ms
        tiles = dict(self._alive(held, newest))
        for tile, counts in self._alive(came, newest):
            if tile in tiles:
                tiles[tile] = dict(_counts(tiles[tile]))
                self._add(tiles[tile], counts)
            else:
                tiles[tile] = counts
        return [[tile, counts] for tile, counts in tiles.items()]

    def _entries(self, came: Iterable[Entry]) -> Held:
        records = [*came]
        values = [_key(value) for _, _, value in records]
        tiles: defaultdict[int, list[Hashable]] = defaultdict(list)
        for tile, value in zip(self._tiles([ts for ts, _, _ in records]), values, strict=True):
            tiles[tile].append(value)
        return [[tile, self._counts_of(values)] for tile, values in tiles.items()]

    def _tiles(self, times: Sequence[int]) -> list[int]:
        """Return the tiles of many times at once."""
        if self._window is None:
            return [0] * len(times)
        tiles: list[int] = (self._window.tile(np.array(times, np.int64)) // self.unit_ms).tolist()
        return tiles

    def _counts_of(self, values: Sequence[Hashable]) -> dict[Any, int]:
        counts = dict(Counter(values))
        if len(counts) <= self._cap + 1:
            return counts
        capped: dict[Any, int] = {}
        for value in values:
            self._count(capped, value, 1)
        return capped

    def _counted(self, tile: int, value: Any, count: int) -> list[Any]:
        return [tile, {_key(value): count}]

    def _kept(self, entries: Held) -> Held:
        tiles: dict[int, dict[Any, int] | msgspec.Raw] = {}
        merged: set[int] = set()
        for tile, counts in entries:
            if tile not in tiles:
                tiles[tile] = counts
                continue
            if tile not in merged:
                merged.add(tile)
                tiles[tile] = dict(_counts(tiles[tile]))
            self._add(tiles[tile], _counts(counts))
        return [[tile, counts] for tile, counts in tiles.items()]

    def _add(self, into: Any, counts: dict[Any, int]) -> None:
        for value, count in counts.items():
            self._count(into, value, count)

    def _count(self, into: dict[Any, int], value: Hashable, count: int) -> None:
        if len(into) <= self._cap or value in into:
            into[value] = into.get(value, 0) + count

    def _worth(self, alive: Held) -> list[Any] | None:
        counts: dict[Any, int] = {}
        for _, tile in alive:
            for item, count in tile.items():
                counts[item] = counts.get(item, 0) + count
        if len(counts) > self._cap:
            return None
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [list(item) if isinstance(item, tuple) else item for item, _ in ranked[: self.spec.n or 1]]


def pick_of(spec: FeatureSpec) -> Pick:
    """Return how a feature of one of the kinds in `PICKS` keeps values."""
    return PICKS[spec.kind](spec)


def _message_id(entry: Any) -> str:
    return whole(entry[1])


def _by_id(entries: Held) -> Held:
    """Return the entries in the order of their message ids, where two have one time; else as they are."""
    if len({*map(_time, entries)}) == len(entries):
        return entries
    return sorted(entries, key=_message_id)


def _is_before(one: Any, other: Any) -> bool:
    """Whether a record is before another: by time, then by message id."""
    return bool(one[0] < other[0] or (one[0] == other[0] and _message_id(one) < _message_id(other)))


def _key(value: Any) -> Hashable:
    return tuple(value) if isinstance(value, list) else value


def _counts(counts: dict[Any, int] | msgspec.Raw) -> dict[Any, int]:
    return _decode_counts(counts) if isinstance(counts, msgspec.Raw) else counts


PICKS: dict[FeatureKind, type[Pick]] = {
    "latest": Latest,
    "first": First,
    "minimum": Extreme,
    "maximum": Extreme,
    "recent": Recent,
    "top": Top,
    "distinct": Distinct,
}
