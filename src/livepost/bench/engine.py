"""How many events a second does one core turn from blocks of the log into people, transitions and decisions?

Estimate: a vectorised numpy operation costs about 10 ns an element and 20 us a call. 20 features and 10 segments make
some 300 operations a round over an event's item and as much again for due times: about 6 us an event and 6 ms a round.
With 5,000 records a batch and five rounds that is 5 + 6 us, rows and ids in plain Python another 8 us: some 50,000
events/s. The limit in the same run is decoding the same blocks and doing nothing with them.

Timed: unpack the body (zstd, msgpack), `step`, the commit (SQLite, FULL), `apply`; the garbage collector looks as
seldom as in the engine's process. The log is a shop's: `shop.py` has the definitions, `traffic.py` who does what when.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench import shop
from livepost.bench.machine import Pace, at_gate_pace, machine
from livepost.bench.traffic import DISTRIBUTIONS, Distribution, bodies
from livepost.log.body import unpack
from livepost.model.decision import Transition
from livepost.process.people import People
from livepost.process.stage import WAVE
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from livepost.runtime.engine.committing import commit_of
from livepost.runtime.engine.stepping import Given, begin
from livepost.runtime.engine.sweep import Sweep
from livepost.runtime.house.conduct import collect_seldom
from livepost.state.base import StateStore
from livepost.state.image import Images
from livepost.state.memory import MemoryState
from livepost.state.sqlite import SqliteState

WORKSPACE = "bench"
BATCH = 5_000
"""Records a step."""

BLOCK = 500
"""Records a block, as a busy front commits them."""

GATES = {"at_gate_pace": 30_000}
"""Events/s a core at the pace of the gates' machine: half of what is aimed at (NUMBERS). What the engine is held to is
plain Python in the same run (`make bench-peers`, ADR 0034).
"""

QUICK: dict[str, Any] = {"people": 1_000, "warm": BATCH, "events": BATCH, "days": 4.0}
"""What `run` takes for a run of seconds, whose figures say nothing."""


@dataclass
class Tally:
    """What was measured per step: seconds of CPU and wall, of these `decoding` (CPU) and `committing` (wall); and how
    slow the processor was around it (`Pace`).
    """

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    decoding: list[float] = field(default_factory=list)
    committing: list[float] = field(default_factory=list)
    slowness: list[float] = field(default_factory=list)
    transitions: int = 0
    decisions: int = 0


def run(
    *, people: int = 100_000, warm: int = 200_000, events: int = 200_000, days: float = 40.0, place: Path | None = None
) -> dict[str, Any]:
    """Measure both distributions of people; return the figures with the machine, ready for JSON.

    people   how many there are; `warm` events are folded before the `events` that are timed
    days     how much time of the log (days) all events are spread over: the longer, the more due times an event
    place    folder on the disk that commits go to; the system's temporary folder if None
    """
    collect_seldom()
    with tempfile.TemporaryDirectory(dir=place) as folder:
        found: dict[str, dict[str, Any]] = {
            str(name): measure(name, people, warm, events, days, Path(folder)) for name in DISTRIBUTIONS
        }
        gates = {
            f"{told}_{name}": {"at_least": gate, "holds": measured[name] >= gate}
            for told, measured in found.items()
            for name, gate in GATES.items()
        }
        return {
            "question": "log to committed people, transitions and decisions: events/s a core",
            "machine": msgspec.to_builtins(machine(Path(folder))),
            "people": people,
            "events": events,
            "batch": BATCH,
            "log_days": days,
            **found,
            "gates": gates,
        }


def measure(
    distribution: Distribution, people: int, warm: int, events: int, days: float, folder: Path
) -> dict[str, Any]:
    """Return the figures for one distribution of people, each step committed to a state of its own in `folder`."""
    batches = list(batched(bodies(distribution, people, warm + events, days, BLOCK)))
    with closing(SqliteState(folder / f"{distribution}.db")) as state:
        engine = Engine(state)
        tally, pace = timed(engine, batches, warm // BATCH)
        return {**figures(engine.people, tally), "hash_us": pace.hash_us}


def batched(made: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield bodies of blocks as batches of BATCH records; what is left over makes none."""
    batch: list[bytes] = []
    for body in made:
        batch.append(body)
        if len(batch) == BATCH // BLOCK:
            yield batch
            batch = []


