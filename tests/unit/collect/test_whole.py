"""Single calls past ASGI, over real sockets: what they are told is what ASGI tells, byte for byte but for the date."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
import uvicorn

from livepost.collect.app import Collect
from livepost.collect.whole import whole_calls
from livepost.errors import StoreError
from livepost.model.record import Appended, Record

CALL = {"userId": "ada", "event": "Product Viewed", "messageId": "m-1", "properties": {"a": 1}}
BASIC = "Authorization: Basic V0s6"  # WK:
PATIENCE_S = 10.0


class Counted(Collect):
    """A collector that counts the requests that come through ASGI."""

    def __init__(self, inner: Collect) -> None:
        self.__dict__.update(inner.__dict__)
        self.by_asgi = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.by_asgi += scope["type"] == "http"
        await super().__call__(scope, receive, send)


class Talk:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, *pieces: bytes) -> bytes:
        """Send a request in pieces, one after the other, and return its reply."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0.01 if len(pieces) > 1 else 0)  # lets a piece come alone
        return await self.reply()

    async def reply(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        return head + await self.reader.readexactly(int(length[1]) if length else 0)


@contextlib.asynccontextmanager
async def serving(
    app: Counted, *, whole: bool = True, rest_s: float = 5
) -> AsyncIterator[Callable[[], Awaitable[Talk]]]:
    """Run uvicorn as the front does, with whole calls or without."""
    config = uvicorn.Config(
        app,
        port=0,
        http=whole_calls(app) if whole else "httptools",  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_keep_alive=rest_s,  # type: ignore[arg-type]
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=None))
    writers = []

    async def connect() -> Talk:
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return Talk(reader, writer)

    try:
        async with asyncio.timeout(PATIENCE_S):
            while not server.started:
                await asyncio.sleep(0.005)
            yield connect
    finally:
        for writer in writers:
            writer.close()
        server.should_exit = True
        await task


