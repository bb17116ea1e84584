"""The wire, over real sockets: a server in a thread's event loop, blocking clients in the test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import stat
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.errors import StoreError
from livepost.runtime.sockets import wire
from livepost.runtime.sockets.wire import Asking, Handler, Watch, WireClient, WireError, WireServer

PATIENCE_S = 5.0
MOST_AT_ONCE = 1 << 18
"""Bytes that an event loop reads of a socket at once, at most."""


def doubled(raw: msgspec.Raw) -> int:
    return 2 * msgspec.msgpack.decode(raw, type=int)


async def doubled_later(raw: msgspec.Raw) -> int:
    await asyncio.sleep(0)
    return doubled(raw)


def refused(raw: msgspec.Raw) -> None:
    raise StoreError("the shelf is empty; fill it")


async def never(raw: msgspec.Raw) -> None:
    await asyncio.Event().wait()


def lengthy(raw: msgspec.Raw) -> bytes:
    return bytes(msgspec.msgpack.decode(raw, type=int))


def broken(raw: msgspec.Raw) -> None:
    raise RuntimeError("not foreseen")


async def broken_later(raw: msgspec.Raw) -> None:
    raise RuntimeError("not foreseen")


HANDLERS: dict[str, Handler] = {
    "double": doubled,
    "later": doubled_later,
    "refuse": refused,
    "never": never,
    "long": lengthy,
    "break": broken,
    "break later": broken_later,
}


class Process:
    """A server as another process would have it: an event loop of its own."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler] = HANDLERS) -> None:
        self.server = WireServer(path, handlers)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._run(self.server.start())

    def changed(self) -> None:
        self._loop.call_soon_threadsafe(self.server.changed)

    def watched(self, path: Path) -> threading.Event:
        """Watch another server from this loop; return what is set when it wakes."""
        woken, seen = asyncio.Event(), threading.Event()

        async def pass_on() -> None:
            while True:
                await woken.wait()
                woken.clear()
                seen.set()

        for work in (wire.watch(path, woken), pass_on()):
            asyncio.run_coroutine_threadsafe(work, self._loop)
        return seen

    def stop(self) -> None:
        self._run(self.server.close())
        self._run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def wait_until(done: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def waited_s(watch: Watch, timeout_s: float) -> float:
    """Wait once; return for how long."""
    began = time.monotonic()
    watch.wait(timeout_s)
    return time.monotonic() - began


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
def process(path: Path) -> Iterator[Process]:
    started = Process(path)
    yield started
    started.stop()


@pytest.fixture
def client(path: Path, process: Process) -> Iterator[WireClient]:
    with closing(WireClient(path)) as opened:
        yield opened


@pytest.mark.parametrize("name", ["double", "later"])
def test_a_request_is_answered_by_plain_and_by_async_handlers(client: WireClient, name: str) -> None:
    assert [client.call(name, n, int) for n in (1, 21)] == [2, 42]


def test_an_errors_sentence_crosses_and_the_connection_goes_on(client: WireClient) -> None:
    with pytest.raises(StoreError, match=r"^the shelf is empty; fill it$") as raised:
        client.call("refuse", None, type(None))
    assert not isinstance(raised.value, WireError)
    assert client.call("double", 4, int) == 8


def test_who_is_not_there_is_said_in_a_sentence_with_what_to_do(path: Path) -> None:
    with pytest.raises(WireError, match=r"no answer from engine .*; is `livepost run` running\?"):
        WireClient(path).call("double", 1, int)


def test_no_answer_in_time_is_an_error_and_the_next_request_gets_its_own_answer(
    client: WireClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "TIMEOUT_S", 0.05)
    with pytest.raises(WireError, match="timed out"):
        client.call("never", None, type(None))
    assert client.call("double", 3, int) == 6


def test_a_client_connects_anew_after_the_server_went_away(path: Path) -> None:
    first = Process(path)
    with closing(WireClient(path)) as client:
        assert client.call("double", 1, int) == 2
        first.stop()
        with pytest.raises(WireError):
            client.call("double", 1, int)
        second = Process(path)
        try:
            assert client.call("double", 2, int) == 4
        finally:
            second.stop()


def test_a_socket_file_left_by_a_crash_is_replaced(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(path))
    process = Process(path)
    try:
        with closing(WireClient(path)) as client:
            assert client.call("double", 1, int) == 2
    finally:
        process.stop()


def test_only_the_owner_can_connect_and_the_file_goes_with_the_server(path: Path) -> None:
    process = Process(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    process.stop()
    assert mode == 0o600
    assert not path.exists()


def test_a_server_that_closes_does_not_wait_for_ever_for_what_it_is_answering(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "CLOSE_S", 0.05)
    process = Process(path)
    with closing(WireClient(path)) as client:

        def ask() -> None:
            with pytest.raises(WireError):
                client.call("never", None, type(None))

        asking = threading.Thread(target=ask)
        asking.start()
        wait_until(lambda: process.server._connected)
        process.stop()
        asking.join(PATIENCE_S)
        assert not asking.is_alive()


def test_a_watch_wakes_at_once_for_what_came_before_it_and_then_when_something_changed(
    path: Path, process: Process
) -> None:
    with closing(WireClient(path).watch()) as watch:
        assert waited_s(watch, PATIENCE_S) < PATIENCE_S / 2
        assert waited_s(watch, 0.05) >= 0.05
        process.changed()
        assert waited_s(watch, PATIENCE_S) < PATIENCE_S / 2


def test_a_watch_falls_back_to_its_time_out_when_nobody_is_there(path: Path) -> None:
    assert waited_s(WireClient(path).watch(), 0.02) >= 0.02
    assert waited_s(WireClient(path).watch(), PATIENCE_S) < PATIENCE_S / 2  # who is not there is looked for soon


def test_a_watch_goes_on_with_the_next_server(path: Path) -> None:
    first = Process(path)
    with closing(WireClient(path).watch()) as watch:
        watch.wait(0.0)
        wait_until(lambda: first.server._watching)
        first.stop()
        watch.wait(0.01)  # notices
        second = Process(path)
        try:
            wait_until(lambda: watch.wait(0.001) or second.server._watching)
        finally:
            second.stop()


def test_an_async_watch_wakes_and_finds_a_server_that_came_later(tmp_path: Path) -> None:
    watcher = Process(tmp_path / "watcher.sock")
    seen = watcher.watched(tmp_path / "front.sock")
    front = Process(tmp_path / "front.sock")
    try:
        wait_until(lambda: front.server._watching)
        assert seen.wait(PATIENCE_S)
        seen.clear()  # what comes once more from before it was there comes within POLL_S
        seen.wait(2 * wire.POLL_S)
        seen.clear()
        front.changed()
        assert seen.wait(PATIENCE_S)
    finally:
        front.stop()
        watcher.stop()


def test_a_watcher_that_does_not_read_is_not_written_to_without_end(path: Path, process: Process) -> None:
    with closing(WireClient(path).watch()) as watch:
        watch.wait(0.0)
        wait_until(lambda: process.server._watching)
        (writer,) = process.server._watching
        for _ in range(200_000):
            process.server.changed()
            if writer.transport.get_write_buffer_size():
                break
        assert 0 < writer.transport.get_write_buffer_size() <= 4


def test_requests_that_come_together_are_answered_in_their_order(path: Path, process: Process) -> None:
    asked = [("later", 1), ("double", 2), ("later", 3), ("double", 4)]
    with closing(socket.socket(socket.AF_UNIX)) as together:
        together.settimeout(PATIENCE_S)
        together.connect(str(path))
        together.sendall(b"".join(wire.framed(msgspec.msgpack.encode(one)) for one in asked))
        answers = wire.Frames()
        told: list[int] = []
        while len(told) < len(asked):
            answers.add(together.recv(100))
            while (body := answers.take()) is not None:
                told.append(msgspec.msgpack.decode(body)[1])
    assert told == [2, 4, 6, 8]


def test_a_frame_comes_out_whole_however_it_was_cut() -> None:
    frames = wire.Frames()
    bodies = [b"", b"one", bytes(70_000), b"two"]
    stream = b"".join(map(wire.framed, bodies))
    told = []
    for place in range(0, len(stream), 3):
        frames.add(stream[place : place + 3])
        while (body := frames.take()) is not None:
            told.append(body)
    assert (told, frames.held) == (bodies, 0)


def test_of_what_comes_while_an_answer_takes_its_time_only_so_much_is_read(
    path: Path, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "READ_AHEAD_BYTES", 10_000)
    monkeypatch.setattr(wire, "CLOSE_S", 0.05)
    with closing(socket.socket(socket.AF_UNIX)) as flood:
        flood.connect(str(path))
        flood.setblocking(False)
        flood.send(wire.framed(msgspec.msgpack.encode(("never", None))))
        wait_until(lambda: any(one.answering for one in process.server._connected))
        (one,) = process.server._connected
        questions = 1_000 * wire.framed(msgspec.msgpack.encode(("double", 1)))
        sent = 0

        def is_read_no_more() -> bool:
            nonlocal sent
            with contextlib.suppress(BlockingIOError):
                while sent < 100_000_000:
                    sent += flood.send(questions)
            return not one.transport.is_reading()

        wait_until(is_read_no_more)
        assert one._frames.held < 10_000 + MOST_AT_ONCE
        assert sent < 100_000_000


def test_what_is_read_of_a_slow_client_is_no_more_than_it_takes_answers_of(path: Path, process: Process) -> None:
    question = wire.framed(msgspec.msgpack.encode(("long", 100_000)))
    with closing(socket.socket(socket.AF_UNIX)) as slow:
        slow.settimeout(PATIENCE_S)
        slow.connect(str(path))
        slow.sendall(50 * question)
        wait_until(lambda: any(not one._has_room for one in process.server._connected))
        (one,) = process.server._connected
        assert one.transport.get_write_buffer_size() < 400_000
        answers = wire.Frames()
        for _ in range(50):
            while (body := answers.take()) is None:
                answers.add(slow.recv(1 << 20))
            assert len(body) > 100_000


def test_a_handler_that_fails_ends_its_connection_and_nothing_else(path: Path, client: WireClient) -> None:
    with closing(WireClient(path)) as broken:
        for name in ("break", "break later"):
            with pytest.raises(WireError):
                broken.call(name, None, type(None))
    assert client.call("double", 1, int) == 2


def test_an_answer_at_the_bound_comes_and_one_above_it_is_refused_in_a_sentence(
    client: WireClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "FRAME_BYTES_MAX", 1000)
    around = 5  # the reply's own bytes: [nil, bin 16]
    assert len(client.call("long", 1000 - around, bytes)) == 1000 - around
    with pytest.raises(StoreError, match="at most 1000 bytes between two processes, got 1001; ask for less"):
        client.call("long", 1001 - around, bytes)


def test_a_request_above_the_bound_is_refused_before_it_is_sent(
    client: WireClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "FRAME_BYTES_MAX", 100)
    with pytest.raises(StoreError, match="at most 100 bytes"):
        client.call("double", "x" * 100, int)
    assert client.call("double", 1, int) == 2


def test_a_head_that_tells_of_more_than_the_bound_ends_the_connection_and_nothing_else(
    path: Path, client: WireClient
) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as stranger:
        stranger.settimeout(PATIENCE_S)
        stranger.connect(str(path))
        stranger.sendall(struct.pack(">I", wire.FRAME_BYTES_MAX + 1))
        assert stranger.recv(1) == b""
    assert client.call("double", 1, int) == 2


def test_a_client_does_not_wait_for_a_frame_above_the_bound(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as liar, closing(WireClient(path)) as client:
        liar.bind(str(path))
        liar.listen()

        def lie() -> None:
            with closing(liar.accept()[0]) as connection:
                connection.recv(100)
                connection.sendall(struct.pack(">I", wire.FRAME_BYTES_MAX + 1))

        thread = threading.Thread(target=lie)
        thread.start()
        with pytest.raises(WireError, match="is above"):
            client.call("double", 1, int)
        thread.join()


def test_a_socket_with_a_path_longer_than_an_address_can_be_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    path = deep / "engine.sock"
    assert len(os.fsencode(path)) > 108
    before = len(os.listdir("/proc/self/fd"))
    process = Process(path)
    try:
        with closing(WireClient(path)) as client:
            assert client.call("double", 1, int) == 2
    finally:
        process.stop()
    assert len(os.listdir("/proc/self/fd")) <= before


def until_answered(asking: Asking) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while (told := asking.answer(int)) is None:
        assert time.monotonic() < deadline
    return told


def test_a_question_stands_until_it_is_answered_and_nobody_waits(path: Path) -> None:
    gate = threading.Event()

    async def when_open(raw: msgspec.Raw) -> int:
        while not gate.is_set():
            await asyncio.sleep(0)
        return doubled(raw)

    process = Process(path, {"later": when_open})
    with closing(Asking(path, "later")) as asking:
        assert (asking.stands, asking.answer(int)) == (False, None)
        asking.ask(21)
        assert (asking.stands, asking.answer(int)) == (True, None)
        gate.set()
        assert until_answered(asking) == 42
        assert not asking.stands
        asking.ask(4)
        assert until_answered(asking) == 8
    process.stop()


def test_a_question_to_nobody_and_one_that_is_refused_say_so(path: Path) -> None:
    with closing(Asking(path, "refuse")) as asking:
        with pytest.raises(WireError, match="is `livepost run` running"):
            asking.ask(1)
        process = Process(path)
        asking.ask(1)
        with pytest.raises(StoreError, match="the shelf is empty"):
            until_answered(asking)
        assert not asking.stands
        process.stop()
        with pytest.raises(WireError):
            until_answered(asking)


def test_while_an_answer_is_waited_for_something_else_can_be_done(path: Path) -> None:
    waited: list[float] = []

    def wait(descriptor: int, timeout_s: float) -> None:
        assert select.select([descriptor], [], [], PATIENCE_S)[0]
        waited.append(timeout_s)

    process = Process(path)
    with closing(WireClient(path, wait)) as client:
        assert client.call("later", 21, int) == 42
    assert waited == [wire.TIMEOUT_S]
    process.stop()


def test_what_a_question_is_answered_on_is_told_while_it_stands(path: Path) -> None:
    process = Process(path)
    with closing(Asking(path, "later")) as asking:
        assert asking.descriptor is None
        asking.ask(21)
        assert asking.descriptor is not None
        assert select.select([asking.descriptor], [], [], PATIENCE_S)[0] == [asking.descriptor]
        assert until_answered(asking) == 42
        assert asking.descriptor is None
    process.stop()
