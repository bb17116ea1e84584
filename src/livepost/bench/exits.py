"""When exits are spread over a minute, how late is each?

Estimate: windows of an hour end at whole seconds (the grid is 1 s), so 20,000 exits in a minute come as 333 at each
second. A tick is written within some ms of the second, or a live event brings the time sooner; the step that serves 333
people takes 15 ms, its commit 5 ms, and a step under way is waited for: half a step on average. So 30 ms at the median,
100 ms at the 99th percentile.

Measured: front and engine as processes on a new data folder, `shop`. The log has 20,000 people who viewed five products
an hour ago but for some seconds, one behind the other within a minute: so they are `keen` and leave again one behind
the other. Live views of other people come over HTTP in an open loop. The engine is asked every few ms for new
transitions; an exit's lateness is the time from when it was due to when it was told: up to one look more than it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench import shop
from livepost.bench.crowd import PROCESSES, live, people_known, setting_up_ms, write_crowd
from livepost.bench.house import BenchError, House, house, sender, wait
from livepost.bench.machine import machine
from livepost.bench.path import quantiles
from livepost.clock import HOUR_MS, SECOND_MS, WallClock
from livepost.model.decision import Transition
from livepost.observe.latencies import Latencies
from livepost.runtime.engine.client import EngineClient

PEOPLE = 20_000
VIEWS = 5
"""Views that make a person `keen`."""

PER_S = 2_000
"""Live events a second."""

SPREAD_S = 60.0
WITHIN_S = 30.0
"""How long behind the last due time the benchmark waits for the last exit."""

LOOK_S = 0.02
"""How often the engine is asked for new transitions."""

PAGE = 10_000

AT_MOST = {"late_p99_ms": 500.0}
"""As NUMBERS has it."""

QUICK: dict[str, Any] = {"people": 300, "per_s": 200, "spread_s": 2.0}
"""What `run` takes for a run of seconds, whose figures say nothing."""


def run(
    *, people: int = PEOPLE, per_s: int = PER_S, spread_s: float = SPREAD_S, place: Path | None = None
) -> dict[str, Any]:
    """Measure; return the figures, ready for JSON.

    people   how many leave, over `spread_s`; `per_s` live events a second come meanwhile
    place    folder on the disk to be measured; the system's temporary folder if None
    """
    with house(place, shop) as new:
        told = msgspec.to_builtins(machine(new.folder.path))
        lateness = _exits(new, people, per_s, spread_s)
    late = quantiles(lateness)
    figures = {"late_p50_ms": late["p50"], "late_p99_ms": late["p99"]}
    return {
        "question": "exits spread over a minute: ms from when each was due to when it was told",
        "machine": told,
        "people": people,
        "spread_s": spread_s,
        "live_events_per_s": per_s,
        "exits": len(lateness),
        **figures,
        "gates": {name: {"at_most": gate, "holds": figures[name] <= gate} for name, gate in AT_MOST.items()},
    }


def lateness_of(told: Sequence[tuple[int, Transition]]) -> Latencies:
    """Return how late exits from `keen` were, of (when it was told in UTC ms, transition) pairs."""
    late = Latencies()
    for at_ms, transition in told:
        if transition.segment == "keen" and not transition.entered:
            late.add(at_ms - transition.at)
    return late


def _exits(new: House, people: int, per_s: int, spread_s: float) -> Latencies:
    spread_ms = round(SECOND_MS * spread_s)
    live_s = spread_s + WITHIN_S
    ahead_ms = setting_up_ms(new, VIEWS * people, round(per_s * live_s))
    begin = WallClock().now_ms() + ahead_ms
    viewed = [begin - HOUR_MS - SECOND_MS + number * spread_ms // people for number in range(people)]
    write_crowd(new.folder, "Product Viewed", VIEWS, viewed)
    new.start(PROCESSES)
    with closing(EngineClient(new.folder)) as engine:
        wait("the engine to fold everybody", lambda: people_known(engine) >= people)
        if WallClock().now_ms() > begin:
            raise BenchError(f"expected {people} people to be folded before they fall due, it took longer; take fewer")
        last = engine.transitions_after(0, 1).last
        with sender(live(new, per_s, live_s + ahead_ms / SECOND_MS)):
            return _told(engine, last, people, begin + spread_ms + round(SECOND_MS * WITHIN_S))


def _told(engine: EngineClient, last: int, people: int, deadline: int) -> Latencies:
    """Ask for transitions until everybody has left; return how late each exit was told."""
    found: list[tuple[int, Transition]] = []
    left = 0
    for at_ms, transition in _new(engine, last):
        found.append((at_ms, transition))
        left += transition.segment == "keen" and not transition.entered
        if left == people:
            return lateness_of(found)
        if at_ms > deadline:
            break
    raise BenchError(f"expected {people} exits, {left} came in time")


def _new(engine: EngineClient, last: int) -> Iterator[tuple[int, Transition]]:
    while True:
        page = engine.transitions_after(last, PAGE)
        at_ms = WallClock().now_ms()
        for number, transition in page.items:
            last = number
            yield at_ms, transition
        time.sleep(LOOK_S)
