"""How many mails a second does a ledger take from pending to sent, on SQLite and PostgreSQL, with 1, 2 and 3 couriers?

Estimate before measuring: mails are claimed in groups of 100, confirmed and settled in groups of 20: two commits for 20
mails and one for 100. On SQLite a mail costs about 0.35 ms of statements and a tenth of a commit of a millisecond:
2,000 mails/s, and not more with several couriers, since writers take turns. On PostgreSQL about 4 statements a mail
wait for the server's answer (0.15 ms each on loopback, psycopg's own work in it) and 4 go along: 1,000 mails/s.
Nothing is made or sent here, which couriers do outside of their turns: this is the worst case for several.

Run: python benchmarks/ledger.py [--mails N] [--rounds N] [--postgres postgresql://user@host/database]. Out: JSON.
Bodies and numbers of couriers take turns within a round, and the median of the rounds counts; `of_sqlite` are medians
of ratios to the same round's SQLite with one courier.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import msgspec

from livepost.bench.machine import machine
from livepost.clock import WallClock
from livepost.ids import digest
from livepost.ledger.base import MAX_IN_FLIGHT, Ledger, Settlement
from livepost.ledger.opening import open_ledger
from livepost.model.decision import ConsentChange, Decision, OutboxItem
from livepost.model.message import Receipt
from livepost.model.outbox import OutboxPage

COURIERS = (1, 2, 3)
BATCH = 100
PAGE = 2_000
SENT = Receipt(state="sent", text="250 ok", provider="memory")


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mails", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", default="", help="a database whose schemas bench_N may be made and dropped")
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()))
    told = parser.parse_args()
    bodies = {"sqlite": "sqlite:"} | ({"postgres": told.postgres} if told.postgres else {})
    rates: dict[str, list[float]] = {f"{body}_{count}": [] for body in bodies for count in COURIERS}
    with tempfile.TemporaryDirectory(dir=told.place) as folder:
        for number in range(told.rounds):
            for count in COURIERS:
                for body, setting in bodies.items():
                    place = Path(folder) / f"{number}-{count}.db"
                    rates[f"{body}_{count}"].append(_rate(_named(setting, place), place, told.mails, count))
        shown = {
            "question": (__doc__ or "").splitlines()[0],
            "machine": msgspec.to_builtins(machine(Path(folder))),
            "mails": told.mails,
            "mails_per_s": {name: round(statistics.median(of)) for name, of in rates.items()},
            "of_sqlite": {name: _ratio(of, rates["sqlite_1"]) for name, of in rates.items()},
            "rounds": {name: [round(one) for one in of] for name, of in rates.items()},
        }
    print(json.dumps(shown, indent=2))


def _named(setting: str, place: Path) -> str:
    """Return the setting of a ledger of its own: for a database a schema of it."""
    if setting == "sqlite:":
        return setting
    joint = "&" if "?" in setting else "?"
    return f"{setting}{joint}schema=bench_{place.stem.replace('-', '_')}_{os.getpid()}"


def _ratio(rates: list[float], to: list[float]) -> float:
    return round(statistics.median(one / other for one, other in zip(rates, to, strict=True)), 2)


def _rate(setting: str, place: Path, mails: int, couriers: int) -> float:
    """Return mails/s of so many processes that claim, confirm and settle what is in a new ledger."""
    with closing(open_ledger(setting, place, WallClock())) as ledger:
        _fill(ledger, mails)
        processes = multiprocessing.get_context("spawn")
        ready = processes.Barrier(couriers + 1)
        running = [processes.Process(target=_courier, args=(setting, place, n, ready)) for n in range(couriers)]
        for one in running:
            one.start()
        ready.wait()
        began = time.perf_counter()
        for one in running:
            one.join()
        took_s = time.perf_counter() - began
        sent = sum(one.count for one in ledger.counts() if one.state == "sent")
        if sent != mails:
            raise SystemExit(f"expected {mails} mails to be sent, got {sent}")
    return mails / took_s


def _fill(ledger: Ledger, mails: int) -> None:
    now_ms = WallClock().now_ms()
    for first in range(0, mails, PAGE):
        numbers = range(first, min(first + PAGE, mails))
        items: list[OutboxItem] = [make(number, now_ms) for make in (_consent, _decision) for number in numbers]
        ledger.take_over(OutboxPage(complete_to=numbers[-1], as_of=now_ms, items=items), now_ms)


def _courier(setting: str, place: Path, number: int, ready: Barrier) -> None:
    with closing(open_ledger(setting, place, WallClock())) as ledger:
        worker = f"courier-{number}"
        ledger.enlist(worker)
        ready.wait()
        now_ms: Callable[[], int] = WallClock().now_ms
        while claims := ledger.claim(now_ms(), BATCH, worker):
            for at in range(0, len(claims), MAX_IN_FLIGHT):
                group = claims[at : at + MAX_IN_FLIGHT]
                told = ledger.confirm(group, [one.decision.id for one in group], now_ms())
                ledger.settle([Settlement(claim=one.claim, receipt=SENT) for one in told], now_ms())


def _consent(number: int, now_ms: int) -> ConsentChange:
    return ConsentChange(
        person=digest("person", number),
        purpose="marketing",
        allowed=True,
        at=now_ms,
        position=number,
        source="bench",
        message_id=f"m{number}",
    )


def _decision(number: int, now_ms: int) -> Decision:
    return Decision(
        id=digest("decision", number),
        campaign="browse_reminder",
        version="v1",
        step=0,
        person=digest("person", number),
        cause=digest("cause", number),
        cause_text="entered Shopper.browsing",
        at=now_ms + number,
        position=number,
        purpose="marketing",
        class_="marketing",
        lane="triggered",
        cap_times=2,
        cap_per_ms=604_800_000,
    )


if __name__ == "__main__":
    main()
