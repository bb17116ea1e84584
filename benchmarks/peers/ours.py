"""Livepost as `livepost bench engine` measures it, on a log of the workload: its own two campaigns are decided too."""

from __future__ import annotations

from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.person import Transition
from benchmarks.peers.told import Taken
from benchmarks.peers.workload import Workload
from livepost.bench.engine import BATCH, BLOCK, Engine, batched, figures, timed
from livepost.log.body import unpack
from livepost.state.sqlite import SqliteState


def run(workload: Workload, folder: Path) -> tuple[Taken, list[Transition], dict[str, Any]]:
    """Return what the timed half took in all, every transition, and the figures of `livepost bench engine`."""
    with closing(SqliteState(folder / "state.db")) as state:
        engine = Engine(state)
        tally, pace = timed(engine, list(batched(workload.bodies)), workload.warm // BATCH)
        stamps = [unpack(body).stamp for body in workload.bodies]
        told = [
            (one.person.hex(), one.segment, one.entered, one.at, stamps[one.position // BLOCK]) for one in engine.told
        ]
        measured = {**figures(engine.people, tally), "hash_us": pace.hash_us}
    return Taken(version("livepost"), BATCH * len(tally.wall), sum(tally.wall), sum(tally.cpu)), told, measured
