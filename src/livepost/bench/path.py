"""How long is the way from an accepted event to a committed transition, and to a mail that `keep:` has accepted?

Estimate: the front wakes the engine by a byte as it commits. At 2,000 events/s in 100 requests a second, the engine
finds 20 to 40 events a step; rounds of numpy calls take 10 ms whatever there is, state commits with one fsync (0.3 ms):
so 10 ms at the median, and twice that when a commit came just after the engine had looked. A mail needs a wake-up of
the courier, taking over (one fsync), claim, render (1 ms), confirm, write and fsync it, settle: six fsyncs and two
turns, 20 ms more. With 5,000 decisions waiting, groups of 20 share the fsyncs: 2 ms a mail, 500 mails/s.

Measured: the real three processes on a new data folder, `small_shop`, fed by a load generator in another process at a
steady rate on the host's clock (open loop). The latencies are the house's own (freshness of the engine, event_to_mail
of the courier), from the log's commit on, each rate's for itself. Then: 5,000 decisions waiting for a courier that is
just being started; and how long a cold start takes, and what the processes use when nothing happens.
"""

from __future__ import annotations

import contextlib
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench.house import House, house, send, wait
from livepost.bench.load import Job, Told
from livepost.bench.machine import cpu_s, machine
from livepost.errors import StoreError
from livepost.ledger.base import Ledger
from livepost.log.base import Position
from livepost.model.told import CourierStatus
from livepost.observe.latencies import Latencies
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.sockets.wire import WireClient

RATES = (500, 2_000)
"""Events offered a second, one run after the other."""

REQUESTS_PER_S = 100
MAILS_PER_S = 20
PEOPLE = 5_000
CONNECTIONS = 16
WAITING = 5_000
"""Decisions that wait for the courier when its speed is measured."""

STARTS = 3
IDLE_S = 10.0
SETTLE_S = 3.0
"""How long after a start the processes may do what a start brings before idling counts."""

_OPEN = ("pending", "claimed", "in_flight")

AT_MOST = {"transition_p99_ms": 200.0, "mail_p99_ms": 1_000.0, "cold_start_s": 6.0, "idle_cpu_percent": 2.0}
AT_LEAST = {"mails_per_s": 350.0}
"""Half of what is to be reached (NUMBERS), for a machine that others use too."""


QUICK: dict[str, Any] = {"seconds": 2.0}
"""What `run` takes for a run of seconds, whose figures say nothing."""


