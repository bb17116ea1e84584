"""How many events a second does Livepost turn into exact transitions, and how many do others on the same events?

Estimate: plain Python takes some 15 us an event and writes each changed row (20 us): 25,000/s; a framework that calls
Python once an event adds its own hop both ways and a state's read and write (100 us): 5,000 to 10,000/s. A column store
asked again for everybody costs as much per poll as there are events: the rarer it is asked, the faster, and the more it
misses.

Run: `make bench-peers`, or python -m benchmarks.peers.run [--only NAME ...] [--scale SHARE]. One after the other, on
the same files; each folds the first half before its clock starts. Out: a table on stderr, JSON on stdout; exit 1 if
plain Python, which is written apart from the engine, tells one transition differently, if Livepost is not so many times
as fast as it is (TIMES_PLAIN; whole logs only), or if a peer fails.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.peers import ours, workload
from benchmarks.peers.compare import Compared, compare
from benchmarks.peers.person import Transition
from benchmarks.peers.told import Job, Taken, read
from benchmarks.peers.workload import BATCHES, JOURNEY, Workload
from livepost.bench.machine import machine
from livepost.bench.traffic import DISTRIBUTIONS
from livepost.runtime.house.conduct import collect_seldom
from tests.real.kafka import Broker

HOUSE = Path(__file__).parents[2]
PEERS = HOUSE / ".venv" / "peers"
PEOPLE, EVENTS, DAYS = 100_000, 400_000, 40.0
"""The reference of `livepost bench engine`, half of it before the clock starts."""

FEW_PEOPLE, FEW_EVENTS, FEW_DAYS = 10_000, 40_000, 8.0
"""A tenth of it, for those that are slow."""

TIMES_PLAIN = {"uniform": 4.0, "skewed": 3.0}
"""Livepost's events/s as a multiple of plain Python's in the same run, at least (ADR 0034)."""

PATIENCE_S = 600.0


class PeerError(Exception):
    """A peer could not do the work."""


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is measured: the module's name, on the large logs or the small ones, and what is worth knowing of it:
    settings, and which of Livepost's promises it lacks. Its environment has the module's name unless it has another's.
    """

    name: str
    module: str
    large: bool
    settings: str
    lacks: tuple[str, ...]
    every: int = 0
    environment: str = ""

    @property
    def home(self) -> Path:
        """The folder of its environment."""
        return PEERS / (self.environment or self.module)


OURS = "Livepost"
NO_IDENTITY = "no merging of persons"
NO_DEDUPE = "no deduplication by message id"
NO_TIMERS = "what time alone changes is found at the person's next event, or never"
NO_REPLAY = "no ids that a replay gives again"

PEER_LIST = (
    Peer(
        name="plain Python + SQLite",
        module="plain",
        large=True,
        settings="a commit with fsync (WAL, FULL) every 1,000 events; people as objects in memory, due times in a heap",
        lacks=(NO_DEDUPE, NO_IDENTITY, NO_REPLAY, "definitions are code: a change begins anew"),
    ),
    Peer(
        name="DuckDB, every 50,000 events",
        module="duck",
        large=True,
        every=50_000,
        settings="a table on disk, all people computed at each poll, all cores",
        lacks=(NO_DEDUPE, NO_IDENTITY, NO_REPLAY, "what begins and ends between polls is not seen", "late by a poll"),
    ),
    Peer(
        name="DuckDB, every 5,000 events",
        module="duck",
        large=True,
        every=5_000,
        settings="a table on disk, all people computed at each poll, all cores",
        lacks=(NO_DEDUPE, NO_IDENTITY, NO_REPLAY, "what begins and ends between polls is not seen", "late by a poll"),
    ),
    Peer(
        name="PyFlink, by event",
        module="flink",
        large=False,
        settings="thread mode, parallelism 1, heap state, a checkpoint every 10 s, event-time timers, object reuse",
        lacks=(NO_DEDUPE, NO_IDENTITY, NO_REPLAY, "transitions are visible at the next checkpoint"),
    ),
    Peer(
        name="PyFlink, by shard",
        module="flink_shard",
        environment="flink",
        large=True,
        settings="as by event, but keyed by 8 shards: runs of 2,500 events are cut into envelopes of at most 500 "
        "before the clock starts; people as objects in memory, the changed ones written to a map state at an "
        "envelope's end; one timer a shard",
        lacks=(NO_DEDUPE, NO_IDENTITY, NO_REPLAY, "transitions are visible at the next checkpoint"),
    ),
    Peer(
        name="Quix Streams on Kafka",
        module="quix",
        large=False,
        settings="one partition, RocksDB with a changelog, exactly-once, a commit a second; broker's CPU not counted",
        lacks=(NO_TIMERS, NO_DEDUPE, NO_IDENTITY, NO_REPLAY),
    ),
    Peer(
        name="Pathway",
        module="pathways",
        large=False,
        settings="a commit every 1,000 events, stateful reducer, one worker, no persistence",
        lacks=(NO_TIMERS, "nothing is kept on disk", NO_DEDUPE, NO_IDENTITY, NO_REPLAY),
    ),
)


