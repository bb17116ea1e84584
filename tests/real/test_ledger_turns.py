"""Several writers on a real PostgreSQL: what one turn after the other keeps, and what it would be without.

Each check lets two writers meet inside their transactions wherever nothing keeps them apart. Where they take turns they
cannot meet; the second waits until the first gave up waiting for it. The negative control is a ledger whose
transactions begin without the lock, at PostgreSQL's own READ COMMITTED: there each check finds what it looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from threading import Barrier, BrokenBarrierError
from typing import Any

import msgspec
import pytest

from livepost.clock import DAY_MS, SimulatedClock
from livepost.errors import StoreError
from livepost.ledger import claims, persons
from livepost.ledger import postgres as body
from livepost.ledger.base import Claimed
from livepost.ledger.postgres import PostgresLedger
from livepost.model.decision import Merge
from livepost.settings.postgres import PostgresAddress
from livepost.testing.contracts.ledger import (
    ADA,
    ADDRESS,
    BOB,
    START_MS,
    consent,
    decision,
    flown,
    page,
    settled,
)
from tests.real.postgres import Server

MEET_S = 0.5
"""How long one writer waits for the other to come to the same place: longer than that takes where it can."""

WITHOUT_TURN = "SELECT ?::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_numbers = count()


@pytest.fixture(scope="module")
def database(postgres: Server) -> PostgresAddress:
    return postgres.database()


class Pair:
    """Two writers with connections of their own on one new ledger, and a third who looks."""

    def __init__(self, database: PostgresAddress, opened: ExitStack) -> None:
        address = msgspec.structs.replace(database, schema=f"turns_{next(_numbers)}")
        self.one, self.two, self.third = (PostgresLedger(address, "", SimulatedClock(START_MS)) for _ in range(3))
        for ledger in (self.one, self.two, self.third):
            opened.callback(ledger.close)

    def both(self, first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
        """Run both at once; return what they returned, or the StoreError of one that was refused."""
        with ThreadPoolExecutor(2) as pool:
            return [_answer(running.result) for running in [pool.submit(first), pool.submit(second)]]


def _answer(of: Callable[[], Any]) -> Any:
    try:
        return of()
    except StoreError as error:
        return error


@pytest.fixture
def pair(database: PostgresAddress) -> Iterator[Pair]:
    with ExitStack() as opened:
        yield Pair(database, opened)


class Meeting:
    """A place inside a transaction where two writers wait for each other, once."""

    def __init__(self) -> None:
        self._barrier = Barrier(2)

    def come(self) -> None:
        try:
            self._barrier.wait(MEET_S)
        except BrokenBarrierError:
            return


def met_before(patch: pytest.MonkeyPatch, place: Any, name: str, meeting: Meeting) -> None:
    inner = getattr(place, name)

    def meet(*args: Any) -> Any:
        meeting.come()
        return inner(*args)

    patch.setattr(place, name, meet)


def met_behind(patch: pytest.MonkeyPatch, place: Any, name: str, meeting: Meeting) -> None:
    inner = getattr(place, name)

    def meet(*args: Any) -> Any:
        answer = inner(*args)
        meeting.come()
        return answer

    patch.setattr(place, name, meet)


def over_a_cap_of_one(pair: Pair, patch: pytest.MonkeyPatch) -> bool:
    """Say whether two couriers at once took more than one of two mails of which a person may have one."""
    capped = [decision(n, cap_times=1, cap_per_ms=DAY_MS) for n in (1, 2)]
    pair.one.take_over(page(consent(0), *capped), START_MS)
    met_behind(patch, claims, "facts_of", Meeting())
    taken: list[list[Claimed]] = pair.both(
        lambda: pair.one.claim(START_MS, 1, "one"), lambda: pair.two.claim(START_MS, 1, "two")
    )
    return sum(len(claimed) for claimed in taken) > 1


def sent_against_a_withdrawal(pair: Pair, patch: pytest.MonkeyPatch) -> bool:
    """Say whether a mail goes in flight after a withdrawal returned, where the person was merged meanwhile (E3)."""
    pair.one.take_over(page(consent(0), consent(0, person=BOB), decision(1)), START_MS)
    claimed = pair.one.claim(START_MS, 1, "w")
    meeting = Meeting()
    met_behind(patch, persons, "_merge_withdrawals", meeting)
    met_before(patch, persons, "_consent", meeting)
    pair.both(
        lambda: pair.one.take_over(page(Merge(old=ADA, new=BOB, position=2)), START_MS),
        lambda: pair.two.withdraw(ADA, "marketing", START_MS + 5, "link"),
    )
    patch.undo()
    return bool([one for one in pair.third.confirm(claimed, [ADDRESS], START_MS + 9) if not one.reason])


def read_past_a_move(pair: Pair, patch: pytest.MonkeyPatch) -> bool:
    """Say whether a reader who goes on behind the newest move misses one that was numbered before it."""
    several = [decision(1, campaign="one"), decision(2, campaign="two")]
    pair.third.take_over(page(consent(0), *several), START_MS)
    first, second = pair.third.claim(START_MS, 2, "w")
    pair.third.set_bookmark("reader", pair.third.last_move())
    numbered, read = Meeting(), list[bytes]()
    store = pair.one._store
    flush = store._flush

    def slow() -> None:
        flush()
        store.rows("SELECT 1")  # what was left for later is there now
        numbered.come()
        numbered.come()

    def look() -> None:
        moves = pair.third.moves(pair.third.bookmark("reader"), 10)
        read.extend(move.decision for move in moves)
        pair.third.set_bookmark("reader", max((move.number for move in moves), default=0))

    def behind() -> None:
        numbered.come()
        pair.two.skip([second], "render", "", START_MS)
        look()
        numbered.come()

    patch.setattr(store, "_flush", slow)
    pair.both(lambda: pair.one.skip([first], "render", "", START_MS), behind)
    look()
    return set(read) != {one.id for one in several}


CHECKS = (over_a_cap_of_one, sent_against_a_withdrawal, read_past_a_move)


@pytest.mark.parametrize("found", CHECKS)
def test_writers_that_take_turns_keep_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, found: Callable[[Pair, pytest.MonkeyPatch], bool]
) -> None:
    assert not found(pair, monkeypatch)


@pytest.mark.parametrize("found", CHECKS)
def test_without_turns_the_check_finds_it(
    database: PostgresAddress, monkeypatch: pytest.MonkeyPatch, found: Callable[[Pair, pytest.MonkeyPatch], bool]
) -> None:
    with pytest.MonkeyPatch.context() as weak, ExitStack() as opened:
        weak.setattr(body, "TURN", WITHOUT_TURN)
        assert found(Pair(database, opened), monkeypatch)


def test_of_two_that_want_the_outbox_one_leads_and_no_page_is_taken_twice(pair: Pair) -> None:
    led = pair.both(lambda: pair.one.lead("one"), lambda: pair.two.lead("two"))
    assert sorted(led) == [False, True]
    told = page(*[decision(n) for n in range(1, 50)])
    took = pair.both(
        lambda: pair.one.take_over(told, START_MS, "one"), lambda: pair.two.take_over(told, START_MS, "two")
    )
    assert sorted(str(getattr(one, "inserted", "fenced")) for one in took) == ["49", "fenced"]


def test_three_couriers_and_withdrawals_at_once_bring_each_mail_once_and_none_against_a_withdrawal(
    database: PostgresAddress,
) -> None:
    """Who withdrew before a confirmation began is not written to, whatever the three were at."""
    with ExitStack() as opened:
        pair = Pair(database, opened)
        people = [decision(n).id for n in range(1, 301)]
        wanted = [decision(n, person=person) for n, person in enumerate(people, start=1)]
        pair.third.take_over(page(*[consent(0, person=person) for person in people], *wanted), START_MS)
        withdrawn: set[bytes] = set()
        flew: list[bytes] = []
        wrong: list[bytes] = []

        def works(ledger: PostgresLedger, worker: str) -> None:
            while claimed := ledger.claim(START_MS, 10, worker):
                gone = set(withdrawn)
                flying = flown(ledger, claimed)
                flew.extend(claim.decision.id for claim in flying)
                wrong.extend(claim.person for claim in flying if claim.person in gone)
                settled(ledger, flying, "sent")

        def withdraws(ledger: PostgresLedger) -> None:
            for person in people[::-2]:
                ledger.withdraw(person, "marketing", START_MS + 5, "link")
                withdrawn.add(person)

        fourth = PostgresLedger(pair.one._store._address, "", SimulatedClock(START_MS))  # type: ignore[attr-defined]
        opened.callback(fourth.close)
        with ThreadPoolExecutor(4) as pool:
            running = [
                pool.submit(works, ledger, worker)
                for ledger, worker in ((pair.one, "one"), (pair.two, "two"), (pair.third, "three"))
            ]
            running.append(pool.submit(withdraws, fourth))
            for one in running:
                one.result()
        assert wrong == []
        assert len(flew) == len(set(flew))
        assert len(fourth.deliveries(state="sent", limit=1_000)) == len(flew) >= 150
