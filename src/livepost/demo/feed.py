"""The feed: a shop's server that sends what its shoppers do to the collector, on the demo's clock.

In: a stock of events and the workspace's clock. Out: `POST /v1/batch` with the secret key, and an account of it.
Promised: a household's events arrive in their order; a batch that was not acknowledged is sent again with the same
message ids; nothing is sent before its time; the account says between which two moments each order was stamped.

The calls carry `timestamp` and no `sentAt`: `sentAt` lets the collector take out a wrong client clock, but the feed reads
the very clock that stamps the log, and 10 ms on the wire would count as half an hour of wrong clock at speed 200,000.
"""

from __future__ import annotations

import asyncio
import base64
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, process_time

import httpx
import msgspec

from livepost.clock import Clock, ScaledClock, workspace_clock
from livepost.demo.happenings import happenings
from livepost.demo.stock import TAIL_BYTES, Prepared, Stock
from livepost.demo.tables import open_tables
from livepost.errors import LivepostError

EVENTS_A_BATCH = 100
BYTES_A_BATCH = 400_000
PARALLEL = 4
"""The most requests under way; each carries other households, so that a household's events keep their order."""
EVENTS_A_TURN = 2_000
TURN_S = 0.02
PATIENCE_S = 30.0
"""How long a batch is tried, in real seconds."""
PAUSE_S = 0.05
PAUSE_AT_MOST_S = 5.0
TIMEOUT_S = 10.0


class FeedError(LivepostError):
    """The collector refused a batch, or took none for `PATIENCE_S` seconds."""


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

    The body of the feed's own process: it makes the stock ready, waits for the collector at `url` to answer, and
    lets the first basket happen then. Raises FeedError.
    """
    stock = Stock(happenings(open_tables(), start_ms=0))
    told = asyncio.run(_run_until_signal(stock, url, secret_key, data))
    account.write_bytes(msgspec.json.encode(told))


class Feed:
    """Sends the events of a stock when their time has come. `url` is the collector's base address."""

    def __init__(self, stock: Stock, *, url: str, secret_key: str, clock: Clock) -> None:
        self.account = Account()
        self._stock = stock
        self._clock = clock
        self._speed = clock.speed if isinstance(clock, ScaledClock) else 1.0
        self._url = f"{url.rstrip('/')}/v1/batch"
        token = base64.b64encode(f"{secret_key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    async def run(self, stop: asyncio.Event) -> Account:
        """Send until `stop` is set or nothing is left; the first basket happens now. Return the account.

        A turn under way is finished, so that everything up to `fed_through_ms` is acknowledged. Raises FeedError.
        """
        began = process_time()
        self.account.start_ms = self.account.fed_through_ms = self._clock.now_ms()
        limits = httpx.Limits(max_connections=PARALLEL, max_keepalive_connections=PARALLEL)
        async with httpx.AsyncClient(headers=self._headers, timeout=TIMEOUT_S, limits=limits) as client:
            while len(self._stock) and not stop.is_set():
                started = monotonic()
                await self._turn(client)
                self.account.cpu_s = process_time() - began
                await _rest(stop, started + TURN_S - monotonic())
        return self.account

    async def _turn(self, client: httpx.AsyncClient) -> None:
        now_ms = self._clock.now_ms()
        due = self._stock.take(now_ms - self.account.start_ms, EVENTS_A_TURN)
        lanes = min(PARALLEL, -(-len(due) // EVENTS_A_BATCH))
        parts = [[event for event in due if event.household % lanes == lane] for lane in range(lanes)]
        await asyncio.gather(*(self._send_lane(client, part) for part in parts))
        following = self._stock.next_ms()
        before_next = now_ms if following is None else following - 1 + self.account.start_ms
        self.account.fed_through_ms = min(now_ms, before_next)

    async def _send_lane(self, client: httpx.AsyncClient, events: list[Prepared]) -> None:
        for batch in _batches(events):
            body = b",".join(event.body(self.account.start_ms) for event in batch)
            sent_ms = self._clock.now_ms()
            self.account.sent += len(batch)
            await self._send(client, b'{"batch":[' + body + b"]}")
            self._note(batch, sent_ms, self._clock.now_ms())

    async def _send(self, client: httpx.AsyncClient, body: bytes) -> None:
        give_up = monotonic() + PATIENCE_S
        while True:
            self.account.requests += 1
            pause_s, trouble = await self._post(client, body)
            if not trouble:
                return
            if monotonic() + pause_s > give_up:
                raise FeedError(
                    f"expected 200 from {self._url} within {PATIENCE_S:.0f} s, got {trouble}: see whether the front runs"
                )
            self.account.retries += 1
            await asyncio.sleep(pause_s)

    async def _post(self, client: httpx.AsyncClient, body: bytes) -> tuple[float, str]:
        """Return (0, "") when acknowledged, else the pause before the next try (s) and what went wrong."""
        try:
            reply = await client.post(self._url, content=body)
        except httpx.TransportError as error:
            return PAUSE_S, type(error).__name__
        if reply.status_code == 200:
            return 0.0, ""
        if reply.status_code in (429, 503):
            return _retry_after_s(reply), f"status {reply.status_code}"
        raise FeedError(
            f"expected 200, 429 or 503 from {self._url}, got {reply.status_code} ({reply.text[:200]}): "
            "the collector does not take the demo's events; check the secret key"
        )

    def _note(self, batch: list[Prepared], sent_ms: int, acknowledged_ms: int) -> None:
        account = self.account
        account.acknowledged += len(batch)
        account.synthetic += sum(event.synthetic for event in batch)
        for event in batch:
            if event.basket:
                at_ms = event.offset_ms + account.start_ms
                order = Sent(basket=event.basket, at_ms=at_ms, sent_ms=sent_ms, acknowledged_ms=acknowledged_ms)
                account.orders.append(order)
                account.longest_lag_ms = max(account.longest_lag_ms, (acknowledged_ms - at_ms) / self._speed)


async def _run_until_signal(stock: Stock, url: str, secret_key: str, data: Path) -> Account:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await _wait_for_answer(url)
    return await Feed(stock, url=url, secret_key=secret_key, clock=workspace_clock(data)).run(stop)


async def _wait_for_answer(url: str) -> None:
    """Return once the collector answers anything at all; raises FeedError after `PATIENCE_S` seconds."""
    give_up = monotonic() + PATIENCE_S
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        while True:
            try:
                await client.get(url)
                return
            except httpx.TransportError as error:
                if monotonic() > give_up:
                    raise FeedError(
                        f"expected an answer from {url} within {PATIENCE_S:.0f} s, got {type(error).__name__}: "
                        "see whether the front runs"
                    ) from error
            await asyncio.sleep(PAUSE_S)


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    """Wait until `stop` is set, at most `seconds`; let others run in any case."""
    try:
        await asyncio.wait_for(stop.wait(), max(seconds, 0.0))
    except TimeoutError:
        await asyncio.sleep(0)


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


def _retry_after_s(reply: httpx.Response) -> float:
    told = reply.headers.get("Retry-After", "")
    return min(float(told), PAUSE_AT_MOST_S) if told.isdigit() else PAUSE_S
