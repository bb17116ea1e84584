from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livepost.ids import digest, event_id
from livepost.measure.click import clicked
from livepost.measure.feedback import RECORDED
from livepost.measure.open import opened
from livepost.measure.outcome import outcome_record
from livepost.measure.stage import measured
from livepost.model.block import block_of
from livepost.model.earning import Hit, Order
from livepost.model.record import Kind, Origin, Record, Verdict

ADA, MAIL = digest("ada"), digest("mail")
AT = 1_700_000_000_000


def order(**properties: Any) -> Record:
    return Record(
        source="web", subject=ADA, message_id="m1", name="Order Completed", effective_ts=AT, properties=properties
    )


def orders(*records: Record) -> list[Order]:
    return measured(block_of(records, 7, AT)).orders


def hits(*records: Record) -> list[Hit]:
    return measured(block_of(records, 7, AT)).hits


def test_a_block_says_how_far_it_goes_whatever_is_in_it() -> None:
    viewed = Record(source="web", subject=ADA, message_id="v", name="Product Viewed")
    told = measured(block_of([viewed, order(), Record(kind=Kind.TICK)], 7, AT))
    assert (told.upto, len(told.orders), told.hits) == (9, 1, [])


@pytest.mark.parametrize(
    ("properties", "amount"),
    [
        ({"total": (4_990, "EUR")}, (4_990, "EUR")),
        ({"revenue": [4_000, "EUR"], "total": [4_990, "EUR"]}, (4_000, "EUR")),
        ({"total": 49.9}, (0, "")),
        ({"total": ["a", "b"]}, (0, "")),
        ({}, (0, "")),
    ],
)
def test_an_order_comes_to_its_revenue_or_its_total(properties: dict[str, Any], amount: tuple[int, str]) -> None:
    [told] = orders(order(**properties))
    assert (told.amount, told.currency) == amount
    assert (told.subject, told.at, told.event) == (ADA, AT, event_id("web", "m1"))


def test_an_order_is_known_by_its_own_id_else_by_its_events() -> None:
    first, other = order(order_id="o1"), msgspec.structs.replace(order(order_id="o1"), message_id="m2", source="server")
    assert len({one.id for one in orders(first, other)}) == 1
    assert len({one.id for one in orders(order(), msgspec.structs.replace(order(), message_id="m2"))}) == 2
    assert orders(order(order_id=""))[0].id == orders(order())[0].id


@pytest.mark.parametrize("verdict", [Verdict.DEAD, Verdict.QUARANTINED, Verdict.FILTERED])
def test_an_order_that_is_not_accepted_counts_for_nothing(verdict: Verdict) -> None:
    assert orders(msgspec.structs.replace(order(), verdict=verdict)) == []


def test_an_imported_order_is_one() -> None:
    assert len(orders(msgspec.structs.replace(order(), origin=Origin.IMPORT))) == 1


def test_hits_are_told_by_kind_and_those_of_machines_apart() -> None:
    found = hits(
        clicked(MAIL, ADA, 1, AT, known=True),
        clicked(MAIL, ADA, 2, AT, known=True, machine="HEAD request"),
        opened(MAIL, ADA, AT, known=True),
        opened(MAIL, ADA, AT - 1, known=True, machine="HEAD request"),
    )
    assert [one.kind for one in found] == ["clicked", "machine_clicked", "opened", "machine_opened"]
    assert {one.decision for one in found} == {MAIL} and len({one.id for one in found}) == 4


def test_what_others_tell_of_mails_is_no_hit_of_ours() -> None:
    theirs = outcome_record(
        RECORDED["clicked"],
        ADA,
        known=True,
        at_ms=AT,
        cause=(b"key",),
        properties={"decision": MAIL.hex(), "provider": "ses"},
    )
    forged = msgspec.structs.replace(clicked(MAIL, ADA, 1, AT, known=True), source="web")
    garbled = msgspec.structs.replace(clicked(MAIL, ADA, 1, AT, known=True), properties={"decision": "no hex"})
    blocked = msgspec.structs.replace(clicked(MAIL, ADA, 1, AT, known=True), verdict=Verdict.FILTERED)
    assert hits(theirs, forged, garbled, blocked) == []
