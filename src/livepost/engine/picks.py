"""The picks of a row as bytes: what is folded, and behind it what waits.

A row may be older than some picks, and have some that are gone (engine.layout): it is read as the program has it.
A fold is independent of order (engine.pick). So late records need no special care here, and what a record brings can
wait in the row, unread, until there is enough of it to be folded at once.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from livepost.engine.message_id import Kept
from livepost.engine.pick import Entry, Held
from livepost.engine.program import Program

WAITING_MAX = 8
"""So many records wait in a row at most, or as many as take the room of what is folded: then folding stays cheap."""

WAITING_MOST = 10_000
"""And never more than so many; a row counts them in two bytes."""

_Waiting = tuple[int, Any, msgspec.Raw, list[Any]]
"""What a record brought to the picks of a row, not yet folded: effective_ts, message_id (Kept), values; before these,
msgpack of the pick numbers that each of them is for."""

T = TypeVar("T")

_place = itemgetter(0)

_ARRAY_32 = b"\xdd"
_EMPTY = b"\x90"
_HEAD = struct.Struct(">II")
_encode = msgspec.msgpack.Encoder().encode
_NOTHING = msgspec.Raw(_encode([]))
_decode = msgspec.msgpack.Decoder().decode
_decode_picks = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode_waiting = msgspec.msgpack.Decoder(list[_Waiting]).decode


def decode(raw: bytes, program: Program) -> list[Held]:
    """Return the picks of a row, by pick number, with what was waiting folded in; empty where there was nothing."""
    if not raw:
        return [[] for _ in program.picks]
    kept, waiting = _parts(raw)
    held = _fitted(_decode(kept), [], program)
    for number, came in _by_pick(waiting):
        if (pick := program.picks[number]) is not None:
            held[number] = pick.fold(held[number], came)
    return held


def encode(picks: list[Held]) -> bytes:
    """Return the picks as a row keeps them, nothing waiting; b"" if all are empty.

    The form: how many parts and how long the first is (4 bytes each), the picks, what waits; parts are msgpack.
    """
    return put_together(_encode(picks), 0, b"") if any(picks) else b""


def brought(
    ts: Sequence[int], message_ids: Sequence[Kept], numbers: Sequence[Sequence[int]], values: Sequence[Sequence[Any]]
) -> list[bytes]:
    """Return what each of some records brings as it waits in rows; `values` are columns, at least one, `numbers` the
    picks that each of these is for.
    """
    told = repeat(msgspec.Raw(_encode(numbers)), len(ts))
    return list(map(_encode, zip(ts, message_ids, told, zip(*values, strict=True), strict=True)))


def appended(raw: bytes, came: bytes, count: int) -> bytes:
    """Return the picks of a row with what `count` more records brought, joined."""
    folded, waiting, before = taken_apart(raw)
    return put_together(folded, waiting + count, before + came)


def is_full(waiting: Any, came: Any, folded: Any) -> Any:
    """Say of one or of many whether what waits, records and their bytes, is to be folded into that of so many bytes."""
    return (waiting > WAITING_MAX) & (came > folded) | (waiting > WAITING_MOST)


def sizes(raw: bytes) -> tuple[int, int, int]:
    """Return how many records wait, in how many bytes, and how many are folded."""
    kept, waiting, came = taken_apart(raw)
    return waiting, len(came), len(kept)


def taken_apart(raw: bytes) -> tuple[bytes, int, bytes]:
    """Return what is folded, how many records wait, and what they brought, joined."""
    if not raw:
        return b"", 0, b""
    parts, size = _HEAD.unpack_from(raw)
    return raw[_HEAD.size : _HEAD.size + size], parts - 1, raw[_HEAD.size + size :]


def put_together(folded: bytes, waiting: int, came: bytes) -> bytes:
    """Return the picks that were taken apart so."""
    return b"".join((_HEAD.pack(1 + waiting, len(folded)), folded, came)) if folded or waiting else b""


def folded(raw: bytes, program: Program) -> bytes:
    """Return the picks of a row with what was waiting folded in: as by `decode` and `encode`, but picks for which
    nothing waits are not read, and of a `top` only the tiles that are counted into.
    """
    before, waiting = _parts(raw)
    kept = _fitted(_decode_picks(before), _NOTHING, program)
    held: list[msgspec.Raw | Held] = [*kept]
    for number, came in _by_pick(waiting):
        if (pick := program.picks[number]) is not None:
            held[number] = pick.fold(pick.read(kept[number]), came)
    return put_together(_encode(held), 0, b"")


def _fitted(held: list[T], nothing: T, program: Program) -> list[T]:
    """Return what is held by each of the program's picks, `nothing` where a pick is newer than the row, or gone."""
    older = [nothing] * (len(program.picks) - len(held))
    return [nothing if pick is None else one for one, pick in zip([*held, *older], program.picks, strict=True)]


def _parts(raw: bytes) -> tuple[bytes, list[_Waiting]]:
    """Return what is folded, and what waits."""
    kept, waiting, came = taken_apart(raw)
    return kept or _EMPTY, _decode_waiting(_ARRAY_32 + waiting.to_bytes(4, "big") + came)


def _by_pick(waiting: list[_Waiting]) -> Iterator[tuple[int, list[Entry]]]:
    """Yield what waits by pick number, in the order in which it came: records that bring the same at once."""
    kinds: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, record in enumerate(waiting):
        kinds[bytes(record[2])].append(place)
    came: defaultdict[int, list[tuple[int, Entry]]] = defaultdict(list)
    for kind, places in kinds.items():
        ts, message_ids, _, values = zip(*[waiting[place] for place in places], strict=True)
        for numbers, column in zip(_decode(kind), zip(*values, strict=True), strict=True):
            entries = [*zip(places, zip(ts, message_ids, column, strict=True), strict=True)]
            for number in numbers:
                came[number] += entries
    for number, entries in came.items():
        yield number, [entry for _, entry in sorted(entries, key=_place)]
