"""The demo as people see it: its mails are read, so that within a minute every page has something to show."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from livepost.demo.house import DemoHouse
from livepost.demo.readers import CHANGED_FILE, LETTER, changed_households
from livepost.ledger.base import Ledger

PATIENCE_S = 90.0
SPEED = 2_000.0
"""So fast that what takes a minute at the demo's own speed takes less than half of one."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHouse]:
    """A demo with readers."""
    house = DemoHouse(tmp_path_factory.mktemp("read"), 0, SPEED, readers=True)
    try:
        house.start()
        yield house
    finally:
        house.stop()


def outcomes(ledger: Ledger) -> Counter[str]:
    """Return of how many mails what is known, of all campaigns."""
    told: Counter[str] = Counter()
    for one in ledger.outcome_counts():
        told[one.outcome] += one.count
    return told


def comes(what: Callable[[], bool]) -> bool:
    """Wait until something holds; say whether it did."""
    give_up = time.monotonic() + PATIENCE_S
    while not what() and time.monotonic() < give_up:
        time.sleep(0.2)
    return what()


def test_mails_are_opened_and_clicked_and_orders_follow_and_no_reader_is_a_machine(house: DemoHouse) -> None:
    with closing(house.folder.ledger()) as ledger:
        assert comes(lambda: outcomes(ledger)["clicked"] >= 10)
        assert comes(lambda: sum(one.orders for one in ledger.earned(house.folder.settings.attribution_ms)) > 0)
        told = outcomes(ledger)
        assert told["opened"] > 0
        assert told["machine_clicked"] == told["machine_opened"] == 0
    assert changed_households(house.folder.path / CHANGED_FILE)


def test_one_letter_goes_out_and_the_next_waits_for_somebody(house: DemoHouse) -> None:
    with closing(house.folder.ledger()) as ledger:
        assert comes(lambda: len(ledger.broadcasts()) == 2)
        waits, went = ledger.broadcasts()
        assert (waits.campaign, waits.approved_at, waits.position) == (LETTER, 0, -1)
        assert went.position >= 0 and waits.people > went.people
        counted = {one.what for one in ledger.broadcast_counts() if one.broadcast == went.id}
        assert comes(lambda: "sent" in {one.what for one in ledger.broadcast_counts()}), counted
        assert {one.broadcast for one in ledger.broadcast_counts()} == {went.id}
