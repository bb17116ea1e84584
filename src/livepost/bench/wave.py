"""When 100,000 people fall due at one instant, how long until all are served, and what does that do to live events?

Estimate: to serve a due time takes what an event takes, 30 us, less decoding and dedupe, plus a decision for whom it
concerns (10 us): some 25 us a person. 100,000 take 2.5 s of a core, 200 steps of WAVE people each, with the live events
that came meanwhile; so a live event waits for a step, 25 ms more. The prototypes took 0.5 to 1.7 s without decisions.
Spread over a minute it is 1,700 people a second beside the live events, a tenth of a core.

Measured: front and engine as processes on a new data folder, `shop` (20 features, 10 segments). The log has 100,000
carts, all left at one moment (or one behind the other within a minute) an hour ago but for some seconds: when the hour
is over their people enter `left_cart`, and its campaign decides. Meanwhile live views of other people come over HTTP in
an open loop. The engine is asked every few ms how many are in the segment; the latency of live events is the engine's
own (log commit to state commit), while the wave is served, and beside it in the seconds before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench import shop
from livepost.bench.crowd import PROCESSES, live, people_known, setting_up_ms, write_crowd
from livepost.bench.house import BenchError, house, sender, wait
from livepost.bench.machine import cpu_s, machine
from livepost.bench.path import quantiles, without
from livepost.clock import HOUR_MS, SECOND_MS, WallClock
from livepost.runtime.engine.client import EngineClient

PEOPLE = 100_000
AT_ONCE_PER_S = 5_000
SPREAD_PER_S = 2_000
"""Live events a second while everybody falls due at one instant, and while it takes a minute."""

SPREAD_S = 60.0
LOOK_S = 0.02
"""How often the engine is asked how far it is."""

SETTLE_S = 2.0
"""How long live events come before they count: who is new to the vault costs more."""

LIVE_S = 10.0
"""How long live events still come behind the last due time."""

WITHIN_S = 120.0
"""How long behind it the last person may be served, or the benchmark gives up."""

AT_MOST = {"all_within_s": 2.0, "live_p99_more_ms": 30.0}
"""As NUMBERS has it, for a wave at one instant."""

QUICK: dict[str, Any] = {"people": 500, "per_s": 200, "before_s": 1.0, "spread_s": 2.0}
"""What `run` takes for a run of seconds, whose figures say nothing."""


class Served(msgspec.Struct, frozen=True):
    """How far the engine was at a moment of the host's clock (UTC ms): people inside, live latencies, CPU so far."""

    at_ms: int
    inside: int
    freshness: dict[int, int]
    cpu_s: float


class Course(msgspec.Struct, frozen=True):
    """A wave's times (UTC ms): live events count from `calm` on; people fall due from `due` to `end`."""

    calm: int
    due: int
    end: int


def run(
    *,
    people: int = PEOPLE,
    per_s: int = 0,
    before_s: float = 8.0,
    spread_s: float = SPREAD_S,
    place: Path | None = None,
) -> dict[str, Any]:
    """Measure both waves; return the figures, ready for JSON.

    people     how many fall due
    per_s      live events a second in both waves; those of AT_ONCE_PER_S and SPREAD_PER_S if 0
    before_s   how long live events are looked at before the wave
    spread_s   over how long the second wave is spread
    place      folder on the disk to be measured; the system's temporary folder if None
    """
    at_once = one_wave(people=people, per_s=per_s or AT_ONCE_PER_S, before_s=before_s, spread_s=0.0, place=place)
    spread = one_wave(people=people, per_s=per_s or SPREAD_PER_S, before_s=before_s, spread_s=spread_s, place=place)
    return {
        "question": "people due at one instant: s until all are served, and what live events wait meanwhile",
        "people": people,
        "at_once": at_once,
        "spread": spread,
        "gates": {name: {"at_most": gate, "holds": at_once[name] <= gate} for name, gate in AT_MOST.items()},
    }


def one_wave(*, people: int, per_s: int, before_s: float, spread_s: float, place: Path | None) -> dict[str, Any]:
    """Measure one wave, in the words of `run`; at one instant where `spread_s` is 0."""
    spread_ms, before_ms = round(SECOND_MS * spread_s), round(SECOND_MS * before_s)
    live_s = SETTLE_S + before_s + spread_s + LIVE_S
    with house(place, shop) as new:
        told = msgspec.to_builtins(machine(new.folder.path))
        ahead_ms = setting_up_ms(new, people, round(per_s * live_s)) + before_ms + round(SECOND_MS * SETTLE_S)
        due = WallClock().now_ms() + ahead_ms
        left = [due - HOUR_MS + number * spread_ms // people for number in range(people)]
        write_crowd(new.folder, "Product Added", 1, left)
        new.start(PROCESSES)
        with closing(EngineClient(new.folder)) as engine:
            wait("the engine to fold everybody", lambda: people_known(engine) >= people)
            with sender(live(new, per_s, live_s + ahead_ms / SECOND_MS)):
                looks = _look(engine, new.pids()["engine"], people, due + spread_ms + round(SECOND_MS * WITHIN_S))
    course = Course(due - before_ms, due, due + spread_ms)
    if looks[0].at_ms > course.calm:
        raise BenchError(f"expected {people} people to be folded before they fall due, it took longer; take fewer")
    return {"machine": told, "live_events_per_s": per_s, "spread_s": spread_s, **figures(looks, course)}


def figures(looks: Sequence[Served], course: Course) -> dict[str, Any]:
    """Return what the looks tell: of live events before the wave, and of those until everybody was served."""
    everybody = looks[-1].inside
    quiet, begun = (_last_before(looks, at) for at in (course.calm, course.due))
    done = min((one for one in looks if one.inside >= everybody), key=lambda one: one.at_ms)
    before, during = without(begun.freshness, quiet.freshness), without(done.freshness, begun.freshness)
    return {
        "all_within_s": round((done.at_ms - course.end) / SECOND_MS, 2),
        "engine_cpu_s": round(done.cpu_s - begun.cpu_s, 2),
        "live_per_s_before": round(SECOND_MS * len(before) / (begun.at_ms - quiet.at_ms)),
        "live_per_s_during": round(SECOND_MS * len(during) / (done.at_ms - begun.at_ms)),
        "live_ms_before": quantiles(before),
        "live_ms_during": quantiles(during),
        "live_p99_more_ms": round(during.quantile(0.99) - before.quantile(0.99), 1),
    }


def _look(engine: EngineClient, pid: int, people: int, deadline: int) -> list[Served]:
    """Ask the engine how far it is, until everybody is served."""
    looks = [_served(engine, pid)]
    while looks[-1].inside < people:
        if looks[-1].at_ms > deadline:
            raise BenchError(f"expected {people} people to be served within {WITHIN_S:g} s, {looks[-1].inside} were")
        time.sleep(LOOK_S)
        looks.append(_served(engine, pid))
    return looks


def _served(engine: EngineClient, pid: int) -> Served:
    inside = next(one.people for one in engine.segments() if one.segment == "left_cart")
    return Served(WallClock().now_ms(), inside, engine.status().freshness, cpu_s(pid))


def _last_before(looks: Sequence[Served], at_ms: int) -> Served:
    return max((one for one in looks if one.at_ms <= at_ms), key=lambda one: one.at_ms)
