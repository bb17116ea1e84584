"""The dialogue over a transport that notes what is written: answers come as packets of any size."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from aiosmtplib import SMTPException, SMTPServerDisconnected, SMTPTimeoutError

from livepost.deliver.dialogue import MAX_ANSWER_BYTES, Dialogue, taken_over

PATIENT_S = 5.0
THREE = b"250 2.1.0 Ok\r\n250-2.1.5 Ok\r\n250 and more\r\n354 go on\r\n"


class Wire(asyncio.Transport):
    """A transport of which nothing leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.gone = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def is_closing(self) -> bool:
        return self.gone

    def write(self, data: object) -> None:
        self.written += cast(bytes, data)

    def abort(self) -> None:
        self.gone = True


def spoken(story: Callable[[Dialogue, Wire], Awaitable[None]]) -> None:
    async def tell() -> None:
        wire = Wire()
        await story(taken_over(wire), wire)

    asyncio.run(tell())


@pytest.mark.parametrize("packet", [1, 2, 5, 14, 15, 16, len(THREE)])
def test_answers_are_the_same_in_packets_of_any_size(packet: int) -> None:
    async def story(dialogue: Dialogue, wire: Wire) -> None:
        dialogue.say(b"MAIL\r\nRCPT\r\nDATA\r\n", 3)
        for at in range(0, len(THREE), packet):
            dialogue.data_received(THREE[at : at + packet])
        told = [await dialogue.answer(PATIENT_S) for _ in range(3)]
        assert [*map(tuple, told)] == [(250, "2.1.0 Ok"), (250, "2.1.5 Ok\nand more"), (354, "go on")]
        assert (wire.written, dialogue.is_open) == (b"MAIL\r\nRCPT\r\nDATA\r\n", True)

    spoken(story)


def test_who_waits_is_woken_by_the_answer_and_by_the_end() -> None:
    async def story(dialogue: Dialogue, wire: Wire) -> None:
        dialogue.say(b"NOOP\r\n", 2)
        for piece in (b"25", b"0 o", b"k\r\n"):
            asyncio.get_running_loop().call_soon(dialogue.data_received, piece)
        assert (await dialogue.answer(PATIENT_S)).code == 250
        assert not dialogue.is_open, "an answer is owed"
        asyncio.get_running_loop().call_soon(dialogue.connection_lost, None)
        with pytest.raises(SMTPServerDisconnected):
            await dialogue.answer(PATIENT_S)

    spoken(story)


def test_what_was_said_before_the_end_is_heard_and_then_the_end() -> None:
    async def story(dialogue: Dialogue, wire: Wire) -> None:
        dialogue.say(b"MAIL\r\nRCPT\r\n", 2)
        dialogue.data_received(b"250 ok\r\n55")
        dialogue.eof_received()
        assert (await dialogue.answer(PATIENT_S)).code == 250
        with pytest.raises(SMTPServerDisconnected):
            await dialogue.answer(PATIENT_S)
        with pytest.raises(SMTPServerDisconnected):
            dialogue.say(b"NOOP\r\n", 1)
        assert wire.written == b"MAIL\r\nRCPT\r\n"

    spoken(story)


def test_silence_is_told_from_the_end() -> None:
    async def story(dialogue: Dialogue, wire: Wire) -> None:
        dialogue.say(b"NOOP\r\n", 1)
        with pytest.raises(SMTPTimeoutError):
            await dialogue.answer(0.0)

    spoken(story)


@pytest.mark.parametrize(
    "said", [b"421 idle too long\r\n", b"250 ok\r\n", b"no SMTP\r\n", b"25\r\n", b"9" * (MAX_ANSWER_BYTES + 1)]
)
def test_after_what_nobody_asked_for_nothing_is_said(said: bytes) -> None:
    async def story(dialogue: Dialogue, wire: Wire) -> None:
        assert dialogue.is_open
        dialogue.data_received(said)
        assert not dialogue.is_open
        with pytest.raises(SMTPException):
            dialogue.say(b"MAIL\r\n", 1)
        assert wire.written == b""

    spoken(story)


def test_one_answer_too_many_is_not_taken_for_that_of_the_next_command() -> None:
    async def story(dialogue: Dialogue, wire: Wire) -> None:
        dialogue.say(b"RSET\r\n", 1)
        dialogue.data_received(b"250 ok\r\n250 again\r\n")
        assert (await dialogue.answer(PATIENT_S)).message == "ok"
        assert not dialogue.is_open

    spoken(story)


def test_after_an_abort_nothing_is_open() -> None:
    async def story(dialogue: Dialogue, wire: Wire) -> None:
        dialogue.abort()
        assert wire.gone and not dialogue.is_open

    spoken(story)


def test_a_connection_that_is_gone_cannot_be_taken_over() -> None:
    wire = Wire()
    wire.gone = True
    for none in (None, wire):
        with pytest.raises(SMTPServerDisconnected):
            taken_over(none)
