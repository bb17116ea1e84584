"""Bodies: bounds at and one over, gzip in every disguise, slow and vanishing clients."""

from __future__ import annotations

import asyncio
import gzip
import random
import tracemalloc
import zlib
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.collect.body import BodyReader, ClientGoneError, UnfinishedBodyError, drain, unpacked
from livepost.collect.limits import MAX_BODY_BYTES, MAX_DRAINED_BYTES
from livepost.errors import OverloadedError, RejectedError


class Sender:
    """A client that sends messages and counts how many were asked for."""

    def __init__(self, *messages: MutableMapping[str, Any]) -> None:
        self.messages = list(messages)
        self.asked = 0

    async def __call__(self) -> MutableMapping[str, Any]:
        self.asked += 1
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)


def piece(body: bytes, more: bool = False) -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def read(*messages: MutableMapping[str, Any], declared: bytes | None = None, **bounds: Any) -> bytes:
    return asyncio.run(BodyReader(**bounds).read(Sender(*messages), declared))


def status_of(*messages: MutableMapping[str, Any], declared: bytes | None = None, **bounds: Any) -> int:
    with pytest.raises(RejectedError) as refused:
        read(*messages, declared=declared, **bounds)
    return refused.value.status


def test_a_body_is_read_whole_and_in_pieces() -> None:
    assert read(piece(b"abc")) == b"abc"
    assert read(piece(b"a", True), piece(b"", True), piece(b"bc")) == b"abc"


def test_a_body_is_read_up_to_the_bound_and_refused_with_413_beyond() -> None:
    full = b"x" * MAX_BODY_BYTES
    assert read(piece(full), declared=b"512000") == full
    assert read(piece(full[:-1], True), piece(b"x")) == full
    assert status_of(piece(full + b"x")) == 413
    assert status_of(piece(full, True), piece(b"x")) == 413


def test_a_body_that_says_it_is_too_large_is_not_read_at_all() -> None:
    sender = Sender(piece(b"x"))
    with pytest.raises(RejectedError):
        asyncio.run(BodyReader().read(sender, b"%d" % (MAX_BODY_BYTES + 1)))
    assert sender.asked == 0


def test_a_stream_is_refused_as_soon_as_it_is_too_large() -> None:
    sender = Sender(*[piece(b"x" * 100_000, True)] * 50)
    with pytest.raises(RejectedError):
        asyncio.run(BodyReader().read(sender, None))
    assert sender.asked == 6


def test_gzip_is_unpacked_by_its_first_bytes_in_one_or_more_members() -> None:
    assert unpacked(gzip.compress(b"abc")) == b"abc"
    assert unpacked(gzip.compress(b"abc") + gzip.compress(b"def")) == b"abcdef"
    assert unpacked(b"abc") == b"abc"
    assert unpacked(b"") == b""


def test_gzip_is_unpacked_up_to_the_bound_and_refused_with_413_beyond() -> None:
    assert len(unpacked(gzip.compress(bytes(MAX_BODY_BYTES)))) == MAX_BODY_BYTES
    for bomb in (
        gzip.compress(bytes(MAX_BODY_BYTES + 1)),
        gzip.compress(bytes(MAX_BODY_BYTES)) + gzip.compress(b"x"),
    ):
        with pytest.raises(RejectedError) as refused:
            unpacked(bomb)
        assert refused.value.status == 413


