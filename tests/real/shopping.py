"""Real purchases as calls of `/v1/import`: CDNOW's sample and The Complete Journey.

Read from `../shared/data/shopping`, which is no part of the project: where it is missing a test is skipped, in CI it
fails. A purchase's message id is its place in the file, so that whatever is sent twice is known again.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pytest

SHOPPING = Path(__file__).parents[3] / "shared" / "data" / "shopping"
CDNOW = SHOPPING / "cdnow" / "CDNOW_sample.txt"
BASKETS = SHOPPING / "completejourney" / "transactions_weeks_01_36.parquet"
PRODUCTS = SHOPPING / "completejourney" / "products.parquet"

BATCH = 400
"""Calls a request: about 100 KB, of 500 that a batch may have."""

CDNOW_LINES = f"""
SELECT row_number() OVER () AS line, f[2] AS customer, strptime(f[3], '%Y%m%d') AS day, CAST(f[4] AS BIGINT) AS cds,
       CAST(CAST(f[5] AS DECIMAL(10, 2)) * 100 AS BIGINT) AS cents
FROM (SELECT regexp_split_to_array(trim(line), '\\s+') AS f
      FROM read_csv('{CDNOW}', columns = {{'line': 'VARCHAR'}}, delim = '\\t', header = false))
"""
"""The lines of CDNOW's sample: master id, sample id, date, CDs, dollars, apart by one or more spaces."""

BASKET_LINES = f"""
SELECT line, household_id, product_id, coalesce(product_category, 'none') AS category, quantity,
       sales_value, epoch_ms(transaction_timestamp) AS at_ms
FROM (SELECT *, file_row_number AS line FROM read_parquet('{BASKETS}', file_row_number = true))
     LEFT JOIN '{PRODUCTS}' USING (product_id)
WHERE week <= $weeks ORDER BY line
"""


def needs(path: Path) -> None:
    """Skip the test where the file is not at hand; in CI that is a failure."""
    if path.exists():
        return
    reason = f"{path.name} is not at hand (../shared/data beside the repository)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def cdnow_calls() -> Iterator[dict[str, Any]]:
    """Yield an "Order Completed" for each line of CDNOW's sample."""
    for line, customer, day, cds, cents in duckdb.sql(CDNOW_LINES).fetchall():
        order = {"order_id": f"cdnow-{line}", "cds": cds, "total": f"{cents // 100}.{cents % 100:02}"}
        yield _call("Order Completed", f"cdnow-{line}", customer, f"{day:%Y-%m-%d}T00:00:00Z", order)


def basket_calls(weeks: int, shift_ms: int) -> Iterator[dict[str, Any]]:
    """Yield a "Product Bought" for each basket line of the first weeks, `shift_ms` later than it was."""
    lines = duckdb.execute(BASKET_LINES, {"weeks": weeks})
    while some := lines.fetchmany(10_000):
        for line, household, product, category, quantity, value, at_ms in some:
            bought = {"product_id": str(product), "category": category, "quantity": quantity, "value": f"{value:.2f}"}
            at = datetime.fromtimestamp((at_ms + shift_ms) / 1000, UTC).isoformat(timespec="milliseconds")
            yield _call("Product Bought", f"line-{line}", str(household), at, bought)


def send(calls: Iterable[dict[str, Any]], port: int, secret_key: str) -> int:
    """Import calls; return how many. Every request must be answered with 200."""
    login = base64.b64encode(f"{secret_key}:".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    sent, walking = 0, iter(calls)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        while batch := list(islice(walking, BATCH)):
            connection.request("POST", "/v1/import", json.dumps({"batch": batch}), headers)
            reply = connection.getresponse()
            said = reply.read()
            assert reply.status == 200, said
            sent += len(batch)
    return sent


def ask(path: str, secret_key: str, connection: http.client.HTTPConnection) -> Any:
    """Return what the API answers."""
    connection.request("GET", path, headers={"Authorization": f"Bearer {secret_key}"})
    reply = connection.getresponse()
    said = reply.read()
    assert reply.status == 200, said
    return json.loads(said)


def _call(event: str, message_id: str, user: str, at: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "track",
        "event": event,
        "messageId": message_id,
        "userId": user,
        "timestamp": at,
        "properties": properties,
    }
