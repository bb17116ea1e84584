"""The negative control of "an order goes to the last click of its person": the same check with a fault put in."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.ledger import earnings
from livepost.ledger.sqlite import SqliteLedger
from livepost.testing.contracts.earnings import Happened, earned_wrongly
from livepost.testing.contracts.ledger import START_MS

LAST = earnings._LAST_CLICKS

FIRST_CLICK = LAST.replace("c.at DESC, c.id DESC", "c.at, c.id")
NO_WINDOW = LAST.replace("o.at < c.at + ?", "o.at < c.at + 100000 + ?")
ANY_CLICK = LAST.replace("o.at >= c.at AND", "")
CLICKS: list[Happened] = [("click", 0, 10, 0), ("click", 3, 20, 0), ("order", 0, 30, 1)]

FAULTS: dict[str, tuple[str, list[Happened]]] = {
    "the first click": (FIRST_CLICK, CLICKS),
    "a click of long ago": (NO_WINDOW, [("click", 0, 0, 0), ("order", 0, 150, 1)]),
    "a click behind the order": (ANY_CLICK, [("order", 0, 5, 1), ("click", 0, 50, 0)]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_order_that_goes_to_another_click_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words, life = FAULTS[fault]
    assert earned_wrongly(_ledger(), life) == []
    monkeypatch.setattr(earnings, "_LAST_CLICKS", words)
    assert earned_wrongly(_ledger(), life) != []


def test_orders_that_a_merge_leaves_behind_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    life: list[Happened] = [("click", 0, 10, 0), ("order", 1, 20, 1), ("merge", 1, 0, 0)]
    assert earned_wrongly(_ledger(), life) == []
    monkeypatch.setattr(earnings, "merge", lambda store, source, target: None)
    assert earned_wrongly(_ledger(), life) != []


def test_a_machines_click_that_counts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    life: list[Happened] = [("machine", 0, 10, 0), ("order", 0, 20, 1)]
    assert earned_wrongly(_ledger(), life) == []
    take_hit = earnings._take_hit
    as_a_persons = partial(msgspec.structs.replace, kind="clicked")
    monkeypatch.setattr(earnings, "_take_hit", lambda store, hit: take_hit(store, as_a_persons(hit)))
    assert earned_wrongly(_ledger(), life) != []


def _ledger() -> SqliteLedger:
    return SqliteLedger(":memory:", SimulatedClock(START_MS))