def measure(names: list[str], scale: float, data: Path, place: Path) -> dict[str, Any]:
    """Return the figures of one run; `names` are modules of peers, all if there are none."""
    chosen = [peer for peer in PEER_LIST if not names or peer.module in names]
    told = msgspec.to_builtins(machine(place))
    with _kafka(place, any(peer.module == "quix" for peer in chosen)) as address:
        rows = [
            row
            for large, log in _workloads(place, scale, data)
            for row in _rows(log, [peer for peer in chosen if peer.large or not large], place, address)
        ]
    skipped = [] if data.is_dir() else [f"real baskets: {data} is not there"]
    load = {"before": told.pop("load_average"), "after": round(os.getloadavg()[0], 2)}
    settings = {peer.name: {"settings": peer.settings, "lacks": list(peer.lacks)} for peer in chosen}
    return {
        "machine": told,
        "load_average": load,
        "skipped": skipped,
        "peers": settings,
        "rows": rows,
        "gates": gates(rows),
    }


def _workloads(place: Path, scale: float, data: Path) -> Iterator[tuple[bool, Workload]]:
    """Yield the logs one at a time, the large ones first, and whether one is; each has a folder of its own."""
    for large in (True, False):
        people, events, days = (PEOPLE, EVENTS, DAYS) if large else (FEW_PEOPLE, FEW_EVENTS, FEW_DAYS)
        size = max(int(events * scale) // BATCHES, 1) * BATCHES
        for distribution in DISTRIBUTIONS:
            folder = place / f"{distribution}-{size}"
            yield large, workload.reference(folder, distribution, int(people * scale), size, days * scale)
        if data.is_dir():
            yield large, workload.baskets(place / f"baskets-{size}", data, size)


def _rows(log: Workload, peers: list[Peer], place: Path, address: str) -> Iterator[dict[str, Any]]:
    """Yield a row for Livepost and one for each peer that gets a log of this size."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        taken, told, measured = ours.run(log, Path(folder))
    yield {**_row(log, OURS, taken, compare(told, told)), "bench": measured}
    for peer in peers:
        if peer.every <= log.warm:
            print(f"{log.name}, {log.events:,} events: {peer.name}", file=sys.stderr)
            yield _of(peer, log, told, place, address)


def _of(peer: Peer, log: Workload, told: list[Transition], place: Path, address: str) -> dict[str, Any]:
    """Return a peer's row; one that could not do the work has the reason in its place."""
    try:
        taken, theirs = _run(peer, log, place, address)
    except PeerError as error:
        return {"log": log.name, "peer": peer.name, "failed": str(error)}
    row = _row(log, peer.name, taken, compare(told, theirs))
    return {**row, "late_p99_ms": None} if peer.every else row  # a poll does not know when


def _run(peer: Peer, log: Workload, place: Path, address: str) -> tuple[Taken, list[Transition]]:
    with tempfile.TemporaryDirectory(dir=place, prefix=f"{peer.module}-") as folder:
        job = Job(log.file, Path(folder), log.events, log.warm, peer.every, address)
        words = [
            str(peer.home / "bin" / "python"),
            "-c",
            f"from benchmarks.peers.{peer.module} import main; main()",
            msgspec.json.encode(job, enc_hook=str).decode(),
        ]
        try:
            done = subprocess.run(
                words, env=_environment(peer.home), capture_output=True, text=True, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PeerError(f"expected {peer.name} to end within {PATIENCE_S:g} s, it did not") from error
        if done.returncode:
            raise PeerError(f"expected {peer.name} to end well, got {done.returncode}: {done.stderr[-2_000:]}")
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Taken), read(Path(folder))


def _environment(home: Path) -> dict[str, str]:
    """Return the environment of a peer: its own packages named too, without which PyFlink's thread mode finds none."""
    [packages] = home.glob("lib/python*/site-packages")
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": f"{HOUSE}{os.pathsep}{packages}", "PATH": path}


def _row(log: Workload, name: str, taken: Taken, compared: Compared) -> dict[str, Any]:
    return {
        "log": log.name,
        "peer": name,
        "version": taken.version,
        "timed_events": taken.events,
        "events_per_s": int(taken.events / taken.wall_s),
        "events_per_cpu_s": int(taken.events / taken.cpu_s),
        **msgspec.to_builtins(compared),
    }


@contextmanager
def _kafka(place: Path, wanted: bool) -> Iterator[str]:
    """Hold a real Kafka where a peer needs one."""
    if not wanted:
        yield ""
        return
    broker = Broker(place / "kafka")
    try:
        yield broker.address
    finally:
        broker.stop()


def gates(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return Livepost's events/s as a multiple of plain Python's, rounded down, where whole logs were folded."""
    rates = {
        (row["log"].partition(",")[0], row["peer"]): row["events_per_s"]
        for row in rows
        if "failed" not in row and row["timed_events"] >= EVENTS // 2
    }
    times = {
        name: rates[name, OURS] / rates[name, PEER_LIST[0].name]
        for name in TIMES_PLAIN
        if {(name, OURS), (name, PEER_LIST[0].name)} <= rates.keys()
    }
    return {
        f"{name}_times_plain": {
            "at_least": TIMES_PLAIN[name],
            "is": int(100 * is_) / 100,
            "holds": is_ >= TIMES_PLAIN[name],
        }
        for name, is_ in times.items()
    }


def table(found: dict[str, Any]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| log | peer | events/s | events per CPU second | transitions | equal | missed | false | late p99 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['log']}, {row['timed_events']:,} timed | {row['peer']} | {row['events_per_s']:,} "
        f"| {row['events_per_cpu_s']:,} | {row['theirs']:,} | {row['equal']:,} | {row['missed']:,} | {row['false']:,} "
        f"| {_late(row['late_p99_ms'])} |"
        for row in found["rows"]
        if "failed" not in row
    ]
    lines += [f"\n{row['log']}: {row['peer']}: {row['failed']}" for row in found["rows"] if "failed" in row]
    return "\n".join(lines)


def _late(late_ms: int | None) -> str:
    """Return log time in the largest unit that leaves something to say, rounded up."""
    if late_ms is None:
        return "a poll"
    return f"{-(-late_ms // 1_000):,} s" if late_ms < 600_000 else f"{-(-late_ms // 3_600_000):,} h"


def _holds(row: dict[str, Any]) -> bool:
    if "failed" in row:
        return False
    return row["peer"] != PEER_LIST[0].name or row["ours"] == row["theirs"] == row["equal"]


def main() -> None:
    """Measure, print, and end with 1 where plain Python and Livepost differ, or a peer could not do the work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], choices=sorted({peer.module for peer in PEER_LIST}))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--data", type=Path, default=JOURNEY)
    asked = parser.parse_args()
    collect_seldom()
    with tempfile.TemporaryDirectory(prefix="livepost-peers-") as place:
        found = measure(asked.only, asked.scale, asked.data, Path(place))
    print(table(found), file=sys.stderr)
    print(msgspec.json.format(msgspec.json.encode(found)).decode())
    held = [*map(_holds, found["rows"]), *(gate["holds"] for gate in found["gates"].values())]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
