"""What the tables are made of: bounded, and it says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livepost.clock import SimulatedClock
from livepost.ledger.base import Delivery, Permit
from livepost.log.memory import MemoryLog
from livepost.model.person import PersonView
from livepost.ops.sql.gathering import Bounds, gathered
from livepost.ops.sql.rows import Snapshot
from tests.unit.ops.sql.shop import CANARY, KEY, PLAIN, catalog, delivery, opened, person, record, values_of


class House:
    """Two people with a mail each; the ledger knows that one of them withdrew."""

    def everybody(self, limit: int) -> list[PersonView]:
        return [person(one, values_of(one), study=True) for one in (CANARY, PLAIN)][:limit]

    def deliveries(self, *, campaign: str | None = None, limit: int = 0, **_: Any) -> list[Delivery]:
        return [delivery(one, campaign or "") for one in (CANARY, PLAIN)][:limit]

    def refusals(self, asked: Sequence[Permit], now: int) -> list[str]:
        return ["consent" if one.person == PLAIN else "" for one in asked]


def gather(bounds: Bounds) -> Snapshot:
    log, house = MemoryLog(SimulatedClock(1_000_000)), House()
    for number in range(6):
        log.append([record((CANARY, PLAIN)[number % 2], str(number), "Bought", sku="a")])
    return gathered(catalog(), KEY, house, house, log, opened, lambda: 0, bounds)


def rows(snapshot: Snapshot) -> dict[str, int]:
    return {table.name: len(table.cells[0]) for table in snapshot.tables}


def test_only_who_allows_it_by_the_ledger_too_is_gathered() -> None:
    whole = gather(Bounds())
    assert whole.whole and whole.position == 41
    assert rows(whole) == {"people": 1, "memberships": 1, "consents": 1, "deliveries": 1, "events": 3}


def test_what_a_bound_leaves_out_is_said() -> None:
    assert not gather(Bounds(people=1)).whole
    few = gather(Bounds(events=2))
    assert not few.whole and rows(few)["events"] == 2
