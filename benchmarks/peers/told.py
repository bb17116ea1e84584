"""What a peer hands back: its transitions in a file, what it took as JSON on the last line of its output."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from benchmarks.peers.event import Event
from benchmarks.peers.person import Transition

TRANSITIONS = "transitions.txt"


class Job(msgspec.Struct, frozen=True):
    """What a peer is to do: fold the file's first `warm` events, then measure the others up to `events`.

    `folder` is empty and on disk; `address` is Kafka's, where the peer needs one; `every` is how often (events) one
    polls.
    """

    file: Path
    folder: Path
    events: int
    warm: int
    every: int = 0
    address: str = ""


class Taken(msgspec.Struct, frozen=True):
    """What so many events, the timed ones, took: wall time and CPU of the peer's own process (s)."""

    version: str
    events: int
    wall_s: float
    cpu_s: float


class Watch:
    """Takes wall time and this process' CPU between two counts of events, after the first `warm` of them."""

    def __init__(self, events: int, warm: int) -> None:
        self._events, self._warm, self._count = events, warm, 0
        self._began = self._ended = _now()

    def begin(self) -> None:
        """Start: for a peer whose events are timed from the first on."""
        self._began = _now()

    def count(self, events: int = 1) -> bool:
        """Count events done; say whether these were the last."""
        before, self._count = self._count, self._count + events
        if before < self._warm <= self._count:
            self._began = _now()
        if before < self._events <= self._count:
            self._ended = _now()
        return self._count >= self._events

    def taken(self, version: str) -> Taken:
        """Return the difference; raise ValueError where not all events came."""
        if self._count != self._events:
            raise ValueError(
                f"expected {self._events} events, got {self._count}; the figures would be of something else"
            )
        wall, cpu = (end - begin for begin, end in zip(self._began, self._ended, strict=True))
        return Taken(version, self._events - self._warm, wall, cpu)


def job() -> Job:
    """Return what the command line asks for: one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job")
    return msgspec.json.decode(parser.parse_args().job, type=Job, dec_hook=_path)


def say(taken: Taken) -> None:
    """Print what it took, as the last line."""
    print(msgspec.json.encode(taken).decode())
    sys.stdout.flush()


def events(file: Path, count: int) -> Iterator[Event]:
    """Yield the file's first `count` events."""
    decode = msgspec.json.Decoder(Event).decode
    with file.open("rb") as lines:
        for _, line in zip(range(count), lines, strict=False):
            yield decode(line)


def line(transition: Transition) -> str:
    """Return a transition as a line of text."""
    person, segment, entered, at, seen = transition
    return f"{person} {segment} {int(entered)} {at} {seen}\n"


def keep(folder: Path, transitions: Iterable[Transition]) -> None:
    """Write transitions as `read` reads them."""
    (folder / TRANSITIONS).write_text("".join(map(line, transitions)))


def read(folder: Path) -> list[Transition]:
    """Return what a peer told."""
    split = (told.split() for told in (folder / TRANSITIONS).read_text().splitlines())
    return [(person, segment, entered == "1", int(at), int(seen)) for person, segment, entered, at, seen in split]


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _path(wanted: type, value: object) -> object:
    return wanted(value)
