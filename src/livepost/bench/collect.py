"""How many events a second does the front take over HTTP, each fsynced before it is acknowledged?

Estimate: of a 600-byte event, decoding takes 3 us, sealing two fields 6 us, canonical JSON and its hash 3 us, the
record and its verdict 10 us, packing and zstd 6 us: some 30 us, 33,000 events/s on a core that does nothing else. An
fsync (0.3 ms) is shared by the batches that came meanwhile. A single request costs what the server costs anyway (60 us)
and as much again for authentication, deadline and commit, so a third of an echo.

Measured: the real front in a process of its own on a new data folder, `synchronous=FULL`, over loopback from a load
generator in another process; rounds of batches, of single requests, and of the same single requests to the same server
that only says 200, in turn, and the processor's pace between them; the median round counts. Batches are taken with
RECORDERS recorders beside the front, as a busy shop runs it, and once more with the front alone. The load generator
shares the cores.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench.calls import CALL_BYTES, views
from livepost.bench.house import STOP_S, House, house, send, wait
from livepost.bench.load import Job, Told
from livepost.bench.machine import Pace, at_gate_pace, cpu_s, machine
from livepost.intake.call import read_call
from livepost.runtime.house.supervisor import end, recorder_names

BATCH = 100
"""Events a batch."""

PEOPLE = 10_000
"""Shoppers the events are from; each is known to the vault before the clock starts."""

RECORDERS = 2
"""Recorders beside the front when batches are measured."""

BATCH_CONNECTIONS = 8
SINGLE_CONNECTIONS = 64

GATES = {"events_per_s_at_gate_pace": 22_500, "single_requests_per_s_at_gate_pace": 8_000, "share_of_echo": 0.35}
"""Of single requests what is to be reached (NUMBERS), of batches half of it; rates at the pace of the machine on which
that was set (`machine.Pace`).
"""


QUICK: dict[str, Any] = {"rounds": 2, "batches": 20, "singles": 200}
"""What `run` takes for a run of seconds, whose figures say nothing."""


def run(*, rounds: int = 5, batches: int = 600, singles: int = 15_000, place: Path | None = None) -> dict[str, Any]:
    """Measure; return the figures, ready for JSON.

    rounds           how often each measurement is taken
    batches, singles   requests a round
    place            folder on the disk to be measured; the system's temporary folder if None
    """
    with house(place) as front, _echo() as echo_port:
        front.start(["front"])
        _warm(front)
        alone = [_batches(front, batches, f"alone-{number}") for number in range(rounds)]
        front.start(recorder_names(RECORDERS))
        _batches(front, batches, "while the recorders start")
        pace = Pace()
        taken = [_round(front, echo_port, batches, singles, f"round-{number}", pace) for number in range(rounds)]
        figures: dict[str, Any] = {
            "events_per_s": round(_median(batches * BATCH / one.batches.seconds for one in taken)),
            "events_per_s_at_gate_pace": round(
                at_gate_pace((one.slowness_batches, batches * BATCH / one.batches.seconds) for one in taken)
            ),
            "events_per_cpu_s": round(_median(batches * BATCH / one.batches_cpu_s for one in taken)),
            "front_alone_events_per_s": round(_median(batches * BATCH / one.seconds for one in alone)),
            "batch_ms": _latency([one.batches for one in taken]),
            "single_requests_per_s": round(_median(singles / one.singles.seconds for one in taken)),
            "single_requests_per_s_at_gate_pace": round(
                at_gate_pace((one.slowness_singles, singles / one.singles.seconds) for one in taken)
            ),
            "single_requests_per_cpu_s": round(_median(singles / one.singles_cpu_s for one in taken)),
            "single_ms": _latency([one.singles for one in taken]),
            "echo_requests_per_s": round(_median(singles / one.echo.seconds for one in taken)),
            "share_of_echo": round(_median(one.echo.seconds / one.singles.seconds for one in taken), 3),
            "bare_decode_events_per_s": bare_decode(),
            "hash_us": pace.hash_us,
        }
        told = msgspec.to_builtins(machine(front.folder.path))
    return {
        "question": "events/s and requests/s taken over HTTP, fsynced before the reply",
        "event_bytes": CALL_BYTES,
        "batch": BATCH,
        "recorders": RECORDERS,
        "people": PEOPLE,
        "machine": told,
        **figures,
        "gates": {name: {"at_least": gate, "holds": figures[name] >= gate} for name, gate in GATES.items()},
    }


def bare_decode(count: int = 20_000) -> int:
    """Return how many of the same events a second are decoded on one core, and nothing done with them."""
    calls = list(views(count, PEOPLE, "decode"))
    took = []
    for first in range(0, count, 1_000):
        began = time.process_time()
        for raw in calls[first : first + 1_000]:
            read_call(raw)
        took.append(time.process_time() - began)
    return round(1_000 / statistics.median(took))


class _Round(msgspec.Struct, frozen=True):
    """What one round took; CPU seconds are those of front and recorders together, slowness is `Pace`'s around it."""

    batches: Told
    batches_cpu_s: float
    slowness_batches: float
    echo: Told
    singles: Told
    singles_cpu_s: float
    slowness_singles: float


