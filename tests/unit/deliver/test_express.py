"""Transactional mails overtake a bulk wherever it is; the engine, the clock of looks and the senders are lists."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from threading import Event
from typing import Any

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.deliver import courier as loop
from livepost.deliver.courier import PAGE_ITEMS, Courier, Sent
from livepost.deliver.express import (
    AWAY_S,
    HURRY_S,
    LOOK_S,
    ROUNDS,
    SMALLER,
    SUFFIX,
    Attentive,
    Beside,
    Express,
)
from livepost.deliver.memory import MemoryKeep
from livepost.errors import StoreError
from livepost.ledger.base import MAX_IN_FLIGHT, Ledger, TakenOver
from livepost.model.decision import Decision
from livepost.model.message import Message, Receipt
from livepost.model.outbox import OutboxPage, Urgent, UrgentAsked
from livepost.process.urgent import UrgentItems
from livepost.testing.contracts.ledger import START_MS, decision
from tests.unit.deliver.test_courier import Desk, Parts, parts, wants

__all__ = ["parts"]


PATIENCE_S = 5.0


class Told:
    """The engine's word on what is urgent, from a desk's items."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.away = False
        self.looks = 0
        self.heard_on: int | None = None

    def look(self, asked: UrgentAsked) -> Urgent | None:
        self.looks += 1
        if self.away:
            raise StoreError("the engine is not there")
        items = UrgentItems()
        items.note(self.desk.forgotten + 1, self.desk.items)
        found = items.after(asked.after, asked.read, 100)
        if not found or asked.epoch != self.desk.epoch:
            return None
        told = [item for _, item in found]
        page = OutboxPage(
            complete_to=-1, as_of=START_MS, items=told, more=False, last=found[-1][0], epoch=self.desk.epoch
        )
        return Urgent(page=page, people=dict(self.desk.persons))


class Stage(msgspec.Struct):
    """A courier with an express beside it, the mails of both, and the seconds of its clock."""

    courier: Courier
    express: Express
    told: Told
    first: MemoryKeep
    bulk: MemoryKeep
    parts: Parts
    sent: list[Sent]
    now_s: list[float]

    def receipt(self, number: int, person: bytes) -> Decision:
        one = decision(number, person=person, class_="transactional", lane="transactional")
        self.parts.desk.items.append(one)
        return one


@pytest.fixture
def stage(parts: Parts) -> Iterator[Stage]:
    now_s, sent, told = [100.0], list[Sent](), Told(parts.desk)
    first, bulk = (MemoryKeep(parts.courier.clock) for _ in range(2))
    courier = msgspec.structs.replace(parts.courier, sender=bulk)
    express = Express(courier, {"mail": first}, told, sent.append, lambda: now_s[0])
    courier = msgspec.structs.replace(courier, attend=express.attend)
    parts.desk.page_items = 5
    yield Stage(courier, express, told, first, bulk, parts, sent, now_s)


class _Enough(Exception):
    """The test has seen enough pages."""


class _Impatient:
    """A ledger that takes so many pages over and no more."""

    def __init__(self, ledger: Ledger, pages: int) -> None:
        self._ledger = ledger
        self._left = pages

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def take_over(self, *page: Any) -> TakenOver:
        if not self._left:
            raise _Enough
        self._left -= 1
        return self._ledger.take_over(*page)


def read_a_page(stage: Stage) -> None:
    """Read one page of the outbox and leave the rest."""
    ledger: Any = _Impatient(stage.courier.ledger, 1)
    with pytest.raises(_Enough):
        loop.take_over(msgspec.structs.replace(stage.courier, ledger=ledger))


def message() -> Message:
    return Message(
        decision=bytes(16), person=bytes(16), sender="a@b.c", recipient="d@e.f", message_id="<m@b.c>", raw=b""
    )


def bulk_of(stage: Stage, count: int) -> bytes:
    ada = stage.parts.desk.knows("ada", "ada@example.com")
    for number in range(count):
        wants(stage.parts, 10 + number, ada, lane="bulk")
    return ada


