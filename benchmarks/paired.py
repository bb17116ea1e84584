"""What share of the CPU of an engine's step does a changed tree take, of what the tree before takes?

Estimate: the pace of a shared machine changes twofold within minutes, and the same step taken again differs by a tenth;
the median of 40 pairs, of which both halves are taken within half a second, is known to some 2 %.

    python benchmarks/paired.py TREE_A TREE_B [uniform|skewed] [step|sweep] [STEPS]

A tree is a folder with `src` in it. Each takes the steps of `livepost bench engine` in a process of its own; after
WARM steps they take turns, step for step, and who is first alternates. Prints JSON: the median CPU (ms) of a step of
each, `ratio`, the median of B's CPU as a share of A's, with its quartiles, and whether both told the same transitions
and as many decisions; the exit code is 1 if they did not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench.engine import BATCH, BLOCK, Engine, Tally, batched
from livepost.bench.machine import Pace, machine
from livepost.bench.traffic import DISTRIBUTIONS, Distribution, bodies
from livepost.ids import digest
from livepost.runtime.house.conduct import collect_seldom
from livepost.state.image import Images
from livepost.state.sqlite import SqliteState

PEOPLE, DAYS = 100_000, 40.0
WARM, TIMED = 40, 40
"""Steps."""

ROWS = ("step", "sweep")
TAKE = "take"
"""As the first argument it makes of this script the process of one tree."""


class Turns:
    """The process of one tree, which takes a step when it is told to."""

    def __init__(self, tree: Path, *asked: str) -> None:
        """Start it over the tree's sources; it begins with WARM steps."""
        path = os.pathsep.join([str(tree.resolve() / "src"), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, __file__, TAKE, *asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
        )

    def step(self) -> float:
        """Have it take a step; return its CPU (s)."""
        assert self._process.stdin is not None
        self._process.stdin.write("step\n")
        self._process.stdin.flush()
        return float(self.told())

    def told(self) -> Any:
        """Return what it says next; raise RuntimeError if it ended in place of that."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"expected a tree's process to answer, it ended with {self._process.wait()}: see above")
        return json.loads(line)

    def close(self) -> None:
        """Let it end, if it has not yet."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compared(trees: tuple[Path, Path], distribution: Distribution, rows: str, steps: int) -> dict[str, Any]:
    """Return what both trees took for so many steps, ready for JSON."""
    with closing(Turns(trees[0], distribution, rows, str(steps))) as a:
        a.told()  # one after the other, so that each is warmed in peace
        with closing(Turns(trees[1], distribution, rows, str(steps))) as b:
            b.told()
            pace = Pace()
            pairs = list(_pairs(a, b, pace, steps))
            made = a.told(), b.told()
    ratios = [other / one for one, other in pairs]
    low, ratio, high = statistics.quantiles(ratios, n=4)
    return {
        "question": "CPU of a step: what B takes, as a share of what A takes",
        "machine": msgspec.to_builtins(machine(Path(tempfile.gettempdir()))),
        "hash_us": pace.hash_us,
        "people": distribution,
        "state_rows": rows,
        "steps": steps,
        "cpu_ms": {
            "a": round(1_000 * statistics.median(one for one, _ in pairs), 1),
            "b": round(1_000 * statistics.median(other for _, other in pairs), 1),
        },
        "ratio": round(ratio, 3),
        "quartiles": [round(low, 3), round(high, 3)],
        "transitions": made[0]["transitions"],
        "decisions": made[0]["decisions"],
        "same": made[0] == made[1],
    }


def _pairs(a: Turns, b: Turns, pace: Pace, steps: int) -> Iterator[tuple[float, float]]:
    """Yield the CPU (s) of A's and of B's next step."""
    for number in range(steps):
        pace.take()
        if number % 2:
            other, one = b.step(), a.step()
        else:
            one, other = a.step(), b.step()
        yield one, other


def take(distribution: Distribution, rows: str, steps: int) -> None:
    """Take a step for each line that comes in, behind WARM; say when these are done, what each took, what came."""
    collect_seldom()
    batches = list(batched(bodies(distribution, PEOPLE, (WARM + steps) * BATCH, DAYS, BLOCK)))
    with tempfile.TemporaryDirectory() as folder, closing(SqliteState(Path(folder) / "state.db")) as store:
        images = Images(Path(folder) / "images") if rows == "sweep" else None
        with closing(Engine(store, images)) as engine:
            tally = Tally()
            for batch in batches[:WARM]:
                engine.serve(batch, tally)
            _say("warm")
            for batch, _ in zip(batches[WARM:], sys.stdin, strict=False):
                engine.serve(batch, tally)
                _say(tally.cpu[-1])
            told = digest(msgspec.msgpack.encode(engine.told)).hex()
            _say({"transitions": tally.transitions, "decisions": tally.decisions, "told": told})


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


def main() -> int:
    """Measure, and print."""
    if sys.argv[1:2] == [TAKE]:
        take(sys.argv[2], sys.argv[3], int(sys.argv[4]))  # type: ignore[arg-type]
        return 0
    parser = argparse.ArgumentParser(description="CPU of an engine's step, of two trees in turn")
    parser.add_argument("tree_a", type=Path)
    parser.add_argument("tree_b", type=Path)
    parser.add_argument("distribution", nargs="?", choices=DISTRIBUTIONS, default="uniform")
    parser.add_argument("rows", nargs="?", choices=ROWS, default="step")
    parser.add_argument("steps", nargs="?", type=int, default=TIMED)
    asked = parser.parse_args()
    found = compared((asked.tree_a, asked.tree_b), asked.distribution, asked.rows, asked.steps)
    print(json.dumps(found, indent=2))
    return 0 if found["same"] else 1


if __name__ == "__main__":
    sys.exit(main())
