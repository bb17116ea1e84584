"""Which body of the state, and which way to write people's rows, serves most events, and how long does a start take?

Estimate: a step of 5,000 records changes 700 bytes each of almost as many people. Putting them into SQLite takes 20 to
30 ms of the 60 to 80 that a step takes; an image takes 1 us a person and about 50 steps to come round, 2 ms a step for
100,000 people; doing 50 steps again at a start takes 3 s.

    python benchmarks/state.py ROUNDS

takes the steps of `livepost bench engine` into each body each way, one after the other, each in a process of its own,
so many times over, and prints a line of JSON for each: events/s of CPU (all threads) and wall, the commit, the disk,
and what a start after a kill takes, which has to come to the same people.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from livepost.bench.engine import BATCH, BLOCK, WORKSPACE, Engine, Tally, batched
from livepost.bench.machine import Pace, at_gate_pace
from livepost.bench.traffic import DISTRIBUTIONS, START, Distribution, bodies
from livepost.clock import SimulatedClock
from livepost.log.body import unpack
from livepost.log.memory import MemoryLog
from livepost.model.block import Block
from livepost.process.people import People
from livepost.runtime.engine.committing import seen_of
from livepost.runtime.engine.recovery import recover
from livepost.runtime.house.conduct import collect_seldom
from livepost.state.base import StateStore
from livepost.state.image import Images
from livepost.state.opening import BODIES, open_state

PEOPLE = 100_000
WARM, TIMED = 40, 60
"""Steps."""

ROWS = ("step", "sweep")


class Bodies(MemoryLog):
    """A log whose blocks are those of some steps."""

    def __init__(self, batches: list[list[bytes]]) -> None:
        """Read nothing yet."""
        super().__init__(SimulatedClock(START))
        self._bodies = [body for batch in batches for body in batch]

    def read(self, after: int, limit: int) -> list[Block]:
        """Return whole blocks behind a seq."""
        first = (after + 1) // BLOCK
        return [unpack(body) for body in self._bodies[first : first + max(limit // BLOCK, 1)]]


def measure(distribution: Distribution, setting: str, rows: str, folder: Path) -> dict[str, Any]:
    """Return the figures of one body, one way to write rows."""
    collect_seldom()
    batches = list(batched(bodies(distribution, PEOPLE, (WARM + TIMED) * BATCH, 40.0, BLOCK)))
    images = Images(folder / "images") if rows == "sweep" else None
    with closing(open_state(setting, folder / "state")) as store, closing(Engine(store, images)) as engine:
        tally, pace = Tally(), Pace()
        for batch in batches[:WARM]:
            engine.serve(batch, Tally())
        before = pace.take()
        for batch in batches[WARM:]:
            engine.serve(batch, tally)
            after = pace.take()
            tally.slowness.append((before + after) / 2)
            before = after
        people = engine.people
    found = {"people": distribution, "state": setting, "rows": rows, **figures(tally), "disk_mb": megabytes(folder)}
    began = time.perf_counter()
    with closing(open_state(setting, folder / "state")) as store:
        again = started(People(people.program), store, images, Bodies(batches))
        start_s = time.perf_counter() - began
        steps = sum(1 for _ in store.steps())
    everybody = np.arange(len(people.rows))
    same = again.packed(everybody) == people.packed(everybody)
    return {**found, "start_s": round(start_s, 2), "steps_again": steps, "same": same}


def figures(tally: Tally) -> dict[str, Any]:
    """Return rates and the commit's wall time; the means have what comes once in a while, too."""
    rates = zip(tally.slowness, (BATCH / cpu for cpu in tally.cpu), strict=True)
    return {
        "events_per_s_cpu": round(BATCH / statistics.median(tally.cpu)),
        "events_per_s_cpu_mean": round(BATCH * len(tally.cpu) / sum(tally.cpu)),
        "at_gate_pace": round(at_gate_pace(rates)),
        "events_per_s_wall_mean": round(BATCH * len(tally.wall) / sum(tally.wall)),
        "commit_ms": round(1_000 * statistics.median(tally.committing), 1),
        "commit_ms_mean": round(1_000 * statistics.mean(tally.committing), 1),
    }


def started(people: People, store: StateStore, images: Images | None, log: MemoryLog) -> People:
    """Return people as a start brings them to the last commit."""
    loaded = store.loaded()
    assert loaded is not None
    if images is not None:
        return recover(WORKSPACE, store, images, log, loaded)[0].people
    people.load(store.rows())
    for entries in store.seen():
        people.seen.remember(*seen_of(entries))
    return people


def megabytes(folder: Path) -> int:
    """Return what a folder takes on the disk."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6)


def main(rounds: int) -> None:
    """Run all in turn, each in a process of its own."""
    for _ in range(rounds):
        for distribution in DISTRIBUTIONS:
            for setting in BODIES:
                for rows in ROWS:
                    subprocess.run([sys.executable, __file__, distribution, setting, rows], check=True)


if __name__ == "__main__":
    if len(sys.argv) == len(("benchmark", "people", "state", "rows")):
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps(measure(*sys.argv[1:], Path(place))), flush=True)  # type: ignore[arg-type, call-arg]
    else:
        main(int(sys.argv[1]))
