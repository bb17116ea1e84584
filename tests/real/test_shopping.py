"""Real shoppers through the real house: what it says of each of them is what SQL says over the file.

CDNOW's sample gives recency, frequency and monetary value (Fader, Hardie and Lee 2005 count the same purchases); the
baskets of The Complete Journey go through windows, and `livepost parity` recomputes everybody.
`LIVEPOST_BASKET_WEEKS` says how many of the 36 weeks of baskets are sent.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from livepost.clock import DAY_MS, WallClock
from livepost.log.base import Position
from livepost.runtime.engine.client import EngineClient
from tests.crash.house import House
from tests.real.shopping import BASKETS, CDNOW, CDNOW_LINES, PRODUCTS, ask, basket_calls, cdnow_calls, needs, send

WEEKS = int(os.environ.get("LIVEPOST_BASKET_WEEKS", "3"))
LAST_WEEK_MS = 1_483_228_800_000 + WEEKS * 7 * DAY_MS
"""When the last of these weeks ends: they begin with 2017."""

SETTINGS = 'workspace = "shopping"\nshop_address = "1 Market Square, Springfield"\nrecorders = 1\n'

CDNOW_SHOP = """
from livepost import Event, Money, Profile
from livepost import count, mean, segment, since, total


class OrderCompleted(Event):
    order_id: str
    cds: int
    total: Money


class Buyer(Profile):
    frequency = count(OrderCompleted)
    monetary = total(OrderCompleted.total)
    average = mean(OrderCompleted.total)
    recency = since(OrderCompleted)
    cds = total(OrderCompleted.cds)

    good = segment((frequency >= 3) & (monetary >= 100))
"""

BASKET_SHOP = """
from livepost import Event, Money, Profile
from livepost import count, days, hours, latest, mean, recent, segment, since, top, total


class ProductBought(Event):
    product_id: str
    category: str
    quantity: int
    value: Money


class Household(Profile):
    lines = count(ProductBought)
    lines_7d = count(ProductBought, over=days(7))
    spend = total(ProductBought.value)
    spend_14d = total(ProductBought.value, over=days(14))
    average_14d = mean(ProductBought.value, over=days(14))
    soup_14d = count(ProductBought, over=days(14), where=ProductBought.category == "SOUP")
    favourites = top(ProductBought.product_id, k=5, over=days(14))
    categories = top(ProductBought.category, k=3)
    last = latest(ProductBought.product_id)
    lately = recent(ProductBought.category, n=5, over=days(7))
    quiet = since(ProductBought)

    busy = segment(lines_7d >= 20)
    dear = segment((spend_14d >= 100) & (average_14d >= 2))
    asleep = segment((quiet >= days(5)) & (lines >= 10))
    souper = segment((soup_14d >= 2) & ~(lines_7d < 5))
"""


@contextmanager
def shop(folder: Path, page: str) -> Iterator[House]:
    """Yield a running house of one page."""
    project = folder / "project"
    (project / "templates").mkdir(parents=True)
    (project / "shop.py").write_text(page)
    (project / "livepost.toml").write_text(SETTINGS)
    house = House(folder / "data", project)
    house.start()
    try:
        yield house
    finally:
        house.stop()


def parity(house: House) -> dict[str, Any]:
    """Return what `livepost parity --people all --json` prints; it must say by its exit code that all is equal."""
    command = [sys.executable, "-m", "livepost.cli", "parity", "--people", "all", "--json"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("LIVEPOST_")}
    environment = {**outside, "LIVEPOST_DATA": str(house.folder.path)}
    done = subprocess.run(
        command, cwd=house.project_folder, env=environment, capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    assert done.returncode == 0, (done.stderr, found.get("mismatches", [])[:5])
    return found


def at_rest(house: House, events: int) -> Position:
    """Return the position at which all events are folded; none of them may have gone astray."""
    last = house.drain()
    with closing(EngineClient(house.folder)) as engine:
        counts, letters = engine.status().counts, engine.dead(-1, 1)
    assert {name: count for name, count in counts.items() if count} == {"processed": events}, letters
    return last


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Position]]:
    """CDNOW's sample in a house at rest, and where that is."""
    needs(CDNOW)
    with shop(tmp_path_factory.mktemp("cdnow"), CDNOW_SHOP) as house:
        sent = send(cdnow_calls(), house.folder.port, house.secret_key)
        assert sent == 6_919
        yield house, at_rest(house, sent)


def test_recency_frequency_and_monetary_value_of_every_cdnow_customer_are_those_of_sql(
    bought: tuple[House, Position],
) -> None:
    house, _ = bought
    told = told_of_customers(house)
    expected = duckdb.sql(
        f"SELECT customer, count(*), sum(cents), sum(cents) / count(*), sum(cds), epoch_ms(max(day)) "
        f"FROM ({CDNOW_LINES}) GROUP BY customer ORDER BY customer"
    ).fetchall()
    assert len(expected) == 2_357
    assert [told[customer] for customer, *_ in expected] == [tuple(values) for _, *values in expected]


def test_a_purchase_that_is_left_out_of_the_sql_would_be_found(bought: tuple[House, Position]) -> None:
    house, _ = bought
    told = told_of_customers(house, limit=50)
    without = duckdb.sql(
        f"SELECT customer, count(*) FROM ({CDNOW_LINES}) WHERE line > 1 GROUP BY customer ORDER BY customer LIMIT 50"
    ).fetchall()
    assert [customer for customer, count in without if told[customer][0] != count] == ["0001"]


def test_parity_holds_for_every_cdnow_customer(bought: tuple[House, Position]) -> None:
    found = parity(bought[0])
    assert (found["people"], found["mismatched"]) == (2_357, 0)


def told_of_customers(house: House, limit: int | None = None) -> dict[str, tuple[Any, ...]]:
    """Return what the API says of CDNOW's customers: frequency, cents, mean, CDs, and when they bought last (ms)."""
    customers = duckdb.sql(f"SELECT DISTINCT customer FROM ({CDNOW_LINES}) ORDER BY customer").fetchall()
    with closing(http.client.HTTPConnection("127.0.0.1", house.folder.port, timeout=60)) as connection:
        people = {c: ask(f"/api/people/{c}", house.secret_key, connection) for (c,) in customers[:limit]}
    return {customer: _purchases(person) for customer, person in people.items()}


def _purchases(person: dict[str, Any]) -> tuple[Any, ...]:
    of = person["features"]
    return (of["frequency"], of["monetary"][0], of["average"], of["cds"], person["as_of"] - of["recency"])


def test_parity_holds_for_every_household_of_the_complete_journey(tmp_path: Path) -> None:
    needs(BASKETS)
    needs(PRODUCTS)
    shift_ms = WallClock().now_ms() - LAST_WEEK_MS
    with shop(tmp_path, BASKET_SHOP) as house:
        sent = send(basket_calls(WEEKS, shift_ms), house.folder.port, house.secret_key)
        at_rest(house, sent)
        found = parity(house)
    households, lines = duckdb.sql(
        f"SELECT count(DISTINCT household_id), count(*) FROM '{BASKETS}' WHERE week <= {WEEKS}"
    ).fetchall()[0]
    assert (found["people"], sent, found["mismatched"]) == (households, lines, 0)
