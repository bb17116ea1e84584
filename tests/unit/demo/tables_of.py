"""Small tables in the shape of the package's, for tests that write their own baskets."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

FIRST = datetime(2017, 1, 1, tzinfo=UTC)


def tables_of(*orders: tuple[int, int, float]) -> duckdb.DuckDBPyConnection:
    """Return tables with one basket for each (household, days after 2017-01-01, dollars), numbered from 1."""
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE transactions (household_id BIGINT, basket_id BIGINT, product_id BIGINT, quantity BIGINT,"
        " sales_value DOUBLE, transaction_timestamp TIMESTAMP)"
    )
    connection.execute(
        "CREATE TABLE products (product_id BIGINT, department VARCHAR, product_category VARCHAR, product_type VARCHAR)"
    )
    connection.execute("INSERT INTO products VALUES (1, 'GROCERY', 'CHEESE', 'SOFT CHEESE'), (2, NULL, NULL, NULL)")
    for basket, (household, days, dollars) in enumerate(orders, start=1):
        for product, value in ((1, dollars - 1), (2, 1.0)):
            connection.execute(
                "INSERT INTO transactions VALUES (?, ?, ?, 2, ?, TIMESTAMP '2017-01-01' + to_seconds(?))",
                [household, basket, product, value, days * 86_400],
            )
    return connection
