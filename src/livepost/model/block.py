"""A block: the records of one group commit as columns (FORMATS; SPEED, 3).

Fixed-width columns are little-endian bytes, one value a record, read by the engine without a copy; the rest
are lists, and what is rare is a dict by the record's place in the block. A block is what the log stores
(msgpack, zstd) and what `process` reads; `records()` gives the same as whole records. What `process` hardly asks for,
`times`, `sealed` and `facets`, stays msgpack until it is: reading all of it took two thirds of a block's decoding.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import msgspec

from livepost.ids import event_ids
from livepost.model.record import RECORD_FORMAT, KeyKind, Kind, Mention, Origin, Record, Verdict

T = TypeVar("T")

Times = tuple[int | None, int | None, int]

Columns: TypeAlias = Mapping[str, Sequence[Any]]
"""The values of records by field, all fields but seq and stamp: as many of each, in the same order."""

_times = msgspec.msgpack.Decoder(list[Times])
_sealed = msgspec.msgpack.Decoder(list[dict[str, bytes]])
_facets = msgspec.msgpack.Decoder(dict[int, dict[str, str]])


class FixedColumns(msgspec.Struct, array_like=True):
    """The columns of one group commit that are as wide for every record; they have seq `first`..`first + count - 1`
    and all the same `stamp`.

    effective              i64 ms each
    kind, origin, key, verdict, known   u8 each
    subject, event, content             16 bytes each (subject id, event id = dedupe key, content hash)
    name, source           u16 each, an index into `names` / `sources`
    """

    format: int
    first: int
    count: int
    stamp: int
    effective: bytes
    kind: bytes
    origin: bytes
    key: bytes
    verdict: bytes
    known: bytes
    subject: bytes
    event: bytes
    content: bytes
    name: bytes
    names: list[str]
    source: bytes
    sources: list[str]


class Block(FixedColumns, dict=True):
    """All columns of one group commit; `times`, `sealed`, `facets` are msgpack of `record_times`, `sealed_fields`,
    `record_facets`.
    """

    message_id: list[str]
    times: msgspec.Raw
    properties: list[dict[str, Any]]
    sealed: msgspec.Raw
    facets: msgspec.Raw
    context: dict[int, dict[str, Any]]
    mentions: dict[int, tuple[Mention, ...]]
    reason: dict[int, str]
    control: dict[int, dict[str, Any]]

    @cached_property
    def record_times(self) -> list[Times]:
        """(timestamp, sent_at, received_at) of each record."""
        return _times.decode(self.times)

    @cached_property
    def sealed_fields(self) -> list[dict[str, bytes]]:
        """The sealed fields of each record."""
        return _sealed.decode(self.sealed)

    @cached_property
    def record_facets(self) -> dict[int, dict[str, str]]:
        """The facets of the records that have any, by place."""
        return _facets.decode(self.facets)

    def records(self) -> list[Record]:
        """Return the block's records, whole."""
        return [self.record(place) for place in range(self.count)]

    def record(self, place: int) -> Record:
        """Return the record at a place (0-based) of the block, whole."""
        timestamp, sent_at, received_at = self.record_times[place]
        return Record(
            kind=Kind(self.kind[place]),
            origin=Origin(self.origin[place]),
            key=KeyKind(self.key[place]),
            source=self.sources[_u16(self.source, place)],
            subject=_id(self.subject, place),
            known=bool(self.known[place]),
            mentions=self.mentions.get(place, ()),
            message_id=self.message_id[place],
            name=self.names[_u16(self.name, place)],
            timestamp=timestamp,
            sent_at=sent_at,
            received_at=received_at,
            effective_ts=_i64(self.effective, place),
            verdict=Verdict(self.verdict[place]),
            reason=self.reason.get(place, ""),
            properties=self.properties[place],
            context=self.context.get(place, {}),
            facets=self.record_facets.get(place, {}),
            sealed=self.sealed_fields[place],
            content_hash=_id(self.content, place),
            control=self.control.get(place, {}),
            seq=self.first + place,
            stamp=self.stamp,
        )


def block_of(records: Sequence[Record], first: int, stamp: int) -> Block:
    """Return the records as one block: seq from `first` on, all with `stamp`, effective_ts clamped to it."""
    return block_of_columns(columns_of(records), first, stamp)


