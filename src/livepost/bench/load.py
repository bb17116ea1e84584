"""The load generator, a process of its own: `python -m livepost.bench.load`, a Job as JSON in, a Told as JSON out.

It makes its requests before the clock starts and speaks HTTP/1.1 on kept connections with as little of its own as can
be: it runs on the cores that the measured server runs on. Closed loop (`rate` 0): each connection sends its next
request when the reply is there. Open loop: requests leave when their time has come; one that finds no free connection
waits, and its latency counts from the time it was due.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Literal, cast

import msgspec
import uvloop

from livepost.bench.calls import identify, order, views

MAX_REQUESTS = 200_000
PATIENCE_S = 60.0
"""How long a server may take for all of a job beyond the job's own time."""

Shape = Literal["views", "identifies", "orders", "shopping", "profiles"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: `requests` of `batch` calls each (1: a single call on /v1/track) over `connections`.

    shape    views; identifies or orders, one a person; shopping: views, each `order_every`-th call an order;
             profiles: one person is read a request
    people   how many shoppers the calls are from
    rate     requests a second, 0 for as fast as replies come
    run      what makes the messageIds of this job its own
    """

    port: int
    key: str
    requests: int
    connections: int
    run: str
    batch: int = 1
    shape: Shape = "views"
    people: int = 10_000
    order_every: int = 100
    rate: float = 0.0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job: seconds from the first request to the last reply, milliseconds a request, CPU of ours."""

    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    cpu_s: float


def main() -> None:
    """Do the job on standard input; write what came of it to standard output."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    made = list(requests(job))
    gc.freeze()
    began = time.process_time()
    seconds, latencies, refused = uvloop.run(drive(job, made))
    latencies.sort()
    told = Told(
        seconds=seconds,
        p50_ms=1000 * latencies[len(latencies) // 2],
        p99_ms=1000 * latencies[len(latencies) * 99 // 100],
        refused=refused,
        cpu_s=time.process_time() - began,
    )
    sys.stdout.buffer.write(msgspec.json.encode(told))


def requests(job: Job) -> Iterator[bytes]:
    """Yield a job's requests as they go over the wire."""
    if not 1 <= job.requests <= MAX_REQUESTS:
        raise ValueError(f"expected 1 to {MAX_REQUESTS} requests, got {job.requests}")
    if job.shape == "profiles":
        yield from (_read(job, number) for number in range(job.requests))
        return
    calls = _calls(job)
    path = b"/v1/batch" if job.batch > 1 or job.shape != "views" else b"/v1/track"
    token = base64.b64encode(f"{job.key}:".encode())
    for _ in range(job.requests):
        body = b",".join(islice(calls, job.batch))
        if path == b"/v1/batch":
            body = b'{"batch":[%b]}' % body
        yield (
            b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %b\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (path, token, len(body), body)
        )


async def drive(job: Job, made: list[bytes]) -> tuple[float, list[float], int]:
    """Send everything; return seconds, latencies (s) and how many were not answered with 200."""
    loop = asyncio.get_running_loop()
    sender = _Sender(made, job.rate, loop)
    connections = [
        (await loop.create_connection(lambda: _Connection(sender), "127.0.0.1", job.port))[1]
        for _ in range(job.connections)
    ]
    began = loop.time()
    sender.start(connections)
    try:
        async with asyncio.timeout(PATIENCE_S + (len(made) / job.rate if job.rate else 0)):
            await sender.done
        return loop.time() - began, sender.latencies, sender.refused
    finally:
        for connection in connections:
            connection.close()


def _read(job: Job, number: int) -> bytes:
    """Return a request for a person, another one each time."""
    return (
        f"GET /api/people/shopper-{number % job.people} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {job.key}\r\n\r\n"
    ).encode()


def _calls(job: Job) -> Iterator[bytes]:
    count = job.requests * job.batch
    match job.shape:
        case "views":
            yield from views(count, job.people, job.run)
        case "identifies":
            yield from (identify(f"shopper-{number}", f"{job.run}-{number}") for number in range(count))
        case "orders":
            yield from (order(f"shopper-{number}", f"{job.run}-{number}") for number in range(count))
        case "shopping":
            for number, call in enumerate(views(count, job.people, job.run)):
                buys = number % job.order_every == job.order_every - 1
                user = f"shopper-{number // job.order_every % job.people}"
                yield order(user, f"{job.run}-order-{number}") if buys else call


class _Sender:
    """Hands requests to connections, and notes how long replies took."""

    def __init__(self, made: list[bytes], rate: float, loop: asyncio.AbstractEventLoop) -> None:
        self.latencies: list[float] = []
        self.refused = 0
        self.done: asyncio.Future[None] = loop.create_future()
        self._made = made
        self._next = 0
        self._rate = rate
        self._loop = loop
        self._began = 0.0
        self._free: deque[_Connection] = deque()

    def start(self, connections: list[_Connection]) -> None:
        """Begin now."""
        self._began = self._loop.time()
        self._free.extend(connections)
        self._fill()

    def answered(self, connection: _Connection, seconds: float, is_ok: bool) -> None:
        """Note a reply and give its connection the next request."""
        self.latencies.append(seconds)
        self.refused += not is_ok
        self._free.append(connection)
        if len(self.latencies) == len(self._made):
            self.done.set_result(None)
        else:
            self._send_due()

    def _fill(self) -> None:
        """Send what is due; in an open loop come again when the next one is."""
        self._send_due()
        if self._rate and self._next < len(self._made):
            self._loop.call_at(max(self._due(), self._loop.time() + 0.0005), self._fill)

    def _send_due(self) -> None:
        now = self._loop.time()
        while self._free and self._next < len(self._made) and self._due() <= now:
            due = self._due() if self._rate else now
            self._free.popleft().send(self._made[self._next], due)
            self._next += 1

    def _due(self) -> float:
        return self._began + self._next / self._rate if self._rate else 0.0


class _Connection(asyncio.Protocol):
    """One kept connection with at most one request under way."""

    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._since = 0.0
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by type

    def send(self, request: bytes, since: float) -> None:
        self._since = since
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        head, between, body = self._got.partition(b"\r\n\r\n")
        if not between or len(body) < _length(head):
            return
        is_ok = self._got.startswith(b"HTTP/1.1 200")
        self._got = b""
        self._sender.answered(self, time.monotonic() - self._since, is_ok)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._sender.done.done():
            self._sender.done.set_exception(error or ConnectionResetError("the server closed a connection"))


def _length(head: bytes) -> int:
    """Return the Content-Length that a reply's head tells."""
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


if __name__ == "__main__":
    main()
