"""The stream of a running house, heard by the `websockets` client: all that state and ledger have, once and in order.

The oracle is the stores themselves, read when the house has stopped.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync import client

from livepost.api.stream import RESTARTING
from livepost.model.decision import Transition
from livepost.runtime.engine.client import EngineClient
from livepost.state.base import TransitionRow
from tests.crash.house import House, rows_of, wait_until

PEOPLE = 60
RECONNECT_AFTER = 40
"""Messages a listener takes before it drops its connection."""

STOP_S = 5.0
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "follow-what-happens.md"


class Listening(Thread):
    """Takes messages over connections that it leaves again and again, going on by the cursor; `drops` loses one."""

    def __init__(self, house: House, drops: bool = False) -> None:
        super().__init__(name="listening")
        self.told: list[dict[str, Any]] = []
        self.connections = 0
        self._house = house
        self._drops = drops
        self._over = False
        self._cursor = ""

    def run(self) -> None:
        while not self._over:
            with suppress(OSError, WebSocketException, TimeoutError):  # the front is just being started again
                self._take()
            time.sleep(0.01)

    def leave(self) -> None:
        self._over = True
        self.join()

    def _take(self) -> None:
        with connect(self._house, f"?after={self._cursor}" if self._cursor else "") as connection:
            self.connections += 1
            for _ in range(RECONNECT_AFTER):
                message = json.loads(connection.recv(timeout=0.5))
                self._cursor = message["cursor"]
                if self._drops and len(self.told) == 3:
                    self._drops = False
                else:
                    self.told.append(message)


def connect(house: House, query: str = "", **options: Any) -> client.ClientConnection:
    headers = {"Authorization": f"Bearer {house.secret_key}"}
    url = f"ws://localhost:{house.folder.port}/api/stream{query}"
    return client.connect(url, additional_headers=headers, proxy=None, **options)


def shop(house: House, name: str) -> None:
    """Let a person make themselves known, look around and order; repeated until it is taken."""
    user = {"userId": name}
    calls: list[dict[str, Any]] = [
        {"type": "identify", "messageId": f"{name}-i", **user, "traits": {"email": f"{name}@example.com"}}
    ]
    views = [("Product Viewed", {"product_id": f"p{n}"}) for n in range(3)]
    for n, (event, properties) in enumerate([*views, ("Order Completed", {"order_id": name, "total": 5})]):
        calls.append({"type": "track", "messageId": f"{name}-{n}", "event": event, **user, "properties": properties})
    wait_until("the calls to be taken", lambda: taken(house, calls))


def taken(house: House, calls: list[dict[str, Any]]) -> bool:
    with suppress(httpx.TransportError):
        url = f"http://localhost:{house.folder.port}/v1/batch"
        return httpx.post(url, json={"batch": calls}, auth=(house.secret_key, ""), timeout=10).status_code == 200
    return False


def transitions_of(house: House) -> list[tuple[str, str]]:
    """Return (id, state) of all transitions in the order of their commits, as the state has them."""
    kept = rows_of(house.folder.path / "state.db", "SELECT rows FROM transitions ORDER BY number")
    rows = [row for (raw,) in kept for row in msgspec.msgpack.decode(raw, type=list[TransitionRow])]
    found = [msgspec.msgpack.decode(row.body, type=Transition) for row in rows]
    return [(one.id.hex(), "entered" if one.entered else "left") for one in found]


def moves_of(house: House) -> list[tuple[str, str, str]]:
    """Return (type, id, state) of all moves in their order, as the ledger has them."""
    sql = "SELECT decision, before, after FROM moves ORDER BY number"
    found = rows_of(house.folder.path / "ledger.db", sql)
    return [("receipt" if before else "decision", id.hex(), after) for id, before, after in found]


def heard(told: list[dict[str, Any]]) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Return what a listener heard, in the words of the two stores."""
    transitions = [(one["id"], one["state"]) for one in told if one["type"] == "transition"]
    moves = [(one["type"], one["id"], one["state"]) for one in told if one["type"] in ("decision", "receipt")]
    return transitions, moves


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "data")
    house.start()
    with closing(EngineClient(house.folder)) as engine:
        wait_until("the engine to answer", lambda: engine.status().position >= -1)
    yield house
    house.stop()


def test_all_is_heard_once_and_in_order_across_reconnects_and_kills(house: House) -> None:
    listening, control = Listening(house), Listening(house, drops=True)
    for one in (listening, control):
        one.start()
    wait_until("both to listen", lambda: listening.connections > 0 < control.connections)
    for number in range(PEOPLE):
        shop(house, f"person-{number}")
        if number == PEOPLE // 3:
            house.kill("engine")
        if number == 2 * PEOPLE // 3:
            house.kill("front")
    house.drain()
    wait_until("the last move to be heard", lambda: all(is_at_end(house, one) for one in (listening, control)))
    listening.leave()
    control.leave()
    house.stop()
    expected = (transitions_of(house), moves_of(house))
    assert (len(expected[0]) >= PEOPLE, len(expected[1]) >= 4 * PEOPLE) == (True, True)
    assert [one for one in listening.told if one["type"] == "gap"] == []
    assert heard(listening.told) == expected
    assert listening.connections >= len(listening.told) // RECONNECT_AFTER > 1
    assert heard(control.told) != expected, "expected a message that is not heard to be found"
    places = [one["position"] for one in listening.told]
    assert min(places) >= 0


def is_at_end(house: House, listening: Listening) -> bool:
    with closing(house.folder.ledger()) as ledger:
        return bool(listening.told) and listening.told[-1]["cursor"].endswith(f".{ledger.last_move()}")


def test_a_cursor_that_is_not_ours_is_a_gap_and_then_all_there_is(house: House) -> None:
    shop(house, "ada")
    house.drain()
    with connect(house, "?after=none") as whole:
        told = [json.loads(whole.recv(timeout=10)) for _ in range(3)]
    assert [one["type"] for one in told[:2]] == ["gap", "transition"]


def test_the_client_of_the_how_to_goes_on_from_its_cursor(house: House, tmp_path: Path) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"__name__": "how_to"}
    exec(code, names)
    shop(house, "ada")
    house.drain()
    kept = tmp_path / "cursor"
    kept.write_text("none")
    told: list[dict[str, Any]] = []
    url = f"ws://localhost:{house.folder.port}/api/stream"
    for _ in range(2):
        with closing(names["follow"](url, house.secret_key, kept)) as news:
            told += [next(news) for _ in range(2)]
    assert [one["type"] for one in told[:2]] == ["gap", "transition"]
    assert told[2] == told[1], "what was not dealt with comes again"


def test_a_house_that_stops_ends_its_streams_promptly(house: House) -> None:
    with ExitStack() as open_:
        listeners = [open_.enter_context(connect(house)) for _ in range(5)]
        began = time.monotonic()
        house.stop()
        assert time.monotonic() - began < STOP_S
        for one in listeners:
            with pytest.raises(ConnectionClosed) as caught:
                one.recv(timeout=1)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == RESTARTING
