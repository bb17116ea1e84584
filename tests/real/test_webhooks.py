"""Webhooks of a running house, taken by receivers on this machine: every message, signed, in order, across kills.

The oracle is the stores themselves, read when the house has stopped, and the library of those who wrote the
specification.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Official

from livepost.announce.book import Book, Standing
from livepost.announce.signature import new_secret
from livepost.runtime.engine.client import EngineClient
from tests.crash.house import SHOP, House, wait_until
from tests.real.test_stream import heard, moves_of, shop, transitions_of
from tests.unit.fetch.receiver import Receiver, Reply, Request, receiving

SECRET = new_secret(b"a secret of the tests, 32 bytes!")
PEOPLE = 12
KILLS = 4


class Taking:
    """A receiver that takes its time with each message, and has taken it if whoever sent it waited for the answer."""

    def __init__(self, pause_s: float) -> None:
        self.taken: list[Request] = []
        self.holds = False
        self._pause_s = pause_s

    def __call__(self, request: Request) -> Reply:
        self.holds = True
        time.sleep(self._pause_s)
        self.holds = False
        if request.is_awaited():
            self.taken.append(request)
        return Reply(204)

    def bodies(self) -> list[dict[str, Any]]:
        """Return what was taken, each verified, a message that was repeated once."""
        found = {one.headers["webhook-id"]: Official(SECRET).verify(one.body, one.headers) for one in self.taken}
        assert all(id == body["id"] for id, body in found.items())
        return [*found.values()]


class Houses:
    """Makes houses that tell receivers; ends them."""

    def __init__(self, path: Path, open_: ExitStack) -> None:
        self._path = path
        self._open = open_

    def receiver(self, reply: Callable[[Request], Reply]) -> Receiver:
        return self._open.enter_context(receiving(reply))

    def start(self, *receivers: Receiver, courier: str = "", **other: Any) -> House:
        hooks = [
            {"name": f"to-{n}", "url": f"http://127.0.0.1:{one.port}/in", "secret": "env:HOOK_SECRET", **other}
            for n, one in enumerate(receivers)
        ]
        self.environment = {
            "LIVEPOST_WEBHOOKS": json.dumps(hooks),
            "LIVEPOST_ALLOW_OUTGOING": json.dumps([f"127.0.0.1:{one.port}" for one in receivers]),
            "HOOK_SECRET": SECRET,
        }
        house = House(self._path / "data", courier=courier, settings=self.environment)
        house.start()
        self._open.callback(house.stop)
        with closing(EngineClient(house.folder)) as engine:
            wait_until("the engine to answer", lambda: engine.status().position >= -1)
        wait_until("the targets to begin", lambda: all(standing(house, n) for n in range(len(receivers))))
        return house


@pytest.fixture
def houses(tmp_path: Path) -> Iterator[Houses]:
    with ExitStack() as open_:
        yield Houses(tmp_path, open_)


def standing(house: House, number: int) -> Standing | None:
    with closing(Book(house.folder.webhooks_file)) as book:
        return book.standing(f"to-{number}")


def is_told_all(house: House, number: int) -> bool:
    """Say whether a target has all that there is; nothing is under way in the house."""
    found = standing(house, number)
    with closing(house.folder.ledger()) as ledger:
        return found is not None and found.cursor.endswith(f".{ledger.last_move()}") and not found.sent


def busy(house: House, *kills: str) -> None:
    """Let people shop, and kill processes between them."""
    for number in range(PEOPLE):
        shop(house, f"person-{number}")
        if kills and number % (PEOPLE // len(kills)) == 1:
            time.sleep(0.3)  # for something to be under way
            house.kill(kills[number // (PEOPLE // len(kills))])
    house.drain()


def test_all_is_told_signed_and_in_order_across_kills(houses: Houses) -> None:
    quick, slow = Taking(0.0), Taking(0.02)
    house = houses.start(houses.receiver(quick), houses.receiver(slow))
    busy(house, *["courier"] * KILLS, "engine", "front")
    wait_until("both to be told all", lambda: is_told_all(house, 0) and is_told_all(house, 1))
    house.stop()
    expected = (transitions_of(house), moves_of(house))
    assert len(expected[0]) >= PEOPLE
    for one in (quick, slow):
        bodies = one.bodies()
        assert heard([body["data"] for body in bodies]) == expected
        assert {body["type"] for body in bodies} == {"transition", "decision", "receipt"}
        assert len(one.taken) <= len(bodies) + KILLS + 2, "a kill repeats what was under way, no more"
    left = b"".join(one.body + str(one.headers).encode() for one in (*quick.taken, *slow.taken))
    assert personal_in(left + written(house)) == []
    assert personal_in(left + b"mail for person-7") == [b"person-7"], "it would be found"


def test_a_courier_that_notes_before_the_answer_loses_messages(houses: Houses) -> None:
    """The negative control: killed while a message is under way, it never sends that one again."""
    taking = Taking(0.3)
    house = houses.start(houses.receiver(taking), courier="tests.real.hasty_courier", events=["decision", "receipt"])
    for number in range(KILLS):
        shop(house, f"person-{number}")
        wait_until("a message to be under way", lambda: taking.holds)
        house.kill("courier")
    house.drain()
    wait_until("it to think that all is told", lambda: is_told_all(house, 0))
    house.stop()
    moves = heard([body["data"] for body in taking.bodies()])[1]
    assert set(moves) < set(moves_of(house)), "expected a message that was not taken to be missing"


def test_failing_leaving_and_hanging_receivers_hold_up_no_mail_and_no_other(houses: Houses) -> None:
    taking, healed = Taking(0.0), []
    leaving = houses.receiver(lambda _: Reply(410))
    failing = houses.receiver(lambda _: Reply(204 if healed else 500))
    hanging = houses.receiver(lambda _: Reply(200, pieces=(b"x",) * 3, pause_s=2.0))
    house = houses.start(houses.receiver(taking), leaving, failing, hanging, tries=1)
    busy(house)
    wait_until("the first to be told all", lambda: is_told_all(house, 0))
    left = standing(house, 1)
    assert left is not None and left.disabled == "it answered 410: it wants no more"
    assert len(leaving.requests) == 1
    wait_until("all of the failing one's to be put aside", lambda: is_told_all(house, 2))
    assert not is_told_all(house, 3)
    house.stop()
    expected = len(transitions_of(house)) + len(moves_of(house))
    assert len(taking.taken) == expected
    with closing(Book(house.folder.webhooks_file)) as book:
        assert book.waiting("to-2") == expected
    assert b'"type":"receipt"' in written(house)
    assert personal_in(written(house)) == []
    before = len(failing.requests)
    healed.append(True)
    assert livepost(houses, house, "webhooks", "replay", "--all").returncode == 1, "those of the hanging one"
    assert [one.headers["webhook-id"] for one in failing.requests[before:]] == [
        one.headers["webhook-id"] for one in failing.requests[:before]
    ]
    with closing(Book(house.folder.webhooks_file)) as book:
        assert book.waiting("to-2") == 0


def test_a_wait_is_kept_across_a_kill_and_retry_after_is_heard(houses: Houses) -> None:
    answers = [Reply(503, {"Retry-After": "8"})]
    receiver = houses.receiver(lambda _: answers.pop(0) if answers else Reply(204))
    house = houses.start(receiver)
    shop(house, "ada")
    wait_until("a failure, kept", lambda: (one := standing(house, 0)) is not None and one.sent == 1)
    house.kill("courier")
    house.drain()
    wait_until("all to be told", lambda: is_told_all(house, 0))
    first, second = receiver.requests[:2]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert second.at - first.at >= 8 - 0.1


def written(house: House) -> bytes:
    """Return all bytes of the book."""
    return b"".join(path.read_bytes() for path in sorted(house.folder.path.glob("webhooks.db*")))


def personal_in(raw: bytes) -> list[bytes]:
    """Return the names and addresses of people that stand in bytes."""
    return re.findall(rb"person-[0-9]+|[^ ]*@example.com", raw)


def livepost(houses: Houses, house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the shop's folder."""
    return subprocess.run(
        [sys.executable, "-m", "livepost.cli", *arguments],
        cwd=SHOP,
        env={**house._environment, **houses.environment},
        capture_output=True,
        text=True,
        check=False,
    )
