"""How many mails a second does a courier hand to a mail server, does its memory grow, how long are receipts on their
way: alone, among other events, beside a bulk?

Estimate: a mail takes 0.4 ms to make (Liquid into a compiled MJML page, headers, tokens), 0.35 ms of the ledger's
statements, 0.2 ms of the SMTP sender's; groups of 20 share a commit and a round trip for each of five commands, on
up to four connections: 1.2 ms a mail, 800 mails/s of a core that nobody else uses. Memory: what a group needs, and
caches with bounds. A receipt overtakes between steps of milliseconds, so a bulk costs it one of them, and while the
bulk is being decided a part of the wave (20 ms) before its order is seen.

Measured: the real three processes on `mail_shop`, 5,000 people, mails by `smtp:` to postfix's smtp-sink on loopback,
the ledger on. First, 20,000 mails of four broadcasts wait for a courier that is just being started; the rate counts
from its first mail to its last. Then broadcasts until `mails` are sent: the courier's resident memory behind the first
20,000 and at the end. Then 500 events a second, each twentieth an order, and 20 orders a second alone. Last, 100,000
people are written to by one broadcast, while orders come as before: from the moment it was asked for, so that it is
being decided and taken over, and again when it has been. Times are from the order's stamp, which is its log's commit,
to the receipt's 250, of all receipts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from livepost.bench import mail_shop
from livepost.bench.house import BenchError, House, house, send, wait
from livepost.bench.load import Job
from livepost.bench.machine import machine
from livepost.bench.path import PEOPLE, identify_everybody
from livepost.ledger.base import MAX_LISTED, AskedBroadcast, Delivery
from livepost.runtime.front.broadcasting import BROADCAST, Asked
from livepost.runtime.house.processes import usage
from livepost.runtime.house.supervisor import end
from livepost.runtime.sockets.wire import WireClient

WAITING = 20_000
"""Mails that wait when the rate is measured."""

MAILS = 200_000
BULK = 100_000
ORDERS_PER_S = 20
EVENTS_PER_S = 500
EVENTS_AN_ORDER = 20
"""Of the events that are offered each so-manieth is an order, and brings a mail."""

BATCH = 5
STOP_S = 10.0
STUCK_S = 120.0
"""How long no mail may go out while some wait."""

SINK = "/usr/sbin/smtp-sink"

AT_LEAST = {"mails_per_s": 700.0}
AT_MOST = {
    "memory_growth": 1.1,
    "event_to_smtp_p99_ms": 500.0,
    "receipt_p99_ms": 500.0,
    "receipt_p99_deciding_bulk": 1.2,
    "receipt_p99_beside_bulk": 1.2,
}
"""As NUMBERS and the promise of lanes have it; the last two are ratios of this run."""

QUICK: dict[str, Any] = {"waiting": 5_000, "mails": 10_000, "bulk": 5_000, "seconds": 2.0}
"""What `run` takes for a run of seconds, whose figures say nothing."""


def run(
    *, waiting: int = WAITING, mails: int = MAILS, bulk: int = BULK, seconds: float = 20.0, place: Path | None = None
) -> dict[str, Any]:
    """Measure; return the figures, ready for JSON.

    waiting   mails whose rate is measured; `mails` in all before memory is read again; both in whole broadcasts
    bulk      people who are written to at once while the last receipts are sent, in hundreds
    seconds   how long orders come, each time
    place     folder on the disk to be measured; the system's temporary folder if None
    """
    with sink() as port, house(place, mail_shop) as new:
        new.environment |= {"LIVEPOST_MAIL": f"smtp://127.0.0.1:{port}?tls=none", "LIVEPOST_APPROVE_ABOVE": "0"}
        told = msgspec.to_builtins(machine(new.folder.path))
        new.start()
        identify_everybody(new)
        mails_per_s = _work_off(new, waiting)
        resident = _grown(new, mails - waiting)
        took = {"among_events": _among_events(new, seconds)}
        identify_everybody(new, bulk)
        took |= _beside_bulk(new, bulk, seconds)
        left = _open(new)
    figures = _figures(mails_per_s, resident, took)
    return {
        "question": "mails a second of one courier to smtp-sink; its memory; receipts among events, beside a bulk",
        "machine": told,
        "people": PEOPLE,
        "waiting": waiting,
        "mails": mails,
        "resident_mb": [round(bytes_ / 1e6, 1) for bytes_ in resident],
        "bulk": bulk,
        "receipts": {name: len(times) for name, times in took.items()},
        "event_to_smtp_ms": _quantiles(took["among_events"]),
        "receipt_ms": _quantiles(took["alone"]),
        "receipt_deciding_ms": _quantiles(took["deciding"]),
        "receipt_beside_ms": _quantiles(took["beside"]),
        "bulk_left": left,
        **figures,
        "gates": _gates(figures),
    }


def _grown(new: House, mails: int) -> tuple[int, int]:
    """Broadcast until so many mails more are sent; return the bytes of the courier in memory before and after."""
    before = _resident(new)
    for _ in range(mails // PEOPLE):
        sent = _sent(new)
        _broadcast(new, 1)
        _wait_for_all(new, sent + PEOPLE)
    return before, _resident(new)


def _beside_bulk(new: House, bulk: int, seconds: float) -> dict[str, list[int]]:
    """Return how long (ms) receipts took alone, while a broadcast to all is decided, and while its mails go out."""
    alone = _receipts(new, "alone", seconds)
    before = _decided(new)
    _broadcast(new, 1)
    deciding = _receipts(new, "deciding", seconds)
    wait("the bulk to be decided", lambda: _decided(new) >= before + bulk)
    return {"alone": alone, "deciding": deciding, "beside": _receipts(new, "beside", seconds)}


def _figures(mails_per_s: float, resident: tuple[int, int], took: dict[str, list[int]]) -> dict[str, float]:
    """Return what the gates are held to."""
    p99 = {name: quantile(times, 0.99) for name, times in took.items()}
    return {
        "mails_per_s": round(mails_per_s),
        "memory_growth": round(resident[1] / resident[0], 3),
        "event_to_smtp_p99_ms": p99["among_events"],
        "receipt_p99_ms": p99["alone"],
        "receipt_p99_deciding_bulk": round(p99["deciding"] / p99["alone"], 2),
        "receipt_p99_beside_bulk": round(p99["beside"] / p99["alone"], 2),
    }


def _gates(figures: dict[str, float]) -> dict[str, dict[str, Any]]:
    return {
        **{name: {"at_least": gate, "holds": figures[name] >= gate} for name, gate in AT_LEAST.items()},
        **{name: {"at_most": gate, "holds": figures[name] <= gate} for name, gate in AT_MOST.items()},
    }


def quantile(values: list[int], share: float) -> int:
    """Return the smallest of the values that so large a share of them does not exceed.

    >>> quantile([5, 1, 9], 0.5), quantile([5, 1, 9], 0.99)
    (5, 9)
    """
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _quantiles(values: list[int]) -> dict[str, int]:
    return {"p50": quantile(values, 0.5), "p99": quantile(values, 0.99)}


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """Yield the port of a new smtp-sink; raise BenchError where there is none."""
    found = shutil.which("smtp-sink") or (SINK if Path(SINK).exists() else None)
    if found is None:
        raise BenchError(
            "expected postfix's smtp-sink, which takes the mails, it is not there; apt-get install postfix"
        )
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    user = ("-u", "root") if os.getuid() == 0 else ()
    running = subprocess.Popen([found, *user, f"inet:127.0.0.1:{port}", "100"])
    try:
        wait("smtp-sink to listen", lambda: _listens(port))
        yield port
    finally:
        end(running, STOP_S)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _work_off(new: House, waiting: int) -> float:
    """Let mails wait, then start the courier; return how many a second it sends from its first one on."""
    new.stop(["courier"])
    _broadcast(new, waiting // PEOPLE)
    sent = _sent(new)
    new.start(["courier"])
    wait("the courier to send", lambda: _sent(new) > sent)
    began, first = time.perf_counter(), _sent(new)
    _wait_for_all(new, sent + waiting)
    return (sent + waiting - first) / (time.perf_counter() - began)


def _broadcast(new: House, times: int) -> None:
    """Broadcast the letter so many times."""
    with closing(WireClient(new.folder.front_socket)) as front:
        for _ in range(times):
            wish = Asked(campaign="letter", message_id=f"{time.monotonic_ns()}", by="bench")
            front.call(BROADCAST, wish, AskedBroadcast)


def _wait_for_all(new: House, sent: int) -> None:
    """Return when so many mails were sent in all; raise BenchError when none goes out any more."""
    last, since = -1, time.monotonic()
    while (now := _sent(new)) < sent:
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > STUCK_S:
            raise BenchError(f"expected mails to go out, none did for {STUCK_S:g} s; see the processes' words above")
        time.sleep(0.05)


def _receipts(new: House, run: str, seconds: float) -> list[int]:
    """Have orders come; return how long (ms) each receipt took from its order's stamp to its 250."""
    orders = round(ORDERS_PER_S * seconds)
    port, key = new.folder.port, new.key
    job = Job(port=port, key=key, requests=orders, connections=2, run=run, shape="orders", rate=ORDERS_PER_S)
    return _sent_for(new, job, orders)


