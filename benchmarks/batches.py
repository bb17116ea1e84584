"""What share of the CPU of an event that comes in a batch does a changed tree take, of what the tree before takes?

Estimate: of an event of 600 bytes a recorder takes some 17 us, the front 7, the load generator 3; the median of ten
pairs of rounds, taken in turn, is known to some 3 %.

    python benchmarks/batches.py TREE_A TREE_B [recorder|house] [ROUNDS]

A tree is a folder with `src` in it. `recorder` has a recorder's work done in one process of each tree: bodies of
batches in, pieces out, a vault on disk that knows everybody. `house` has the real front and two recorders of each tree
take batches over HTTP (those of `livepost bench collect`). The trees take turns, round for round, and who is first
alternates. Prints JSON: medians of each tree, and `ratio`, the median of B's as a share of A's in each pair.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench import small_shop
from livepost.bench.calls import views
from livepost.bench.house import House, house, send
from livepost.bench.load import Job as LoadJob
from livepost.bench.machine import cpu_s, machine
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival, Recorder
from livepost.model.record import KeyKind
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from livepost.runtime.house.conduct import collect_seldom
from livepost.runtime.house.supervisor import recorder_names
from livepost.runtime.recorder.job import Job
from livepost.runtime.recorder.process import FoundSubjects, do
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.sqlite import SqliteVault

BATCH, PEOPLE, CONNECTIONS, RECORDERS = 100, 10_000, 8, 2
BATCHES = {"recorder": 100, "house": 400}
"""Batches a round."""

WARM = 4
"""Rounds that do not count: by then a recorder has most people in memory."""

TAKE = "take"
"""As the first argument it makes of this script the process of one tree."""

Round = Callable[[], dict[str, float]]


class Turns:
    """The process of one tree, which takes a round when it is told to."""

    def __init__(self, tree: Path, what: str) -> None:
        """Start it over the tree's sources; it begins with WARM rounds."""
        path = os.pathsep.join([str(tree.resolve() / "src"), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, __file__, TAKE, what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
        )
        for _ in range(WARM):
            self.round()

    def round(self) -> dict[str, float]:
        """Have it take a round; return its figures."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("round\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"expected a tree's process to answer, it ended with {self._process.wait()}: see above")
        told: dict[str, float] = json.loads(line)
        return told

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compared(trees: tuple[Path, Path], what: str, rounds: int) -> dict[str, Any]:
    """Return what both trees took for so many rounds, ready for JSON."""
    with closing(Turns(trees[0], what)) as a, closing(Turns(trees[1], what)) as b:
        pairs = list(_pairs(a, b, rounds))
    return {
        "question": "an event that comes in a batch: what B takes, as a share of what A takes",
        "machine": msgspec.to_builtins(machine(Path(tempfile.gettempdir()))),
        "rounds": rounds,
        "a": _medians([one for one, _ in pairs]),
        "b": _medians([other for _, other in pairs]),
        "ratio": _medians([{name: other[name] / one[name] for name in one} for one, other in pairs]),
    }


def _pairs(a: Turns, b: Turns, rounds: int) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    for number in range(rounds):
        if number % 2:
            other, one = b.round(), a.round()
        else:
            one, other = a.round(), b.round()
        yield one, other


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(one[name] for one in rounds), 3) for name in rounds[0]}


def take(what: str) -> None:
    """Take a round for each line that comes in, and say its figures."""
    with (_in_house if what == "house" else in_recorder)() as one:
        for _ in sys.stdin:
            print(json.dumps(one()), flush=True)


@contextmanager
def in_recorder() -> Iterator[Round]:
    """Yield a round of a recorder's work, in this process."""
    collect_seldom()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vault.db"
        with closing(SqliteVault(path, MemoryKeks(bytes(32)))) as vault:
            vault.admit([ExternalId(USER, f"shopper-{number}") for number in range(PEOPLE)])
            vault.commit()
            with closing(SqliteVault(path, MemoryKeks(bytes(32)), readonly=True)) as read:
                plan = TrackingPlan(compile_project(collect(vars(small_shop))))
                recorder = Recorder("bench", FoundSubjects(read, lambda _: None), plan)
                arrival = Arrival(source="bench", key=KeyKind.SECRET, received_at=time.time_ns() // 1_000_000)
                jobs = [Job(number, body, arrival) for number, body in enumerate(_bodies(BATCHES["recorder"]))]
                yield lambda: _recorded(jobs, recorder)


def _recorded(jobs: list[Job], recorder: Recorder) -> dict[str, float]:
    began = time.process_time()
    pieces = [do(job, recorder).piece for job in jobs]
    took = time.process_time() - began
    if not all(pieces):
        raise RuntimeError("expected a piece of every batch, got none of some")
    return {"recorder_us": 1e6 * took / (len(jobs) * BATCH)}


def _bodies(batches: int) -> Iterator[bytes]:
    calls = views(batches * BATCH, PEOPLE, "batches")
    for _ in range(batches):
        yield b'{"batch":[%b]}' % b",".join(islice(calls, BATCH))


@contextmanager
def _in_house() -> Iterator[Round]:
    """Yield a round of batches that the real processes take over HTTP."""
    with house(None) as front:
        front.start(["front"])
        _send(front, "warm", PEOPLE // BATCH, "identifies")
        front.start(recorder_names(RECORDERS))
        numbers = iter(range(1_000_000))
        yield lambda: _taken(front, f"round-{next(numbers)}")


def _taken(front: House, run: str) -> dict[str, float]:
    pids, batches = front.pids(), BATCHES["house"]
    began = {name: cpu_s(pid) for name, pid in pids.items()}
    told = _send(front, run, batches, "views")
    took = {name: cpu_s(pid) - began[name] for name, pid in pids.items()}
    events = batches * BATCH
    return {
        "events_per_s": events / told.seconds,
        "front_us": 1e6 * took["front"] / events,
        "recorders_us": 1e6 * sum(cpu for name, cpu in took.items() if name != "front") / events,
        "generator_us": 1e6 * told.cpu_s / events,
    }


def _send(front: House, run: str, batches: int, shape: Any) -> Any:
    return send(
        LoadJob(
            port=front.folder.port,
            key=front.key,
            requests=batches,
            connections=CONNECTIONS,
            run=run,
            batch=BATCH,
            shape=shape,
            people=PEOPLE,
        )
    )


def main() -> int:
    """Measure, and print."""
    if sys.argv[1:2] == [TAKE]:
        take(sys.argv[2])
        return 0
    parser = argparse.ArgumentParser(description="CPU of events in batches, of two trees in turn")
    parser.add_argument("tree_a", type=Path)
    parser.add_argument("tree_b", type=Path)
    parser.add_argument("what", nargs="?", choices=tuple(BATCHES), default="recorder")
    parser.add_argument("rounds", nargs="?", type=int, default=10)
    asked = parser.parse_args()
    print(json.dumps(compared((asked.tree_a, asked.tree_b), asked.what, asked.rounds), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
