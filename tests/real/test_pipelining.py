"""`smtp:` to servers that offer PIPELINING, word by word: answers mean together what they mean one by one.

A `Stage` plays a script over raw sockets, so that it may answer in one packet or byte by byte, out of its turn, or not
at all; it keeps every byte it heard. (RFC 2920.)
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Thread

import pytest

from livepost.deliver import envelope
from livepost.deliver.smtp import LOST_AFTER, LOST_BEFORE, Patience, SmtpSender, route_to
from livepost.model.message import Message
from livepost.settings.smtp import read_smtp

Act = tuple[bytes, bytes]
EHLO = b"EHLO shop.example\r\n"
ENVELOPE = b"MAIL FROM:<hello@shop.example>\r\nRCPT TO:<ada@example.com>\r\nDATA\r\n"
RAW = b"Message-ID: <1@shop.example>\r\n\r\n.Hi\r\n"
CONTENT = b"Message-ID: <1@shop.example>\r\n\r\n..Hi\r\n.\r\n"
MAIL = Message(
    decision=bytes(16),
    person=bytes(16),
    sender="hello@shop.example",
    recipient="ada@example.com",
    message_id="<1@shop.example>",
    raw=RAW,
)
GRANTED = b"250 2.1.0 Ok\r\n250-2.1.5 Ok\r\n250 2.1.5 and more\r\n354 go on\r\n"
TAKEN: Act = (CONTENT, b"250 2.0.0 Ok: queued as 4F3C\r\n")
RESET: Act = (b"RSET\r\n", b"250 2.0.0 Ok\r\n")
END: Act = (b"", b"")
PATIENT = Patience(quit_s=0.05)
IMPATIENT = Patience(command_s=0.4, answer_s=0.4, quit_s=0.05)


class Stage:
    """A server that plays a script for each connection: it hears words, then says some; b"" is to hang up."""

    def __init__(
        self, *scripts: tuple[Act, ...], bytewise: bool = False, offers: bytes = b"250-stage\r\n250 PIPELINING\r\n"
    ) -> None:
        self._hello = ((b"", b"220 stage ESMTP\r\n"), (EHLO, offers))
        self.heard: list[bytes] = []
        self._bytewise = bytewise
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = Thread(target=self._play, args=(scripts,))
        self._thread.start()

    def close(self) -> None:
        """Let the connections end and stop."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _play(self, scripts: tuple[tuple[Act, ...], ...]) -> None:
        for script in scripts:
            try:
                talking, _ = self._listening.accept()
            except OSError:
                return
            with talking, suppress(OSError):
                talking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._talk(talking, script)

    def _talk(self, talking: socket.socket, script: tuple[Act, ...]) -> None:
        heard, at = b"", len(self.heard)
        self.heard.append(heard)
        for awaited, said in (*self._hello, *script):
            wanted = len(heard) + len(awaited)
            while len(heard) < wanted and (more := talking.recv(65_536)):
                heard += more
            self.heard[at] = heard
            if not said:
                return
            for piece in [said[n : n + 1] for n in range(len(said))] if self._bytewise else [said]:
                talking.sendall(piece)
        while more := talking.recv(65_536):
            self.heard[at] += more


def mails_heard(stage: Stage) -> list[bytes]:
    """Return what was said on each connection, without the greeting and the good-bye."""
    return [one.removeprefix(EHLO).removesuffix(b"QUIT\r\n") for one in stage.heard]


def given(stage: Stage, count: int = 1, patience: Patience = PATIENT) -> Iterator[tuple[str, str]]:
    """Give so many mails to the server, one after the other; return what each became, and why."""
    address = read_smtp(f"smtp://127.0.0.1:{stage.port}?tls=none&connections=1", "test")
    with closing(stage), closing(SmtpSender(route_to(address, "shop.example"), patience=patience)) as sender:
        for _ in range(count):
            [receipt] = sender.send([MAIL])
            yield receipt.state, receipt.text


