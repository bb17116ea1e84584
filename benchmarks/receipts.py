"""Where does a receipt's time go, stage by stage: alone, while a broadcast is being decided, while its mails go out?

Estimate: alone a receipt takes 11 ms, of which the log's, the state's and four of the ledger's commits take an fsync of
0.3 ms each, a step of few records 2 ms, a mail 1 ms, the server's answers 1 ms; the rest is waiting for a processor.
Beside a wave it waits for half of a step of it in the middle, for a whole one in the worst case; beside a bulk for one
of the courier's steps; and in both for one of two cores, on which three more processes want to run.

    python benchmarks/receipts.py [TREE ...] [--bulk N] [--seconds S] [--rounds N]

A tree is a folder with `src` in it; without one it is the package at hand. Each runs the real processes of `livepost
bench mails` with a stamp at each stage, trees in turn. Stamps are times of the host in ns, which all processes share;
what takes them wraps methods (`STAMPED`, `CALLS`), so nothing of it is in the product. Prints a table for each run and,
with several rounds, the medians. `--json FILE` keeps the figures.
"""

from __future__ import annotations

import argparse
import atexit
import functools
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from livepost.bench import mail_shop
from livepost.bench.house import House, house, send, wait
from livepost.bench.load import Job
from livepost.bench.mails import ORDERS_PER_S, quantile, sink
from livepost.bench.path import identify_everybody
from livepost.ledger.base import AskedBroadcast
from livepost.runtime.front.broadcasting import BROADCAST, Asked
from livepost.runtime.house.supervisor import PROCESSES
from livepost.runtime.sockets.wire import WireClient

BULK, SECONDS = 100_000, 15.0
OF_A_RUN = ("load", "decided_within_s", "bulk_per_s", "quiet_per_s")
QUIET_S = 1.5
QUANTILES = (0.5, 0.9, 0.99)
PHASES = ("alone", "deciding", "beside")
WARM_S = 3.0
"""How long orders come before the first that count: caches are cold."""

STAGES = (
    "logged", "begun", "stepped", "committed", "told", "heard", "taken", "claimed", "asked", "made", "confirmed",
    "answered", "settled",
)  # fmt: skip
"""What happens to an order and its receipt, in this order: it is in the log, the engine's step with it begins, is made,
is committed, the engine answers the courier, who hears it, takes it over, claims it, has the person, has made it, has
confirmed it, has its server's answer, has written that down. A time is from the one before.
"""

ALL = "stamp -> answered"

CALLS = {
    "engine: step": "livepost.runtime.engine.stepping:Stepper.step",
    "engine: commit": "livepost.state.sqlite:SqliteState.commit",
    "engine: take": "livepost.runtime.engine.stepping:Stepper.take",
    "courier: decisions": "livepost.runtime.engine.client:EngineClient.decisions",
    "courier: served": "livepost.runtime.engine.client:EngineClient.served",
    "courier: people": "livepost.runtime.engine.client:EngineClient.people",
    "courier: take over": "livepost.ledger.stored:StoredLedger.take_over",
    "courier: claim": "livepost.ledger.stored:StoredLedger.claim",
    "courier: advance": "livepost.ledger.stored:StoredLedger.advance",
    "courier: make": "livepost.deliver.mail:Maker.make",
    "courier: confirm": "livepost.ledger.stored:StoredLedger.confirm",
    "courier: settle": "livepost.ledger.stored:StoredLedger.settle",
    "courier: moves": "livepost.ledger.stored:StoredLedger.moves",
    "courier: lead": "livepost.ledger.stored:StoredLedger.lead",
    "courier: report": "livepost.runtime.courier.process:LoggedOutcomes.report",
    "courier: express": "livepost.deliver.express:Express.attend",
    "sender: send": "livepost.deliver.smtp:SmtpSender.send",
}
"""Calls of the processes that are timed, each with what it waits for: what others may have to wait for."""
SHORTEST_NS = 50_000
"""Calls that took less are not counted: looks that found nothing."""

