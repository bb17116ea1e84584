"""Everything the demo sends is declared by its shop: nothing lands in dead letters or under the seal of the unknown."""

from __future__ import annotations

import msgspec

from livepost.clock import DAY_MS, HOUR_MS, SimulatedClock
from livepost.demo.happenings import happenings
from livepost.demo.stock import Stock
from livepost.demo.tables import open_tables
from livepost.intake.call import read_call
from livepost.intake.plan import TrackingPlan
from livepost.intake.record import Arrival, Recorder
from livepost.model.record import KeyKind, Record, Verdict
from livepost.vault.memory import MemoryVault
from tests.unit.demo.shop_compiled import compiled

START = SimulatedClock(1_800_000_000_000).now_ms()


def _records() -> list[Record]:
    stock = Stock(happenings(open_tables(), 0, 5 * DAY_MS))
    calls = [read_call(event.body(START)) for event in stock.take(5 * DAY_MS, most=len(stock))]
    recorder = Recorder("demo", MemoryVault(), TrackingPlan(compiled(), "quarantine"))
    return recorder.records(calls, Arrival(source="demo", key=KeyKind.SECRET, received_at=START + 6 * DAY_MS))


RECORDS = _records()


def test_every_call_is_accepted_as_declared() -> None:
    assert len(RECORDS) > 5_000
    assert {(record.verdict, record.reason) for record in RECORDS} == {(Verdict.ACCEPTED, "")}


def test_only_names_and_addresses_are_sealed() -> None:
    assert {(record.name, *sorted(record.sealed)) for record in RECORDS} == {
        ("$identify", "email", "first_name"),
        ("Order Completed",),
        ("Product Added",),
        ("Product Viewed",),
    }


def test_an_event_happened_when_its_basket_did_however_late_it_came() -> None:
    assert {record.effective_ts == record.timestamp for record in RECORDS} == {True}
    assert min(record.effective_ts for record in RECORDS if record.name == "Order Completed") == START
    assert max(record.effective_ts for record in RECORDS) < START + 5 * DAY_MS + HOUR_MS


def test_money_and_consent_are_read_as_the_engine_needs_them() -> None:
    totals = [record.properties["total"] for record in RECORDS if record.name == "Order Completed"]
    assert all(currency == "USD" and isinstance(minor, int) for minor, currency in totals)
    consents = [record.context["consent"] for record in RECORDS if record.name == "$identify"]
    assert {msgspec.json.encode(each) for each in consents} == {b'{"marketing":true}', b'{"marketing":false}'}