@pytest.mark.parametrize("bytewise", [False, True])
def test_commands_are_one_write_and_their_answers_are_heard_in_whatever_packets(bytewise: bool) -> None:
    stage = Stage(((ENVELOPE, GRANTED), TAKEN, (ENVELOPE, GRANTED), TAKEN), bytewise=bytewise)
    assert [*given(stage, 2)] == [("sent", "250 2.0.0 Ok: queued as 4F3C")] * 2
    assert mails_heard(stage) == [2 * (ENVELOPE + CONTENT)]


def test_a_server_that_offers_nothing_hears_one_command_at_a_time() -> None:
    """The negative control of the test above: this server answers when it has all three, and never gets them."""
    stage = Stage(((ENVELOPE, GRANTED), TAKEN), offers=b"250 stage\r\n")
    assert [*given(stage, patience=IMPATIENT)] == [("temporary", LOST_BEFORE)]
    assert mails_heard(stage) == [b"MAIL FROM:<hello@shop.example>\r\n"]


@pytest.mark.parametrize(
    ("answers", "then", "state", "said"),
    [
        (b"550 5.1.0 no\r\n503 first MAIL\r\n503 first MAIL\r\n", (), "failed", "550 5.1.0 no"),
        (b"451 4.1.0 later\r\n503 first MAIL\r\n503 first MAIL\r\n", (), "temporary", "451 4.1.0 later"),
        (b"250 ok\r\n550 5.1.1 nobody\r\n554 nobody\r\n", (), "failed", "550 5.1.1 nobody"),
        (b"250 ok\r\n450 4.2.1 later\r\n554 nobody\r\n", (), "temporary", "450 4.2.1 later"),
        (b"250 ok\r\n250 ok\r\n451 4.3.0 later\r\n", (), "temporary", "451 4.3.0 later"),
        (
            b"250 ok\r\n550 5.1.1 nobody\r\n354 go on\r\n",
            ((b".\r\n", b"554 nobody\r\n"),),
            "failed",
            "550 5.1.1 nobody",
        ),
        (b"250 ok\r\n450 4.2.1 later\r\n354 go on\r\n", ((b".\r\n", b"250 ok\r\n"),), "temporary", "450 4.2.1 later"),
    ],
)
@pytest.mark.parametrize("bytewise", [False, True])
def test_a_refusal_means_what_it_means_alone_and_the_next_mail_goes_over_the_same_connection(
    answers: bytes, then: tuple[Act, ...], state: str, said: str, bytewise: bool
) -> None:
    stage = Stage(((ENVELOPE, answers), *then, RESET, (ENVELOPE, GRANTED), TAKEN), bytewise=bytewise)
    assert [*given(stage, 2)] == [(state, said), ("sent", "250 2.0.0 Ok: queued as 4F3C")]
    ended = b".\r\n" if then else b""
    assert mails_heard(stage) == [ENVELOPE + ended + b"RSET\r\n" + ENVELOPE + CONTENT]


SOMEBODY = b"550 5.1.0 no\r\n250 ok\r\n354 go on\r\n"
"""A server that refuses who sends, takes who is to get it, and waits for the content: a dot would be an empty mail."""


def test_an_empty_mail_is_given_to_nobody() -> None:
    stage = Stage(((ENVELOPE, SOMEBODY), END), ((ENVELOPE, GRANTED), TAKEN))
    assert [*given(stage, 2)] == [("failed", "550 5.1.0 no"), ("sent", "250 2.0.0 Ok: queued as 4F3C")]
    assert mails_heard(stage) == [ENVELOPE, ENVELOPE + CONTENT]