def test_a_receipt_is_sent_while_the_outbox_before_it_is_still_being_read(stage: Stage) -> None:
    ada = bulk_of(stage, 10)
    read_a_page(stage)
    one = stage.receipt(50, ada)
    stage.express.attend()
    assert [mail.decision for mail in stage.first.mails] == [one.id]
    assert stage.bulk.mails == []
    assert stage.sent[0].accepted == [(50, START_MS)]
    assert loop.take_over(stage.courier).diverged == 0
    loop.send_due(stage.courier)
    loop.send_due(stage.courier)
    assert ([mail.decision for mail in stage.first.mails], len(stage.bulk.mails)) == ([one.id], 10)


def test_without_the_express_it_waits_for_all_before_it(stage: Stage) -> None:
    """The negative control of the test above."""
    ada = bulk_of(stage, 10)
    read_a_page(stage)
    one = stage.receipt(50, ada)
    assert stage.courier.ledger.delivery(one.id) is None
    assert stage.first.mails == []


def test_a_receipt_overtakes_between_the_mails_of_a_group_and_in_flight_are_no_more_than_may_be(stage: Stage) -> None:
    ada = bulk_of(stage, MAX_IN_FLIGHT)
    for _ in range(4):
        loop.take_over(stage.courier)
    asked: list[Decision] = []
    maker = stage.courier.maker

    class Slow:
        def make(self, *what: Any) -> Any:
            if not asked:
                asked.append(stage.receipt(90, ada))
            return maker.make(*what)

    loop.send_due(msgspec.structs.replace(stage.courier, maker=Slow()), MAX_IN_FLIGHT)  # type: ignore[arg-type]
    moves = stage.courier.ledger.moves(0, 1_000)
    sent = [move.decision for move in moves if move.after == "sent"]
    assert (sent[0], len(sent)) == (asked[0].id, MAX_IN_FLIGHT + 1)


def test_a_mail_that_a_program_asked_for_overtakes_at_the_next_look(stage: Stage) -> None:
    ada = stage.parts.desk.knows("ada", "ada@example.com")
    one = stage.receipt(5, ada)
    loop.take_over(msgspec.structs.replace(stage.courier, attend=loop.nothing))
    stage.told.away = True
    stage.express.attend()
    assert [mail.decision for mail in stage.first.mails] == [one.id]
    two = stage.receipt(6, ada)
    loop.take_over(msgspec.structs.replace(stage.courier, attend=loop.nothing))
    stage.express.attend()
    assert len(stage.first.mails) == 1, "it was looked just now"
    stage.now_s[0] += LOOK_S
    stage.express.attend()
    assert [mail.decision for mail in stage.first.mails] == [one.id, two.id]


def test_an_engine_that_is_away_is_left_alone_for_a_while(stage: Stage) -> None:
    bulk_of(stage, 1)
    loop.take_over(stage.courier)
    stage.told.away, before = True, stage.told.looks
    stage.express.attend()
    stage.express.attend()
    assert stage.told.looks == before + 1
    stage.now_s[0] += AWAY_S
    stage.express.attend()
    assert stage.told.looks == before + 2


def test_a_courier_that_does_not_lead_takes_nothing_over(stage: Stage) -> None:
    ada = bulk_of(stage, 1)
    stage.courier.ledger.lead("another")
    loop.take_over(stage.courier)
    stage.receipt(50, ada)
    stage.express.attend()
    assert (stage.told.looks, stage.first.mails) == (0, [])


def test_what_lies_behind_the_fence_is_left_to_the_reading_in_order(stage: Stage) -> None:
    ada = bulk_of(stage, 1)
    loop.take_over(stage.courier)
    fence = stage.courier.ledger.cursor()
    late = msgspec.structs.replace(stage.receipt(77, ada), position=fence)
    stage.parts.desk.items[-1] = late
    stage.express.attend()
    assert stage.courier.ledger.delivery(late.id) is None
    assert stage.first.mails == []


