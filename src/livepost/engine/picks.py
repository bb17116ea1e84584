"""Picks: features that keep values (`latest first recent top`), folded record by record.

A fold is independent of order: `latest` and `first` go by (effective_ts, message_id), `recent` keeps the top n by
(effective_ts descending, message_id), `top` counts values per tile. So late records need no special care here, and
what a record brings can wait in the row, unread, until there is enough of it to be folded at once.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import msgspec

from livepost.engine.program import Program
from livepost.model.compiled import FeatureSpec

DISTINCT_MAX = 1000
"""Above so many different values in its window a `top` is unknown (None) until tiles expire."""

WAITING_MAX = 8
"""So many records wait in a row at most, or as many as take the room of what is folded: then folding stays cheap."""

Held = list[Any]
"""One pick's state. latest, first: [ts, message_id, value] or []; recent: a list of these;
top: [[tile in seconds, {value: count}], ...], where the counts of a tile may still be msgpack (Raw)."""

Entry = Any
"""What a record brings to a pick: effective_ts, message_id, value, in this order."""


_Waiting = tuple[int, str, dict[int, Any]]
"""What a record brought to the picks of a row, not yet folded: effective_ts, message_id, values by pick number."""

_moment = itemgetter(0, 1)
_ts, _message_id = itemgetter(0), itemgetter(1)
_ARRAY_32 = b"\xdd"
_HEAD = struct.Struct(">II")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_decode_counts = msgspec.msgpack.Decoder(dict[Any, int]).decode
_decode_picks = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode_tiles = msgspec.msgpack.Decoder(list[tuple[int, msgspec.Raw]]).decode
_decode_waiting = msgspec.msgpack.Decoder(list[_Waiting]).decode


def decode(raw: bytes, program: Program) -> list[Held]:
    """Return the picks of a row, by pick number, with what was waiting folded in; empty where there was nothing."""
    if not raw:
        return [[] for _ in program.picks]
    folded, waiting = _parts(raw)
    held: list[Held] = _decode(folded)
    for number, came in _by_pick(waiting):
        held[number] = fold_all(program.picks[number], held[number], came)
    return held


def encode(picks: list[Held]) -> bytes:
    """Return the picks as a row keeps them, nothing waiting; b"" if all are empty.

    The form: how many parts and how long the first is (4 bytes each), the picks, what waits; parts are msgpack.
    """
    return _whole(_encode(picks)) if any(picks) else b""


def brought(ts: Iterable[int], message_ids: Iterable[str], values: Iterable[dict[int, Any]]) -> list[bytes]:
    """Return what each record brings, by pick number, as it waits in rows."""
    return list(map(_encode, zip(ts, message_ids, values, strict=True)))


def append(raw: bytes, more: list[bytes], program: Program) -> bytes:
    """Return the picks of a row with what more records brought; folded, where more than WAITING_MAX would wait."""
    raw = raw or _whole(_encode([[] for _ in program.picks]))
    parts, size = _HEAD.unpack_from(raw)
    parts += len(more)
    longer = b"".join((_HEAD.pack(parts, size), raw[_HEAD.size :], *more))
    if parts <= 1 + WAITING_MAX or len(longer) - _HEAD.size <= 2 * size:
        return longer
    return _folded(longer, program)


def _folded(raw: bytes, program: Program) -> bytes:
    """Return the picks of a row with what was waiting folded in: as by `decode` and `encode`, but picks for which
    nothing waits are not read, and of a `top` only the tiles that are counted into.
    """
    folded, waiting = _parts(raw)
    kept: list[msgspec.Raw] = _decode_picks(folded)
    held: list[msgspec.Raw | Held] = [*kept]
    for number, came in _by_pick(waiting):
        spec = program.picks[number]
        read = _decode_tiles if spec.kind == "top" else _decode
        held[number] = fold_all(spec, read(kept[number]), came)
    return _whole(_encode(held))


def fold(spec: FeatureSpec, held: Held, ts: int, message_id: str, value: Any) -> Held:
    """Return the pick with one more record in it."""
    return fold_all(spec, held, [(ts, message_id, value)])


def fold_all(spec: FeatureSpec, held: Held, entries: list[Entry]) -> Held:
    """Return the pick with more records in it, each (effective_ts, message_id, value)."""
    match spec.kind:
        case "latest":
            newest = max(entries, key=_moment)
            return list(newest) if not held or _moment(newest) > _moment(held) else held
        case "first":
            oldest = min(entries, key=_moment)
            return list(oldest) if not held or _moment(oldest) < _moment(held) else held
        case "recent":
            return _newest(spec, [*held, *map(list, entries)])
        case _:
            return _count(spec, held, [(_tile(spec, ts), value, 1) for ts, _, value in entries])


def join(spec: FeatureSpec, left: Held, right: Held) -> Held:
    """Return the pick of two people become one; the order of the two does not matter."""
    if spec.kind == "recent":
        return _newest(spec, [*left, *right])
    if spec.kind == "top":
        return _count(spec, left, [(tile, value, count) for tile, counts in right for value, count in counts.items()])
    return fold_all(spec, left, [right]) if right else left


def expire(spec: FeatureSpec, held: Held, at: int) -> Held:
    """Return the pick without what has left its window at `at` (ms)."""
    if spec.over_ms is None or spec.kind not in ("recent", "top"):
        return held
    oldest = _oldest(spec, at)
    if spec.kind == "recent":
        return [entry for entry in held if entry[0] >= oldest]
    return [entry for entry in held if entry[0] * 1000 >= oldest]


def value(spec: FeatureSpec, held: Held, at: int) -> Any:
    """Return what the pick is worth at `at` (ms); None is never (or, for `top`, unknown)."""
    if spec.kind in ("latest", "first"):
        return held[2] if held else None
    alive = expire(spec, held, at)
    if spec.kind == "recent":
        return [entry[2] for entry in alive[: spec.n]]
    return _ranking(alive, _n(spec))


def _ranking(tiles: Held, k: int) -> list[Any] | None:
    counts: dict[Any, int] = {}
    for _, tile in tiles:
        for item, count in tile.items():
            counts[item] = counts.get(item, 0) + count
    if len(counts) > DISTINCT_MAX:
        return None
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [item for item, _ in ranked[:k]]


def _newest(spec: FeatureSpec, entries: Held) -> Held:
    """Return the newest n: by effective_ts descending, then message_id ascending."""
    return sorted(sorted(entries, key=_message_id), key=_ts, reverse=True)[: _n(spec)]  # the sort is stable


def _count(spec: FeatureSpec, held: Held, items: list[tuple[int, Any, int]]) -> Held:
    """Return the tiles with (tile, value, count) added; new tiles make those go that have expired by then."""
    tiles: dict[int, dict[Any, int] | msgspec.Raw] = dict(held)
    for tile, value, count in items:
        counts = tiles.setdefault(tile, {})
        if isinstance(counts, msgspec.Raw):
            counts = tiles[tile] = _decode_counts(counts)
        if len(counts) <= DISTINCT_MAX or value in counts:  # else unknown while this tile lives, whatever comes
            counts[value] = counts.get(value, 0) + count
    counted = [[tile, counts] for tile, counts in tiles.items()]
    return counted if len(counted) == len(held) else expire(spec, counted, max(tiles) * 1000)


def _parts(raw: bytes) -> tuple[bytes, list[_Waiting]]:
    """Return what is folded, and what waits."""
    parts, size = _HEAD.unpack_from(raw)
    folded_to = _HEAD.size + size
    waiting = _ARRAY_32 + (parts - 1).to_bytes(4, "big") + raw[folded_to:] if parts > 1 else b"\x90"
    return raw[_HEAD.size : folded_to], _decode_waiting(waiting)


def _by_pick(waiting: list[_Waiting]) -> Iterable[tuple[int, list[Entry]]]:
    """Return what waits by pick number, in the order in which it came."""
    came: defaultdict[int, list[Entry]] = defaultdict(list)
    for ts, message_id, values in waiting:
        for number, brought_value in values.items():
            came[number].append((ts, message_id, brought_value))
    return came.items()


def _whole(folded: bytes) -> bytes:
    return _HEAD.pack(1, len(folded)) + folded


def _n(spec: FeatureSpec) -> int:
    return spec.n or 1


def _tile(spec: FeatureSpec, ts: int) -> int:
    if spec.over_ms is None or spec.grid_ms is None:
        return 0
    return ts // spec.grid_ms * spec.grid_ms // 1000


def _oldest(spec: FeatureSpec, at: int) -> int:
    assert spec.over_ms is not None
    assert spec.grid_ms is not None
    return (at - spec.over_ms) // spec.grid_ms * spec.grid_ms
