"""Where does the CPU of an engine's step go, by phase?

Estimate: a step of `livepost bench engine` takes 130 to 250 ms of CPU, and no phase more than a fifth of it; the kernel
gives 250 samples a CPU second, so 40 steps make some 2,000, and a phase of 10 ms is known to a tenth.

    python benchmarks/profile_engine.py [uniform|skewed] [step|sweep] [STEPS]

takes steps as the benchmark does, under a timer of the process's CPU. A sample stands for the CPU since the one before,
so a long call of C counts in full, and it counts for the innermost function on the stack that PHASES names. Prints, for
phases and then for functions alone, the share and the CPU (ms) of a step.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType

from livepost.bench.engine import BATCH, BLOCK, Engine, Tally, batched
from livepost.bench.traffic import DISTRIBUTIONS, Distribution, bodies
from livepost.runtime.house.conduct import collect_seldom
from livepost.state.image import Images
from livepost.state.sqlite import SqliteState

PEOPLE, DAYS = 100_000, 40.0
WARM, TIMED = 40, 40
"""Steps."""

EVERY_S = 0.001
FUNCTIONS_SHOWN = 25
REST = "the rest"

PHASES = {
    "decode the blocks": ("log/body.py", "process/batch.py batch_of"),
    "dedupe": ("process/dedupe.py", "engine/seen.py"),
    "whose records, bring their rows": (
        "process/identify.py",
        "process/working.py bring",
        "process/working.py bring_subjects",
        "process/working.py open",
        "process/stage.py _bring_wave",
    ),
    "what records bring": ("process/feeds.py", "engine/picks.py brought"),
    "features: running sums, tiles": ("process/features.py", "engine/window.py"),
    "segments: who is inside, what flips": ("process/segments.py", "engine/membership.py"),
    "rounds": ("process/round.py", "process/rounds.py"),
    "picks: what waits, folds": ("process/rounds.py _bring_picks", "process/working.py _fold_full"),
    "transitions and moments": ("process/happenings.py",),
    "campaigns decide": ("process/rounds.py _decide", "decide/stage.py"),
    "commit: make bytes": ("runtime/engine/committing.py", "process/working.py changed"),
    "commit: sweep": ("runtime/engine/sweep.py", "state/image.py"),
    "commit: packs": ("state/people.py",),
    "commit: SQLite": ("state/sqlite.py", "state/file.py"),
    "apply": ("process/people.py apply",),
}
"""By phase the files, or functions of files, that it is; a function counts before its file."""


class Sampler:
    """Adds up CPU seconds by phase and by function while it is on."""

    def __init__(self, phases: Mapping[str, Sequence[str]]) -> None:
        """Begin with nothing; `phases` says by phase the files, or functions of files, that it is."""
        self._phase_of = {place: phase for phase, places in phases.items() for place in places}
        self.phases: defaultdict[str, float] = defaultdict(float)
        self.functions: defaultdict[str, float] = defaultdict(float)
        self._last = 0.0

    def begin(self) -> None:
        """Count from now on."""
        signal.signal(signal.SIGPROF, self._sample)
        self._last = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def end(self) -> None:
        """Count no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        now = time.process_time()
        passed, self._last = now - self._last, now
        stack = [*functions(frame)]
        self.functions[stack[0]] += passed
        self.phases[next(filter(None, map(self._phase, stack)), REST)] += passed

    def _phase(self, function: str) -> str | None:
        return self._phase_of.get(function) or self._phase_of.get(function.partition(" ")[0])


def functions(frame: FrameType | None) -> Iterator[str]:
    """Yield the functions on the stack, as `file function`, the innermost first; comprehensions left out."""
    while frame is not None:
        code = frame.f_code
        if not code.co_name.startswith("<"):
            yield f"{'/'.join(Path(code.co_filename).parts[-2:])} {code.co_name}"
        frame = frame.f_back


def sampled(distribution: Distribution, rows: str, steps: int) -> tuple[Sampler, float]:
    """Return what was sampled over so many steps, and the CPU (ms) that a step took."""
    collect_seldom()
    batches = list(batched(bodies(distribution, PEOPLE, (WARM + steps) * BATCH, DAYS, BLOCK)))
    sampler, tally = Sampler(PHASES), Tally()
    with tempfile.TemporaryDirectory() as folder, closing(SqliteState(Path(folder) / "state.db")) as store:
        images = Images(Path(folder) / "images") if rows == "sweep" else None
        with closing(Engine(store, images)) as engine:
            for batch in batches[:WARM]:
                engine.serve(batch, Tally())
            sampler.begin()
            for batch in batches[WARM:]:
                engine.serve(batch, tally)
            sampler.end()
    return sampler, 1_000 * sum(tally.cpu) / steps


def lines(seconds: Mapping[str, float], whole: float, most: int, unit: str = "ms") -> Iterator[str]:
    """Yield a line for each of what had most, the largest first: its share, and what that is of the whole."""
    total = sum(seconds.values())
    for name in sorted(seconds, key=seconds.__getitem__, reverse=True)[:most]:
        share = seconds[name] / total
        yield f"{100 * share:5.1f} % {share * whole:6.1f} {unit}  {name}"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="CPU of an engine's step by phase")
    parser.add_argument("distribution", nargs="?", choices=DISTRIBUTIONS, default="uniform")
    parser.add_argument("rows", nargs="?", choices=("step", "sweep"), default="step")
    parser.add_argument("steps", nargs="?", type=int, default=TIMED)
    asked = parser.parse_args()
    sampler, step_ms = sampled(asked.distribution, asked.rows, asked.steps)
    print(
        f"{asked.distribution} people, state_rows = {asked.rows}: {step_ms:.1f} ms of CPU a step of {BATCH:,} records\n"
    )
    print(*lines(sampler.phases, step_ms, len(PHASES) + 1), "", sep="\n")
    print(*lines(sampler.functions, step_ms, FUNCTIONS_SHOWN), sep="\n")


if __name__ == "__main__":
    main()