def test_its_mails_are_in_flight_under_a_name_of_their_own(stage: Stage) -> None:
    assert stage.express.courier.worker == stage.courier.worker + SUFFIX


def test_what_goes_wrong_while_mails_are_out_is_raised_once_their_answers_are_written_down(stage: Stage) -> None:
    bulk_of(stage, 1)
    loop.take_over(stage.courier)

    class Broken:
        def send(self, messages: Sequence[Message]) -> list[Receipt]:
            stage.told.look = fail  # type: ignore[method-assign]
            stage.express.attend_beside()
            return stage.bulk.send(messages)

        def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
            return stage.bulk.lookup(decisions)

    def fail(asked: UrgentAsked) -> Urgent | None:
        raise MemoryError

    with pytest.raises(MemoryError):
        loop.send_due(msgspec.structs.replace(stage.courier, sender=Broken()))
    assert [one.state for one in stage.courier.ledger.deliveries()] == ["sent"]


def test_a_sender_lets_others_overtake_while_it_waits() -> None:
    attended: list[int] = []
    keep = MemoryKeep(SimulatedClock(START_MS))

    class Slow:
        def send(self, messages: Sequence[Message]) -> list[Receipt]:
            while len(attended) < 3:
                pass
            return keep.send(messages)

        def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
            return keep.lookup(decisions)

    beside = Beside()
    beside.attend = lambda: attended.append(1)
    with closing(Attentive(Slow(), beside)) as sender:
        [receipt] = sender.send([message()])
        assert (receipt.state, len(attended) >= 3) == ("sent", True)
        assert [one.state for one in sender.lookup([bytes(16)])] == ["sent"]


def test_the_next_group_is_made_while_one_is_at_its_server_and_in_flight_are_no_more_than_may_be(stage: Stage) -> None:
    bulk_of(stage, 2 * MAX_IN_FLIGHT)
    for _ in range(4):
        loop.take_over(stage.courier)
    ledger, seen = stage.courier.ledger, list[dict[str, int]]()

    class Watched:
        def send(self, messages: Sequence[Message]) -> list[Receipt]:
            prepared.wait(PATIENCE_S)
            seen.append({one.state: one.count for one in ledger.counts()})
            return stage.bulk.send(messages)

        def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
            return stage.bulk.lookup(decisions)

    prepared = Event()
    beside = Beside()
    with closing(Attentive(Watched(), beside)) as sender:

        def ahead(work: Callable[[], None]) -> None:
            def both() -> None:
                work()
                prepared.set()

            beside.ahead(both)

        loop.send_due(msgspec.structs.replace(stage.courier, sender=sender, ahead=ahead))
    assert seen[0] == {"in_flight": MAX_IN_FLIGHT, "claimed": MAX_IN_FLIGHT}
    assert seen[1] == {"in_flight": MAX_IN_FLIGHT, "sent": MAX_IN_FLIGHT}
    assert len(stage.bulk.mails) == 2 * MAX_IN_FLIGHT


def test_what_fails_ahead_is_raised_once_the_answers_are_written_down(stage: Stage) -> None:
    bulk_of(stage, 2 * MAX_IN_FLIGHT)
    for _ in range(4):
        loop.take_over(stage.courier)
    maker = stage.courier.maker

    class Tired:
        def __init__(self) -> None:
            self.made = 0

        def make(self, *what: Any) -> Any:
            self.made += 1
            if self.made > MAX_IN_FLIGHT:
                raise MemoryError
            return maker.make(*what)

    tired: Any = Tired()
    beside = Beside()
    with closing(Attentive(stage.bulk, beside)) as sender, pytest.raises(MemoryError):
        loop.send_due(msgspec.structs.replace(stage.courier, sender=sender, ahead=beside.ahead, maker=tired))
    assert {one.state: one.count for one in stage.courier.ledger.counts()} == {
        "sent": MAX_IN_FLIGHT,
        "claimed": MAX_IN_FLIGHT,
    }


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_what_is_urgent_is_attended_to_as_soon_as_it_is_told_while_an_answer_is_waited_for(
    stage: Stage, pipe: tuple[int, int]
) -> None:
    told, telling = pipe
    answered, answering = os.pipe()
    os.write(telling, b"!")
    beside = Beside()
    beside.heard_on = lambda: told

    def attend() -> None:
        os.read(told, 1)
        os.write(answering, b"!")

    beside.attend = attend
    began = time.monotonic()
    beside.wait(answered, PATIENCE_S)
    assert time.monotonic() - began < PATIENCE_S
    assert os.read(answered, 1) == b"!"
    os.close(answered)
    os.close(answering)


