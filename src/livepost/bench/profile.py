"""How long does reading one person over HTTP take, at 500 a second?

Estimate: a request costs the server 150 us (HTTP, authentication, JSON); the person is found in the vault by its id (50
us) and asked of the engine over its socket (300 us there and back, most of it waiting for a turn of its loop), which
reads 20 features from the row (100 us). So 1 ms where nobody else wants the processor; 3 ms at the 99th percentile,
since 500 a second keep front and engine busy for a third of their time.

Measured: front and engine as processes on a new data folder, `shop`; each person has had 30 calls. A load generator in
another process reads one after the other in an open loop; nothing else comes.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench import shop
from livepost.bench.crowd import CONNECTIONS, PROCESSES, people_known
from livepost.bench.house import House, house, send, wait
from livepost.bench.load import Job, Shape
from livepost.bench.machine import machine
from livepost.runtime.engine.client import EngineClient

PEOPLE = 5_000
CALLS = 30
"""Calls a person has had."""

PER_S = 500.0
BATCH = 100
SECONDS = 20.0

AT_MOST = {"p99_ms": 10.0}
"""As NUMBERS has it."""

QUICK: dict[str, Any] = {"people": 100, "seconds": 1.0, "per_s": 100.0}
"""What `run` takes for a run of seconds, whose figures say nothing."""


def run(
    *, people: int = PEOPLE, per_s: float = PER_S, seconds: float = SECONDS, place: Path | None = None
) -> dict[str, Any]:
    """Measure; return the figures, ready for JSON.

    people   how many there are, read in turn; `per_s` requests a second for so many `seconds`
    place    folder on the disk to be measured; the system's temporary folder if None
    """
    with house(place, shop) as new:
        told = msgspec.to_builtins(machine(new.folder.path))
        new.start(PROCESSES)
        _fill(new, people)
        reading = Job(
            port=new.folder.port,
            key=new.key,
            requests=round(per_s * seconds),
            connections=CONNECTIONS,
            run="read",
            shape="profiles",
            people=people,
            rate=per_s,
        )
        read = send(reading)
    figures = {"p50_ms": round(read.p50_ms, 2), "p99_ms": round(read.p99_ms, 2)}
    return {
        "question": "ms to read a person over HTTP",
        "machine": told,
        "people": people,
        "requests_per_s": round(reading.requests / read.seconds),
        **figures,
        "gates": {name: {"at_most": gate, "holds": figures[name] <= gate} for name, gate in AT_MOST.items()},
    }


def _fill(new: House, people: int) -> None:
    """Let everybody be known and look around; return when the engine has folded it."""
    filling: tuple[tuple[Shape, int], ...] = (("identifies", people), ("views", CALLS * people))
    for shape, calls in filling:
        send(
            Job(
                port=new.folder.port,
                key=new.key,
                requests=calls // BATCH,
                connections=2,
                run=shape,
                batch=BATCH,
                shape=shape,
                people=people,
            )
        )
    with closing(new.folder.log_reader()) as log, closing(EngineClient(new.folder)) as engine:
        wait("the engine to know everybody", lambda: people_known(engine) >= people)
        last = log.last().seq
        wait("the engine to fold everything", lambda: engine.status().position >= last)
