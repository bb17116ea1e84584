"""Waves: many people due at once. `complete_to` waits for all of them; who comes meanwhile does not.

300 people viewed something at one moment, so they become quiet at one moment an hour later. From then on an order
of somebody else comes before each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from livepost.clock import HOUR_MS, SimulatedClock
from livepost.deliver import courier as loop
from livepost.deliver.courier import Courier, take_over
from livepost.deliver.memory import MemoryKeep
from livepost.ids import digest
from livepost.ledger.base import TakenOver
from livepost.ledger.sqlite import SqliteLedger
from livepost.log.memory import MemoryLog
from livepost.model.compiled import CampaignSpec, Compiled, FeatureSpec, SegmentSpec
from livepost.model.decision import Decision
from livepost.model.record import Kind, Record
from livepost.process.stage import WAVE
from livepost.runtime.engine.worker import Worker
from livepost.state.memory import MemoryState
from tests.properties.driver import WORKSPACE
from tests.properties.generators import START, compare, node

PEOPLE = 300
LIMIT = 20
STEPS = PEOPLE // LIMIT
SHOP = Compiled(
    features=(FeatureSpec(name="viewed", kind="since", event="Viewed"),),
    segments=(
        SegmentSpec(
            name="quiet", condition=compare(node("feature", "viewed"), ">=", node("const", HOUR_MS)), version="1"
        ),
    ),
    campaigns=(
        CampaignSpec(name="return", audience="quiet", class_="transactional", version="1"),
        CampaignSpec(name="thank", on="Ordered", class_="transactional", version="1"),
    ),
)


@dataclass
class Wave:
    """A worker that takes at most `limit` people who are due beside a step's records, right before the wave."""

    limit: int
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(START))

    def __post_init__(self) -> None:
        self.log = MemoryLog(self.clock, host=self.clock)
        self.worker = Worker(SHOP, MemoryState(), self.log, self.clock, WORKSPACE, self.limit)
        self.log.append([self._event(f"viewer-{number}", "Viewed") for number in range(PEOPLE)])
        while self.worker.turn():
            pass
        self.before = self.worker.shard.complete_to
        self.clock.advance(HOUR_MS)
        self.log.append([Record(kind=Kind.TICK)])

    def order(self, number: int) -> int:
        """Let somebody new order something now; return the record's position."""
        self.clock.advance(1)
        return self.log.append([self._event(f"buyer-{number}", "Ordered")]).last

    def decided(self) -> list[Decision]:
        """Return what the outbox has, whole."""
        items = self.worker.decisions(-1, 10 * PEOPLE).items
        return [item for item in items if isinstance(item, Decision)]

    def _event(self, who: str, name: str) -> Record:
        return Record(
            source="web",
            subject=digest(who),
            message_id=who,
            name=name,
            effective_ts=self.clock.now_ms(),
            content_hash=digest(name, who),
        )


def at_work(wave: Wave) -> list[tuple[bool, bool, int]]:
    """Work the wave off with an order before each step.

    Return, per step: whether the order's decision was there right behind it, whether `complete_to` still waited, and
    how many of the wave were decided.
    """
    told, served = [], 0
    for number in range(STEPS):
        position = wave.order(number)
        assert wave.worker.turn()
        decided = wave.decided()
        returning = sum(one.campaign == "return" for one in decided)
        thanked = any((one.campaign, one.position) == ("thank", position) for one in decided)
        told.append((thanked, wave.worker.shard.complete_to == wave.before, returning - served))
        served = returning
    return told


def test_a_live_decision_is_there_with_its_step_while_complete_to_waits_for_the_wave() -> None:
    wave = Wave(LIMIT)
    *during, last = at_work(wave)
    assert during == [(True, True, LIMIT)] * (STEPS - 1)
    assert last == (True, False, LIMIT)
    assert wave.worker.shard.complete_to == wave.worker.shard.position
    assert len({one.id for one in wave.decided()}) == PEOPLE + STEPS


def test_without_the_limit_one_step_takes_the_whole_wave_and_what_comes_then_waits_for_it() -> None:
    """The negative control."""
    assert [served for _, _, served in at_work(Wave(1_000_000))] == [PEOPLE] + [0] * (STEPS - 1)


def test_a_wave_gives_the_same_ids_and_positions_whatever_its_limit() -> None:
    waves = [Wave(limit) for limit in (LIMIT, 1_000_000, 1)]
    for wave in waves:
        at_work(wave)
        while wave.worker.turn():
            pass
    first, *others = [sorted((one.id, one.position, one.at, one.skip) for one in wave.decided()) for wave in waves]
    assert all(other == first for other in others)


def test_the_limit_in_use_is_a_few_hundred_people() -> None:
    assert 200 <= WAVE <= 1_000


def all_taken_over(courier: Courier) -> TakenOver:
    """Take over until there is no more: one call reads only so many pages."""
    while (taken := take_over(courier)).inserted:
        pass
    return taken


@pytest.mark.parametrize("page", [1, 7, 10_000])
def test_the_ledger_has_live_decisions_while_its_cursor_waits_for_the_wave(
    page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PAGE_ITEMS", page)
    wave = Wave(LIMIT)
    ledger = SqliteLedger(":memory:", host=wave.clock)
    courier = Courier(
        engine=wave.worker,
        ledger=ledger,
        maker=None,
        sender=MemoryKeep(wave.clock),
        blind=lambda address: b"",
        outcomes=None,
        clock=wave.clock,
    )
    for number in range(3):
        position = wave.order(number)
        wave.worker.turn()
        taken = all_taken_over(courier)
        assert (taken.cursor, taken.diverged) == (wave.before, 0)
        assert position in {one.decision.position for one in ledger.deliveries(limit=1_000)}
    while wave.worker.turn():
        pass
    assert all_taken_over(courier).cursor == wave.worker.shard.complete_to
    assert sum(tally.count for tally in ledger.counts()) == PEOPLE + 3
    ledger.close()