def timed(engine: Engine, batches: Sequence[Sequence[bytes]], warm: int) -> tuple[Tally, Pace]:
    """Fold the batches, of which the first `warm` are not timed; return what the others took."""
    for batch in batches[:warm]:
        engine.serve(batch, Tally())
    tally, pace = Tally(), Pace()
    before = pace.take()
    for batch in batches[warm:]:
        engine.serve(batch, tally)
        after = pace.take()
        tally.slowness.append((before + after) / 2)
        before = after
    return tally, pace


def folded(people: int, events: int, days: float) -> People:
    """Return people as they are after so many events, uniform, over so many days; whole batches only, in memory."""
    engine = Engine(MemoryState())
    for batch in batched(bodies("uniform", people, events, days, BLOCK)):
        engine.serve(batch, Tally())
    return engine.people


class Engine:
    """People and campaigns of `shop`, stepped as a worker would; with `images` their rows are swept. `told` are the
    transitions since the beginning.
    """

    def __init__(self, store: StateStore, images: Images | None = None) -> None:
        """Begin with nobody, in a new store."""
        self.told: list[Transition] = []
        self._stepper = begin(compile_project(collect(vars(shop))), WORKSPACE)
        self._store = store
        self._sweep = Sweep(self._stepper, store, images, 0) if images else None
        if self._sweep is not None:
            self._sweep.prepare()

    @property
    def people(self) -> People:
        """The people so far."""
        return self._stepper.people

    def serve(self, batch: Sequence[bytes], tally: Tally) -> None:
        """Fold one batch of bodies, and note what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        blocks = [unpack(body) for body in batch]
        tally.decoding.append(time.process_time() - cpu)
        given = Given(WAVE)
        made = self._stepper.step(blocks, given)
        began = time.perf_counter()
        commit = commit_of(made.delta, self.people.program.hash, rows=self._sweep is None)
        if self.people.position < 0:
            commit = msgspec.structs.replace(commit, definitions=self._stepper.kept.packed())
        if self._sweep is not None:
            commit = self._sweep.joined(commit, made, given)
        self._store.commit(commit)
        tally.committing.append(time.perf_counter() - began)
        self._stepper.take(made)
        if self._sweep is not None:
            self._sweep.applied(commit, BATCH)
        tally.cpu.append(time.process_time() - cpu)
        tally.wall.append(time.perf_counter() - wall)
        tally.transitions += len(made.delta.transitions)
        tally.decisions += len(made.delta.outbox)
        self.told += made.delta.transitions

    def close(self) -> None:
        """Release the image under way."""
        if self._sweep is not None:
            self._sweep.close()


def figures(people: People, tally: Tally) -> dict[str, Any]:
    """Return rates from the median step, so that a neighbour's burst on the machine does not count."""
    rate, decoding = BATCH / statistics.median(tally.cpu), BATCH / statistics.median(tally.decoding)
    rows = [row for row in people.rows if row is not None]
    return {
        "events_per_s_cpu": round(rate),
        "at_gate_pace": round(at_gate_pace(zip(tally.slowness, (BATCH / cpu for cpu in tally.cpu), strict=True))),
        "events_per_s_wall": round(BATCH / statistics.median(tally.wall)),
        "events_per_s_cpu_mean": round(BATCH * len(tally.cpu) / sum(tally.cpu)),
        "slowest_step_ms": round(1000 * max(tally.wall)),
        "commit_ms": round(1000 * statistics.median(tally.committing), 1),
        "decode_only_events_per_s": round(decoding),
        "share_of_decode": round(rate / decoding, 4),
        "transitions": tally.transitions,
        "decisions": tally.decisions,
        "people_seen": len(rows),
        "row_bytes_a_person": round(sum(map(len, rows)) / len(rows) + people.dtype.itemsize),
        "dedupe_bytes_an_id": round(people.seen.nbytes / len(people.seen), 1),
    }
