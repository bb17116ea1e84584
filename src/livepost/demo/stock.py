"""The stock: events made ready before they are due, so that feeding them costs little.

In: happenings whose times count from the first basket. Out: events as JSON up to their timestamp, in order of time.
Promised: at most `READY_EVENTS` ready at a time; what is taken is everything due, in order, or as much as was asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

import msgspec

from livepost.demo.happenings import Happening

READY_EVENTS = 200_000
"""How many events are ready at most: 100 days of the demo, about 120 MB."""
LOW_EVENTS = 10_000
"""With fewer than this ready, taking makes more ready."""
TAIL_BYTES = len("2026-11-21T23:52:26.123Z") + len('"},')


class Prepared(NamedTuple):
    """An event ready to go: `offset_ms` from the first basket, and its JSON up to the timestamp.

    `basket` is the basket's number if the event is its order, else 0.
    """

    offset_ms: int
    household: int
    basket: int
    synthetic: bool
    head: bytes

    def body(self, start_ms: int) -> bytes:
        """Return the whole JSON if the first basket happens at `start_ms` (UTC ms)."""
        return self.head + _timestamp(self.offset_ms + start_ms) + b'"}'


class Stock:
    """Events ready to go, in order of time; making the first `ready` of them takes a few seconds."""

    def __init__(self, happened: Iterable[Happening], *, ready: int = READY_EVENTS, low: int = LOW_EVENTS) -> None:
        self._coming = _prepare(happened)
        self._most = ready
        self._low = low
        self._ready = deque(islice(self._coming, ready))

    def __len__(self) -> int:
        """Return how many events are ready; 0 only if none is left."""
        return len(self._ready)

    def next_ms(self) -> int | None:
        """Return the offset (ms) of the next event, None if none is left."""
        return self._ready[0].offset_ms if self._ready else None

    def take(self, offset_ms: int, most: int) -> list[Prepared]:
        """Return the events up to `offset_ms`, at most `most` of them, and forget them."""
        due: list[Prepared] = []
        while len(due) < most and self._ready and self._ready[0].offset_ms <= offset_ms:
            due.append(self._ready.popleft())
            if len(self._ready) < self._low:
                self._ready.extend(islice(self._coming, min(self._low, self._most - len(self._ready))))
        return due


def _prepare(happened: Iterable[Happening]) -> Iterator[Prepared]:
    encoder = msgspec.json.Encoder()
    for each in happened:
        head = encoder.encode(each.call)[:-1] + b',"timestamp":"'
        yield Prepared(each.at_ms, each.household, each.basket, each.synthetic, head)


def _timestamp(at_ms: int) -> bytes:
    told = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{told:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z".encode()