ONE, STAMPED_AS = "--one", "--stamped"
FOLDER = "STAMPS_OF_RECEIPTS"

Args = tuple[Any, ...]
Keys = Callable[[Args, Any], Iterable[str]]


class Wrap(NamedTuple):
    """A method that is stamped: which stage it ends (or begins), and whom it concerns, by what it got and gave."""

    where: str
    method: str
    stage: str
    keys: Keys
    begins: bool = False


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    if len(sys.argv) > 2 and sys.argv[1] == STAMPED_AS:
        _run_stamped(sys.argv[2])
        return
    asked = _asked()
    if asked.one:
        print(json.dumps(one_run(asked.bulk, asked.seconds)))
        return
    kept: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(asked.rounds):
        for tree in asked.trees or [""]:
            kept[tree].append(_run_of(tree, asked))
            print(f"\n{tree or 'the package at hand'}\n{table(kept[tree][-1:])}\n", flush=True)
            print(table_of_calls(kept[tree][-1]), flush=True)
    if asked.rounds > 1:
        for tree, runs in kept.items():
            print(f"\nmedians of {len(runs)} runs, {tree or 'the package at hand'}\n{table(runs)}")
    if asked.json:
        asked.json.write_text(json.dumps(kept))


def one_run(bulk: int, seconds: float) -> dict[str, Any]:
    """Run the house once; return each phase's stages, calls and processors, how long it took to decide the bulk and to
    take it over, and how many of its mails went out a second beside receipts.
    """
    stamped = patch("livepost.bench.house.command_of", _command_of)
    with tempfile.TemporaryDirectory() as stamps, stamped, sink() as port, house(None, mail_shop) as new:
        new.environment |= {
            "LIVEPOST_MAIL": f"smtp://127.0.0.1:{port}?tls=none", "LIVEPOST_APPROVE_ABOVE": "0", FOLDER: stamps,
        }  # fmt: skip
        new.start()
        identify_everybody(new, bulk)
        _orders(new, "warm", WARM_S)
        running = [_running(new)]
        spans = {"alone": _orders(new, "alone", seconds)}
        running.append(_running(new))
        asked_s = time.monotonic()
        _broadcast(new)
        spans["deciding"] = _orders(new, "deciding", seconds)
        running.append(_running(new))
        wait("the bulk to be decided", lambda: _letters(new) >= bulk)
        decided_s = time.monotonic() - asked_s
        running.append(_running(new))
        before = _sent(new)
        spans["beside"] = _orders(new, "beside", seconds)
        running.append(_running(new))
        rate = (_sent(new) - before) / ((spans["beside"][1] - spans["beside"][0]) / 1e9)
        time.sleep(QUIET_S)  # what is done in small pieces is so for a second behind the last receipt
        before = _sent(new)
        time.sleep(seconds)
        quiet = (_sent(new) - before) / seconds
        new.stop()
        return {
            "load": os.getloadavg()[0],
            "decided_within_s": round(decided_s, 1),
            "bulk_per_s": round(rate),
            "quiet_per_s": round(quiet),
            "phases": figures(_read(Path(stamps)), spans),
            "processors": {
                phase: {
                    name: [now - then for now, then in zip(running[after][name], running[before][name], strict=True)]
                    for name in running[before]
                }
                for phase, before, after in (("alone", 0, 1), ("deciding", 1, 2), ("beside", 3, 4))
            },
            "calls": calls(Path(stamps), spans),
        }


def figures(stamps: dict[str, dict[str, int]], spans: dict[str, tuple[int, int]]) -> dict[str, dict[str, list[float]]]:
    """Return QUANTILES in ms of each stage and of the whole way, of the receipts of each span (ns)."""
    told: dict[str, dict[str, list[float]]] = {}
    for phase, (begin, end) in spans.items():
        ways = [one for one in stamps.values() if begin <= one["stamp"] < end]
        took: defaultdict[str, list[int]] = defaultdict(list)
        for way in ways:
            took[ALL].append(way["answered"] - way["stamp"])
            for before, stage in zip(("stamp", *STAGES), STAGES, strict=False):
                if before in way and stage in way:
                    took[stage].append(way[stage] - way[before])
        told[phase] = {stage: [quantile(values, q) / 1e6 for q in QUANTILES] for stage, values in took.items()}
    return told


