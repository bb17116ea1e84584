"""Where does the CPU of a courier go, a mail, by phase and thread?

Estimate: a mail takes 1.6 to 2.0 ms of CPU of all threads together, and no phase more than a third of it; the kernel
gives 250 samples a CPU second, so 5,000 mails make some 2,000, and a phase of 0.1 ms is known to a tenth.

    python benchmarks/profile_courier.py [MAILS] [--place FOLDER] [--json]

runs a house on `mail_shop` (5,000 people, postfix's smtp-sink on loopback, the ledger on), its courier under a timer of
the process's CPU. One broadcast makes it warm; then MAILS are asked for in whole broadcasts, and it is watched until
the last is sent. A sample stands for the CPU of each thread since the one before, by the thread's own clock, so a long
call of C counts in full; it counts for the innermost function on that thread's stack that PHASES names. Prints, for
phases and then for functions alone, the share and the CPU (ms) of a mail; of threads beside the courier's own the name
stands before. Commits are those by which the courier wrote to its ledger on SQLite, an fsync each. With `--json` the
phases alone, for several trees in turn (PYTHONPATH says which).
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Any
from unittest.mock import patch

from profile_engine import functions

from livepost.bench import mail_shop
from livepost.bench.house import STOP_S, House, house
from livepost.bench.machine import Pace
from livepost.bench.mails import sink
from livepost.bench.path import PEOPLE, identify_everybody
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import folder_here
from livepost.ledger.base import AskedBroadcast
from livepost.ledger.sqlite import SqliteStore
from livepost.runtime.courier.process import run_courier
from livepost.runtime.front.broadcasting import BROADCAST, Asked
from livepost.runtime.house.conduct import collect_seldom
from livepost.runtime.house.processes import usage
from livepost.runtime.sockets.wire import WireClient

MAILS = 10_000
EVERY_S = 0.001
LOOK_S = 0.05
STUCK_S = 300.0
"""How long all mails together may take."""

FUNCTIONS_SHOWN = 30
REST = "the rest"
LIBRARIES = "threads of libraries"

COURIER = "courier"
"""As the first argument it makes of this script the courier that is watched."""

BEGIN, END = "begin", "end"
"""What such a courier is told."""

PHASES = {
    "take over": ("ledger/takeover.py", "deliver/courier.py take_over", "ledger/stored.py take_over"),
    "claim": ("ledger/claims.py claim", "ledger/claims.py waits", "ledger/stored.py claim"),
    "confirm": ("ledger/claims.py confirm", "ledger/stored.py confirm", "ledger/dispatch.py", "ledger/leases.py"),
    "facts, at claim and confirm": ("ledger/persons.py", "ledger/facts.py", "ledger/checks.py"),
    "settle": ("ledger/claims.py settle", "ledger/stored.py settle", "ledger/breakers.py"),
    "begin, commit, fsync": ("ledger/sqlite.py _begin", "ledger/sqlite.py _commit", "ledger/postgres.py _commit"),
    "ask the engine for people": ("deliver/courier.py _people",),
    "make: Liquid": ("render/template.py", "render/language.py"),
    "make: seals": ("author/making.py open",),
    "make: links and tokens": ("deliver/links.py", "deliver/token.py"),
    "make: headers and bytes": ("deliver/message.py", "deliver/envelope.py"),
    "make: the campaign's function": ("author/project.py draft",),
    "make: the rest": ("deliver/mail.py", "deliver/courier.py _make"),
    "keyed hashes of addresses": ("vault/sqlite.py blind",),
    "SMTP": ("deliver/smtp.py", "asyncio/base_events.py", "deliver/express.py send", "deliver/express.py _attended"),
    "urgent mails looked for": ("deliver/express.py",),
    "report": ("deliver/courier.py report",),
    "latencies": ("courier/process.py note",),
}
"""By phase the files, or functions of files, that it is; a function counts before its file."""

PHASE_OF = {place: phase for phase, places in PHASES.items() for place in places}


class Commits:
    """Counts the transactions by which this process's ledgers on SQLite wrote something."""

    def __init__(self) -> None:
        """Count from now on."""
        self.count = 0
        plain = SqliteStore._note_wal

        def noted(*told: Any) -> int:
            self.count += 1
            return plain(*told)

        patch.object(SqliteStore, "_note_wal", noted).start()


