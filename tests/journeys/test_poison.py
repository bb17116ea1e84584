"""Poison among good events: the bad ones end in the dead letters with a reason, the good ones do not notice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.errors import RejectedError
from livepost.intake.call import read_call
from livepost.model.decision import Decision
from livepost.model.record import KeyKind, Kind, Record
from livepost.runtime.engine.attempts import Attempts
from livepost.runtime.engine.worker import STEP_RECORDS, Worker
from livepost.runtime.simulated import SimulatedHouse
from livepost.state.memory import MemoryState
from tests.conservation import vanished
from tests.crash.counter import shop
from tests.crash.load import shopper_who_looks_thrice

START_MS = 1_800_000_000_000
DEEP: list[Any] = []
for _ in range(200):
    DEEP = [DEEP]
ORDER = {"order_id": "o", "total": 1.5}
GOOD = ("ada", "bob", "cleo")
BAD: tuple[Any, ...] = (
    7,
    [],
    {},
    {"type": 7},
    {"type": "track", "event": []},
    {"type": "track", "event": "Order Completed"},
    {"type": "track", "userId": "bad", "event": "$identify"},
    {"type": "track", "userId": "bad", "event": "E" * 300},
    {"type": "track", "userId": "u" * 300, "event": "Order Completed", "properties": ORDER},
    {"type": "track", "userId": "bad", "messageId": "m" * 300, "event": "Order Completed", "properties": ORDER},
    {"type": "track", "userId": "bad", "event": "Order Completed", "properties": "a"},
    *(
        {"type": "track", "userId": "bad", "event": "Order Completed", "properties": ORDER | wrong}
        for wrong in (
            {"total": "many"},
            {"total": 10**30},
            {"total": -(10**400)},
            {"total": 1e308},
            {"total": True},
            {"total": DEEP},
            {"order_id": 7},
            {"order_id": None},
            {"undeclared": DEEP},
        )
    ),
    *(
        {"type": "track", "userId": "bad", "event": "Order Completed", "properties": ORDER, "timestamp": timestamp}
        for timestamp in (17, "yesterday", "99999-01-01", "2016-06-31", "9999-12-31T23:59:59-23:00", "1999-01-01")
    ),
    {"type": "alias", "userId": "bad", "previousId": []},
    {"type": "group", "userId": "bad"},
    {"type": "identify", "userId": "bad", "traits": {"email": {"a": 1}}},
)
ODD: tuple[Any, ...] = (
    {"type": "track", "userId": "\0", "event": "Order Completed", "properties": ORDER},
    {"type": "track", "userId": "odd", "event": "\0"},
    {"type": "track", "userId": "odd", "event": "Order Completed", "properties": ORDER | {"order_id": "o" * 30_000}},
    {"type": "track", "userId": "odd", "event": "Order Completed", "properties": ORDER | {"undeclared": 10**400}},
    {"type": "track", "userId": "odd", "event": "Order Completed", "properties": ORDER, "timestamp": "2199-01-01"},
    {"type": "track", "userId": "odd", "event": "Product Viewed", "properties": {"product_id": "a\0b"}, "sentAt": "?"},
)
"""Odd, but as good as any."""

UNREADABLE = (b'{"userId": "\\ud800"}', b'{"userId": "a', b'{"properties": {"a": 1e400}}', b"\xff\xfe", b"[" * 100_000)


@contextmanager
def a_house() -> Iterator[SimulatedHouse]:
    settings, project = shop()
    house = SimulatedHouse(project, settings, SimulatedClock(START_MS))
    yield house
    assert vanished(house.fates()) == ""
    house.close()


def told(house: SimulatedHouse, *calls: Any) -> None:
    for call in calls:
        house.take([read_call(json.dumps(call).encode())], KeyKind.SECRET)


def lived(house: SimulatedHouse, *bad: Any) -> dict[str, Any]:
    """Let good shoppers live, with a bad event after each of their calls; return what became of the good ones."""
    waiting = list(bad)
    for name in GOOD:
        for call in shopper_who_looks_thrice(name):
            told(house, call)
            told(house, *(waiting.pop() for _ in range(min(3, len(waiting)))))
    told(house, *waiting)
    house.advance(10_000)
    return {name: outcome(house, f"user-{name}") for name in GOOD}


def outcome(house: SimulatedHouse, user: str) -> tuple[Any, ...]:
    subject = house.subject(user)
    assert subject is not None
    view = house.person(subject)
    assert view is not None
    deliveries = house.ledger.deliveries(person=subject)
    return (
        view.features,
        view.memberships,
        [(d.decision.campaign, d.state, d.reason, d.decision.at) for d in deliveries],
    )


def test_what_is_wrong_with_an_event_is_told_and_nobody_else_notices() -> None:
    with a_house() as clean:
        wanted = lived(clean)
    with a_house() as house:
        assert lived(house, *BAD) == wanted
        letters = house.worker.dead(-1, 1000)
    assert len(letters) == len(BAD)
    assert all(letter.reason for letter in letters)
    assert [deliveries for _, _, deliveries in wanted.values()] != [[], [], []]


def test_odd_events_are_events() -> None:
    with a_house() as house:
        told(house, *ODD)
        assert house.worker.dead(-1, 1000) == []
        assert house.fates()["processed"] >= len(ODD)


@pytest.mark.parametrize("raw", UNREADABLE)
def test_what_cannot_be_read_at_all_is_refused(raw: bytes) -> None:
    with pytest.raises(RejectedError):
        read_call(raw)


def poisoned(house: SimulatedHouse, place: int, of: int, source: str = "old") -> None:
    """Append a block as an older tracking plan would have had it: at one place a value that no engine can add up."""
    subject = house.subject("user-ada") or b""
    house.append(
        [
            Record(
                source=source,
                subject=subject,
                known=True,
                message_id=f"order-{number}",
                name="Order Completed",
                effective_ts=house.clock.now_ms(),
                properties={"order_id": "o", "total": "seven" if number == place else [number, "USD"]},
                content_hash=bytes([number + 1]) * 16,
            )
            for number in range(of)
        ]
    )


def account(worker: Worker) -> dict[str, Any]:
    """Return all that an engine says of its log."""
    while worker.turn():
        pass
    return {
        "people": sorted(worker.everybody(100), key=lambda view: view.person),
        "transitions": sorted(worker.transitions(None, None, 1000), key=lambda one: one.id),
        "dead": worker.dead(-1, 100),
        "counts": worker.status().counts,
    }


def worker_over(house: SimulatedHouse, attempts: Attempts) -> Worker:
    settings, project = shop()
    return Worker(project.compiled, MemoryState(), house.log, house.clock, settings.workspace, attempts=attempts)


@pytest.mark.parametrize("place", [0, 11, 29])
def test_a_record_on_which_the_engine_fails_is_set_aside_and_its_neighbours_count(place: int) -> None:
    with a_house() as house:
        lived(house)
        poisoned(house, place, of=30)
        (letter,) = house.worker.dead(-1, 100)
        assert letter.reason.startswith("handler error: ")
        assert "seven" not in letter.reason
        view = house.person(house.subject("user-ada") or b"")
        assert view is not None
        assert view.features["orders"] == 29
        assert view.features["spend_1h"] == [sum(range(30)) - place, "USD"]


@pytest.mark.parametrize("records_max", [1, 2, 7, STEP_RECORDS])
def test_what_is_set_aside_depends_on_the_log_alone(records_max: int) -> None:
    with a_house() as house:
        lived(house, *BAD[:5])
        for place in (3, 4, 17):
            poisoned(house, place, of=20, source=f"old-{place}")
        lived_on = account(house.worker)
        replayed = account(worker_over(house, Attempts(records_max)))
    assert replayed == lived_on
    assert sum("handler error" in letter.reason for letter in lived_on["dead"]) == 3


def test_an_id_whose_record_was_set_aside_is_free_for_the_event_sent_again() -> None:
    with a_house() as house:
        lived(house)
        poisoned(house, 2, of=4)
        (letter,) = house.worker.dead(-1, 100)
        (block,) = house.log.read(letter.position - 1, 1)[:1]
        mended = msgspec.structs.replace(block.record(0), properties={"order_id": "o", "total": [2, "USD"]})
        house.append([msgspec.structs.replace(mended, kind=Kind.EVENT)])
        view = house.person(house.subject("user-ada") or b"")
        assert view is not None
        assert view.features["orders"] == 4
        assert len(house.worker.dead(-1, 100)) == 1


class Giving(Attempts):
    """The fault put in: nothing is tried again."""

    def fail(self, error: Exception) -> None:
        raise error


def test_an_engine_that_does_not_try_again_would_stop_the_line() -> None:
    with a_house() as house:
        lived(house)
        poisoned(house, 3, of=20)
        with pytest.raises((TypeError, ValueError)):
            account(worker_over(house, Giving(STEP_RECORDS)))


def test_decisions_are_those_of_a_log_that_never_had_the_poison() -> None:
    with a_house() as house:
        lived(house)
        poisoned(house, 1, of=3)
        (letter,) = house.worker.dead(-1, 100)
        decided = {item.id for item in house.worker.decisions(-1, 1000).items if isinstance(item, Decision)}
    with a_house() as clean:
        lived(clean)
        poisoned(clean, -1, of=3)
        assert clean.worker.dead(-1, 100) == []
        all_decided = {item.id for item in clean.worker.decisions(-1, 1000).items if isinstance(item, Decision)}
    assert decided <= all_decided
    assert letter.name == "Order Completed"