def test_a_bomb_takes_no_more_memory_than_the_bound() -> None:
    bomb = gzip.compress(bytes(300 * 1024 * 1024), 1)[:MAX_BODY_BYTES]
    tracemalloc.start()
    try:
        with pytest.raises(RejectedError):
            unpacked(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_BODY_BYTES


@pytest.mark.parametrize("keep", [3, 12, 30])
def test_a_cut_or_damaged_gzip_body_is_refused_with_400(keep: int) -> None:
    whole = gzip.compress(random.Random(7).randbytes(1000))
    for damaged in (whole[:keep], whole[:20] + b"\xff" * 40 + whole[60:]):
        with pytest.raises(RejectedError) as refused:
            unpacked(damaged)
        assert refused.value.status == 400


@given(st.binary(max_size=200))
def test_any_bytes_are_unpacked_or_refused(body: bytes) -> None:
    for sent in (body, b"\x1f\x8b" + body):
        try:
            unpacked(sent)
        except RejectedError as refused:
            assert refused.status in (400, 413)


@given(st.binary(max_size=2000), st.integers(min_value=0, max_value=9))
def test_what_gzip_packs_is_unpacked(body: bytes, level: int) -> None:
    assert unpacked(gzip.compress(body, level)) == body


def test_zlib_without_gzips_mark_is_left_as_it_is() -> None:
    assert unpacked(zlib.compress(b"abc")) == zlib.compress(b"abc")


def test_a_slow_client_is_refused_with_408() -> None:
    assert status_of(piece(b"x", True), timeout_s=0.01) == 408
    assert status_of(timeout_s=0.01) == 408


def test_many_slow_clients_are_refused_by_one_sweep_and_a_later_one_keeps_its_time() -> None:
    async def story() -> None:
        reader = BodyReader(timeout_s=0.05)
        slow = [asyncio.ensure_future(reader.read(Sender(piece(b"x", True)), None)) for _ in range(3)]
        refused = await asyncio.gather(*slow, return_exceptions=True)
        assert [one.status for one in refused] == [408, 408, 408]  # type: ignore[union-attr]
        assert await reader.read(Sender(piece(b"x")), None) == b"x"

    asyncio.run(story())


def test_a_request_cancelled_by_somebody_else_is_not_called_slow() -> None:
    async def story() -> None:
        reading = asyncio.ensure_future(BodyReader().read(Sender(piece(b"x", True)), None))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(story())


def test_a_client_that_goes_away_is_noticed() -> None:
    for messages in ([{"type": "http.disconnect"}], [piece(b"x", True), {"type": "http.disconnect"}]):
        with pytest.raises(ClientGoneError):
            read(*messages)


def test_all_bodies_together_are_bounded_and_what_was_held_is_let_go() -> None:
    async def story() -> None:
        reader = BodyReader(max_buffered=10, timeout_s=0.05)
        slow = asyncio.ensure_future(reader.read(Sender(piece(b"x" * 8, True)), None))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await reader.read(Sender(piece(b"x", True), piece(b"x")), None) == b"xx"
        with pytest.raises(OverloadedError):
            await reader.read(Sender(piece(b"x" * 2, True), piece(b"x")), None)
        with pytest.raises(RejectedError):
            await slow
        assert await reader.read(Sender(piece(b"x" * 9, True), piece(b"x")), None) == b"x" * 10

    asyncio.run(story())


def test_requests_at_one_time_are_bounded() -> None:
    async def story() -> None:
        reader = BodyReader(max_requests=1, timeout_s=0.05)
        slow = asyncio.ensure_future(reader.read(Sender(), None))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await reader.read(Sender(piece(b"x")), None)
        with pytest.raises(RejectedError):
            await slow
        assert await reader.read(Sender(piece(b"x")), None) == b"x"

    asyncio.run(story())


def test_what_comes_of_a_refused_body_is_thrown_away_up_to_its_end_or_the_bound() -> None:
    ended = Sender(piece(b"x", True), piece(b"x"), piece(b"next request"))
    asyncio.run(drain(ended))
    assert ended.asked == 2
    endless = Sender(*[piece(bytes(1024 * 1024), True)] * 100)
    asyncio.run(drain(endless))
    assert endless.asked == MAX_DRAINED_BYTES // (1024 * 1024)
    gone = Sender({"type": "http.disconnect"})
    asyncio.run(drain(gone))
    assert gone.asked == 1


def test_only_a_body_that_is_still_coming_is_an_unfinished_one() -> None:
    full = b"x" * MAX_BODY_BYTES
    for messages, unfinished in (
        ([piece(full + b"x")], False),
        ([piece(full, True), piece(b"x")], False),
        ([piece(full + b"x", True)], True),
    ):
        with pytest.raises(RejectedError) as refused:
            read(*messages)
        assert isinstance(refused.value, UnfinishedBodyError) is unfinished
