"""The machine that figures were taken on: in comes a folder on its disk, out goes what to print beside the figures.

Promised: the disk is measured in the same run and in the folder that the benchmark writes to, since an fsync in memory
says nothing about one on a disk; the processor's pace is taken between the measurements, all the way through.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import msgspec

GATE_HASH_US = 0.46
"""What a hash (blake2b of a message id) took on the machine on which the gates were set: the unit of `Pace`."""

HASHES = 1_000
HASHED = bytes(32)

FASTEST = 4
"""Of what is measured one in so many is taken to the gates' pace: that around which the processor was fastest."""

SYNC_BYTES = 4_096
SYNCS = 400
"""How many writes are timed; the median stands for all, so that a neighbour's burst does not count."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure depends on; `load_average` is over the last minute, `syncs_per_s` are of 4 KB each."""

    cpu: str
    cores: int
    python: str
    load_average: float
    syncs_per_s: int


def machine(folder: Path) -> Machine:
    """Return the machine as it is now; `folder` is where the benchmark keeps its data."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        python=platform.python_version(),
        load_average=round(os.getloadavg()[0], 2),
        syncs_per_s=syncs_per_s(folder),
    )


class Pace:
    """How fast the processor is while a benchmark runs: a virtual one changes twofold within seconds."""

    def __init__(self) -> None:
        self._taken: list[float] = []

    def take(self) -> float:
        """Measure now (about 1 ms); return how many times slower than the gates' machine this one is."""
        began = time.process_time()
        for _ in range(HASHES):
            blake2b(HASHED, digest_size=8).digest()
        self._taken.append((time.process_time() - began) / HASHES * 1_000_000 / GATE_HASH_US)
        return self._taken[-1]

    @property
    def hash_us(self) -> dict[str, float]:
        """What a hash took (us): the median, and the fastest and slowest tenth."""
        deciles = statistics.quantiles(self._taken, n=10) if len(self._taken) > 1 else self._taken * 9
        return {name: round(deciles[at] * GATE_HASH_US, 3) for name, at in (("p10", 0), ("p50", 4), ("p90", 8))}


def at_gate_pace(measured: Iterable[tuple[float, float]]) -> float:
    """Return what the machine of the gates would have given, of (slowness, rate) pairs: the median of the fastest part.

    Only of the fastest: a hash loses more to a slow processor than other work does, which waits for memory too, so that
    far from the gates' pace the product of the two would flatter.
    """
    ordered = sorted(measured)
    return statistics.median(slowness * rate for slowness, rate in ordered[: -(-len(ordered) // FASTEST)])


def syncs_per_s(folder: Path, count: int = SYNCS) -> int:
    """Return how many appends of 4 KB, each followed by fdatasync, the disk below `folder` takes a second."""
    took = []
    page = os.urandom(SYNC_BYTES)
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(count):
            began = time.perf_counter()
            os.write(file.fileno(), page)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return round(1 / statistics.median(took))


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU, user and system, that a running process has used (Linux: proc(5), fields 14, 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cpu() -> str:
    """Return the processor's name as the system tells it."""
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
