"""Which records count, told by a part of the event ids: what the engine's first steps find out before anybody knows
whose a record is.

In: blocks of the log. Out: the records that count, the fates of the others. Many sieves side by side, each over the
same blocks with ids of its own, say together what one says of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from livepost.engine.seen import Days, Hashes, Seen, hashes
from livepost.ids import SHARDS
from livepost.model.block import Block
from livepost.model.lateness import TOO_LATE
from livepost.model.letter import Letter
from livepost.model.record import Record
from livepost.process.batch import batch_of
from livepost.process.decode import decode
from livepost.process.dedupe import dedupe
from livepost.process.validate import NOTHING, validate


@dataclass(frozen=True)
class Sieved:
    """What a sieve made of blocks: records that count, in log order, and what it is to remember.

    counts     events by fate, but for those that count, and those that came too late: whoever folds an event counts it
    dead, replayed   as a `Delta` has them
    """

    records: list[Record]
    counts: dict[str, int]
    dead: list[Letter]
    replayed: list[tuple[int, int]]
    keys: Hashes
    contents: Hashes
    days: Days


class Sieve:
    """The sieve of the event ids whose shard is one of `shards` (of 1,024): see `event_shards`."""

    def __init__(self, shards: frozenset[int]) -> None:
        self._mine = np.zeros(SHARDS, bool)
        self._mine[list(shards)] = True
        self.seen = Seen()

    def sieve(self, blocks: list[Block], failing: Mapping[int, str] = NOTHING) -> Sieved:
        """Return what is to be made of the blocks, which span at most a day of stamps; changes nothing.

        `failing` are records on which a shard fails, by seq, with the reason: they are to be known here, so that they
        change nothing anywhere, and a shard that fails lets all begin again from where all last kept what they had.
        """
        batch = batch_of(blocks)
        mine = self._mine[event_shards(batch.event)]
        batch.alive[~mine] = False
        decode(batch)
        validate(batch, failing)
        keys, contents, days = dedupe(batch, self.seen)
        return Sieved(
            records=[batch.record(place) for place in np.flatnonzero(batch.alive).tolist()],
            counts={**batch.counts, TOO_LATE: batch.too_late},
            dead=batch.dead,
            replayed=[(letter, int(batch.seq[place])) for place, letter in batch.replays.items() if mine[place]],
            keys=keys,
            contents=contents,
            days=days,
        )

    def take(self, sieved: Sieved) -> None:
        """Remember what came through, once it is kept."""
        self.seen.remember(sieved.keys, sieved.contents, sieved.days)


def event_shards(events: bytes) -> np.ndarray:
    """Return the shard of each event id (16 bytes each), by the half of it that dedupe goes by (ADR 0006)."""
    return (hashes(events) % np.uint64(SHARDS)).astype(np.int64)
