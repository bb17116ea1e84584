"""R6: mails under faults of servers and kills of couriers, by class: marketing never twice, transactional never lost.

Real courier processes, killed at a point, before scripted servers over SMTP and HTTP (`scripted.py`). The servers say
what they took; the ledger is asked only for what it says itself. `make test` runs cells in which each two of (server,
fault), (server, point), (server, class), (fault, point), (fault, class), (point, class) meet; `make test-scale` all.
"""

from __future__ import annotations

import itertools
import json
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, TypeAlias, get_args

import msgspec
import pytest

from livepost.clock import HOUR_MS
from livepost.ids import digest
from livepost.ledger.base import MAX_IN_FLIGHT, Move
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.decision import Decision
from livepost.testing.contracts.ledger import START_MS, consent, decision, page
from tests.real.dying_courier import CALLS, Couriers, KillPoint, Plan, Weakness
from tests.real.scripted import FAULTS, Book, Fault, HttpPost, PipeliningPost, Post, SmtpPost

Server: TypeAlias = Literal["smtp", "pipelined", "http"]
Class: TypeAlias = Literal["marketing", "transactional"]
SERVERS: dict[str, type[Post]] = {"smtp": SmtpPost, "pipelined": PipeliningPost, "http": HttpPost}
CLASSES: tuple[Class, ...] = get_args(Class)
POINTS: tuple[KillPoint, ...] = get_args(KillPoint)
MAILS = 45
STRUCK = 25
"""In the middle of which content the server strikes: of the courier's second group of 20."""

STARTS = 12
"""Couriers one after the other, until nothing may be tried again."""

AT_ONCE = 4


class Cell(msgspec.Struct, frozen=True):
    """One run: all its mails are of one class; each ninth meets the fault, the first courier dies at the point."""

    server: Server
    fault: Fault
    point: KillPoint
    class_: Class
    weakness: Weakness = ""


ALL = [Cell(*one) for one in itertools.product(get_args(Server), FAULTS, POINTS, CLASSES)]


class Run(msgspec.Struct):
    """What came of a cell, by decision: the server's book beside the ledger's last word and its moves to unknown."""

    cell: Cell
    book: Book
    states: dict[str, str]
    unknowns: int
    kills: int


