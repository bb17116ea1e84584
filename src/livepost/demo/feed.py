"""The feed: a shop's server that sends what its shoppers do to the collector, on the demo's clock.

In: a stock of events and the workspace's clock. Out: `POST /v1/batch` with the secret key, and an account of it.
Promised: a household's events arrive in their order; a batch that was not acknowledged is sent again with the
same message ids; nothing is sent before its time; the account says between which moments each order was stamped.

The calls carry `timestamp` and no `sentAt`: that is for taking out a wrong client clock, but the feed reads the very
clock that stamps the log, and 10 ms on the wire would count as half an hour of wrong clock at speed 200,000.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import monotonic, process_time

import msgspec

from livepost.clock import DAY_MS, SECOND_MS, Clock, ScaledClock, workspace_clock
from livepost.demo.happenings import happenings
from livepost.demo.line import Line
from livepost.demo.stock import READY_EVENTS, TAIL_BYTES, Prepared, Stock
from livepost.demo.tables import open_tables

START_FILE = "feed-start"
EVENTS_A_BATCH = 100
BYTES_A_BATCH = 400_000
EVENTS_A_TURN = 2_000
TURN_S = 0.025
PARALLEL = 4
"""How many batches are under way at most; each has households of its own, whose events so keep their order."""
STOCKED_S = 40
"""For how many real seconds events are made ready before the start."""
EVENTS_A_DAY = 2_000
"""How many happen on a day of the demo, roughly."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An order on the demo's clock (UTC ms): its stamp lies between `sent_ms` and `acknowledged_ms`."""

    basket: int
    at_ms: int
    sent_ms: int
    acknowledged_ms: int


class Account(msgspec.Struct, kw_only=True):
    """What the feed has done; times are UTC ms on the demo's clock, `longest_lag_ms` and `cpu_s` are real.

    fed_through_ms   every event up to this time is acknowledged
    synthetic        how many of the acknowledged events were made up
    longest_lag_ms   the longest time from when an order was due to its acknowledgement
    orders           every order sent, at most the 155,848 there are
    """

    start_ms: int = 0
    fed_through_ms: int = 0
    sent: int = 0
    acknowledged: int = 0
    synthetic: int = 0
    requests: int = 0
    retries: int = 0
    longest_lag_ms: float = 0.0
    cpu_s: float = 0.0
    orders: list[Sent] = []


def run_feed(*, url: str, secret_key: str, data: Path, account: Path) -> None:
    """Feed the workspace in folder `data` until SIGTERM or SIGINT, then write the account to `account` as JSON.

    This is a process of its own: it makes the stock ready, waits for the collector at `url` to answer, and lets the
    first basket happen then. `data` must hold the demo's clock; where it holds the start of an earlier feed, this one
    goes on from a day before now: what was sent already is folded once (same message ids). Raises FeedError.
    """
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clock = workspace_clock(data)
    stock = _stock(_speed(clock))
    Line(url, secret_key).wait_for_answer()
    feed = Feed(stock, url=url, secret_key=secret_key, clock=clock)
    told = feed.run(stop, _start(data / START_FILE, clock.now_ms()))
    gc.unfreeze()
    account.write_bytes(msgspec.json.encode(told))


class Feed:
    """Sends the events of a stock when their time has come. `url` is the collector's base address."""

    def __init__(self, stock: Stock, *, url: str, secret_key: str, clock: Clock) -> None:
        self.account = Account()
        self._stock = stock
        self._clock = clock
        self._speed = _speed(clock)
        self._lines = [Line(url, secret_key) for _ in range(PARALLEL)]

    def run(self, stop: Event, start_ms: int | None = None) -> Account:
        """Send until `stop` is set or nothing is left. Return the account.

        The first basket happens at `start_ms`, now if not given; what is over a day old is not sent.

        A turn under way is finished, so that everything up to `fed_through_ms` is acknowledged. Raises FeedError.
        """
        began = process_time()
        now_ms = self._clock.now_ms()
        self.account.start_ms = now_ms if start_ms is None else start_ms
        self.account.fed_through_ms = now_ms
        while self._stock.take(now_ms - DAY_MS - self.account.start_ms, EVENTS_A_TURN):
            pass
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="feed") as threads:
            while len(self._stock) and not stop.is_set():
                started = monotonic()
                self._turn(threads)
                stop.wait(max(0.0, started + TURN_S - monotonic()))
        for line in self._lines:
            line.close()
        self.account.cpu_s = process_time() - began
        return self.account

    def _turn(self, threads: ThreadPoolExecutor) -> None:
        now_ms = self._clock.now_ms()
        due = self._stock.take(now_ms - self.account.start_ms, EVENTS_A_TURN)
        lanes = min(PARALLEL, -(-len(due) // EVENTS_A_BATCH))
        parts = [[event for event in due if event.household % lanes == lane] for lane in range(lanes)]
        for orders in threads.map(self._send, self._lines, parts):
            self._note(orders)
        self.account.sent += len(due)
        self.account.acknowledged += len(due)
        self.account.synthetic += sum(event.synthetic for event in due)
        self.account.requests = sum(line.requests for line in self._lines)
        self.account.retries = sum(line.retries for line in self._lines)
        self.account.fed_through_ms = self._fed_through(now_ms)

    def _send(self, line: Line, events: list[Prepared]) -> list[Sent]:
        start_ms = self.account.start_ms
        orders: list[Sent] = []
        for batch in _batches(events):
            body = b",".join([event.body(start_ms) for event in batch])
            sent_ms = self._clock.now_ms()
            line.deliver(b'{"batch":[' + body + b"]}")
            acknowledged_ms = self._clock.now_ms()
            orders += [
                Sent(
                    basket=event.basket,
                    at_ms=event.offset_ms + start_ms,
                    sent_ms=sent_ms,
                    acknowledged_ms=acknowledged_ms,
                )
                for event in batch
                if event.basket
            ]
        return orders

    def _note(self, orders: list[Sent]) -> None:
        self.account.orders += orders
        lags = [(order.acknowledged_ms - order.at_ms) / self._speed for order in orders]
        self.account.longest_lag_ms = max(self.account.longest_lag_ms, *lags, 0.0)

    def _fed_through(self, now_ms: int) -> int:
        following = self._stock.next_ms()
        return now_ms if following is None else min(now_ms, following - 1 + self.account.start_ms)


def _start(kept: Path, now_ms: int) -> int:
    """Return when the first basket happens (ms): as an earlier feed of this folder wrote down, else now."""
    if not kept.exists():
        kept.write_text(str(now_ms))
    return int(kept.read_text())


def _speed(clock: Clock) -> float:
    return clock.speed if isinstance(clock, ScaledClock) else 1.0


def _stock(speed: float) -> Stock:
    """Make the stock, then have the garbage collector look away from it: it is large and holds no circles."""
    gc.disable()
    ready = int(speed * STOCKED_S * SECOND_MS / DAY_MS * EVENTS_A_DAY)
    stock = Stock(happenings(open_tables(), start_ms=0), ready=min(max(ready, EVENTS_A_TURN), READY_EVENTS))
    gc.freeze()
    gc.enable()
    return stock


def _batches(events: list[Prepared]) -> Iterator[list[Prepared]]:
    batch: list[Prepared] = []
    size = 0
    for event in events:
        length = len(event.head) + TAIL_BYTES
        if batch and (len(batch) == EVENTS_A_BATCH or size + length > BYTES_A_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