class Sampler:
    """Adds up CPU seconds by phase and by function while it is on; made on the main thread."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.phases: defaultdict[str, float] = defaultdict(float)
        self.functions: defaultdict[str, float] = defaultdict(float)
        self._last: dict[int, float] = {}
        self._main = threading.get_ident()
        self._began_s = self.cpu_s = 0.0
        signal.signal(signal.SIGPROF, self._sample)

    def begin(self) -> None:
        """Count from now on."""
        self._last = {thread: cpu_s for thread, _, cpu_s in _threads()}
        self._began_s = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def end(self) -> None:
        """Count no more; what no thread of Python took is that of libraries."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        self.cpu_s = time.process_time() - self._began_s
        self.phases[LIBRARIES] = max(0.0, self.cpu_s - sum(self.phases.values()))

    def _sample(self, _: int, frame: FrameType | None) -> None:
        for thread, at, cpu_s in _threads():
            passed, self._last[thread] = cpu_s - self._last.get(thread, 0.0), cpu_s
            if passed <= 0:
                continue
            before = "" if thread == self._main else f"{_name(thread)}: "
            stack = [*functions(frame if thread == self._main else at)]
            self.functions[before + stack[0]] += passed
            self.phases[before + next(filter(None, map(_phase, stack)), REST)] += passed


def _threads() -> Iterator[tuple[int, FrameType, float]]:
    """Yield each thread of Python, what it does, and the CPU (s) it took."""
    for thread, frame in sys._current_frames().items():
        if thread:
            yield thread, frame, time.clock_gettime(time.pthread_getcpuclockid(thread))


def _name(thread: int) -> str:
    """Return a thread's name without its number."""
    found = next((one.name for one in threading.enumerate() if one.ident == thread), "?")
    return found.rstrip("0123456789_-")


def _phase(function: str) -> str | None:
    place = function.partition(" ")[0]
    return PHASE_OF.get(function) or PHASE_OF.get(place)


def watched() -> None:
    """Be the courier of the project in this folder; tell on stdout what was sampled between BEGIN and END on stdin."""
    collect_seldom()
    folder, stop, sampler, commits = folder_here(), Event(), Sampler(), Commits()
    Thread(target=_obey, args=(sampler, commits, stop), name="told", daemon=True).start()
    run_courier(folder, applied_project_of(folder), stop, home=Path.cwd())


def _obey(sampler: Sampler, commits: Commits, stop: Event) -> None:
    before = 0
    for line in sys.stdin:
        if line.strip() == BEGIN:
            before = commits.count
            sampler.begin()
        else:
            sampler.end()
            told = {
                "cpu_s": sampler.cpu_s,
                "commits": commits.count - before,
                "phases": sampler.phases,
                "functions": sampler.functions,
            }
            print(json.dumps(told), flush=True)
    stop.set()


@contextmanager
def _courier(new: House) -> Iterator[subprocess.Popen[str]]:
    """Yield a courier of the house that is watched."""
    command = [sys.executable, __file__, COURIER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=new.project, env=new.environment, stdin=pipe, stdout=pipe, text=True) as running:
        try:
            yield running
        finally:
            assert running.stdin is not None
            running.stdin.close()
            running.wait(STOP_S)