def test_a_sender_that_ends_each_refused_mail_with_a_dot_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr(envelope.Opening, "would_arrive", False)
    stage = Stage(((ENVELOPE, SOMEBODY), (b".\r\n", b"250 taken\r\n"), RESET))
    assert [*given(stage)] == [("failed", "550 5.1.0 no")]
    assert mails_heard(stage) == [ENVELOPE + b".\r\n" + b"RSET\r\n"]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_server_that_goes_amid_the_answers_got_nothing_and_is_tried_once_more_if_it_was_no_new_connection(
    at: int,
) -> None:
    some = b"".join(b"%d ok\r\n" % code for code in (250, 250)[:at]) or b"2"
    stage = Stage(
        ((ENVELOPE, GRANTED), TAKEN, (ENVELOPE, some), END), ((ENVELOPE, some), END), ((ENVELOPE, GRANTED), TAKEN)
    )
    sent = ("sent", "250 2.0.0 Ok: queued as 4F3C")
    assert [*given(stage, 3)] == [sent, ("temporary", LOST_BEFORE), sent]
    assert mails_heard(stage) == [ENVELOPE + CONTENT + ENVELOPE, ENVELOPE, ENVELOPE + CONTENT]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_server_that_is_silent_amid_the_answers_got_nothing(at: int) -> None:
    some = b"".join(b"%d ok\r\n" % code for code in (250, 250)[:at]) or b"2"
    stage = Stage(((ENVELOPE, some),))
    assert [*given(stage, patience=IMPATIENT)] == [("temporary", LOST_BEFORE)]
    assert mails_heard(stage) == [ENVELOPE]


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("more", [b"", b"503 no\r\n"])
def test_a_server_that_closes_amid_the_answers_says_so_of_the_connection_and_not_of_the_mail(
    at: int, more: bytes
) -> None:
    answers = b"".join(b"%d ok\r\n" % code for code in (250, 250)[:at]) + b"421 4.3.2 closing\r\n" + more * (2 - at)
    stage = Stage(((ENVELOPE, answers), END))
    assert [*given(stage)] == [("temporary", "421 4.3.2 closing")]
    assert mails_heard(stage) == [ENVELOPE]


@pytest.mark.parametrize("rest", [b"", b"421 closing\r\n", b"no SMTP\r\n"])
def test_a_refusal_stands_whatever_becomes_of_the_connection(rest: bytes) -> None:
    stage = Stage(((ENVELOPE, b"250 ok\r\n550 5.1.1 nobody\r\n" + rest), END), ((ENVELOPE, GRANTED), TAKEN))
    assert [*given(stage, 2)] == [("failed", "550 5.1.1 nobody"), ("sent", "250 2.0.0 Ok: queued as 4F3C")]
    assert re.fullmatch(re.escape(ENVELOPE) + rb"(RSET\r\n)?", mails_heard(stage)[0])


def test_from_the_first_byte_of_the_content_on_nobody_can_know() -> None:
    stage = Stage(((ENVELOPE, GRANTED), (CONTENT[:1], b"")))
    assert [*given(stage)] == [("unknown", LOST_AFTER)]
    stage = Stage(((ENVELOPE, GRANTED),))
    assert [*given(stage, patience=IMPATIENT)] == [("unknown", LOST_AFTER)]


def test_a_server_that_offers_it_and_goes_is_tried_again_over_a_new_connection() -> None:
    stage = Stage((END,), ((ENVELOPE, GRANTED), TAKEN))
    (lost, _), sent = given(stage, 2)
    assert (lost, sent) == ("temporary", ("sent", "250 2.0.0 Ok: queued as 4F3C"))


@pytest.mark.parametrize("said", [b"421 4.4.2 idle too long\r\n", b"250 ok\r\n"])
def test_what_nobody_asked_for_is_not_taken_for_an_answer(said: bytes) -> None:
    """Said right behind the answer to a mail: the next one goes over a new connection, and not one answer shifted."""
    twice = (CONTENT, TAKEN[1] + said)
    stage = Stage(((ENVELOPE, GRANTED), twice, END), ((ENVELOPE, GRANTED), TAKEN))
    assert [*given(stage, 2)] == [("sent", "250 2.0.0 Ok: queued as 4F3C")] * 2
    assert mails_heard(stage) == [ENVELOPE + CONTENT, ENVELOPE + CONTENT]
