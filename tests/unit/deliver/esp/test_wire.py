"""A request's steps: what is noted before the first byte, and what a session does not do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from livepost.deliver.esp.answer import Answer
from livepost.deliver.esp.wire import MAX_ANSWER_BYTES, Exchange, Session, exchanging
from tests.unit.deliver.esp.desk import Desk, Reply, desk_of


@pytest.fixture
def session() -> Iterator[Session]:
    with closing(Session(2)) as one:
        yield one


@pytest.fixture
def desk() -> Iterator[Desk]:
    with desk_of("sendgrid") as one:
        yield one


def test_the_exchange_knows_what_was_written_and_what_came_back(session: Session, desk: Desk) -> None:
    desk.reply = Reply(202, '{"a": 1}', {"X-Thing": "Yes"})
    exchange = Exchange({"Idempotency-Key": "k"})
    assert (exchange.written, exchange.answer) == (False, None)
    with exchanging(exchange):
        response = session.request("POST", desk.url, data=b"x", headers={"X-Own": "1"}, timeout=5)
    assert exchange.written and exchange.answer is not None
    assert (exchange.answer.status, exchange.answer.body) == (202, b'{"a": 1}')
    assert exchange.answer.headers["x-thing"] == "Yes"
    assert response.json() == {"a": 1}
    assert [desk.requests[0].headers[name] for name in ("x-own", "idempotency-key")] == ["1", "k"]


def test_nothing_is_written_of_an_exchange_that_was_given_up(session: Session, desk: Desk) -> None:
    exchange = Exchange()
    exchange.cut()
    with exchanging(exchange), pytest.raises(OSError, match="given up"):
        session.request("POST", desk.url, data=b"x", timeout=5)
    assert (exchange.written, exchange.answer, desk.requests) == (False, None, [])


def test_an_answer_that_ends_because_we_cut_is_none() -> None:
    exchange = Exchange()
    with closing(socket.socket()) as sock:
        exchange.begins(sock)
        exchange.cut()
        with pytest.raises(OSError, match="before the answer was whole"):
            exchange.ends(Answer(status=200))
    assert exchange.written and exchange.answer is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(session: Session, desk: Desk, status: int) -> None:
    desk.reply = Reply(status, "", {"Location": desk.url + "elsewhere"})
    exchange = Exchange()
    with exchanging(exchange):
        assert session.request("POST", desk.url, data=b"x", timeout=5).status_code == status
    assert len(desk.requests) == 1


def test_no_cookie_is_remembered_and_no_login_of_the_machine_is_used(
    session: Session, desk: Desk, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:
        file.write("machine 127.0.0.1 login ada password hunter2\n")
    monkeypatch.setenv("NETRC", netrc)
    desk.reply = Reply(200, "{}", {"Set-Cookie": "a=b"})
    for _ in range(2):
        with exchanging(Exchange()):
            session.request("POST", desk.url, data=b"x", timeout=5)
    assert [one.headers.get("cookie") for one in desk.requests] == [None, None]
    assert [one.headers.get("authorization") for one in desk.requests] == [None, None]


def test_a_proxys_refusal_comes_before_the_first_byte(
    session: Session, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONNECT is written, the request is not: the desk knows POST only."""
    monkeypatch.setenv("HTTPS_PROXY", desk.url)
    exchange = Exchange()
    with exchanging(exchange), pytest.raises(OSError, match="Tunnel connection failed: 501"):
        session.request("POST", "https://api.provider.example/", data=b"x", timeout=5)
    assert (exchange.written, desk.connections, desk.requests) == (False, 1, [])


def test_an_answer_of_the_bound_is_read_and_one_byte_more_is_refused(session: Session, desk: Desk) -> None:
    for size, whole in ((MAX_ANSWER_BYTES, True), (MAX_ANSWER_BYTES + 1, False)):
        desk.reply = Reply(200, "x" * size)
        exchange = Exchange()
        with exchanging(exchange):
            if whole:
                session.request("POST", desk.url, data=b"x", timeout=5)
            else:
                with pytest.raises(OSError, match="more than"):
                    session.request("POST", desk.url, data=b"x", timeout=5)
        assert (exchange.answer is not None) == whole
