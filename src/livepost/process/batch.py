"""A batch: records of consecutive blocks as columns, with what the steps find out about each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from livepost.engine.row import Bools, Ints
from livepost.model.block import Block
from livepost.model.facet import ZONE
from livepost.model.letter import Fate, Letter
from livepost.model.record import Mention, Record, replays_in

Bytes = npt.NDArray[np.uint8]


@dataclass
class Batch:
    """Columns are by place (0-based) in the batch; times in ms. `fate` starts unset and is settled by the steps.

    name      place in `names` of each record's name
    mentions, context, reason   only where there are any; `replays` the seq of the dead letter that a record replays
    alive     records that still go on to the next step
    too_late  how many of the dead are so because they came after accepted lateness
    """

    blocks: list[Block]
    first_of_block: list[int]
    seq: Ints
    stamp: Ints
    effective: Ints
    kind: Bytes
    origin: Bytes
    key: Bytes
    verdict: Bytes
    known: Bytes
    name: Ints
    names: list[str]
    subject: list[bytes]
    event: bytes
    content: bytes
    message_id: list[str]
    properties: list[dict[str, Any]]
    mentions: dict[int, tuple[Mention, ...]]
    context: dict[int, dict[str, Any]]
    reason: dict[int, str]
    replays: dict[int, int]
    alive: Bools
    consents: dict[int, dict[str, bool]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    too_late: int = 0
    dead: list[Letter] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.seq)

    def event_id(self, place: int) -> bytes:
        """Return the event id (dedupe key) of a record."""
        return self.event[16 * place : 16 * place + 16]

    def facets(self, place: int) -> dict[str, str]:
        """Return the facets of a record; do not change them."""
        block, at = self._block(place)
        return block.record_facets.get(at, {})

    def zones(self) -> dict[int, str]:
        """Return the zone that a record says, by place, where one does."""
        return {
            first + at: facets[ZONE]
            for first, block in zip(self.first_of_block, self.blocks, strict=True)
            for at, facets in block.record_facets.items()
            if ZONE in facets
        }

    def fields(self, place: int) -> dict[str, Any]:
        """Return what conditions read of a record: its open fields, and its facets, whose names have a dot."""
        facets, properties = self.facets(place), self.properties[place]
        return properties | facets if facets else properties

    def record(self, place: int) -> Record:
        """Return the record at a place, whole."""
        block, at = self._block(place)
        return block.record(at)

    def source_of(self, place: int) -> str:
        """Return the source of a record."""
        block, at = self._block(place)
        return block.sources[int.from_bytes(block.source[2 * at : 2 * at + 2], "little")]

    def drop(self, places: Ints, fate: str) -> None:
        """Settle the fate of records: they go no further and are counted."""
        self.alive[places] = False
        self.counts[fate] = self.counts.get(fate, 0) + len(places)

    def bury(self, places: Ints, reason: str, fate: Fate = "dead_lettered") -> None:
        """Send records to the dead letters, with a reason (or their own, where they brought one)."""
        self.drop(places, fate)
        self.dead += [self._letter(place, reason, fate) for place in places.tolist()]

    def _block(self, place: int) -> tuple[Block, int]:
        """Return the block of a record, and its place there."""
        number = bisect_right(self.first_of_block, place) - 1
        return self.blocks[number], place - self.first_of_block[number]

    def _letter(self, place: int, reason: str, fate: Fate) -> Letter:
        return Letter(
            position=int(self.seq[place]),
            fate=fate,
            reason=self.reason.get(place) or reason,
            at=int(self.stamp[place]),
            source=self.source_of(place),
            name=self.names[self.name[place]],
        )


def batch_of(blocks: Sequence[Block]) -> Batch:
    """Return the blocks as one batch; all records alive."""
    firsts = [0, *np.cumsum([b.count for b in blocks]).tolist()][:-1]
    names: dict[str, int] = {}
    return Batch(
        blocks=list(blocks),
        first_of_block=firsts,
        seq=_joined([np.arange(b.first, b.first + b.count) for b in blocks]),
        stamp=np.repeat([b.stamp for b in blocks], [b.count for b in blocks]).astype(np.int64),
        effective=np.frombuffer(b"".join([b.effective for b in blocks]), "<i8"),
        kind=_u8([b.kind for b in blocks]),
        origin=_u8([b.origin for b in blocks]),
        key=_u8([b.key for b in blocks]),
        verdict=_u8([b.verdict for b in blocks]),
        known=_u8([b.known for b in blocks]),
        name=_joined([_names(b, names) for b in blocks]),
        names=list(names),
        subject=_split(b"".join([b.subject for b in blocks])),
        event=b"".join([b.event for b in blocks]),
        content=b"".join([b.content for b in blocks]),
        message_id=[m for b in blocks for m in b.message_id],
        properties=[p for b in blocks for p in b.properties],
        mentions=_placed([b.mentions for b in blocks], firsts),
        context=_placed([b.context for b in blocks], firsts),
        reason=_placed([b.reason for b in blocks], firsts),
        replays=_replays(blocks, firsts),
        alive=np.ones(sum(b.count for b in blocks), bool),
    )


def _joined(columns: list[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, np.int64), *columns])


def _u8(columns: list[bytes]) -> Bytes:
    return np.frombuffer(b"".join(columns), np.uint8)


def _names(block: Block, names: dict[str, int]) -> Ints:
    codes = np.array([names.setdefault(name, len(names)) for name in block.names], np.int64)
    return codes[np.frombuffer(block.name, "<u2")]


def _split(ids: bytes) -> list[bytes]:
    return [ids[at : at + 16] for at in range(0, len(ids), 16)]


def _placed(parts: list[dict[int, Any]], firsts: list[int]) -> dict[int, Any]:
    return {first + place: value for part, first in zip(parts, firsts, strict=True) for place, value in part.items()}


def _replays(blocks: Sequence[Block], firsts: list[int]) -> dict[int, int]:
    """Return the letters that events replay, by place; what control records carry is none of it."""
    told = _placed([block.control for block in blocks], firsts)
    letters = {place: replays_in(control) for place, control in told.items()}
    return {place: letter for place, letter in letters.items() if letter is not None}
