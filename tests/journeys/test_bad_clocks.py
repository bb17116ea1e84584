"""Bad clocks: of hosts that are set wrong and right again, of clients that live in other decades; and odd dates.

Mails go out at the same moments of real time, whatever a clock says meanwhile.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from livepost.clock import DAY_MS, SECOND_MS, SimulatedClock, SteadyClock
from livepost.intake.call import read_call
from livepost.model.record import KeyKind
from livepost.runtime.simulated import SimulatedHouse
from tests.crash.counter import shop
from tests.crash.load import shopper_who_looks_thrice
from tests.journeys.test_poison import a_house, lived, told

START_MS = 1_800_000_000_000
YEARS_MS = 3_653 * DAY_MS
STEP_MS = 100
REAL_MS = 6_000


class HostClock(SimulatedClock):
    """A host's wall clock, which may be set, over real time, which may not."""

    def __init__(self, start_ms: int) -> None:
        super().__init__(start_ms)
        self.set_by_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.set_by_ms

    def real_ms(self) -> float:
        return super().now_ms()


class SteadyHost(HostClock):
    """The clock of a Livepost that runs on such a host."""

    def __init__(self, start_ms: int) -> None:
        super().__init__(start_ms)
        self._steady = SteadyClock(_Wall(self), self.real_ms)

    def now_ms(self) -> int:
        return self._steady.now_ms()

    def wall_ms(self) -> int:
        return HostClock.now_ms(self)


class _Wall:
    def __init__(self, host: SteadyHost) -> None:
        self._host = host

    def now_ms(self) -> int:
        return self._host.wall_ms()


def mails(clock: HostClock, steps: dict[int, int], start_ms: int = START_MS) -> list[tuple[int, str]]:
    """Let three shoppers look, and clocks be set (real ms -> by how much, ms); return when which mails went out."""
    settings, project = shop()
    house = SimulatedHouse(project, settings, clock)
    sent: list[tuple[int, str]] = []
    for at in range(0, REAL_MS, STEP_MS):
        clock.set_by_ms = steps.get(at, clock.set_by_ms)
        if at % 1_000 == 0:
            house_takes(house, *shopper_who_looks_thrice(f"shopper-{at}"))
        house.advance(STEP_MS)
        known = house.keep.mails[len(sent) :]
        deliveries = [house.ledger.delivery(mail.decision) for mail in known]
        sent += [(int(clock.real_ms()) - start_ms, one.decision.campaign) for one in deliveries if one is not None]
    stamps = [block.stamp for block in house.log.read(-1, 1_000_000)]
    assert stamps == sorted(stamps)
    house.close()
    return sent


def house_takes(house: SimulatedHouse, *calls: dict[str, Any]) -> None:
    for call in calls:
        house.take([read_call(json.dumps(call).encode())], KeyKind.SECRET)


@pytest.mark.parametrize("days", [7, -7])
@pytest.mark.parametrize("back", [None, 3_000])
def test_a_host_clock_that_steps_by_days_makes_no_mail_early_or_late(days: int, back: int | None) -> None:
    wanted = mails(SteadyHost(START_MS), {})
    steps = {1_500: days * DAY_MS} | ({} if back is None else {back: 0})
    assert len(wanted) > 5
    assert mails(SteadyHost(START_MS), steps) == wanted


@pytest.mark.parametrize("days", [7, -7])
def test_a_house_that_follows_its_hosts_clock_would_be_found(days: int) -> None:
    """The negative control: mails come early after a step ahead, and none after one back."""
    wanted = mails(HostClock(START_MS), {})
    assert mails(HostClock(START_MS), {1_500: days * DAY_MS}) != wanted


@pytest.mark.parametrize(
    "start",
    [
        datetime(2028, 2, 28, 23, 59, 58, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, 58, tzinfo=UTC),
        datetime(2026, 3, 29, 0, 59, 58, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 59, 58, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 5, tzinfo=UTC),
    ],
    ids=["to the leap day", "from the leap day", "to summer time", "to winter time", "to a new year", "past 2^31 s"],
)
def test_waits_are_as_long_over_odd_dates_as_on_any_day(start: datetime) -> None:
    at = int(start.timestamp()) * SECOND_MS
    wanted = mails(SteadyHost(START_MS), {})
    assert mails(SteadyHost(at), {}, at) == wanted


def looked(name: str, **when: str) -> dict[str, Any]:
    return {
        "type": "track",
        "userId": name,
        "event": "Product Viewed",
        "properties": {"product_id": "p"},
        **when,
    }


def written(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


@pytest.mark.parametrize("years_ms", [YEARS_MS, -YEARS_MS])
def test_an_event_of_another_decade_moves_nobody_elses_time(years_ms: int) -> None:
    with a_house() as clean:
        wanted = lived(clean)
    with a_house() as house:
        assert lived(house, *[looked("odd", timestamp=written(START_MS + years_ms)) for _ in range(9)]) == wanted
        assert house.worker.shard.as_of == START_MS + 10_000
        letters = [letter.reason for letter in house.worker.dead(-1, 100)]
    assert len(letters) == (0 if years_ms > 0 else 9)
    assert all(reason.startswith("late: ") for reason in letters)


@pytest.mark.parametrize("years_ms", [YEARS_MS, -YEARS_MS])
def test_a_client_whose_clock_is_years_off_is_understood_by_its_own_sent_at(years_ms: int) -> None:
    with a_house() as house:
        there = START_MS + years_ms
        told(house, looked("ada", timestamp=written(there - 500), sentAt=written(there)))
        subject = house.subject("ada")
        assert subject is not None
        view = house.person(subject)
        assert view is not None
        assert (view.features["views"], view.features["views_1h"]) == (1, 1)
        (block,) = house.log.read(-1, 1)[:1]
        assert block.record(0).effective_ts == START_MS - 500
