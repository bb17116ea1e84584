"""How long does the erasure of a person take in a house that works, from the wish to where nothing is sent or opened?

Estimate before measuring: the person is looked up (the engine is asked twice, 1 ms each), then three steps, each with a
commit of 0.3 ms, and the note of each step in control.db, once more 0.3 ms; the front's loop has the collector's load
beside it. 10 to 30 ms until it is live. All of it waits for the engine to come to the record (a step of 10 to 25 ms)
and goes through the ledger twice: 50 to 100 ms. What a person did costs nothing: their events stay, sealed under a key
that is gone. The gate is 1 s until it is live.

    python benchmarks/erasure.py [--events N] [--others N] [--runs N] [--rate N]

Out: JSON; exit 1 if the gate does not hold. Ratio: people with many events beside people with one, in the same house,
in turn; both while others' events come in.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench.calls import view
from livepost.bench.crowd import people_known
from livepost.bench.house import House, house, send, sender, wait
from livepost.bench.load import Job
from livepost.bench.machine import machine
from livepost.govern.rights.receipt import Receipt
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.house.supervisor import PROCESSES
from livepost.runtime.rights.erasing import ERASE, Wish
from livepost.runtime.sockets.wire import WireClient

GATE_MS = 1_000
BATCH = 100
BATCHES_PER_S = 20
MANY, ONE = "many", "one"


def measure(events: int, others: int, runs: int, rate: int) -> dict[str, Any]:
    """Return the figures of one house."""
    with house(None) as new:
        new.start(PROCESSES)
        _fill(new, events, others, runs)
        load = Job(
            port=new.folder.port,
            key=new.key,
            requests=BATCHES_PER_S * 600,
            connections=4,
            run="live",
            batch=max(2, rate // BATCHES_PER_S),
            rate=BATCHES_PER_S,
        )
        took: dict[str, list[tuple[int, int]]] = {MANY: [], ONE: []}
        with sender(load):
            time.sleep(2.0)
            for number in range(runs):
                for kind, found in took.items():
                    found.append(_erase(new, f"{kind}-{number}"))
    figures = {kind: _figures(found) for kind, found in took.items()}
    ratio = figures[MANY]["live_ms"] / max(1, figures[ONE]["live_ms"])
    with tempfile.TemporaryDirectory() as place:
        told = msgspec.to_builtins(machine(Path(place)))
    return {
        "events_of_one_person": events,
        "events_of_others": others,
        "events_per_s_beside": rate,
        **figures,
        "ratio": round(ratio, 2),
        "gate_ms": GATE_MS,
        "holds": all(one["live_max_ms"] <= GATE_MS for one in figures.values()),
        "machine": told,
    }


def _fill(new: House, events: int, others: int, runs: int) -> None:
    requests = max(1, others // BATCH)
    send(Job(port=new.folder.port, key=new.key, requests=requests, connections=4, run="others", batch=BATCH))
    for number in range(runs):
        _views(new, f"{MANY}-{number}", events)
        _views(new, f"{ONE}-{number}", 1)
    with closing(new.folder.log_reader()) as log, closing(EngineClient(new.folder)) as engine:
        wait("the engine to start", lambda: people_known(engine) >= 0)
        wait("the engine to know everybody", lambda: engine.status().position >= log.last().seq)


def _views(new: House, user: str, count: int) -> None:
    at = datetime.now(UTC).isoformat()
    for first in range(0, count, BATCH):
        calls = [view(user, number, f"{user}-{number}", at) for number in range(first, min(count, first + BATCH))]
        asked = urllib.request.Request(
            f"http://127.0.0.1:{new.folder.port}/v1/batch",
            b'{"batch": [' + b",".join(calls) + b"]}",
            {
                "Content-Type": "application/json",
                "Authorization": "Basic " + base64.b64encode(f"{new.key}:".encode()).decode(),
            },
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            answer.read()


def _erase(new: House, person: str) -> tuple[int, int]:
    """Return how long it took until nothing is sent or opened, and until all was done (ms), by the receipt."""
    with closing(WireClient(new.folder.front_socket)) as front:
        receipt = front.call(ERASE, Wish(person=person, by="command:bench"), Receipt)
    return receipt.live_at - receipt.asked_at, receipt.done_at - receipt.asked_at


def _figures(found: list[tuple[int, int]]) -> dict[str, float]:
    live, done = zip(*found, strict=True)
    return {
        "live_ms": statistics.median(live),
        "live_max_ms": max(live),
        "done_ms": statistics.median(done),
        "done_max_ms": max(done),
    }


def main() -> int:
    """Print the figures; return 1 if the gate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--others", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rate", type=int, default=2_000)
    asked = parser.parse_args()
    told = measure(asked.events, asked.others, asked.runs, asked.rate)
    print(json.dumps(told, indent=2))
    return 0 if told["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
