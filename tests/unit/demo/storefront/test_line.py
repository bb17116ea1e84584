"""The shop's server on the line: a question that meets a connection being hung up is asked once more, and only once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from livepost.demo.storefront.line import HouseAwayError, HouseLine, NobodyError

QUESTIONS = 3
"""As many are asked at a time to tell what is known of a visitor."""


class HangingUp:
    """A house that ends the connection in place of its first answers, and then knows nobody."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        if self.asked > self.times:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        writer.close()


def ask(house: HangingUp, question: Callable[[HouseLine], Awaitable[Any]]) -> None:
    async def run() -> None:
        server = await asyncio.start_server(house, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, HouseLine(lambda: port, "a key") as line:
            await question(line)

    asyncio.run(run())


def told(line: HouseLine) -> Awaitable[Any]:
    return line.told("visitor", 3)


def test_a_connection_that_is_hung_up_in_place_of_an_answer_is_no_house_that_is_away() -> None:
    house = HangingUp(times=QUESTIONS)
    with pytest.raises(NobodyError):
        ask(house, told)
    assert house.asked > QUESTIONS


def test_a_house_that_hangs_up_again_is_away() -> None:
    house = HangingUp(times=100)
    with pytest.raises(HouseAwayError, match="RemoteProtocolError"):
        ask(house, told)
    assert house.asked <= 2 * QUESTIONS


def test_what_changes_something_is_not_said_twice() -> None:
    house = HangingUp(times=1)
    with pytest.raises(HouseAwayError):
        ask(house, lambda line: line.identify({"userId": "ada"}))
    assert house.asked == 1