def covering() -> list[Cell]:
    """Return cells in which any two values of two kinds meet: one for each fault and point."""
    marked = itertools.product(enumerate(FAULTS), enumerate(POINTS))
    return [
        Cell(get_args(Server)[(at + to) % 3], fault, point, CLASSES[(at + to) // 3 % 2])
        for (at, fault), (to, point) in marked
    ]


def pairs(cells: Iterable[Cell]) -> set[tuple[str, str]]:
    """Return which values meet."""
    values = [(one.server, one.fault, one.point, one.class_) for one in cells]
    return {pair for told in values for pair in itertools.combinations(told, 2)}


def run(cell: Cell, folder: Path, couriers: Couriers) -> Run:
    """Put mails into a ledger, start couriers until all is settled, and read what became of them."""
    folder.mkdir()
    path = folder / "ledger.db"
    wanted = decisions(cell.class_)
    with closing(SqliteLedger(path)) as ledger:
        allowed = [consent(one.position, person=one.person) for one in wanted]
        ledger.take_over(page(*[one for both in zip(allowed, wanted, strict=True) for one in both]), START_MS)
        book = Book(cell.fault, STRUCK if cell.point == "amid socket" else 0)
        with closing(SERVERS[cell.server](book)) as post:
            kills = sum(lives(cell, Plan(str(path), post.address, cell.point, cell.weakness), couriers, book, ledger))
        states = {one.id.hex(): state_of(ledger, one) for one in wanted}
        return Run(cell, book, states, sum(one.after == "unknown" for one in moves(ledger)), kills)


def decisions(class_: Class) -> list[Decision]:
    """Return one decision a person, in order."""
    purpose = {"marketing": "marketing", "transactional": "orders"}[class_]
    return [
        decision(n, person=digest("p", n), class_=class_, purpose=purpose, lane="triggered")
        for n in range(1, MAILS + 1)
    ]


def lives(cell: Cell, plan: Plan, couriers: Couriers, book: Book, ledger: SqliteLedger) -> Iterator[bool]:
    """Let couriers work, one after the other; yield of each whether it was killed. The first one is to be."""
    for number in range(STARTS):
        begun = couriers.start(plan)
        book.victims.put(begun)
        ended = couriers.ended()
        assert ended == (0 if plan.point == "never" else -signal.SIGKILL), (
            f"{cell}: courier {number} ended with {ended}"
        )
        yield ended != 0
        if ended == 0 and not again(ledger):
            return
        plan = msgspec.structs.replace(plan, point="never", ahead_ms=plan.ahead_ms + HOUR_MS)


def again(ledger: SqliteLedger) -> bool:
    """Say whether a courier that starts has something to send again."""
    return any(one.decision.class_ == "transactional" for one in ledger.deliveries(state="unknown"))


def state_of(ledger: SqliteLedger, one: Decision) -> str:
    found = ledger.delivery(one.id)
    return found.state if found else "lost"


def moves(ledger: SqliteLedger) -> Iterator[Move]:
    """Return all that the ledger did."""
    after = 0
    while page := ledger.moves(after, 500):
        yield from page
        after = page[-1].number


def broken(run: Run) -> list[str]:
    """Return which promises a run broke."""
    book, states = run.book, run.states
    marketing = run.cell.class_ == "marketing"
    wrong = {
        "marketing twice": marketing and any(often > 1 for often in book.taken.values()),
        "transactional lost": not marketing and not set(states) <= set(book.taken) | book.refused,
        "too many unknown": run.unknowns > book.ambiguous + MAX_IN_FLIGHT * run.kills,
        "called sent, and was not": any(states[one] == "sent" and not book.taken[one] for one in states),
        "called failed, and was sent": any(states[one] == "failed" and book.taken[one] for one in states),
        "another Message-ID": any(len(names) > 1 for names in book.names.values()),
        "left open": not set(states.values()) <= {"sent", "failed", *(["unknown"] if marketing else [])},
        "no fault met": book.met == 0,
    }
    return [name for name, is_so in wrong.items() if is_so]


def run_all(cells: Iterable[Cell], folder: Path) -> list[Run]:
    """Run cells, some at once, for most of their time is waiting; print what came together."""
    free: SimpleQueue[Couriers] = SimpleQueue()

    def one(number: int, cell: Cell) -> Run:
        couriers = free.get()
        try:
            return run(cell, folder / str(number), couriers)
        finally:
            free.put(couriers)

    with ExitStack() as open_:
        for _ in range(AT_ONCE):
            free.put(open_.enter_context(closing(Couriers())))
        pool = open_.enter_context(ThreadPoolExecutor(AT_ONCE))
        ran = list(pool.map(one, count(), cells))
    print(json.dumps(figures(ran)))
    return ran


def figures(ran: list[Run]) -> dict[str, int]:
    """Return the sums over runs."""
    of = {name: [one for one in ran if one.cell.class_ == name] for name in CLASSES}
    twice = Counter(
        {name: sum(c > 1 for one in several for c in one.book.taken.values()) for name, several in of.items()}
    )
    return {
        "cells": len(ran),
        "mails": MAILS * len(ran),
        "faults": sum(one.book.met for one in ran),
        "ambiguous": sum(one.book.ambiguous for one in ran),
        "kills": sum(one.kills for one in ran),
        "unknowns": sum(one.unknowns for one in ran),
        "marketing twice": twice["marketing"],
        "transactional twice": twice["transactional"],
        "transactional lost": sum("transactional lost" in broken(one) for one in ran),
    }


def test_the_cells_of_every_run_let_each_two_values_meet() -> None:
    assert pairs(covering()) == pairs(ALL)
    assert len(covering()) == len(FAULTS) * len(POINTS) < len(ALL)
    assert set(CALLS) == set(POINTS) - {"never", "amid socket"}


def test_mails_under_faults_and_kills_are_never_twice_or_never_lost_by_their_class(tmp_path: Path) -> None:
    assert {one.cell: wrong for one in run_all(covering(), tmp_path) if (wrong := broken(one))} == {}


@pytest.mark.scale
def test_so_they_are_in_each_cell(tmp_path: Path) -> None:
    assert {one.cell: wrong for one in run_all(ALL, tmp_path) if (wrong := broken(one))} == {}


@pytest.mark.parametrize("server", get_args(Server))
@pytest.mark.parametrize(
    ("weakness", "fault", "point", "class_", "found"),
    [
        ("told late", "slow", "before settle", "marketing", "marketing twice"),
        ("hopes", "drop after", "never", "transactional", "transactional lost"),
        ("fears", "4xx", "never", "marketing", "too many unknown"),
    ],
)
def test_a_courier_with_a_fault_put_in_would_be_found(
    tmp_path: Path, server: Server, weakness: Weakness, fault: Fault, point: KillPoint, class_: Class, found: str
) -> None:
    """The negative controls: a ledger told after the socket; unknown called sent; a refusal called unknown."""
    with closing(Couriers()) as couriers:
        assert found in broken(run(Cell(server, fault, point, class_, weakness), tmp_path / "cell", couriers))
