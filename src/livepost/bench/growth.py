"""What does a person cost, and how many events a second are left with ten times as many people?

Estimate: a person of 30 events has 14 windowed features with a few tiles each: 30 tiles of 13 bytes, 300 bytes of
numbers and subject id: 700 bytes on disk. In memory the same lies in one piece of bytes (33 more are Python's) and a
fixed part beside it, of whose room an eighth may stand empty; where the row is, when it is due and whose the subject is
take 36 more: 800 bytes. An id takes 14 bytes in the dedupe table, which has no empty slots. Ten times the people means
rows that are not in the processor's cache and steps that touch each person once: a quarter slower.

Measured in one process over a log of bodies, as `bench engine` does: the same events a person and day, of which the
same number is timed, with 10,000 and with 100,000 people; CPU time, the median step. Then 5,000 people with 30 events
each: what loading them into an empty `People` allocates (tracemalloc: rows, fixed parts, subjects), and how long a
state file is that holds nothing but them.
"""

from __future__ import annotations

import tempfile
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from livepost.bench import shop
from livepost.bench.engine import BATCH, folded, measure
from livepost.bench.machine import machine
from livepost.engine.program import Program
from livepost.process.people import People
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from livepost.runtime.house.conduct import collect_seldom
from livepost.state.base import Commit
from livepost.state.pack import pack_of
from livepost.state.sqlite import SqliteState

PEOPLE = 10_000
TIMES = 10
"""How many times as many people the second run has."""

EVENTS = 50_000
"""Events that are timed in each run."""

WARM_A_PERSON = 5
A_PERSON_AND_DAY = 0.5
"""Events; more where there are so few people that a step's would not come within a day."""

KEPT = 5_000
KEPT_EVENTS = 30
"""People and events each whose bytes are measured, within KEPT_DAYS (fewer where a batch would take over a day)."""

KEPT_DAYS = 30.0

AT_LEAST = {"share_with_ten_times_the_people": 0.6}
AT_MOST = {"memory_bytes_a_person": 1_500, "disk_bytes_a_person": 1_500, "dedupe_bytes_an_id": 20}
"""As NUMBERS has it."""

QUICK: dict[str, Any] = {"people": 200, "events": BATCH, "kept": 500}
"""What `run` takes for a run of seconds, whose figures say nothing."""


def run(*, people: int = PEOPLE, events: int = EVENTS, kept: int = KEPT, place: Path | None = None) -> dict[str, Any]:
    """Measure; return the figures, ready for JSON.

    people   how many the first run has; `events` are timed in each
    kept     how many people's bytes are measured
    place    folder on the disk that commits go to; the system's temporary folder if None
    """
    collect_seldom()
    with tempfile.TemporaryDirectory(dir=place) as made:
        folder = Path(made)
        a_day = max(A_PERSON_AND_DAY, BATCH / people)
        few, many = (_rate(count, events, a_day, folder) for count in (people, TIMES * people))
        figures = {
            "events_per_s_cpu": few["events_per_s_cpu"],
            "events_per_s_cpu_at_ten_times": many["events_per_s_cpu"],
            "share_with_ten_times_the_people": round(many["at_gate_pace"] / few["at_gate_pace"], 3),
            **_bytes(kept, folder),
        }
        told = msgspec.to_builtins(machine(folder))
    return {
        "question": "events/s with ten times the people; bytes a person and an id",
        "machine": told,
        "people": people,
        "hash_us": [few["hash_us"], many["hash_us"]],
        **figures,
        "gates": {
            **{name: {"at_least": gate, "holds": figures[name] >= gate} for name, gate in AT_LEAST.items()},
            **{name: {"at_most": gate, "holds": figures[name] <= gate} for name, gate in AT_MOST.items()},
        },
    }


def _rate(people: int, events: int, a_day: float, folder: Path) -> dict[str, Any]:
    warm = -(-WARM_A_PERSON * people // BATCH) * BATCH
    place = folder / str(people)
    place.mkdir()
    return measure("uniform", people, warm, events, (warm + events) / people / a_day, place)


def _bytes(kept: int, folder: Path) -> dict[str, Any]:
    """Return the bytes a person takes in memory and on disk, and those of an id."""
    events = KEPT_EVENTS * kept
    everybody = folded(kept, events, min(KEPT_DAYS, events / BATCH))
    rows = [*everybody.packed(np.arange(len(everybody.rows))).items()]
    return {
        "memory_bytes_a_person": round(_memory(rows) / len(rows)),
        "disk_bytes_a_person": round(_disk(rows, folder / "kept.db") / len(rows)),
        "row_bytes_a_person": round(sum(len(raw) for _, raw in rows) / len(rows)),
        "dedupe_bytes_an_id": round(everybody.seen.nbytes / len(everybody.seen), 1),
    }


def _memory(rows: list[tuple[int, bytes]]) -> int:
    program = Program(compile_project(collect(vars(shop))))
    People(program).load(rows[:1])  # what is imported for the first one is nobody's
    tracemalloc.start()
    people = People(program)
    people.load(rows)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(people) == len(rows)
    return taken


def _disk(rows: list[tuple[int, bytes]], file: Path) -> int:
    with closing(SqliteState(file)) as state:
        state.commit(Commit(position=0, as_of=0, complete_to=0, program="", rows=pack_of(rows)))
    return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*"))