def _round(front: House, echo_port: int, batches: int, singles: int, run: str, pace: Pace) -> _Round:
    first, began = pace.take(), _cpu_s(front)
    batched = _batches(front, batches, f"{run}-batch")
    batched_cpu_s = _cpu_s(front) - began
    second = pace.take()
    echoed = _singles(echo_port, front.key, singles, f"{run}-echo")
    third, began = pace.take(), _cpu_s(front)
    single = _singles(front.folder.port, front.key, singles, f"{run}-single")
    singles_cpu_s = _cpu_s(front) - began
    fourth = pace.take()
    return _Round(
        batches=batched,
        batches_cpu_s=batched_cpu_s,
        slowness_batches=(first + second) / 2,
        echo=echoed,
        singles=single,
        singles_cpu_s=singles_cpu_s,
        slowness_singles=(third + fourth) / 2,
    )


def _cpu_s(front: House) -> float:
    return sum(cpu_s(pid) for pid in front.pids().values())


def _warm(front: House) -> None:
    """Make everybody known, so that the clock finds the vault as it is on any day but the first."""
    send(
        Job(
            port=front.folder.port,
            key=front.key,
            requests=PEOPLE // BATCH,
            connections=BATCH_CONNECTIONS,
            run="warm",
            batch=BATCH,
            shape="identifies",
            people=PEOPLE,
        )
    )


def _batches(front: House, batches: int, run: str) -> Told:
    return send(
        Job(
            port=front.folder.port,
            key=front.key,
            requests=batches,
            connections=BATCH_CONNECTIONS,
            run=run,
            batch=BATCH,
            people=PEOPLE,
        )
    )


def _singles(port: int, key: str, singles: int, run: str) -> Told:
    return send(
        Job(
            port=port,
            key=key,
            requests=singles,
            connections=SINGLE_CONNECTIONS,
            run=run,
            people=PEOPLE,
        )
    )


@contextlib.contextmanager
def _echo() -> Iterator[int]:
    """Yield the port of a server that only says 200."""
    with tempfile.TemporaryDirectory(prefix="livepost-bench-") as made:
        port_file = Path(made) / "port"
        running = subprocess.Popen([sys.executable, "-m", "livepost.bench.echo", str(port_file)])
        try:
            wait("the echo to listen", lambda: port_file.exists() and port_file.stat().st_size > 0)
            yield int(port_file.read_text())
        finally:
            end(running, STOP_S)


def _latency(told: list[Told]) -> dict[str, float]:
    return {
        "p50": round(_median(one.p50_ms for one in told), 2),
        "p99": round(_median(one.p99_ms for one in told), 2),
    }


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
