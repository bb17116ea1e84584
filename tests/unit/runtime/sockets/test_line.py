"""A line, over real sockets: a server in a thread's event loop, who asks in the test's."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.errors import StoreError
from livepost.runtime.sockets import line, wire
from livepost.runtime.sockets.line import Line
from livepost.runtime.sockets.wire import WireError
from tests.unit.runtime.sockets.test_wire import Process

INT = msgspec.msgpack.Decoder(int)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
def process(path: Path) -> Iterator[Process]:
    started = Process(path)
    yield started
    started.stop()


def run(path: Path, asking: Any) -> Any:
    """Let `asking` have a line in an event loop of its own."""

    async def asked() -> Any:
        with closing(Line(path)) as asks:
            return await asking(asks)

    return asyncio.run(asked())


def all_of(*questions: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.gather(*questions, return_exceptions=True)


def test_many_questions_at_a_time_each_get_their_own_answer_over_one_connection(path: Path, process: Process) -> None:
    async def asking(asks: Line) -> Any:
        told = await all_of(*(asks.call(("double", "later")[n % 2], n, INT) for n in range(300)))
        return told, len(process.server._connected)

    assert run(path, asking) == ([2 * n for n in range(300)], 1)


def test_an_errors_sentence_crosses_to_who_asked_and_to_nobody_else(path: Path, process: Process) -> None:
    async def asking(asks: Line) -> Any:
        return await all_of(asks.call("double", 1, INT), asks.call("refuse", None, INT), asks.call("later", 2, INT))

    one, refused, two = run(path, asking)
    assert (one, two) == (2, 4)
    assert isinstance(refused, StoreError) and not isinstance(refused, WireError)
    assert str(refused) == "the shelf is empty; fill it"


def test_who_is_not_there_is_said_and_asked_again_once_there(path: Path) -> None:
    async def asking(asks: Line) -> Any:
        with pytest.raises(WireError, match=r"no answer from engine .*; is `livepost run` running\?"):
            await asks.call("double", 1, INT)
        process = await asyncio.to_thread(Process, path)
        try:
            return await asks.call("double", 2, INT)
        finally:
            await asyncio.to_thread(process.stop)

    assert run(path, asking) == 4


def test_all_who_wait_hear_that_the_other_side_went_away_and_the_next_question_connects_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "CLOSE_S", 0.05)

    async def asking(asks: Line) -> Any:
        first = await asyncio.to_thread(Process, path)
        waiting = all_of(asks.call("never", None, INT), asks.call("double", 1, INT))
        while not any(one.answering for one in first.server._connected):
            await asyncio.sleep(0)
        await asyncio.to_thread(first.stop)
        heard = await waiting
        second = await asyncio.to_thread(Process, path)
        try:
            return heard, await asks.call("double", 3, INT)
        finally:
            await asyncio.to_thread(second.stop)

    heard, after = run(path, asking)
    assert [type(one) for one in heard] == [WireError, WireError]
    assert after == 6


def test_who_says_nothing_for_too_long_is_given_up_and_the_next_question_gets_its_own_answer(
    path: Path, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "TIMEOUT_S", 0.05)

    async def asking(asks: Line) -> Any:
        heard = await all_of(asks.call("never", None, INT), asks.call("double", 1, INT))
        return heard, await asks.call("double", 3, INT)

    heard, after = run(path, asking)
    assert [type(one) for one in heard] == [WireError, WireError]
    assert "nothing came for 0.05 s" in str(heard[0])
    assert after == 6


def test_who_is_answered_in_time_is_not_given_up_however_long_the_line_is_used(
    path: Path, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "TIMEOUT_S", 0.02)

    async def asking(asks: Line) -> Any:
        ends = asyncio.get_running_loop().time() + 0.1
        asked = 0
        while asyncio.get_running_loop().time() < ends:
            assert await asks.call("later", asked, INT) == 2 * asked
            asked += 1
        return len(process.server._connected)

    assert run(path, asking) == 1


def test_only_so_many_questions_wait(path: Path, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "WAITING_MAX", 2)

    async def asking(asks: Line) -> Any:
        await asks.call("double", 0, INT)
        told = await all_of(*(asks.call("later", n, INT) for n in range(3)))
        return told, await asks.call("double", 4, INT)

    (one, two, three), after = run(path, asking)
    assert (one, two, after) == (0, 2, 8)
    assert isinstance(three, StoreError)
    assert str(three) == "expected at most 2 questions to wait for an answer, got one more; ask again in a second"


def test_the_answer_to_who_asked_and_left_goes_to_nobody(path: Path, process: Process) -> None:
    async def asking(asks: Line) -> Any:
        left = asyncio.ensure_future(asks.call("later", 1, INT))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(asks.call("later", 2, INT))
        await asyncio.sleep(0)
        left.cancel()
        return await second

    assert run(path, asking) == 4


def test_a_frame_above_the_bound_is_not_waited_for(path: Path) -> None:
    def lie(liar: socket.socket) -> None:
        with closing(liar.accept()[0]) as connection:
            connection.recv(100)
            connection.sendall(struct.pack(">I", wire.FRAME_BYTES_MAX + 1))
            connection.recv(100)

    async def asking(asks: Line) -> None:
        with pytest.raises(WireError, match="is above"):
            await asks.call("double", 1, INT)

    with closing(socket.socket(socket.AF_UNIX)) as liar:
        liar.bind(str(path))
        liar.listen()
        thread = threading.Thread(target=lie, args=(liar,))
        thread.start()
        run(path, asking)
        thread.join()
