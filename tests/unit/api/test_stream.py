"""The stream as a client sees it: who may listen, what is said, how it ends."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync import client
from websockets.sync.client import ClientConnection

from livepost.api.feed import Feed
from livepost.api.happening import Place
from livepost.api.stream import MAX_MESSAGE_BYTES, PATH, REVOKED, TRY_AGAIN_LATER, stream_route
from livepost.audit.deed import Deed
from livepost.govern.access.rules import default_rules
from livepost.model.principal import Holder
from tests.unit.api.happenings import Stores
from tests.unit.api.house import SECRET, WRITE

BEARER = {"Authorization": f"Bearer {SECRET}"}
ALL = "one.0.0"


class Keys:
    async def note(self, by: str, deed: Deed) -> None:
        """Write down nothing."""

    def holder(self, token: str) -> Holder | None:
        return {SECRET: Holder("server", secret=True), WRITE: Holder("website", secret=False)}.get(token)


@pytest.fixture
def stores() -> Stores:
    made = Stores()
    made.enter("a", "b")
    made.decide("x")
    return made


@pytest.fixture
def port(stores: Stores) -> Iterator[int]:
    """The stream behind the server that the house has, in a thread."""
    feed = Feed(stores, poll_s=0.001, max_listeners=1, max_waiting=5)
    app = Starlette(routes=[stream_route(feed, Keys(), Keys(), default_rules())])
    config = uvicorn.Config(app, log_level="critical", ws="websockets-sansio", ws_max_size=MAX_MESSAGE_BYTES)
    server = uvicorn.Server(config)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    thread = Thread(target=server.run, args=([listening],))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def connect(port: int, query: str = "", headers: dict[str, str] = BEARER) -> ClientConnection:
    return client.connect(f"ws://127.0.0.1:{port}{PATH}{query}", additional_headers=headers, proxy=None)


def heard(listening: ClientConnection) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(listening.recv(timeout=5))
    return told


def refusal(port: int, query: str = "", headers: dict[str, str] = BEARER) -> tuple[int, str]:
    """Return status and code of a refusal, which comes before the connection is made."""
    with pytest.raises(InvalidStatus) as caught:
        connect(port, query, headers).__enter__()
    reply = caught.value.response
    assert reply.headers["content-type"] == "application/problem+json"
    return reply.status_code, json.loads(reply.body or b"")["code"]


def test_who_may_not_listen_is_refused_before_the_connection_is_made(port: int) -> None:
    assert refusal(port, headers={}) == (401, "invalid_key")
    assert refusal(port, headers={"Authorization": "Bearer lp_secret_other"}) == (401, "invalid_key")
    assert refusal(port, headers={"Authorization": f"Bearer {WRITE}"}) == (403, "write_key")
    assert refusal(port, f"?key={SECRET}", {}) == (401, "invalid_key")


@pytest.mark.parametrize("query", ["?wat=1", "?types=mails", "?types=", "?types=receipt,", "?after=a&after=b"])
def test_a_parameter_that_does_not_fit_is_refused(port: int, query: str) -> None:
    assert refusal(port, query) == (400, "parameter")


def test_what_happened_is_told_in_order_each_with_its_cursor(port: int, stores: Stores) -> None:
    basic = base64.b64encode(f"{SECRET}:".encode()).decode()
    with connect(port, f"?after={ALL}", {"Authorization": f"Basic {basic}"}) as listening:
        told = [heard(listening) for _ in range(3)]
        assert [(one["type"], one["id"], one["cursor"]) for one in told] == [
            ("transition", "a", "one.1.0"),
            ("transition", "b", "one.2.0"),
            ("decision", "x", "one.2.1"),
        ]
        stores.enter("c")
        assert heard(listening)["cursor"] == "one.3.1"
    with connect(port, "?after=one.2.0") as listening:
        assert [heard(listening)["id"] for _ in range(2)] == ["c", "x"]


def test_only_the_types_asked_for_are_told_and_a_gap_always(port: int) -> None:
    with connect(port, "?types=decision,receipt&after=gone") as listening:
        assert [heard(listening)["type"] for _ in range(2)] == ["gap", "decision"]


def test_what_a_client_says_is_not_heeded_and_bounded(port: int) -> None:
    with connect(port, f"?after={ALL}") as listening:
        listening.send("x" * MAX_MESSAGE_BYTES)
        assert heard(listening)["id"] == "a"
        listening.send("x" * (MAX_MESSAGE_BYTES + 1))
        assert ended(listening) == 1009


def test_one_too_many_is_refused_and_may_come_when_another_left(port: int) -> None:
    with connect(port):
        assert refusal(port) == (429, "overloaded")
    require_let_in(port)


def require_let_in(port: int) -> None:
    """Connect, as soon as the server has noticed who left: it may hear of it after they do."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with connect(port):
                return
        except InvalidStatus:
            assert time.monotonic() < deadline


def test_where_the_engine_is_away_it_is_said(port: int, stores: Stores) -> None:
    stores.away = True
    assert refusal(port) == (503, "unavailable")


def test_who_cannot_be_told_what_is_past_is_sent_away(port: int, stores: Stores) -> None:
    stores.lost = Place("one", 0, 0)
    with connect(port, f"?after={ALL}") as listening:
        assert ended(listening) == TRY_AGAIN_LATER


def test_who_falls_too_far_behind_is_sent_away_and_goes_on_by_its_cursor(port: int, stores: Stores) -> None:
    stores.page = 1_000
    with connect(port) as listening:
        stores.enter(*(f"n{n}" for n in range(1_000)))
        assert ended(listening) == TRY_AGAIN_LATER
    with connect(port, "?after=one.99.0") as listening:
        assert heard(listening)["id"] == "n97"


def ended(listening: ClientConnection) -> int | None:
    """Read to the end; return the status with which the server closed."""
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            heard(listening)
    return caught.value.rcvd and caught.value.rcvd.code


def test_a_stream_ends_within_a_second_of_its_key(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(port, f"?after={ALL}") as listening:
        assert heard(listening)["id"] == "a"
        began = time.monotonic()
        monkeypatch.setattr(Keys, "holder", lambda self, token: None)
        assert ended(listening) == REVOKED
        assert time.monotonic() - began < 1.0


def test_a_stream_ends_when_its_key_may_something_else(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(port, f"?after={ALL}") as listening:
        assert heard(listening)["id"] == "a"
        scoped = Holder("server", secret=True, scopes=("read:people",))
        monkeypatch.setattr(Keys, "holder", lambda self, token: scoped)
        assert ended(listening) == REVOKED
