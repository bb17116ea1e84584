import asyncio
import contextlib
from collections import Counter

import msgspec
import pytest

from livepost.bench.load import MAX_REQUESTS, Job, drive, requests


def job(port: int = 0, **told: object) -> Job:
    return msgspec.convert(
        {"port": port, "key": "k", "requests": 4, "connections": 2, "run": "r", **told}, Job, strict=True
    )


def body(request: bytes) -> dict[str, object]:
    head, _, told = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(told)}".encode() in head
    return msgspec.json.decode(told)


def statuses(*, answers: list[int], **told: object) -> tuple[float, int, Counter[str]]:
    """Send a job to a server that answers so; return the seconds, how many were refused, and what paths were asked."""
    asked: Counter[str] = Counter()
    left = iter(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked[head.split()[1].decode()] += 1
                await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split()[0]))
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 2\r\n\r\n" % next(left))
                await asyncio.sleep(0)
                writer.write(b"ok")
        writer.close()
        ended.release()

    ended = asyncio.Semaphore(0)

    async def story() -> tuple[float, int, Counter[str]]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            sent = job(server.sockets[0].getsockname()[1], **told)
            seconds, latencies, refused = await drive(sent, list(requests(sent)))
            for _ in range(sent.connections):
                await ended.acquire()
        assert len(latencies) == sent.requests
        return seconds, refused, asked

    return asyncio.run(story())


def test_a_single_call_goes_to_track_and_several_to_batch() -> None:
    assert [request.split()[1] for request in requests(job(requests=2))] == [b"/v1/track"] * 2
    (request,) = requests(job(requests=1, batch=3))
    assert request.split()[1] == b"/v1/batch"
    assert len(body(request)["batch"]) == 3


def test_every_so_many_calls_one_is_an_order_of_another_shopper() -> None:
    (request,) = requests(job(requests=1, batch=20, shape="shopping", order_every=5, people=3))
    bought = [call for call in body(request)["batch"] if call["event"] == "Order Completed"]
    assert [call["userId"] for call in bought] == ["shopper-0", "shopper-1", "shopper-2", "shopper-0"]


def test_people_are_read_in_turn_with_the_key() -> None:
    first, second, third = requests(job(requests=3, shape="profiles", people=2))
    assert first.startswith(b"GET /api/people/shopper-0 HTTP/1.1\r\n")
    assert b"Authorization: Bearer k\r\n" in first
    assert (b"/shopper-1 " in second, third) == (True, first)


def test_a_job_has_a_bounded_number_of_requests() -> None:
    for count in (0, MAX_REQUESTS + 1):
        with pytest.raises(ValueError, match="expected 1 to"):
            next(requests(job(requests=count)))


def test_every_request_is_answered_and_refusals_are_counted() -> None:
    _, refused, asked = statuses(answers=[200, 429, 200, 503])
    assert (refused, asked) == (2, Counter({"/v1/track": 4}))


def test_an_open_loop_keeps_to_its_rate() -> None:
    seconds, _, _ = statuses(answers=[200] * 10, requests=10, rate=100.0)
    assert seconds >= 0.09
