"""How much slower are live transitions while a new 90-day feature is applied?

Estimate before measuring: the history is read in a process of its own, on a core that front, engine and load share: it
stands back (SCHED_IDLE), so it costs them caches and little time. A seed of 200 people is folded in about 8 ms, alone
in its step, and 20 ms pass until the next: one live step in four waits up to 8 ms more. At READY all people are
evaluated, 25 at a time beside live records: a step of 7 ms takes 9 then. So the median stays about where it was, and
the 99th percentile grows by less than the half that the gate allows.

Measured: the real three processes, `small_shop`, a log of HISTORY events by PEOPLE people, then 2,000 events/s for the
whole time (open loop, another process). The latency is the engine's own, from log commit to state commit. ROUNDS times
in turn: SECONDS without a change, then from the start of `livepost apply` of a new feature (90 days) and a segment
over it until it is done. A host that is shared stalls for longer than a round takes, so that one round says more of its
minutes than of us: what counts is the median of the rounds' ratios.

Run: python benchmarks/apply.py. Out: JSON; exit 1 if the 99th percentile grows by more than the gate.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from livepost.bench.house import House, house, send, sender, wait
from livepost.bench.load import Job
from livepost.bench.machine import machine
from livepost.bench.path import quantiles, without
from livepost.log.base import Position
from livepost.observe.latencies import Latencies
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.sockets.wire import WireClient

PEOPLE = 20_000
HISTORY = 200_000
PART = 20_000
"""Events of the history that are sent at a time: a slow host has a minute for each."""

RATE = 2_000
REQUESTS_PER_S = 100
CONNECTIONS = 16
ROUNDS = 9
SECONDS = 10.0
APPLY_S = 120.0
"""How long one `apply` may take at most."""

EXPECTED_S = 20.0
"""How long one takes, about twice over: the load goes on for ROUNDS of it, and is ended sooner."""

GATE = 1.5

BEFORE = "    spend_90d ="
FEATURE = "    views_90d_{number} = count(ProductViewed, over=days(90))\n"
SEGMENT_BEFORE = "    keen ="
SEGMENT = "    lookers_{number} = segment(views_90d_{number} >= 8)\n"


class Round(msgspec.Struct, frozen=True):
    """The live latencies without a change and during one, and what `apply` told of it."""

    number: int
    before: Latencies
    during: Latencies
    told: dict[str, Any]

    @property
    def ratio(self) -> float:
        """How many times the 99th percentile was what it was before."""
        return quantiles(self.during)["p99"] / max(quantiles(self.before)["p99"], 0.01)

    def figures(self) -> dict[str, Any]:
        """Return the figures, ready for JSON."""
        return {
            "apply_s": self.told["seconds"],
            "entered": self.told["after"][f"lookers_{self.number}"],
            "before_ms": quantiles(self.before),
            "during_ms": quantiles(self.during),
            "ratio": round(self.ratio, 2),
        }


def measure(place: Path | None) -> dict[str, Any]:
    """Return the figures, ready for JSON."""
    with house(place) as new:
        new.start()
        _fill(new)
        about = msgspec.to_builtins(machine(new.folder.path))
        with _load(new), closing(EngineClient(new.folder)) as engine:
            begun = engine.status().position
            wait("the load to begin", lambda: engine.status().position > begun)
            rounds = [_round(new, engine, number) for number in range(ROUNDS)]
        ratio = round(median(one.ratio for one in rounds), 2)
        before, during = together(one.before for one in rounds), together(one.during for one in rounds)
        return {
            "question": "how much slower are live transitions while a new 90-day feature is applied?",
            "machine": about,
            "people": PEOPLE,
            "history": HISTORY,
            "events_per_s": RATE,
            "rounds": [one.figures() for one in rounds],
            "together": {"before_ms": quantiles(before), "during_ms": quantiles(during)},
            "ratio": ratio,
            "gates": {"ratio": {"at_most": GATE, "holds": ratio <= GATE}},
        }


def together(parts: Iterable[Latencies]) -> Latencies:
    """Return several histograms as one."""
    return Latencies(sum((Counter(part.counts) for part in parts), Counter()))


def _fill(new: House) -> None:
    """Write the log that the history is read from, and let the engine serve it."""
    for part in range(HISTORY // PART):
        send(_job(new, f"history-{part}", requests=PART // 100, batch=100, rate=0.0))
    with closing(WireClient(new.folder.front_socket)) as front, closing(EngineClient(new.folder)) as engine:
        last = front.call("tick", None, Position).seq
        wait("the engine to serve the history", lambda: engine.status().complete_to >= last)


def _load(new: House) -> AbstractContextManager[Any]:
    """Offer events for as long as all rounds may take; whoever leaves the context ends it."""
    seconds = ROUNDS * (SECONDS + EXPECTED_S) + APPLY_S
    return sender(_job(new, "live", requests=round(REQUESTS_PER_S * seconds), batch=RATE // REQUESTS_PER_S))


def _round(new: House, engine: EngineClient, number: int) -> Round:
    """Let live events come in for a while, then apply a new feature beside them."""
    at_first = engine.status().freshness
    time.sleep(SECONDS)
    between = engine.status().freshness
    told = _apply(new, number)
    return Round(number, without(between, at_first), without(engine.status().freshness, between), told)


def _apply(new: House, number: int) -> dict[str, Any]:
    """Apply a new feature and a segment over it; return what `apply` told."""
    _edit(new.project / "shop.py", number)
    told = subprocess.run(
        [sys.executable, "-m", "livepost.cli", "apply", "--yes", "--json"],
        cwd=new.project,
        env=new.environment,
        stdout=subprocess.PIPE,
        timeout=APPLY_S,
        check=True,
    )
    return dict(json.loads(told.stdout))


def _edit(page: Path, number: int) -> None:
    text = page.read_text()
    assert BEFORE in text and SEGMENT_BEFORE in text
    feature, segment = FEATURE.format(number=number), SEGMENT.format(number=number)
    page.write_text(text.replace(BEFORE, feature + BEFORE).replace(SEGMENT_BEFORE, segment + SEGMENT_BEFORE))


def _job(new: House, run: str, *, requests: int, batch: int, rate: float = REQUESTS_PER_S) -> Job:
    return Job(
        port=new.folder.port,
        key=new.key,
        requests=requests,
        connections=CONNECTIONS,
        run=run,
        batch=batch,
        shape="shopping",
        people=PEOPLE,
        rate=rate,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--place", type=Path, default=None, help="folder on the disk to be measured")
    found = measure(parser.parse_args().place)
    print(json.dumps(found, indent=2))
    sys.exit(0 if found["gates"]["ratio"]["holds"] else 1)
