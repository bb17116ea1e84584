"""A collector in memory and a client that speaks ASGI to it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, MutableMapping
from typing import Any

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.collect.app import Collect
from livepost.collect.body import BodyReader
from livepost.intake.plan import TrackingPlan
from livepost.intake.writer import Intake, Stores
from livepost.log.memory import MemoryLog
from livepost.model.compiled import Compiled
from livepost.model.record import KeyKind, Record
from livepost.vault.memory import MemoryVault

NOW_MS = 1_795_296_700_000


class Reply(msgspec.Struct):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class TwoKeys:
    """A workspace with one write key and one secret key."""

    def lookup(self, token: str) -> tuple[str, KeyKind] | None:
        return {"WK": ("web", KeyKind.WRITE), "SK": ("server", KeyKind.SECRET)}.get(token)


class Collector:
    """A collector over memory stores; `post` and `get` speak ASGI to it, `records` reads its log."""

    def __init__(
        self, *, body: BodyReader | None = None, compiled: Compiled | None = None, log: MemoryLog | None = None
    ):
        clock = SimulatedClock(NOW_MS)
        self.log = log or MemoryLog(clock)
        self.vault = MemoryVault()
        numbers = itertools.count()
        self.intake = Intake(
            Stores(self.log, self.vault),
            TrackingPlan(compiled or Compiled()),
            workspace="shop",
            new_id=lambda: f"id-{next(numbers)}",
        )
        self.app = Collect(self.intake, TwoKeys(), clock, _otherwise, body=body)

    def post(self, path: str, body: Any, *, pieces: int = 1, **headers: str) -> Reply:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.send("POST", path, raw, pieces, **headers)

    def send(self, method: str, path: str, body: bytes = b"", pieces: int = 1, **headers: str) -> Reply:
        cut = max(1, -(-len(body) // pieces))
        chunks = [body[start : start + cut] for start in range(0, len(body), cut)] or [b""]
        messages: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": place < len(chunks) - 1}
            for place, chunk in enumerate(chunks)
        ]
        return asyncio.run(_exchange(self.app, method, path, messages, headers))

    def burst(self, path: str, body: Any, count: int) -> list[Reply]:
        """Send the same request `count` times at once."""
        message = {"type": "http.request", "body": msgspec.json.encode(body)}

        async def all_at_once() -> list[Reply]:
            return await asyncio.gather(*[_exchange(self.app, "POST", path, [message], {}) for _ in range(count)])

        return asyncio.run(all_at_once())

    def records(self) -> list[Record]:
        return [record for block in self.log.read(-1, 100_000) for record in block.records()]


async def _exchange(
    app: Any,
    method: str,
    path: str,
    messages: list[MutableMapping[str, Any]],
    headers: dict[str, str],
) -> Reply:
    """Send ASGI messages as one request and gather the reply; after the last message the client waits."""
    incoming = iter(messages)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        for message in incoming:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": raw,
        "scheme": "https",
    }
    await app(scope, receive, send)
    if not sent:
        return Reply(0, {}, b"")
    return Reply(
        sent[0]["status"],
        {name.decode(): value.decode() for name, value in sent[0]["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


async def _otherwise(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def new_collector() -> Callable[..., Collector]:
    return Collector
