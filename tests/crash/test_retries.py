"""Sending again is always safe: an id is folded once whatever happens around it, other content under it is put aside.

Hypothesis draws what clients do, LIVEPOST_RETRY_EXAMPLES times; and 200 clients race with one id through a real front.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livepost.clock import DAY_MS, SimulatedClock
from livepost.engine.seen import DAY_MS as DEDUPE_DAY_MS
from livepost.engine.seen import REMEMBERED_DAYS
from livepost.intake.call import Call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival
from livepost.intake.writer import Intake, Stores
from livepost.log.memory import MemoryLog
from livepost.model.record import KeyKind
from livepost.process.dedupe import CONFLICT
from livepost.process.people import FATES
from livepost.runtime.engine.worker import Worker
from livepost.state.memory import MemoryState
from livepost.vault.base import USER, ExternalId
from livepost.vault.memory import MemoryVault
from tests.conservation import vanished_between
from tests.crash.counter import shop
from tests.crash.house import House

EXAMPLES = int(os.environ.get("LIVEPOST_RETRY_EXAMPLES", "150"))
RACERS = 200
START_MS = 1_800_000_000_000
IDS = ("a", "b", "c")
USERS = ("ada", "bob")
SOURCES = ("website", "server")


@dataclass(frozen=True)
class Sent:
    """One message: an id of a source, and one of a few contents."""

    source: str
    id: str
    content: int


@dataclass(frozen=True)
class Passed:
    """Time passes."""

    ms: int


@dataclass(frozen=True)
class Restarted:
    """The engine is started again."""


MESSAGES = st.builds(Sent, st.sampled_from(SOURCES), st.sampled_from(IDS), st.integers(0, 2))
DOINGS = st.lists(
    st.one_of(
        st.lists(MESSAGES, min_size=1, max_size=5).map(tuple),
        st.builds(Passed, st.sampled_from((1, 1_000, DAY_MS, 20 * DAY_MS))),
        st.just(Restarted()),
    ),
    max_size=12,
)


class Line:
    """Intake and engine in memory; the engine can be started again on what its store has."""

    def __init__(self) -> None:
        settings, project = shop()
        self.clock = SimulatedClock(START_MS)
        self.log = MemoryLog(self.clock, host=self.clock)
        self.store = MemoryState()
        self.vault = MemoryVault()
        self._compiled, self._workspace = project.compiled, settings.workspace
        self._intake = Intake(Stores(self.log, self.vault), TrackingPlan(self._compiled), workspace=self._workspace)
        self.restart()

    def restart(self) -> None:
        self.worker = Worker(self._compiled, self.store, self.log, self.clock, self._workspace)

    def send(self, messages: tuple[Sent, ...]) -> None:
        for message in messages:
            arrival = Arrival(source=message.source, key=KeyKind.SECRET, received_at=self.clock.now_ms())
            self._intake.take([msgspec.convert(call(message.id, message.content), Call)], arrival)
        while self.worker.turn():
            pass

    def views(self) -> dict[str, int]:
        """Return how often each user was seen looking."""
        found = {}
        for user in USERS:
            keys = self.vault.find(ExternalId(USER, user))
            view = self.worker.people([keys.subject]).get(keys.subject) if keys else None
            found[user] = view.features["views"] if view else 0
        return found


def call(id: str, content: int) -> dict[str, Any]:
    """Return a message of an id; each content is another event, 2 of another person."""
    return {
        "type": "track",
        "messageId": id,
        "userId": USERS[content == 2],
        "event": "Product Viewed",
        "properties": {"product_id": f"p{content}"},
    }


@dataclass
class Expected:
    """The rule itself, written down once more: the first content of an id counts for 30 days."""

    views: dict[str, int]
    counts: dict[str, int]
    known: dict[tuple[str, str], tuple[int, int]]

    def take(self, message: Sent, day: int) -> None:
        key = (message.source, message.id)
        content, since = self.known.get(key, (-1, 0))
        if content < 0 or day - since > REMEMBERED_DAYS:
            self.known[key] = (message.content, day)
            self.views[USERS[message.content == 2]] += 1
            self.counts["processed"] += 1
        else:
            self.counts["duplicate" if content == message.content else "dead_lettered"] += 1


def trouble_with(line: Line, doings: list[Any]) -> str:
    """Do what clients do; say in what the line differs from the rule."""
    expected = Expected(dict.fromkeys(USERS, 0), dict.fromkeys(("processed", "duplicate", "dead_lettered"), 0), {})
    for doing in doings:
        match doing:
            case Passed(ms=ms):
                line.clock.advance(ms)
            case Restarted():
                line.restart()
            case messages:
                line.send(messages)
                for message in messages:
                    expected.take(message, line.clock.now_ms() // DEDUPE_DAY_MS)
    counts = {fate: count for fate, count in line.worker.status().counts.items() if fate in expected.counts}
    if (line.views(), counts) != (expected.views, expected.counts):
        return f"expected {expected.views} {expected.counts}, got {line.views()} {counts}"
    if any(letter.reason != CONFLICT for letter in line.worker.dead(-1, 1000)):
        return "a dead letter has another reason"
    return vanished_between(line.log, line.store)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(DOINGS)
def test_an_id_is_folded_once_and_other_content_under_it_is_put_aside(doings: list[Any]) -> None:
    assert trouble_with(Line(), doings) == ""


class Forgetful(Line):
    """The fault put in: an engine that was started again has forgotten which ids it knows."""

    def restart(self) -> None:
        super().restart()
        self.worker.shard.seen = type(self.worker.shard.seen)()


def test_an_engine_that_forgets_ids_would_be_found() -> None:
    doings: list[Any] = [(Sent("website", "a", 0),), Restarted(), (Sent("website", "a", 0),)]
    assert trouble_with(Line(), doings) == ""
    assert "expected" in trouble_with(Forgetful(), doings)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house")
    house.start()
    yield house
    house.stop()


async def raced(house: House, calls: list[dict[str, Any]]) -> list[int]:
    """Send all calls at one moment, a connection each; return the statuses."""
    limits = httpx.Limits(max_connections=len(calls))
    async with httpx.AsyncClient(limits=limits, timeout=60, auth=(house.secret_key, "")) as client:
        url = f"http://127.0.0.1:{house.folder.port}/v1/track"
        replies = await asyncio.gather(*(client.post(url, json=call) for call in calls))
    return [reply.status_code for reply in replies]


def counts_of(house: House) -> dict[str, int]:
    with closing(house.folder.state()) as state:
        loaded = state.loaded()
    assert loaded is not None
    return {fate: loaded.counts[fate] for fate in FATES if loaded.counts.get(fate)}


def test_of_200_that_race_with_one_id_one_counts(house: House) -> None:
    assert asyncio.run(raced(house, [call("race", 0)] * RACERS)) == [200] * RACERS
    house.drain()
    house.stop()
    assert counts_of(house) == {"processed": 1, "duplicate": RACERS - 1}


def test_of_200_that_race_with_two_contents_one_counts_and_the_other_content_is_put_aside(house: House) -> None:
    assert asyncio.run(raced(house, [call("race", place % 2) for place in range(RACERS)])) == [200] * RACERS
    house.drain()
    house.stop()
    assert counts_of(house) == {"processed": 1, "duplicate": RACERS // 2 - 1, "dead_lettered": RACERS // 2}
