"""What becomes of the way from an event to its transition when ten times as much comes: 20,000 events a second?

Estimate: the front takes some 60 us of a core for an event of a batch, an engine of `small_shop` some 40 us where a
step has hundreds, the load generator 10 us beside: 2.2 cores. On two the rate is not reached: requests wait for the
front, which takes what it can, and the engine steps over larger batches. Latencies count from the log's commit on, so
they say how far the engine is behind the log; `offered_per_s` and `accepted_per_s` say how much of the rate there was.

Measured: as `path` does it, with all three processes, after 2,000 events a second of the same kind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from livepost.bench.house import house
from livepost.bench.machine import machine
from livepost.bench.path import PEOPLE, identify_everybody, offer

PER_S = 20_000
BEFORE_PER_S = 2_000

AT_MOST = {"transition_p99_ms": 250.0}
"""As NUMBERS has it."""

ACCEPTED = 0.95
"""The share of the rate that has to be accepted: latencies of less say nothing of it."""

QUICK: dict[str, Any] = {"seconds": 1.0, "per_s": 2_000}
"""What `run` takes for a run of seconds, whose figures say nothing."""


def run(*, seconds: float = 10.0, per_s: int = PER_S, place: Path | None = None) -> dict[str, Any]:
    """Measure; return the figures, ready for JSON.

    seconds   how long the rate is offered; accepting what was offered may take longer
    per_s     events offered a second
    place     folder on the disk to be measured; the system's temporary folder if None
    """
    with house(place) as new:
        told = msgspec.to_builtins(machine(new.folder.path))
        new.start()
        identify_everybody(new)
        before = offer(new, BEFORE_PER_S, seconds)
        rush = offer(new, per_s, seconds)
    figures = {
        "accepted_per_s": round(per_s * seconds / rush["seconds"]),
        "transition_p99_ms": rush["transition_ms"]["p99"],
    }
    at_least = round(ACCEPTED * per_s)
    return {
        "question": f"ms from an accepted event to a committed transition where {per_s} events a second are offered",
        "machine": told,
        "people": PEOPLE,
        "offered_per_s": per_s,
        "before": before,
        "rush": rush,
        **figures,
        "gates": {
            **{name: {"at_most": gate, "holds": figures[name] <= gate} for name, gate in AT_MOST.items()},
            "accepted_per_s": {"at_least": at_least, "holds": figures["accepted_per_s"] >= at_least},
        },
    }
