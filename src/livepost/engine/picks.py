"""Picks: features that keep values (`latest first recent top`), folded record by record.

A fold is independent of order: `latest` and `first` go by (effective_ts, message_id), `recent` keeps the top n by
(effective_ts descending, message_id), `top` counts values per tile. So late records need no special care here, and
what a record brings can wait in the row, unread, until there is enough of it to be folded at once.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.engine.program import Program
from livepost.model.compiled import FeatureSpec

DISTINCT_MAX = 1000
"""Above so many different values in its window a `top` is unknown (None) until tiles expire."""

WAITING_MAX = 8
"""So many records wait in a row at most."""

Held = list[Any]
"""One pick's state. latest, first: [ts, message_id, value] or []; recent: a list of these;
top: [[tile in seconds, {value: count}], ...]."""

_ARRAY_32 = b"\xdd"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def decode(raw: bytes, program: Program) -> list[Held]:
    """Return the picks of a row, by pick number, with what was waiting folded in; empty where there was nothing."""
    if not raw:
        return [[] for _ in program.picks]
    held: list[Held]
    held, *waiting = _decode(_ARRAY_32 + raw)
    for ts, message_id, values in waiting:
        for number, value in values.items():
            held[number] = fold(program.picks[number], held[number], ts, message_id, value)
    return held


def encode(picks: list[Held]) -> bytes:
    """Return the picks as a row keeps them, nothing waiting; b"" if all are empty.

    The form is that of a msgpack array without its first byte: how many (4 bytes), the picks, what waits.
    """
    return _count_of(1) + _encode(picks) if any(picks) else b""


def brought(ts: int, message_id: str, values: dict[int, Any]) -> bytes:
    """Return what a record brings, by pick number, as it waits in rows."""
    return _encode((ts, message_id, values))


def append(raw: bytes, more: list[bytes], program: Program) -> bytes:
    """Return the picks of a row with what more records brought; folded, where more than WAITING_MAX would wait."""
    raw = raw or _count_of(1) + _encode([[] for _ in program.picks])
    count = int.from_bytes(raw[:4], "big") + len(more)
    longer = b"".join((_count_of(count), raw[4:], *more))
    return longer if count <= WAITING_MAX + 1 else encode(decode(longer, program))


def fold(spec: FeatureSpec, held: Held, ts: int, message_id: str, value: Any) -> Held:
    """Return the pick with one more record in it."""
    match spec.kind:
        case "latest":
            return [ts, message_id, value] if not held or (ts, message_id) > (held[0], held[1]) else held
        case "first":
            return [ts, message_id, value] if not held or (ts, message_id) < (held[0], held[1]) else held
        case "recent":
            return _put(spec, held, [ts, message_id, value])
        case _:
            return _count(spec, held, _tile(spec, ts), value, 1)


def join(spec: FeatureSpec, left: Held, right: Held) -> Held:
    """Return the pick of two people become one; the order of the two does not matter."""
    if spec.kind == "recent":
        for entry in right:
            left = _put(spec, left, entry)
        return left
    if spec.kind == "top":
        for tile, counts in right:
            for value, count in counts.items():
                left = _count(spec, left, tile, value, count)
        return left
    return fold(spec, left, *right) if right else left


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


def _put(spec: FeatureSpec, held: Held, entry: Held) -> Held:
    """Return the newest n: by effective_ts descending, then message_id ascending."""
    if not held or entry[0] > held[0][0]:
        return [entry, *held[: _n(spec) - 1]]
    return sorted([*held, entry], key=lambda one: (-one[0], one[1]))[: _n(spec)]


def _count(spec: FeatureSpec, held: Held, tile: int, item: Any, count: int) -> Held:
    """Return the tiles with an item counted; a new tile takes the place of those that have expired by then."""
    for entry in reversed(held):
        if entry[0] == tile:
            counts = entry[1]
            if len(counts) <= DISTINCT_MAX or item in counts:  # else unknown while this tile lives, whatever comes
                counts[item] = counts.get(item, 0) + count
            return held
    return [*expire(spec, held, tile * 1000), [tile, {item: count}]]


def _count_of(parts: int) -> bytes:
    return parts.to_bytes(4, "big")


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
