"""The real baskets, read from the tables and shifted to the demo's time.

In: a connection with the views of `tables`, and when the first basket is to happen. Out: baskets in order of time.
Promised: the same baskets each time, at most `READ_AHEAD_MS` of them in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import duckdb

from livepost.clock import DAY_MS

READ_AHEAD_MS = 14 * DAY_MS
"""How many days of baskets are read by one query."""
LINES_A_BASKET = 200
"""The most lines a basket keeps (the data's longest has 161): an order stays far below the collector's 32 KB."""


class Line(NamedTuple):
    """One product of a basket, with what it cost in cents altogether."""

    product_id: str
    name: str
    category: str
    cents: int
    quantity: int


class Basket(NamedTuple):
    """One real basket: `at_ms` is UTC in the demo's time; `lines` by what they cost, dearest first."""

    basket: int
    household: int
    at_ms: int
    total_cents: int
    lines: list[Line]


def read_baskets(tables: duckdb.DuckDBPyConnection, start_ms: int, through_ms: int | None = None) -> Iterator[Basket]:
    """Yield the baskets up to `through_ms`, ordered by (time, number); the first happens at `start_ms` (UTC ms)."""
    tables.execute(_CATALOGUE)
    first, last = tables.execute(_BOUNDS).fetchall()[0]
    if first is None:
        return
    shift = start_ms - first
    end = last + 1 if through_ms is None else min(last, through_ms - shift) + 1
    for begin in range(first, end, READ_AHEAD_MS):
        rows = tables.execute(_LINES, [begin, min(begin + READ_AHEAD_MS, end)]).fetchall()
        for (at_ms, basket, household), lines in groupby(rows, key=_basket_of):
            yield _basket(basket, household, at_ms + shift, lines)


def _basket_of(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:3]


def _basket(basket: int, household: int, at_ms: int, rows: Iterable[tuple[Any, ...]]) -> Basket:
    lines = [Line(*row[3:]) for row in rows]
    return Basket(basket, household, at_ms, sum(line.cents for line in lines), lines[:LINES_A_BASKET])


_BOUNDS = "SELECT epoch_ms(min(transaction_timestamp)), epoch_ms(max(transaction_timestamp)) FROM transactions"

# The data shouts ("SOFT DRINKS"); a mail should not.
_CATALOGUE = """
CREATE OR REPLACE TEMP TABLE catalogue AS
SELECT product_id, upper(name[1]) || lower(name[2:]) AS name, upper(category[1]) || lower(category[2:]) AS category
FROM (SELECT product_id, coalesce(product_type, product_category, department) AS name,
             coalesce(product_category, department) AS category FROM products)
"""

# A line's cents are rounded before they are added, so that no order of adding floats can change a total.
_LINES = """
SELECT epoch_ms(transaction_timestamp) AS at_ms, basket_id, household_id, CAST(product_id AS VARCHAR) AS product,
       coalesce(name, 'Something else'), coalesce(category, 'Other'),
       CAST(round(sales_value * 100) AS BIGINT) AS cents, greatest(quantity, 1)
FROM transactions LEFT JOIN catalogue USING (product_id)
WHERE transaction_timestamp >= epoch_ms(CAST(? AS BIGINT)) AND transaction_timestamp < epoch_ms(CAST(? AS BIGINT))
ORDER BY at_ms, basket_id, cents DESC, product
"""
