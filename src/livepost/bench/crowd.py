"""A crowd: people in the log whose due times lie right ahead, written before the processes start, and who comes live.

In: a data folder, what happened to everybody, and when. Out: the log's blocks, by the real log; a job for the load
generator. Promised: the stamps are those of the events, so nothing is late; each person has the same events.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice

from livepost.bench.house import House, wait
from livepost.bench.load import Job
from livepost.clock import SECOND_MS, SimulatedClock
from livepost.errors import StoreError
from livepost.ids import digest
from livepost.log.sqlite import SqliteLog
from livepost.model.record import KeyKind, Record
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient

BLOCK = 5_000
"""Records a block holds: a block has one stamp, that of its last event."""

PROCESSES = ("front", "engine")

STARTS = 2
"""How many times as long as a first start the one that counts may take."""

FOLDED_PER_S = 4_000
GENERATED_PER_S = 5_000
"""How many events a second are folded, and made by the load generator before it begins, at the least."""

REQUESTS_PER_S = 100
SHOPPERS = 2_000
CONNECTIONS = 16


def write_crowd(folder: DataFolder, name: str, times: int, happened: Sequence[int]) -> None:
    """Write `times` events of a name for each person, all at the person's `happened` (UTC ms, ascending)."""
    clock = SimulatedClock(happened[0])
    records = _records(name, times, happened)
    with closing(SqliteLog(folder.path / "log", clock)) as log:
        while some := list(islice(records, BLOCK)):
            clock.advance(some[-1].effective_ts - clock.now_ms())
            log.append(some)


def setting_up_ms(new: House, events: int, live_events: int) -> int:
    """Start and end the processes; return how long (ms) it should take to start them with so many events in the log,
    to fold these, and to make the live ones, with room.
    """
    began = time.monotonic()
    new.start(PROCESSES)
    with closing(EngineClient(new.folder)) as engine:
        wait("the engine to start", lambda: people_known(engine) >= 0)
    starting_s = time.monotonic() - began
    new.stop()
    new.folder.port_file.unlink()
    return round(SECOND_MS * (STARTS * starting_s + events / FOLDED_PER_S + live_events / GENERATED_PER_S))


def live(new: House, per_s: int, seconds: float) -> Job:
    """Return the live views of other people: so many a second, for so long at the most."""
    return Job(
        port=new.folder.port,
        key=new.key,
        requests=round(REQUESTS_PER_S * seconds),
        connections=CONNECTIONS,
        run="live",
        batch=max(per_s // REQUESTS_PER_S, 2),
        people=SHOPPERS,
        rate=REQUESTS_PER_S,
    )


def people_known(engine: EngineClient) -> int:
    """Return how many people the engine knows; -1 while it is starting."""
    try:
        return engine.status().people
    except StoreError:
        return -1


def _records(name: str, times: int, happened: Sequence[int]) -> Iterator[Record]:
    for person, at in enumerate(happened):
        subject = digest("crowd", person)
        for time_ in range(times):
            message_id = f"crowd-{person}-{time_}"
            yield Record(
                key=KeyKind.WRITE,
                source="web",
                subject=subject,
                message_id=message_id,
                name=name,
                timestamp=at,
                received_at=at,
                effective_ts=at,
                properties={"product_id": f"p-{time_}", "category": "c-1"},
                content_hash=digest(message_id),
            )
