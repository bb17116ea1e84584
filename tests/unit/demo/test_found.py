"""The look for personal values gives no false alarm on the demo's real baskets, and finds one that is put in."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livepost.clock import SimulatedClock
from livepost.log.memory import MemoryLog
from livepost.model.record import Record
from livepost.runtime.rights.finding import find_personal
from livepost.vault.memory import MemoryVault
from tests.unit.demo.shop_compiled import compiled
from tests.unit.demo.test_shop_plan import RECORDS, START


def found(records: Sequence[Record]) -> list[tuple[str, str, int]]:
    log = MemoryLog(SimulatedClock(START))
    log.append(records)
    return [(one.field, one.kind, one.count) for one in find_personal(log, MemoryVault(), "demo", compiled())]


def test_the_demos_baskets_give_no_alarm() -> None:
    assert found(RECORDS[:10_000]) == []


def test_one_address_among_them_is_found() -> None:
    """The negative control."""
    place = next(at for at, one in enumerate(RECORDS) if one.name == "Product Viewed")
    told = {**RECORDS[place].properties, "product_id": "ada@example.com"}
    records = [*RECORDS[:place], msgspec.structs.replace(RECORDS[place], properties=told), *RECORDS[place + 1 : 10_000]]
    assert found(records) == [("ProductViewed.product_id", "email", 1)]