def calls(folder: Path, spans: dict[str, tuple[int, int]]) -> dict[str, dict[str, list[float]]]:
    """Return of each timed call how many there were in a span, and p50, p99 and the longest in ms."""
    rows = [line.split("\t") for file in folder.iterdir() for line in file.read_text().splitlines() if "\t" in line]
    told: dict[str, dict[str, list[float]]] = {}
    for phase, (begin, end) in spans.items():
        took: defaultdict[str, list[int]] = defaultdict(list)
        for name, began, ns in rows:
            if begin <= int(began) < end:
                took[name].append(int(ns))
        told[phase] = {
            name: [len(values), *(quantile(values, q) / 1e6 for q in (0.5, 0.99, 1.0))] for name, values in took.items()
        }
    return told


def table_of_calls(run: dict[str, Any]) -> str:
    """Return the calls of one run as a table."""
    lines = ["| calls: how many, ms p50, p99, longest |" + "".join(f" {phase} | | | |" for phase in PHASES)]
    lines.append("|---|" + "---|---|---|---|" * len(PHASES))
    for name in CALLS:
        cells = [run["calls"][phase].get(name, [0, 0.0, 0.0, 0.0]) for phase in PHASES]
        lines.append(f"| {name} |" + "".join(f" {n:.0f} | {a:.1f} | {b:.1f} | {c:.1f} |" for n, a, b, c in cells))
    for name in PROCESSES:
        cells = [run["processors"][phase][name] for phase in PHASES]
        told = "".join(
            f" {ran:.1f} s ran | {waited:.1f} s waited | {times:.0f} times | |" for ran, waited, times in cells
        )
        lines.append(f"| {name}'s first thread |{told}")
    return "\n".join(lines)


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Return runs as a table: of each figure the median."""
    lines = [
        "load {:.2f}; decided and taken over within {:.1f} s; letters/s beside receipts {:.0f}, alone {:.0f}".format(
            *(statistics.median(run[name] for run in runs) for name in OF_A_RUN)
        ),
        "| ms, p50, p90, p99 |" + "".join(f" {phase} | | |" for phase in PHASES),
        "|---|" + "---|---|---|" * len(PHASES),
    ]
    columns = [(phase, which) for phase in PHASES for which in range(len(QUANTILES))]
    for stage in (*STAGES, ALL):
        cells = [statistics.median(run["phases"][phase][stage][which] for run in runs) for phase, which in columns]
        lines.append(f"| {stage} |" + "".join(f" {cell:.1f} |" for cell in cells))
    ratios = [
        statistics.median(run["phases"][phase][ALL][which] / run["phases"]["alone"][ALL][which] for run in runs)
        for phase, which in columns
    ]
    return "\n".join([*lines, "| as a multiple of alone |" + "".join(f" {ratio:.2f} |" for ratio in ratios)])


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("trees", nargs="*")
    parser.add_argument("--bulk", type=int, default=BULK)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument(ONE, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_of(tree: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Run the house of a tree in a process of its own."""
    path = [str(Path(tree).resolve() / "src")] if tree else []
    command = [sys.executable, __file__, ONE, "--bulk", str(asked.bulk), "--seconds", str(asked.seconds)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*path, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _command_of(name: str) -> list[str]:
    """Return the command that runs one of the processes with stamps, in place of `livepost run`."""
    return [sys.executable, str(Path(__file__).resolve()), STAMPED_AS, name]


def _orders(new: House, run: str, seconds: float) -> tuple[int, int]:
    """Have orders come, and their receipts go; return from when to when (ns)."""
    begin, sent = time.time_ns(), _sent(new, "receipt")
    count = round(ORDERS_PER_S * seconds)
    send(
        Job(
            port=new.folder.port, key=new.key, requests=count, connections=2, run=run, shape="orders", rate=ORDERS_PER_S
        )
    )
    end = time.time_ns()
    wait("the receipts to be sent", lambda: _sent(new, "receipt") >= sent + count)
    return begin, end


def _running(new: House) -> dict[str, list[float]]:
    """Return of each process's first thread how long it ran and waited for a processor (s), and how often (Linux)."""
    told = {name: Path(f"/proc/{pid}/schedstat").read_text().split() for name, pid in new.pids().items()}
    return {name: [int(ran) / 1e9, int(waited) / 1e9, int(times)] for name, (ran, waited, times) in told.items()}


def _broadcast(new: House) -> None:
    with closing(WireClient(new.folder.front_socket)) as front:
        front.call(BROADCAST, Asked(campaign="letter", message_id="bulk", by="bench"), AskedBroadcast)


def _letters(new: House) -> int:
    with closing(new.folder.ledger()) as ledger:
        return sum(one.count for one in ledger.counts() if one.campaign == "letter")


def _sent(new: House, campaign: str = "letter") -> int:
    with closing(new.folder.ledger()) as ledger:
        return sum(one.count for one in ledger.counts() if one.campaign == campaign and one.state == "sent")


def _read(folder: Path) -> dict[str, dict[str, int]]:
    """Return the stamps (ns) of each receipt by stage; what is known by position is given to its decision."""
    rows = [line.split() for file in folder.iterdir() for line in file.read_text().splitlines() if "\t" not in line]
    ways: dict[str, dict[str, int]] = defaultdict(dict)
    spans: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for stage, key, at in rows:
        if "-" in key:
            first, last = key.split("-")
            spans[stage].append((int(first), int(last), int(at)))
        elif stage == "decided":
            id_, position, stamp = key.split(":")
            ways[id_] |= {"position": int(position), "stamp": int(stamp) * 1_000_000}
        else:
            ways[key].setdefault(stage, int(at))
    for stage, found in spans.items():
        by_position = {position: at for first, last, at in reversed(found) for position in range(first, last + 1)}
        for way in ways.values():
            if way.get("position") in by_position:
                way[stage] = by_position[way["position"]]
    return {id_: way for id_, way in ways.items() if "stamp" in way}


# What runs in the processes.

_lines: list[str] = []
_stepped: list[str] = []


def _run_stamped(name: str) -> None:
    """Be one of the house's processes, with stamps."""
    for wrap in STAMPED:
        _wrap(wrap)
    for call, where in CALLS.items():
        _time(call, where)
    folder = Path(os.environ[FOLDER])
    atexit.register(lambda: (folder / f"{name}-{os.getpid()}").write_text("\n".join(_lines)))
    sys.argv = ["livepost", "run", name]
    importlib.import_module("livepost.cli.app").main()  # only here: the measuring process takes no command lines


def _wrap(wrap: Wrap) -> None:
    module, _, owner = wrap.where.partition(":")
    kind = getattr(importlib.import_module(module), owner)
    plain = getattr(kind, wrap.method, None)
    if plain is None:  # a tree of before
        return

    @functools.wraps(plain)
    def stamped(*args: Any, **kwargs: Any) -> Any:
        begin = time.time_ns()
        result = plain(*args, **kwargs)
        at = begin if wrap.begins else time.time_ns()
        _lines.extend(f"{wrap.stage} {key} {at}" for key in wrap.keys(args, result))
        return result

    setattr(kind, wrap.method, stamped)


def _time(name: str, where: str) -> None:
    module, _, path = where.partition(":")
    owner, _, method = path.partition(".")
    kind = getattr(importlib.import_module(module), owner)
    plain = getattr(kind, method, None)
    if plain is None:  # a tree of before
        return

    @functools.wraps(plain)
    def timed(*args: Any, **kwargs: Any) -> Any:
        begin = time.time_ns()
        try:
            return plain(*args, **kwargs)
        finally:
            took = time.time_ns() - begin
            if took > SHORTEST_NS:
                _lines.append(f"{name}\t{begin}\t{took}")

    setattr(kind, method, timed)


def _hex(decisions: Iterable[Any]) -> Iterator[str]:
    return (one.id.hex() for one in decisions if getattr(one, "lane", "") == "transactional")


def _blocks(args: Args, result: Any) -> list[str]:
    looked_at = args[2].until is not None
    _stepped[:] = [] if looked_at else [f"{block.first}-{block.first + block.count - 1}" for block in args[1]]
    return _stepped


def _appended(args: Args, result: Any) -> Iterator[str]:
    yield f"{result.first}-{result.last}"


def _taken(args: Args, result: Any) -> list[str]:
    """What is taken over is what was stepped last."""
    return _stepped


def _receipts_told(args: Args, result: Any) -> Iterator[str]:
    return _hex(result.page.items if result is not None else ())


def _decided(args: Args, result: Any) -> Iterator[str]:
    items = result.page.items if result is not None else ()
    return (f"{one.id.hex()}:{one.position}:{one.at}" for one in items if getattr(one, "lane", "") == "transactional")


def _receipts_taken(args: Args, result: Any) -> Iterator[str]:
    return _hex(args[1].items)


def _claims(args: Args, result: Any) -> Iterator[str]:
    return _hex(claim.decision for claim in result)


def _claims_in(args: Args, result: Any) -> Iterator[str]:
    return _hex(claim.decision for claim in args[1])


def _claimed_behind(args: Args, result: Any) -> Iterator[str]:
    return _hex(claim.decision for claim in result.claimed)


def _ready(args: Args, result: Any) -> Iterator[str]:
    return _hex(claim.decision for claim in args[2].claims)


def _claim_in(args: Args, result: Any) -> Iterator[str]:
    return _hex([args[1].decision])


def _messages(args: Args, result: Any) -> Iterator[str]:
    return (message.decision.hex() for message in args[1])


def _settled(args: Args, result: Any) -> Iterator[str]:
    return _hex(one.claim.decision for one in args[1])


STAMPED = (
    Wrap("livepost.log.sqlite:SqliteLog", "append", "logged", _appended),
    Wrap("livepost.log.sqlite:SqliteLog", "append_pieces", "logged", _appended),
    Wrap("livepost.runtime.engine.stepping:Stepper", "step", "begun", _blocks, begins=True),
    Wrap("livepost.runtime.engine.stepping:Stepper", "step", "stepped", _blocks),
    Wrap("livepost.runtime.engine.stepping:Stepper", "take", "committed", _taken, begins=True),
    Wrap("livepost.runtime.engine.worker:Worker", "urgent", "told", _receipts_told),
    Wrap("livepost.runtime.engine.client:UrgentClient", "look", "heard", _receipts_told),
    Wrap("livepost.runtime.engine.client:UrgentClient", "look", "decided", _decided),
    Wrap("livepost.ledger.stored:StoredLedger", "take_over", "taken", _receipts_taken),
    Wrap("livepost.ledger.stored:StoredLedger", "claim", "claimed", _claims),
    Wrap("livepost.ledger.stored:StoredLedger", "advance", "claimed", _claimed_behind),
    Wrap("livepost.deliver.mail:Maker", "make", "asked", _claim_in, begins=True),
    Wrap("livepost.deliver.mail:Maker", "make", "made", _claim_in),
    Wrap("livepost.ledger.stored:StoredLedger", "confirm", "confirmed", _claims_in),
    Wrap("livepost.ledger.stored:StoredLedger", "advance", "confirmed", _ready),
    Wrap("livepost.deliver.smtp:SmtpSender", "send", "answered", _messages),
    Wrap("livepost.ledger.stored:StoredLedger", "settle", "settled", _settled),
)


if __name__ == "__main__":
    main()