def run(*, seconds: float = 15.0, place: Path | None = None) -> dict[str, Any]:
    """Measure; return the figures, ready for JSON.

    seconds   how long each rate is offered
    place     folder on the disk to be measured; the system's temporary folder if None
    """
    with house(place) as new:
        told = msgspec.to_builtins(machine(new.folder.path))
        new.start()
        identify_everybody(new)
        offered = [offer(new, rate, seconds) for rate in RATES]
        mails_per_s = _work_off(new)
    starts = [_start(place) for _ in range(1 + STARTS)][1:]  # the first one may have to write bytecode
    figures = {
        "transition_p99_ms": offered[-1]["transition_ms"]["p99"],
        "mail_p99_ms": offered[-1]["mail_ms"]["p99"],
        "mails_per_s": round(mails_per_s),
        "cold_start_s": round(sorted(start["cold_start_s"] for start in starts)[STARTS // 2], 2),
        "idle_cpu_percent": round(sorted(start["idle_cpu_percent"] for start in starts)[STARTS // 2], 2),
    }
    return {
        "question": "ms from an accepted event to a committed transition, and to an accepted mail",
        "machine": told,
        "people": PEOPLE,
        "offered": offered,
        **figures,
        "gates": {
            **{name: {"at_most": gate, "holds": figures[name] <= gate} for name, gate in AT_MOST.items()},
            **{name: {"at_least": gate, "holds": figures[name] >= gate} for name, gate in AT_LEAST.items()},
        },
    }


def without(now: dict[int, int], then: dict[int, int]) -> Latencies:
    """Return what a histogram got since it was `then`."""
    return Latencies({bucket: count - then.get(bucket, 0) for bucket, count in now.items()})


def quantiles(latencies: Latencies) -> dict[str, float]:
    """Return median and 99th percentile in milliseconds."""
    return {"p50": round(latencies.quantile(0.5), 2), "p99": round(latencies.quantile(0.99), 2)}


def identify_everybody(new: House, people: int = PEOPLE) -> None:
    """Give everybody an address and consent; `people` come in hundreds."""
    job = Job(
        port=new.folder.port,
        key=new.key,
        requests=people // 100,
        connections=2,
        run="identify",
        batch=100,
        shape="identifies",
    )
    send(job)
    _drain(new)


def offer(new: House, rate: int, seconds: float) -> dict[str, Any]:
    """Offer events at a rate; return the latencies of these events and of their mails alone."""
    before = _histograms(new)
    told = _shop(new, rate, seconds)
    _drain(new)
    after = _histograms(new)
    transitions, mails = (without(now, then) for now, then in zip(after, before, strict=True))
    return {
        "events_per_s": rate,
        "seconds": round(told.seconds, 1),
        "reply_ms": {"p50": round(told.p50_ms, 2), "p99": round(told.p99_ms, 2)},
        "transition_ms": quantiles(transitions),
        "mails": len(mails),
        "mail_ms": quantiles(mails),
    }


def _shop(new: House, rate: int, seconds: float) -> Told:
    job = Job(
        port=new.folder.port,
        key=new.key,
        requests=round(REQUESTS_PER_S * seconds),
        connections=CONNECTIONS,
        run=f"at-{rate}",
        batch=rate // REQUESTS_PER_S,
        shape="shopping",
        people=PEOPLE,
        order_every=rate // MAILS_PER_S,
        rate=REQUESTS_PER_S,
    )
    return send(job)


def _work_off(new: House) -> float:
    """Let decisions wait, then start the courier; return how many mails a second it sends from its first one on."""
    new.stop(["courier"])
    job = Job(
        port=new.folder.port,
        key=new.key,
        requests=WAITING // 100,
        connections=2,
        run="waiting",
        batch=100,
        shape="orders",
    )
    send(job)
    _serve(new)
    with closing(new.folder.ledger()) as ledger:
        before = _sent(ledger)
        new.start(["courier"])
        wait("the courier to send", lambda: _sent(ledger) > before)
        began, first = time.perf_counter(), _sent(ledger)
        wait("the courier to send everything", lambda: _sent(ledger) >= before + WAITING)
        return (before + WAITING - first) / (time.perf_counter() - began)


def _start(place: Path | None) -> dict[str, float]:
    """Start `livepost run` on a new folder and leave it alone; return how long it took and what idling costs."""
    with house(place) as new:
        new.folder.port_file.unlink(missing_ok=True)
        began = time.perf_counter()
        new.supervise()
        wait("the front to be ready", lambda: _is_ready(new))
        took = time.perf_counter() - began
        time.sleep(SETTLE_S)
        pids = new.children()
        used = sum(cpu_s(pid) for pid in pids)
        time.sleep(IDLE_S)
        used = sum(cpu_s(pid) for pid in pids) - used
        return {"cold_start_s": took, "idle_cpu_percent": 100 * used / IDLE_S}


def _is_ready(new: House) -> bool:
    if not new.folder.port_file.exists():
        return False
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{new.folder.port}/readyz") as reply:
        return bool(reply.status == 200)
    return False


def _drain(new: House) -> None:
    """Return when everything accepted so far is decided and sent."""
    last = _serve(new)
    with closing(new.folder.ledger()) as ledger:
        wait("the courier to take over", lambda: ledger.cursor() >= last)
        wait("the mails to be sent", lambda: not any(tally.state in _OPEN for tally in ledger.counts()))


def _serve(new: House) -> int:
    """Return when the engine has served everything accepted so far, with its position."""
    with closing(WireClient(new.folder.front_socket)) as front, closing(EngineClient(new.folder)) as engine:
        last = front.call("tick", None, Position).seq
        wait("the engine to serve the log", lambda: _served(engine) >= last)
        return last


def _served(engine: EngineClient) -> int:
    with contextlib.suppress(StoreError):  # still starting
        return engine.status().complete_to
    return -1


def _sent(ledger: Ledger) -> int:
    return sum(tally.count for tally in ledger.counts() if tally.state == "sent")


def _histograms(new: House) -> tuple[dict[int, int], dict[int, int]]:
    """Return the engine's freshness and the courier's event-to-mail as they stand."""
    with closing(EngineClient(new.folder)) as engine:
        freshness = engine.status().freshness
    told = new.folder.courier_file()
    if not told.exists():
        return freshness, {}
    return freshness, msgspec.json.decode(told.read_bytes(), type=CourierStatus).event_to_mail
