"""The SQL and the naive engine of `tests/oracle`, written apart from it, agree on the demo's own shoppers.

The naive engine knows the compiled shop and nothing of the SQL; the SQL knows the tables and nothing of the shop.
Households do not touch each other, so a few dozen, each with a log of its own, show what all would.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import msgspec
import pytest

from livepost.clock import DAY_MS, HOUR_MS, SECOND_MS
from livepost.demo.expected import CAMPAIGNS, Comparison, Mail, Run, compare
from livepost.demo.feed import Sent
from livepost.demo.happenings import Happening, happenings
from livepost.demo.tables import open_tables
from livepost.ids import digest
from livepost.model.compiled import CapSpec, Compiled
from livepost.model.decision import Decision
from livepost.model.record import KeyKind, Mention, Record
from tests.oracle import naive
from tests.unit.demo.shop_compiled import compiled

START = 1_800_000_000_000
THROUGH = START + 100 * DAY_MS
LAG_MS = 6 * HOUR_MS
EVERY = 60
"""One household in so many takes part."""


def _few(tables: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    few = duckdb.connect()
    for view in ("transactions", "products"):
        rows = tables.table(view).arrow()
        few.register("rows", rows)
        few.execute(f"CREATE TABLE {view} AS SELECT * FROM rows")
    few.execute("DELETE FROM transactions WHERE household_id % ? <> 0", [EVERY])
    return few


def _record(happening: Happening, seq: int, stamp: int) -> Record:
    call = happening.call
    properties: dict[str, Any] = {**call.get("properties", {})}
    if "total" in properties:
        properties["total"] = [round(properties["total"] * 100), "USD"]
    consent = call.get("context", {}).get("consent", {}).get("categoryPreferences", {})
    known = call.get("userId")
    return Record(
        seq=seq,
        stamp=stamp,
        key=KeyKind.SECRET,
        source="demo",
        subject=digest(known or call["anonymousId"]),
        known=known is not None,
        mentions=(Mention(digest(call["anonymousId"]), False),) if known and "anonymousId" in call else (),
        message_id=call["messageId"],
        name=call.get("event", "$identify"),
        effective_ts=min(happening.at_ms, stamp),
        properties=properties,
        context={"consent": {purpose.casefold(): given for purpose, given in consent.items()}},
        content_hash=digest(call["messageId"]),
    )


def _logs(tables: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, list[Record], list[Sent]]]:
    """Yield each household's log, its records stamped late by up to LAG_MS, and when its orders were sent."""
    chance = Random(7)
    kept: dict[int, list[Happening]] = {}
    for each in happenings(tables, START, THROUGH):
        if each.at_ms <= THROUGH and each.call.get("event") != "Product Added":
            kept.setdefault(each.household, []).append(each)
    for household, happened in kept.items():
        stamp = 0
        records, orders = [], []
        for each in happened:
            sent = max(stamp, each.at_ms + chance.randrange(LAG_MS))
            stamp = sent + chance.randrange(HOUR_MS)
            records.append(_record(each, len(records), stamp))
            if each.basket:
                orders.append(
                    Sent(basket=each.basket, at_ms=each.at_ms, sent_ms=sent, acknowledged_ms=stamp + SECOND_MS)
                )
        yield household, records, orders


class Shop(msgspec.Struct):
    """The tables of the few, the demo's run, and each household's log."""

    tables: Any
    run: Run
    logs: dict[int, list[Record]]


@pytest.fixture(scope="module")
def few() -> Shop:
    tables = _few(open_tables())
    logs, orders = {}, []
    for household, records, sent in _logs(tables):
        logs[household] = records
        orders += sent
    return Shop(tables, Run(START, THROUGH, THROUGH + 2 * LAG_MS, orders=orders), logs)


def _mails(shop: Shop, project: Compiled) -> Iterator[Mail]:
    for household, records in shop.logs.items():
        tick = Record(kind=1, seq=len(records), stamp=shop.run.as_of_ms)  # type: ignore[arg-type]
        for item in naive.run(project, [*records, tick], "demo").outbox:
            if isinstance(item, Decision) and item.campaign in CAMPAIGNS and not item.skip:
                yield Mail(item.campaign, household, item.at)


def _compared(shop: Shop, **changes: Any) -> dict[str, Comparison]:
    """Compare the naive engine's mails, with the fields of all campaigns changed as given."""
    project = compiled()
    campaigns = [
        msgspec.structs.replace(each, fresh_ms=400 * DAY_MS, **changes)
        for each in project.campaigns
        if each.name in CAMPAIGNS
    ]
    needed = [each for each in project.features if each.name in ("orders", "since(OrderCompleted)")]
    segments = [each for each in project.segments if each.name in ("new", "silent")]
    small = msgspec.structs.replace(
        project, features=tuple(needed), segments=tuple(segments), campaigns=tuple(campaigns)
    )
    return compare(shop.tables, shop.run, _mails(shop, small))


def test_the_naive_engine_sends_what_the_sql_says(few: Shop) -> None:
    for campaign, found in _compared(few).items():
        assert found.equal, (campaign, found)
        assert found.open <= found.households * 0.1
        assert found.mails >= 20


def test_no_consent_asked_is_found_out(few: Shop) -> None:
    assert not any(found.equal for found in _compared(few, class_="transactional").values())


def test_another_cap_is_found_out(few: Shop) -> None:
    assert not _compared(few, cap=CapSpec(1, 20 * DAY_MS))["favourites"].equal


def test_another_wait_is_found_out(few: Shop) -> None:
    assert not any(found.equal for found in _compared(few, wait_ms=9 * HOUR_MS).values())
