"""Pages of what happened, from a worker's state and a ledger: numbers, order, gaps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from livepost.api.happening import NOWHERE, Page, Place, kind_of
from livepost.clock import SimulatedClock
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.decision import Transition
from livepost.model.told import TransitionPage
from livepost.runtime.engine import happened
from livepost.runtime.engine.happened import AHEAD, ANOTHER_EPOCH, FORGOTTEN, Happened
from livepost.testing.contracts.ledger import START_MS, asked


class Engine:
    """An engine with transitions `first` to `last` of an epoch."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, last

    def transitions_after(self, number: int, limit: int) -> TransitionPage:
        numbers = range(max(number + 1, self.first), min(self.last, number + limit) + 1)
        items = [(n, _transition(n)) for n in numbers]
        return TransitionPage(epoch="one", first=self.first, last=self.last, items=items)


def _transition(number: int) -> Transition:
    return Transition(
        id=b"%16d" % number,
        person=b"p" * 16,
        segment="keen",
        version="v",
        number=number,
        entered=number % 2 == 1,
        at=number,
        position=number,
        origin=0,
    )


@pytest.fixture
def ledger() -> Iterator[SqliteLedger]:
    """A ledger with three sends."""
    made = SqliteLedger(":memory:", SimulatedClock(START_MS))
    for number in range(3):
        made.send(asked(number), START_MS)
    yield made
    made.close()


def reader(ledger: SqliteLedger, first: int = 1, last: int = 4) -> Happened:
    return Happened(Engine(first, last), ledger)


def numbers(page: Page) -> list[tuple[str, int]]:
    return [(kind_of(one.message), one.number) for one in page.items]


def test_transitions_come_before_decisions_and_the_end_is_where_nothing_follows(ledger: SqliteLedger) -> None:
    one = reader(ledger)
    page = one.after(Place("one", 2, 1))
    assert numbers(page) == [("transition", 3), ("transition", 4), ("decision", 2), ("decision", 3)]
    assert (page.more, page.end, one.end()) == (False, Place("one", 4, 3), Place("one", 4, 3))
    assert one.after(one.end()).items == []


def test_receipts_are_the_later_moves(ledger: SqliteLedger) -> None:
    ledger.claim(START_MS, 1, "w")
    page = reader(ledger).after(Place("one", 4, 2))
    assert numbers(page) == [("decision", 3), ("receipt", 4)]
    assert page.items[1].message.state == "claimed"


def test_decisions_wait_until_transitions_are_told_to_their_end(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(happened, "PAGE", 2)
    one, place, told = reader(ledger), Place("one", 0, 0), []
    while (page := one.after(place)).more:
        told += numbers(page)
        place = page.end
    assert [kind for kind, _ in told + numbers(page)] == ["transition"] * 4 + ["decision"] * 3


@pytest.mark.parametrize(
    ("place", "gap", "start"),
    [
        (NOWHERE, ANOTHER_EPOCH, Place("one", 1, 0)),
        (Place("old", 2, 2), ANOTHER_EPOCH, Place("one", 1, 2)),
        (Place("one", 5, 2), AHEAD, Place("one", 1, 2)),
        (Place("one", 2, 4), AHEAD, Place("one", 1, 0)),
        (Place("one", 0, 2), FORGOTTEN, Place("one", 1, 2)),
    ],
)
def test_a_place_that_is_not_known_is_a_gap_that_says_where_it_goes_on(
    ledger: SqliteLedger, place: Place, gap: str, start: Place
) -> None:
    page = reader(ledger, first=2).after(place)
    assert (page.gap, page.start, page.items, page.more) == (gap, start, (), True)
    assert reader(ledger, first=2).after(page.start).gap == ""
