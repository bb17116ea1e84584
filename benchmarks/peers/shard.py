"""A log by shard: envelopes of one shard's events, and the people who get them. What of `flink_shard` is not Flink's.

The log is cut into runs of RUN events, each run into envelopes of one shard, as a front that sends by shard would fill
them. An envelope's event time is its run's first stamp: when it comes, everything before that stamp has come to every
shard. By its own last stamp time would pass for shards whose envelope of the same run is still to come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from zlib import crc32

import msgspec

from benchmarks.peers.event import Event
from benchmarks.peers.person import Person, Transition
from benchmarks.peers.shop import Shop

SHARDS = 8
RUN, MOST = 2_500, 500
"""Events of a run, and of an envelope at most; the half of a workload is whole runs."""

_READ, _EVENTS = msgspec.json.Decoder(Event).decode, msgspec.json.Decoder(list[Event]).decode
_ENCODE, _DECODE = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Person).decode


class Envelope(msgspec.Struct, frozen=True):
    """Events of one shard as a JSON list. `since` and `until` are the stamps of its run's first and last event (ms)."""

    shard: str
    since: int
    until: int
    events: str


def envelopes(lines: Iterable[bytes], run: int = RUN) -> Iterator[Envelope]:
    """Cut a log of JSON lines into envelopes; each person's events stay in order."""
    coming = iter(lines)
    while part := list(islice(coming, run)):
        yield from _of_run(part)


def written(envelope: Envelope) -> str:
    """Return an envelope as a line of text."""
    return f"{envelope.shard} {envelope.since} {envelope.until} {envelope.events}\n"


def opened(text: str) -> Envelope:
    """Return the envelope that a line of text is; its events are not decoded yet."""
    shard, since, until, events = text.split(" ", 3)
    return Envelope(shard, int(since), int(until), events)


class Shard:
    """One shard's people as objects, of whom the bytes are kept elsewhere: what changed has to be taken there."""

    def __init__(self, kept: Iterable[tuple[str, bytes]] = ()) -> None:
        self._shop = Shop({name: _DECODE(held) for name, held in kept})

    @property
    def due(self) -> int:
        """When somebody is due next (ms), NEVER if nobody is."""
        return self._shop.due

    def fold(self, envelope: Envelope) -> tuple[int, list[Transition]]:
        """Fold an envelope; return how many events it had, and what changed, told when the run was whole."""
        events = _EVENTS(envelope.events)
        for event in events:
            self._shop.take(event)
        return len(events), [(*one[:4], envelope.until) for one in self._told()]

    def wait(self, stamp: int) -> list[Transition]:
        """Let time pass up to a stamp (ms); return what changed."""
        self._shop.wait(stamp)
        return self._told()

    def changed(self) -> dict[str, bytes]:
        """Return the bytes of those who changed since this was asked last."""
        names, self._shop.changed = self._shop.changed, set()
        return {name: _ENCODE(self._shop.people[name]) for name in names}

    def _told(self) -> list[Transition]:
        told, self._shop.fresh = self._shop.fresh, []
        return told


def _of_run(run: list[bytes]) -> Iterator[Envelope]:
    since, until = _READ(run[0]).stamp, _READ(run[-1]).stamp
    parts: dict[str, list[str]] = defaultdict(list)
    for line in run:
        parts[str(crc32(_READ(line).person.encode()) % SHARDS)].append(line.decode().rstrip())
    for shard, part in parts.items():
        for first in range(0, len(part), MOST):
            yield Envelope(shard, since, until, f"[{','.join(part[first : first + MOST])}]")