def block_of_columns(told: Columns, first: int, stamp: int) -> Block:
    """Return `block_of` of the records whose values by field are `told`."""
    names, name = _numbered(told["name"])
    sources, source = _numbered(told["source"])
    return Block(
        format=RECORD_FORMAT,
        first=first,
        count=len(told["message_id"]),
        stamp=stamp,
        effective=_i64s(told["effective_ts"], stamp),
        kind=_u8s(told["kind"]),
        origin=_u8s(told["origin"]),
        key=_u8s(told["key"]),
        verdict=_u8s(told["verdict"]),
        known=_u8s(told["known"]),
        subject=_ids(told["subject"]),
        event=b"".join(event_ids(told["source"], told["message_id"])),
        content=_ids(told["content_hash"]),
        name=name,
        names=names,
        source=source,
        sources=sources,
        message_id=list(told["message_id"]),
        times=_packed(list(zip(told["timestamp"], told["sent_at"], told["received_at"], strict=True))),
        properties=list(told["properties"]),
        sealed=_packed(told["sealed"]),
        facets=_packed(_rare(told["facets"])),
        context=_rare(told["context"]),
        mentions=_rare(told["mentions"]),
        reason=_rare(told["reason"]),
        control=_rare(told["control"]),
    )


def rest_after(block: Block, seq: int) -> Block:
    """Return the block with only its records of a seq > `seq`: itself if that is all, an empty one if none
    is.

    The dictionaries `names` and `sources` stay whole, so that the indices into them hold.
    """
    cut = min(max(seq + 1 - block.first, 0), block.count)
    if cut == 0:
        return block
    return Block(
        format=block.format,
        first=block.first + cut,
        count=block.count - cut,
        stamp=block.stamp,
        effective=block.effective[8 * cut :],
        kind=block.kind[cut:],
        origin=block.origin[cut:],
        key=block.key[cut:],
        verdict=block.verdict[cut:],
        known=block.known[cut:],
        subject=block.subject[16 * cut :],
        event=block.event[16 * cut :],
        content=block.content[16 * cut :],
        name=block.name[2 * cut :],
        names=block.names,
        source=block.source[2 * cut :],
        sources=block.sources,
        message_id=block.message_id[cut:],
        times=_packed(block.record_times[cut:]),
        properties=block.properties[cut:],
        sealed=_packed(block.sealed_fields[cut:]),
        facets=_packed(_moved(block.record_facets, cut)),
        context=_moved(block.context, cut),
        mentions=_moved(block.mentions, cut),
        reason=_moved(block.reason, cut),
        control=_moved(block.control, cut),
    )


def first_of(block: Block, count: int) -> Block:
    """Return the block with only its first `count` (>= 1) records, made anew: itself if that is all."""
    if count >= block.count:
        return block
    return block_of([block.record(place) for place in range(count)], block.first, block.stamp)


def columns_of(records: Sequence[Record]) -> Columns:
    """Return the values of all records by field: turned once, which costs less than asking each record for each."""
    fields = Record.__struct_fields__
    turned = zip(*map(msgspec.structs.astuple, records), strict=True) if records else [()] * len(fields)
    return dict(zip(fields, turned, strict=True))


def _i64s(times: Sequence[int], stamp: int) -> bytes:
    """Return the times (ms) with none after `stamp`."""
    kept = times if max(times, default=stamp) <= stamp else [min(time, stamp) for time in times]
    return struct.pack(f"<{len(times)}q", *kept)


def _u8s(values: Sequence[int]) -> bytes:
    """Return small numbers as bytes; mostly they are all the same."""
    return bytes(values[:1]) * len(values) if len(set(values)) == 1 else bytes(values)


def _ids(values: Sequence[bytes]) -> bytes:
    """Return ids one behind the other, all zero for none."""
    return b"".join(values) if all(values) else b"".join([value or bytes(16) for value in values])


def _numbered(words: Sequence[str]) -> tuple[list[str], bytes]:
    """Return the different words as they come up first, and for each word its index (u16) among them."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return list(numbers), struct.pack(f"<{len(words)}H", *map(numbers.__getitem__, words))


def _rare(values: Sequence[T]) -> dict[int, T]:
    """Return what is there by its place."""
    return {place: value for place, value in enumerate(values) if value} if any(values) else {}


def _packed(values: Sequence[Any] | dict[int, Any]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(values))


def _moved(rare: dict[int, T], cut: int) -> dict[int, T]:
    """Return what belongs to the places from `cut` on, by its new place."""
    return {place - cut: value for place, value in rare.items() if place >= cut}


def _id(column: bytes, place: int) -> bytes:
    """Return the 16 bytes at a place; all zero stands for none."""
    raw = column[16 * place : 16 * place + 16]
    return raw if any(raw) else b""


def _u16(column: bytes, place: int) -> int:
    return int.from_bytes(column[2 * place : 2 * place + 2], "little")


def _i64(column: bytes, place: int) -> int:
    return int.from_bytes(column[8 * place : 8 * place + 8], "little", signed=True)
