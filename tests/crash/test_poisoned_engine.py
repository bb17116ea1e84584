"""An event that kills the engine's process is tried three times alone, then set aside; the line goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from livepost.runtime.engine.attempts import ATTEMPTS_MAX
from tests.crash.house import House
from tests.crash.load import send, shopper_who_looks_thrice
from tests.crash.poisoned_engine import POISON


def orders(number: int) -> Iterator[dict[str, Any]]:
    """Go through orders of one shopper, the poison among them."""
    for order in [f"o-{place}" for place in range(number)] + [POISON] + [f"p-{place}" for place in range(number)]:
        yield {
            "type": "track",
            "messageId": order,
            "userId": "user-ada",
            "event": "Order Completed",
            "properties": {"order_id": order, "total": 1},
        }


def test_an_event_that_kills_the_engine_is_found_and_set_aside(tmp_path: Path) -> None:
    house = House(tmp_path / "house", engine="tests.crash.poisoned_engine")
    house.start()
    try:
        send(house, shopper_who_looks_thrice("ada"))
        send(house, orders(1))
        house.drain()
    finally:
        house.stop()
    with closing(house.folder.state()) as state:
        loaded = state.loaded()
        (letter,) = state.dead(-1, 10)
    assert loaded is not None
    assert loaded.counts["dead_lettered"] == 1
    assert letter.reason.startswith(f"handler error: it ended the engine's process {ATTEMPTS_MAX} times")
    with closing(house.folder.log_reader()) as log:
        (block,) = log.read(letter.position - 1, 1)
        assert block.record(0).message_id == POISON
    with closing(house.folder.ledger()) as ledger:
        sent = [tally.count for tally in ledger.counts() if tally.campaign == "receipt"]
    assert sent == [2]