def test_an_answer_that_does_not_come_is_waited_for_so_long(pipe: tuple[int, int]) -> None:
    attended: list[int] = []
    beside = Beside()
    beside.attend = lambda: attended.append(1)
    beside.wait(pipe[0], 3 * LOOK_S)
    assert attended


def test_it_is_only_listened_to_the_engine_where_it_would_be_looked(stage: Stage) -> None:
    stage.told.heard_on = 7
    assert stage.express.heard_on is None, "the outbox was not read yet: nobody leads"
    bulk_of(stage, 1)
    loop.take_over(stage.courier)
    assert stage.express.heard_on == 7
    stage.told.away = True
    stage.express.attend()
    assert stage.express.heard_on is None
    stage.now_s[0] += AWAY_S
    assert stage.express.heard_on == 7


def test_a_bulk_is_done_in_smaller_pieces_for_a_second_behind_each_transactional_mail(stage: Stage) -> None:
    ada = bulk_of(stage, 1)
    loop.take_over(stage.courier)
    assert stage.express.piece(200) == 200
    stage.receipt(50, ada)
    stage.express.attend()
    assert [stage.express.piece(usual) for usual in (200, 1)] == [200 // SMALLER, 1]
    stage.now_s[0] += HURRY_S
    assert stage.express.piece(200) == 200


def test_the_next_question_stands_as_soon_as_a_mail_was_sent(stage: Stage) -> None:
    ada = bulk_of(stage, 1)
    loop.take_over(stage.courier)
    stage.receipt(50, ada)
    looks = stage.told.looks
    stage.express.attend()
    assert stage.told.looks == looks + 2


def test_a_flood_of_transactional_mails_lets_others_go_on(stage: Stage) -> None:
    ada = bulk_of(stage, 1)
    loop.take_over(stage.courier)

    def flood(asked: UrgentAsked) -> Urgent | None:
        stage.receipt(100 + stage.told.looks, ada)
        return Told.look(stage.told, asked)

    stage.told.look = flood  # type: ignore[method-assign]
    stage.express.attend()
    assert len(stage.first.mails) == ROUNDS


def test_pieces_are_what_is_read_and_claimed_at_a_time(stage: Stage) -> None:
    bulk_of(stage, 20)
    asked: list[int] = []
    claims: list[int] = []
    desk, ledger = stage.parts.desk, stage.courier.ledger

    class Noting:
        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def advance(self, settlements: Any, ready: Any, now_ms: int, limit: int, *others: Any) -> Any:
            claims.append(limit)
            return ledger.advance(settlements, ready, now_ms, limit, *others)

    def decisions(after: int, limit: int) -> OutboxPage:
        asked.append(limit)
        return type(desk).decisions(desk, after, limit)

    desk.decisions = decisions  # type: ignore[method-assign]
    noting: Any = Noting()
    courier = msgspec.structs.replace(stage.courier, ledger=noting, piece=lambda usual: usual // SMALLER)
    loop.take_over(courier)
    loop.send_due(courier)
    assert set(asked) == {PAGE_ITEMS // SMALLER}
    assert claims[0] == 2 * MAX_IN_FLIGHT // SMALLER
