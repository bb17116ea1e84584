"""The stock: events made ready before they are due, so that feeding them costs little.

In: happenings whose times count from the first basket. Out: events as JSON up to their timestamp, in order of time.
Promised: at most `READY_EVENTS` ready at a time; what is taken is everything due, in order, or as much as asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import msgspec

from livepost.clock import DAY_MS, MINUTE_MS, SECOND_MS
from livepost.demo.happenings import Happening

READY_EVENTS = 200_000
"""How many events are ready at most: 100 days of the demo, about 150 MB."""
LOW = 20
"""When a stock has sunk to one part in so many, taking makes as many more ready."""
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
    """Events ready to go, in order of time; making `ready` of them (20 to `READY_EVENTS`) costs about 30 us each."""

    def __init__(self, happened: Iterable[Happening], *, ready: int = READY_EVENTS) -> None:
        self._coming = _prepare(happened)
        self._low = max(1, min(ready, READY_EVENTS) // LOW)
        self._ready = deque(islice(self._coming, LOW * self._low))

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
                self._ready.extend(islice(self._coming, self._low))
        return due


def _prepare(happened: Iterable[Happening]) -> Iterator[Prepared]:
    encoder = msgspec.json.Encoder()
    for each in happened:
        head = encoder.encode(each.call)[:-1] + b',"timestamp":"'
        yield Prepared(each.at_ms, each.household, each.basket, each.synthetic, head)


def _timestamp(at_ms: int) -> bytes:
    day, in_day = divmod(at_ms, DAY_MS)
    minutes, in_minute = divmod(in_day, MINUTE_MS)
    seconds, ms = divmod(in_minute, SECOND_MS)
    return b"%b%02d:%02d:%02d.%03dZ" % (_date(day), minutes // 60, minutes % 60, seconds, ms)


@lru_cache(maxsize=8)
def _date(day: int) -> bytes:
    return f"{date(1970, 1, 1) + timedelta(days=day)}T".encode()