def _among_events(new: House, seconds: float) -> list[int]:
    """Have views and orders come; return how long (ms) each order's receipt took."""
    rate = EVENTS_PER_S // BATCH
    job = Job(
        port=new.folder.port,
        key=new.key,
        requests=round(rate * seconds),
        connections=8,
        run="among",
        batch=BATCH,
        shape="shopping",
        people=PEOPLE,
        order_every=EVENTS_AN_ORDER,
        rate=rate,
    )
    return _sent_for(new, job, job.requests * BATCH // EVENTS_AN_ORDER)


def _sent_for(new: House, job: Job, orders: int) -> list[int]:
    """Do a job; return how long (ms) the receipts of its orders took from their stamp to their 250."""
    with closing(new.folder.ledger()) as ledger:
        before = {one.decision.id for one in ledger.deliveries(campaign="receipt", limit=MAX_LISTED)}
        send(job)

        def settled() -> list[Delivery]:
            found = ledger.deliveries(campaign="receipt", state="sent", limit=MAX_LISTED)
            return [one for one in found if one.decision.id not in before]

        wait("the receipts to be sent", lambda: len(settled()) >= orders)
        return [one.changed_at - one.decision.at for one in settled()]


def _decided(new: House) -> int:
    """Return how many letters the ledger has, whatever became of them."""
    with closing(new.folder.ledger()) as ledger:
        return sum(one.count for one in ledger.counts() if one.campaign == "letter")


def _sent(new: House) -> int:
    with closing(new.folder.ledger()) as ledger:
        return sum(one.count for one in ledger.counts() if one.state == "sent")


def _open(new: House) -> int:
    with closing(new.folder.ledger()) as ledger:
        return sum(one.count for one in ledger.counts() if one.state in ("pending", "claimed", "in_flight"))


def _resident(new: House) -> int:
    """Return the bytes of the courier that are in memory."""
    told = usage(new.pids()["courier"])
    if told is None:
        raise BenchError("expected the courier to run, it does not; see its words above")
    return told.resident_bytes
