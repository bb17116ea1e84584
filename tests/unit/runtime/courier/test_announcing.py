"""What happens, in the words of the stream, told over real sockets by threads that wait for nobody but the stores."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Official

from livepost.announce.announcer import Announcer
from livepost.announce.book import Book
from livepost.api.happening import Place, place_of, told
from livepost.clock import SimulatedClock
from livepost.errors import SettingsError
from livepost.ledger.sqlite import SqliteLedger
from livepost.runtime.courier import turning as room
from livepost.runtime.courier.announcing import Stream, announcing
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.engine.happened import Happened
from livepost.settings.settings import Settings
from livepost.settings.webhook import Webhook
from livepost.testing.contracts.ledger import START_MS, asked
from tests.unit.announce.test_signature import OLD
from tests.unit.fetch.receiver import Receiver, Reply, receiving
from tests.unit.runtime.engine.test_happened import Engine

PATIENCE_S = 20.0


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.005)


@pytest.fixture
def ledger() -> Iterator[SqliteLedger]:
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as one:
        one.send(asked(0), START_MS)
        one.claim(START_MS, 10, "courier")
        yield one


def test_a_notice_is_the_streams_message_under_an_id_of_its_own(ledger: SqliteLedger) -> None:
    happened = Happened(Engine(1, 2), ledger)
    batch = Stream(happened, SimulatedClock(START_MS)).after("one.0.0")
    assert [one.kind for one in batch.notices] == ["transition", "transition", "decision", "receipt"]
    place = Place("one", 0, 0)
    for notice, happening in zip(batch.notices, happened.after(place).items, strict=True):
        place = place.after(happening)
        body = json.loads(notice.body())
        assert body["data"] == json.loads(told(happening.message, place))
        assert (body["id"], body["type"], place_of(notice.cursor)) == (notice.id, notice.kind, place)
    assert len({one.id for one in batch.notices}) == 4
    assert not any("." in one.id for one in batch.notices), "a dot parts what is signed"
    assert json.loads(batch.notices[0].body())["timestamp"] == "1970-01-01T00:00:00.001Z"
    assert (batch.end, batch.more) == ("one.2.2", False)


def test_a_gap_is_told_first_and_has_one_id(ledger: SqliteLedger) -> None:
    stream = Stream(Happened(Engine(3, 4), ledger), SimulatedClock(START_MS))
    batch = stream.after("other.9.0")
    assert [(one.kind, one.id) for one in batch.notices] == [("gap", "gap_one_2_0")]
    assert json.loads(batch.notices[0].body())["data"]["type"] == "gap"
    assert [one.kind for one in stream.after(batch.end).notices][:2] == ["transition", "transition"]
    assert stream.end() == "one.4.2"


class House:
    """A data folder with a ledger, an engine that is none, and receivers as targets."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, *receivers: Receiver, **other: Any) -> None:
        monkeypatch.setenv("CRM", OLD)
        monkeypatch.setattr(
            EngineClient, "transitions_after", lambda self, *asked: Engine(1, 2).transitions_after(*asked)
        )
        hooks = [
            Webhook(name=f"to-{one.port}", url=f"http://127.0.0.1:{one.port}/in", secret="env:CRM", **other)
            for one in receivers
        ]
        allowed = [f"127.0.0.1:{one.port}" for one in receivers]
        self.folder = DataFolder(Settings(data=str(path), webhooks=hooks, allow_outgoing=allowed))
        self.ledger = self.folder.ledger()
        self.made = 0

    def happen(self, times: int) -> None:
        for _ in range(times):
            self.ledger.send(asked(self.made), START_MS)
            self.made += 1

    def begun(self) -> bool:
        with closing(Book(self.folder.webhooks_file)) as book:
            return all(book.standing(one.name) is not None for one in self.folder.settings.webhooks)


def test_targets_are_told_what_is_signed_and_a_slow_one_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Reply(204, pause_s=0.5, pieces=(b"x",))
    with receiving() as quick, receiving(lambda request: slow) as sleepy, receiving(lambda _: Reply(500)) as broken:
        house = House(tmp_path, monkeypatch, quick, sleepy, broken)
        with closing(house.ledger), announcing(house.folder) as wake:
            until(house.begun)
            house.happen(20)
            wake()
            until(lambda: len(quick.requests) == 20)
            assert len(sleepy.requests) < 20
            assert len(broken.requests) == 1
    bodies = [Official(OLD).verify(one.body, one.headers) for one in quick.requests]
    assert [one["data"]["id"] for one in bodies] == [asked(n).decision.id.hex() for n in range(20)]
    assert {one["type"] for one in bodies} == {"decision"}
    assert quick.connections == 1
    first = quick.requests[0].headers
    assert (first["Content-Type"], first["webhook-id"]) == ("application/json", bodies[0]["id"])


def test_a_house_that_starts_again_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as one:
        house = House(tmp_path, monkeypatch, one)
        with closing(house.ledger):
            for times in (3, 4, 5):
                with announcing(house.folder):
                    until(house.begun)
                    expected = house.made + times
                    house.happen(times)
                    until(lambda expected=expected: len(one.requests) == expected)  # type: ignore[misc]
                house.happen(2)  # while nobody tells
            with announcing(house.folder):
                until(lambda: len(one.requests) == house.made)
    ids = [json.loads(request.body)["data"]["id"] for request in one.requests]
    assert ids == [asked(n).decision.id.hex() for n in range(house.made)]


def test_an_error_that_nobody_thought_of_is_said_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(room, "FAULT_S", 0.01)
    turn, faults = Announcer.turn, [ValueError("nobody thought of it")]

    def faulty(self: Announcer) -> float:
        if faults:
            raise faults.pop()
        return turn(self)

    monkeypatch.setattr(Announcer, "turn", faulty)
    with receiving() as one:
        house = House(tmp_path, monkeypatch, one)
        with closing(house.ledger), announcing(house.folder):
            until(house.begun)
            house.happen(1)
            until(lambda: len(one.requests) == 1)
    assert "nobody thought of it" in capfd.readouterr().err


def test_without_targets_nothing_is_opened(tmp_path: Path) -> None:
    folder = DataFolder(Settings(data=str(tmp_path)))
    with announcing(folder) as wake:
        wake()
    assert list(tmp_path.iterdir()) == []


def test_a_target_of_no_use_is_refused_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM", OLD)
    hook = Webhook(name="crm", url="https://127.0.0.1/", secret="env:CRM")
    with pytest.raises(SettingsError, match="the webhook crm"), announcing(DataFolder(Settings(webhooks=[hook]))):
        pass
