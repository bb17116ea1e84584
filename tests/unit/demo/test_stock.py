"""The stock of prepared events."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from livepost.demo.happenings import Happening
from livepost.demo.stock import LOW, READY_EVENTS, TAIL_BYTES, Stock

START = 1_797_012_487_522


def _happenings(number: int, made: list[int]) -> Iterator[Happening]:
    for each in range(number):
        made.append(each)
        yield Happening(each * 10, each % 3, {"messageId": f"m{each}"})


def test_what_is_due_is_taken_in_order_and_once() -> None:
    stock = Stock(_happenings(10, []))
    assert [event.offset_ms for event in stock.take(40, most=100)] == [0, 10, 20, 30, 40]
    assert [event.offset_ms for event in stock.take(50, most=100)] == [50]
    assert stock.next_ms() == 60


def test_no_more_is_taken_than_asked_for() -> None:
    stock = Stock(_happenings(10, []))
    assert len(stock.take(1_000, most=4)) == 4
    assert stock.next_ms() == 40


def test_only_so_many_are_made_ready_and_more_when_it_runs_low() -> None:
    made: list[int] = []
    stock = Stock(_happenings(1_000, made), ready=LOW * 5)
    assert len(stock) == len(made) == 100
    stock.take(940, most=1_000)
    assert len(made) == 100
    stock.take(950, most=1_000)
    assert len(made) == 105


def test_no_stock_is_larger_than_the_bound() -> None:
    assert len(Stock(_happenings(READY_EVENTS + 1, []), ready=READY_EVENTS + 1)) == READY_EVENTS


def test_everything_is_taken_in_the_end() -> None:
    stock = Stock(_happenings(1_000, []), ready=LOW)
    assert len(stock.take(10_000, most=10_000)) == 1_000
    assert len(stock) == 0
    assert stock.next_ms() is None


def test_the_body_is_the_call_with_its_time() -> None:
    (event,) = Stock([Happening(1_601, 7, {"type": "track", "messageId": "m"})]).take(2_000, most=1)
    body = event.body(START)
    assert msgspec.json.decode(body) == {"type": "track", "messageId": "m", "timestamp": "2026-12-11T18:08:09.123Z"}
    assert len(body) + len(",") == len(event.head) + TAIL_BYTES