def sampled(mails: int, place: Path | None) -> dict[str, Any]:
    """Return what was sampled: CPU (ms) of a mail by phase and by function, mails/s, and the other processes' CPU."""
    with sink() as port, house(place, mail_shop) as new:
        new.environment |= {"LIVEPOST_MAIL": f"smtp://127.0.0.1:{port}?tls=none", "LIVEPOST_APPROVE_ABOVE": "0"}
        new.start(["front", "engine"])
        with _courier(new) as courier:
            identify_everybody(new)
            _send(new, PEOPLE)
            pace = Pace()
            before = _others(new)
            _tell(courier, BEGIN)
            began_s = time.perf_counter()
            _send(new, mails)
            took_s = time.perf_counter() - began_s
            _tell(courier, END)
            assert courier.stdout is not None
            told = json.loads(courier.stdout.readline())
            after = _others(new)
            for _ in range(20):
                pace.take()
    return {
        "mails": mails,
        "mails_per_s": round(mails / took_s),
        "hash_us": pace.hash_us,
        "cpu_ms": _a_mail(told["cpu_s"], mails),
        "commits": round(told["commits"] / mails, 4),
        "others_cpu_ms": {name: _a_mail(after[name] - before[name], mails) for name in after},
        "phases": {name: _a_mail(cpu_s, mails) for name, cpu_s in told["phases"].items()},
        "functions": {name: _a_mail(cpu_s, mails) for name, cpu_s in told["functions"].items()},
    }


def _a_mail(cpu_s: float, mails: int) -> float:
    return round(1_000 * cpu_s / mails, 4)


def _tell(courier: subprocess.Popen[str], word: str) -> None:
    assert courier.stdin is not None
    courier.stdin.write(f"{word}\n")
    courier.stdin.flush()


def _others(new: House) -> dict[str, float]:
    """Return the CPU (s) of the house's other processes."""
    told = {name: usage(pid) for name, pid in new.pids().items()}
    return {name: one.cpu_s for name, one in told.items() if one is not None}


def _send(new: House, mails: int) -> None:
    """Ask for so many mails, in whole broadcasts; return when all are sent."""
    with closing(new.folder.ledger()) as ledger, closing(WireClient(new.folder.front_socket)) as front:

        def sent() -> int:
            return sum(one.count for one in ledger.counts() if one.state == "sent")

        due = sent() + mails
        for _ in range(mails // PEOPLE):
            wish = Asked(campaign="letter", message_id=f"{time.monotonic_ns()}", by="bench")
            front.call(BROADCAST, wish, AskedBroadcast)
        deadline = time.monotonic() + STUCK_S
        while sent() < due:
            if time.monotonic() > deadline:
                raise SystemExit(f"expected {mails} mails within {STUCK_S:g} s, {due - sent()} are left")
            time.sleep(LOOK_S)


def lines(ms: Mapping[str, float], most: int) -> Iterator[str]:
    """Yield a line for each of what had most, the largest first."""
    total = sum(ms.values())
    for name in sorted(ms, key=ms.__getitem__, reverse=True)[:most]:
        yield f"{100 * ms[name] / total:5.1f} % {ms[name]:7.3f} ms  {name}"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="CPU of a courier's mail by phase")
    parser.add_argument("mails", nargs="?", type=int, default=MAILS)
    parser.add_argument("--place", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.mails < PEOPLE or asked.mails % PEOPLE:
        raise SystemExit(f"expected mails in whole broadcasts of {PEOPLE}, got {asked.mails}")
    told = sampled(asked.mails, asked.place)
    if asked.json:
        print(json.dumps({name: value for name, value in told.items() if name != "functions"}))
        return
    print(f"{told['cpu_ms']:.2f} ms of CPU and {told['commits']} commits of the ledger a mail")
    print(f"{told['mails_per_s']} mails/s; others {told['others_cpu_ms']}\n")
    print(*lines(told["phases"], len(PHASES) + 10), "", sep="\n")
    print(*lines(told["functions"], FUNCTIONS_SHOWN), sep="\n")


if __name__ == "__main__":
    watched() if sys.argv[1:] == [COURIER] else main()
