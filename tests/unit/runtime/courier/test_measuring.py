"""Reading the log for hits and orders: each stretch once, whatever stops it, beside the mails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from livepost.clock import SimulatedClock
from livepost.errors import StoreError
from livepost.ids import digest
from livepost.ledger.base import Ledger
from livepost.ledger.sqlite import SqliteLedger
from livepost.log.memory import MemoryLog
from livepost.measure.click import clicked
from livepost.model.earning import Measured
from livepost.model.record import Record
from livepost.runtime.courier import measuring as room
from livepost.runtime.courier.measuring import BREATH_S, IDLE_S, READ_AT_ONCE, measure_next, measuring
from livepost.settings.settings import Settings
from livepost.testing.contracts.earnings import WITHIN_MS, earned
from livepost.testing.contracts.ledger import ADA, START_MS, decision, page
from tests.unit.runtime.still import StillHouse, make_project

PATIENCE_S = 20.0


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with closing(SqliteLedger(":memory:", SimulatedClock(START_MS))) as one:
        one.take_over(page(decision(1)), START_MS)
        yield one


def a_log() -> MemoryLog:
    return MemoryLog(SimulatedClock(START_MS + 100))


def order(number: int) -> Record:
    return Record(
        source="web",
        subject=ADA,
        message_id=f"m{number}",
        name="Order Completed",
        effective_ts=START_MS + 50 + number,
        properties={"order_id": f"o{number}", "total": [1_001, "USD"]},
        content_hash=digest(number),
    )


def click() -> Record:
    return clicked(decision(1).id, ADA, 0, START_MS + 20, known=True)


def test_the_log_is_measured_stretch_by_stretch_and_each_once(ledger: Ledger) -> None:
    log = a_log()
    assert measure_next(log, ledger) is False
    log.append([click()])
    log.append([order(1), order(1)])
    while measure_next(log, ledger):
        pass
    assert (ledger.measured(), ledger.earned(WITHIN_MS)) == (2, [earned()])
    log.append([order(2)])
    assert (measure_next(log, ledger), measure_next(log, ledger)) == (True, False)
    assert ledger.earned(WITHIN_MS) == [earned(orders=2, amount=2_002)]


def test_what_retention_has_dropped_is_passed_over(ledger: Ledger) -> None:
    log = a_log()
    log.append([order(1)])
    log.append([click(), order(2)])
    log.prune(1, START_MS + 1_000)
    while measure_next(log, ledger):
        pass
    assert ledger.earned(WITHIN_MS) == [earned()]


def test_a_stretch_that_was_not_taken_comes_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    log = a_log()
    log.append([click(), order(1)])

    def busy(told: Measured) -> None:
        raise StoreError("the ledger is busy")

    with monkeypatch.context() as away:
        away.setattr(ledger, "measure", busy)
        with pytest.raises(StoreError):
            measure_next(log, ledger)
    assert measure_next(log, ledger)
    assert ledger.earned(WITHIN_MS) == [earned()]


@pytest.mark.parametrize(("at_once", "rest_s"), [(READ_AT_ONCE, IDLE_S), (2, BREATH_S)])
def test_behind_a_short_stretch_it_rests_longer_since_each_is_a_commit(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, at_once: int, rest_s: float
) -> None:
    log, rests = a_log(), list[float]()
    log.append([order(1)])
    monkeypatch.setattr(room, "READ_AT_ONCE", at_once)
    over: Any = SimpleNamespace(wait=rests.append)
    assert room._turn(log, ledger, over) == 0
    assert rests == [rest_s]
    assert (room._turn(log, ledger, over), len(rests)) == (IDLE_S, 1)


def test_it_measures_beside_the_mails_until_the_house_stops(tmp_path: Path) -> None:
    house = StillHouse(make_project(tmp_path / "shop"))
    with measuring(house.folder) as wake, closing(house.folder.ledger()) as ledger:
        with closing(house.folder.log()) as log:
            last = log.append([order(1)]).last
        wake()
        deadline = time.monotonic() + PATIENCE_S
        while ledger.measured() < last and time.monotonic() < deadline:
            wake()
        assert ledger.measured() == last


def test_the_time_in_which_an_order_is_put_down_to_a_click_is_a_setting() -> None:
    assert Settings().attribution_ms == 7 * 86_400_000
