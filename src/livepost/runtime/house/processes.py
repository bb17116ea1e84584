"""Which processes a house has, and what the system says of them.

In: what the supervisor wrote into the data folder, and `/proc`. Out: a standing each. Promised: a process that another
one has the number of by now is told as gone; where the system does not tell, None.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from livepost.clock import SECOND_MS, WallClock
from livepost.model.standing import ProcessStanding

LATELY_S = 3600.0
"""For so long a restart is counted."""

RESTARTS_MAX = 1_000
"""Restarts of a process that are remembered."""

_PROC = Path("/proc")
_STATE, _UTIME, _STIME, _STARTTIME = 0, 11, 12, 19
"""Places in /proc/PID/stat behind the command (proc(5) numbers them from 3 on)."""


class Usage(msgspec.Struct, frozen=True):
    """What the system says of a process: when it began (ticks since the system booted), its memory, its time (s)."""

    began: int
    resident_bytes: int
    cpu_s: float


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A process as it was started: when (host ms), what the system calls that time (`Usage.began`; None: it does not
    say), and when it was started again (host ms).
    """

    name: str
    pid: int
    since: int
    began: int | None
    restarts: list[int] = []


class Supervised(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor, and what it started."""

    supervisor: Started
    processes: list[Started]


def started(name: str, pid: int, before: Started | None = None) -> Started:
    """Return a process that was started just now; `before` is the one that it takes the place of."""
    now_ms = WallClock().now_ms()
    used = usage(pid)
    restarts = [*before.restarts, now_ms][-RESTARTS_MAX:] if before else []
    return Started(name=name, pid=pid, since=now_ms, began=used.began if used else None, restarts=restarts)


def this_process(name: str) -> Started:
    """Return this process, which began when the system says; now, where it does not say."""
    told, used = started(name, os.getpid()), usage(os.getpid())
    if used is None:
        return told
    ago_s = time.clock_gettime(time.CLOCK_BOOTTIME) - used.began / os.sysconf("SC_CLK_TCK")
    return msgspec.structs.replace(told, since=told.since - int(ago_s * SECOND_MS))


def write_supervised(path: Path, told: Supervised) -> None:
    """Put what a supervisor started where `process_standings` reads it, whole or not at all."""
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(told))
    beside.rename(path)


def process_standings(path: Path, now_ms: int) -> list[ProcessStanding]:
    """Return the processes that the supervisor started, in its order; this one alone, the front, if nobody supervises.

    `now_ms` is the host's time.
    """
    told = _supervised(path)
    if told is None or not _is_alive(told.supervisor):
        return [_standing(this_process("front"), now_ms, supervised=False)]
    return [_standing(one, now_ms, supervised=True) for one in told.processes]


def usage(pid: int) -> Usage | None:
    """Return what the system says of a process; None if there is none, or it does not say."""
    try:
        _, _, told = (_PROC / str(pid) / "stat").read_text().rpartition(")")
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return None
    fields = told.split()
    if fields[_STATE] == "Z":
        return None  # it ended, and nobody has asked how yet
    return Usage(
        began=int(fields[_STARTTIME]),
        resident_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
        cpu_s=(int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK"),
    )


def _supervised(path: Path) -> Supervised | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Supervised)
    except FileNotFoundError:
        return None


def _standing(one: Started, now_ms: int, *, supervised: bool) -> ProcessStanding:
    alive = _is_alive(one)
    used = usage(one.pid) if alive else None
    return ProcessStanding(
        name=one.name,
        pid=one.pid,
        since=one.since,
        restarts=sum(now_ms - at < LATELY_S * SECOND_MS for at in one.restarts),
        alive=alive,
        supervised=supervised,
        resident_bytes=used.resident_bytes if used else None,
        cpu_s=used.cpu_s if used else None,
    )


def _is_alive(one: Started) -> bool:
    """Say whether a process still runs; another one may have its number by now, where the system does not say since
    when.
    """
    if one.began is not None:
        used = usage(one.pid)
        return used is not None and used.began == one.began
    try:
        os.kill(one.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