def request(
    body: Any = CALL, *headers: str, path: str = "/v1/track", method: str = "POST", version: str = "1.1"
) -> bytes:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    head = [f"{method} {path} HTTP/{version}", "Host: x", *headers, f"Content-Length: {len(raw)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + raw


def undated(reply: bytes) -> bytes:
    return re.sub(rb"date: [^\r]+", b"date: -", reply)


def told(collector: Any, requests: list[bytes], *, whole: bool = True) -> tuple[list[bytes], int]:
    """Send requests one by one over one connection; return the replies and how many came through ASGI."""
    app = Counted(collector.app)

    async def story() -> list[bytes]:
        async with serving(app, whole=whole) as connect:
            talk = await connect()
            return [undated(await talk.ask(one)) for one in requests]

    return asyncio.run(story()), app.by_asgi


PLAIN = [
    request(CALL, BASIC),
    request({**CALL, "writeKey": "WK"}, path="/v1/t"),
    request({"userId": "ada", "traits": {"email": "a@example.com"}}, BASIC, path="/v1/identify"),
    request(gzip.compress(msgspec.json.encode(CALL)), BASIC, "Content-Encoding: gzip"),
]
REFUSED = [
    request(CALL),
    request(b"not json", BASIC),
    request({"event": "X"}, BASIC),
    request({**CALL, "properties": {"a": "x" * 33_000}}, BASIC),
    request(b"\x1f\x8b" + bytes(20), BASIC),
]
OTHERS = [
    request(b"", BASIC, method="GET"),
    request(b"", method="OPTIONS"),
    request({"batch": [{"type": "track", **CALL}]}, BASIC, path="/v1/batch"),
    request(CALL, BASIC, path="/v1/track?x=1"),
    request(CALL, BASIC, path="/v1/nothing"),
]


def test_replies_are_those_of_asgi_to_the_byte_and_only_what_is_not_plain_goes_there(
    new_collector: Callable[..., Any],
) -> None:
    requests = [*PLAIN, *REFUSED, *OTHERS, PLAIN[0]]
    plainly, by_asgi = told(new_collector(), requests)
    control, all_by_asgi = told(new_collector(), requests, whole=False)
    assert plainly == control
    assert (by_asgi, all_by_asgi) == (len(OTHERS), len(requests))
    assert [one.split(b" ")[1] for one in plainly[:9]] == [b"200"] * 4 + [b"401"] + [b"400"] * 4


def test_the_same_records_are_written(new_collector: Callable[..., Any]) -> None:
    ours, asgi = new_collector(), new_collector()
    told(ours, PLAIN)
    told(asgi, PLAIN, whole=False)

    def seen(records: list[Record]) -> list[Any]:
        return [(one.name, one.message_id, one.source, one.properties, one.verdict, one.received_at) for one in records]

    assert seen(ours.records()) == seen(asgi.records())
    assert len(ours.records()) == len(PLAIN)


@pytest.mark.parametrize("cut", [5, 60, -10, -1])
def test_a_request_in_pieces_goes_through_asgi_and_the_next_whole_one_does_not(collector: Any, cut: int) -> None:
    app = Counted(collector.app)
    whole = request(CALL, BASIC)
    in_head = 0 < cut < whole.index(b"\r\n\r\n")

    async def story() -> list[bytes]:
        async with serving(app) as connect:
            talk = await connect()
            return [await talk.ask(whole[:cut], whole[cut:]), await talk.ask(whole)]

    replies = asyncio.run(story())
    assert [reply[:15] for reply in replies] == [b"HTTP/1.1 200 OK"] * 2
    assert app.by_asgi == (0 if in_head else 1)
    assert len(collector.records()) == 2


def test_requests_sent_together_are_answered_in_their_order(collector: Any) -> None:
    app = Counted(collector.app)
    wanted = [request({**CALL, "messageId": f"m-{n}"}, BASIC) for n in range(5)]

    async def story() -> list[bytes]:
        async with serving(app) as connect:
            talk = await connect()
            talk.writer.write(b"".join(wanted))
            return [await talk.reply() for _ in wanted]

    positions = [re.search(rb"x-livepost-position: (\d+)", reply) for reply in asyncio.run(story())]
    assert [int(found[1]) for found in positions if found] == [0, 1, 2, 3, 4]
    assert [record.message_id for record in collector.records()] == [f"m-{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("plain", "status"),
    [
        (request(CALL, BASIC, "Connection: close"), b"200"),
        (request(CALL, BASIC, version="1.0"), b"200"),
        (request(CALL, BASIC, "Upgrade: h2c", "Connection: Upgrade, close"), b"400"),  # uvicorn reads no body then
    ],
)
def test_another_kind_of_connection_goes_through_asgi(collector: Any, plain: bytes, status: bytes) -> None:
    app = Counted(collector.app)

    async def story() -> tuple[bytes, bytes]:
        async with serving(app) as connect:
            talk = await connect()
            return await talk.ask(plain), await talk.reader.read(1)

    reply, rest = asyncio.run(story())
    assert (reply.split(b" ")[1], rest, app.by_asgi) == (status, b"", 1)


def test_who_asks_before_sending_a_body_is_told_to_go_on(collector: Any) -> None:
    app = Counted(collector.app)
    whole = request(CALL, BASIC, "Expect: 100-continue")
    head = whole.index(b"\r\n\r\n") + 4

    async def story() -> tuple[bytes, bytes]:
        async with serving(app) as connect:
            talk = await connect()
            talk.writer.write(whole[:head])
            go_on = await talk.reader.readuntil(b"\r\n\r\n")
            return go_on, await talk.ask(whole[head:])

    go_on, reply = asyncio.run(story())
    assert go_on == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert reply.startswith(b"HTTP/1.1 200")


def test_a_failed_commit_is_told_as_503_and_one_that_nobody_foresaw_as_500(
    collector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Counted(collector.app)
    errors: list[Exception] = [StoreError("the disk is full"), RuntimeError("not foreseen")]
    append = collector.log.append

    def failing(records: list[Record]) -> Appended:
        if errors:
            raise errors.pop(0)
        appended: Appended = append(records)
        return appended

    monkeypatch.setattr(collector.log, "append", failing)

    async def story() -> list[bytes]:
        async with serving(app) as connect:
            talk = await connect()
            first = await talk.ask(request(CALL, BASIC))
            second = await talk.ask(request(CALL, BASIC))
            third = await (await connect()).ask(request(CALL, BASIC))
            return [first, second, third]

    replies = asyncio.run(story())
    assert [reply.split(b" ")[1] for reply in replies] == [b"503", b"500", b"200"]
    assert b"retry-after: 2\r\n" in replies[0]
    assert app.by_asgi == 0


def test_what_nobody_foresaw_before_the_commit_is_told_as_500(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Counted(collector.app)

    def fails(*given: Any, **named: Any) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(collector.intake, "submit", fails)

    async def story() -> bytes:
        async with serving(app) as connect:
            return await (await connect()).ask(request(CALL, BASIC))

    assert asyncio.run(story()).startswith(b"HTTP/1.1 500")


def test_a_client_that_leaves_before_its_answer_harms_nobody_and_its_call_is_kept(collector: Any) -> None:
    app = Counted(collector.app)

    async def story() -> bytes:
        async with serving(app) as connect:
            gone = await connect()
            gone.writer.write(request({**CALL, "messageId": "gone"}, BASIC))
            await gone.writer.drain()
            gone.writer.transport.abort()
            while not collector.records():
                await asyncio.sleep(0.005)
            return await (await connect()).ask(request(CALL, BASIC))

    assert asyncio.run(story()).startswith(b"HTTP/1.1 200")
    assert [record.message_id for record in collector.records()] == ["gone", "m-1"]


def test_a_key_that_was_revoked_opens_nothing_from_the_next_turn_on(
    collector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Counted(collector.app)

    async def story() -> list[bytes]:
        async with serving(app) as connect:
            talk = await connect()
            before = await talk.ask(request(CALL, BASIC))
            monkeypatch.setattr(app._keys, "lookup", lambda token: None)
            return [before, await talk.ask(request(CALL, BASIC))]

    assert [reply.split(b" ")[1] for reply in asyncio.run(story())] == [b"200", b"401"]


def test_calls_of_one_turn_come_by_the_key_that_each_of_them_brings(collector: Any) -> None:
    app = Counted(collector.app)
    server_key = "Authorization: Basic U0s6"  # SK:
    calls = [
        request({**CALL, "messageId": "web"}, BASIC),
        request({**CALL, "messageId": "server"}, server_key),
        request({**CALL, "messageId": "both", "writeKey": "SK"}, BASIC),
        request({**CALL, "messageId": "body", "writeKey": "SK"}),
        request({**CALL, "messageId": "bearer", "writeKey": "SK"}, "Authorization: Bearer WK"),
        request({**CALL, "messageId": "nobody"}, "Authorization: Bearer WK"),
        request({**CALL, "messageId": "web-2"}, BASIC),
    ]

    async def story() -> list[bytes]:
        async with serving(app) as connect:
            talks = [await connect() for _ in calls]
            return list(await asyncio.gather(*(talk.ask(call) for talk, call in zip(talks, calls, strict=True))))

    replies = asyncio.run(story())
    assert [reply.split(b" ")[1] for reply in replies] == [b"200"] * 5 + [b"401", b"200"]
    assert {record.message_id: record.source for record in collector.records()} == {
        "web": "web",
        "server": "server",
        "both": "web",
        "body": "server",
        "bearer": "server",
        "web-2": "web",
    }


def test_a_connection_that_rests_for_too_long_is_closed_and_one_that_is_used_is_not(collector: Any) -> None:
    app = Counted(collector.app)

    async def story() -> tuple[int, bytes, float]:
        async with serving(app, rest_s=0.2) as connect:
            talk, loop = await connect(), asyncio.get_running_loop()
            began, answered = loop.time(), 0
            while loop.time() < began + 0.5:
                answered += (await talk.ask(request(CALL, BASIC))).startswith(b"HTTP/1.1 200")
            rests = loop.time()
            return answered, await talk.reader.read(1), loop.time() - rests

    answered, rest, rested_s = asyncio.run(story())
    assert (answered, rest) == (len(collector.records()), b"")
    assert 0.1 < rested_s < 2


def test_a_call_under_way_when_the_server_stops_is_answered(collector: Any) -> None:
    app = Counted(collector.app)
    heard: asyncio.Future[int]

    async def story() -> bytes:
        nonlocal heard
        heard = asyncio.get_running_loop().create_future()
        app.take_whole = lambda path, authorization, body, gpc: heard  # type: ignore[method-assign]
        config = uvicorn.Config(
            app,
            port=0,
            http=whole_calls(app),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,  # type: ignore[arg-type]
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=None))
        while not server.started:
            await asyncio.sleep(0.005)
        reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname()[:2])
        talk = Talk(reader, writer)
        writer.write(request(CALL, BASIC))
        while not any(one.cycle for one in server.server_state.connections):  # type: ignore[union-attr]
            await asyncio.sleep(0.005)
        server.should_exit = True
        await asyncio.sleep(0.2)  # uvicorn looks ten times a second
        heard.set_result(7)
        reply = await talk.reply()
        writer.close()
        await task
        return reply

    async def in_time() -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await story()

    reply = asyncio.run(in_time())
    assert b"x-livepost-position: 7\r\n" in reply
    assert b"connection: close\r\n" in reply
