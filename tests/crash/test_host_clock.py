"""A host's clock is set wrong by a week under a running house: /readyz says so, stamps do not follow, mails come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from livepost.clock import DAY_MS, MINUTE_MS, WallClock
from tests.crash.house import House, wait_until
from tests.crash.load import send, shopper_who_looks_thrice
from tests.crash.stepping_front import FOLLOW, STEP


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house", front="tests.crash.stepping_front")
    yield house
    house.stop()


def readiness(house: House) -> tuple[int, str]:
    """Return what /readyz says."""
    reply = httpx.get(f"http://127.0.0.1:{house.folder.port}/readyz", timeout=30)
    return reply.status_code, reply.text


def stamps(house: House) -> list[int]:
    """Return the stamps of all blocks, in order of the log."""
    with closing(house.folder.log_reader()) as log:
        return [block.stamp for block in log.read(-1, 1_000_000)]


def mailed(house: House) -> set[str]:
    """Return the campaigns of which a mail was sent."""
    with closing(house.folder.ledger()) as ledger:
        return {tally.campaign for tally in ledger.counts() if tally.state == "sent"}


def set_clock(house: House, by_ms: int) -> None:
    """Set the host's clock wrong by so much, at one moment."""
    beside = house.folder.path / "step.new"
    beside.write_text(str(by_ms))
    beside.rename(house.folder.path / STEP)


@pytest.mark.parametrize("days", [7, -7])
def test_a_step_of_the_hosts_clock_turns_readyz_red_and_moves_no_stamp(days: int, house: House) -> None:
    house.start()
    send(house, shopper_who_looks_thrice("ada"))
    assert readiness(house)[0] == 200
    set_clock(house, days * DAY_MS)
    status, why = readiness(house)
    assert status == 503
    assert "the host's clock stepped" in why
    send(house, shopper_who_looks_thrice("bob", "q"))
    wait_until("the mails that wait", lambda: mailed(house) == {"reminder", "come_back"})
    blocks = len(stamps(house))
    set_clock(house, 0)
    wait_until("the house to be ready again", lambda: readiness(house)[0] == 200)
    house.drain()
    seen, now_ms = stamps(house), WallClock().now_ms()
    assert seen == sorted(seen)
    assert now_ms - MINUTE_MS * 5 < seen[0] <= seen[-1] < now_ms + MINUTE_MS
    assert len(seen) - blocks < 100, "expected a tick now and then, not a flood of them"


def test_a_front_that_follows_its_hosts_clock_would_be_found(house: House) -> None:
    (house.folder.path / FOLLOW).touch()
    house.start()
    send(house, shopper_who_looks_thrice("ada"))
    set_clock(house, 7 * DAY_MS)
    send(house, shopper_who_looks_thrice("bob", "q"))
    assert stamps(house)[-1] > WallClock().now_ms() + 6 * DAY_MS
