"""The catalogue: the best seller of sixteen shelves of the demo's data, at the price it was mostly sold for.

In: the tables of the demo, once; since then the file `catalogue.json` beside this one, which a test holds to them: the
query takes 2 s. Out: products. Promised: product ids and prices are the data's; names and shelves are ours, since the
data calls milk `FLUID MILK WHITE ONLY`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import msgspec

KEPT = Path(__file__).with_name("catalogue.json")

# How the data calls its category and type, how people do, the shelf it lies on, and how it is drawn (`pictures`).
SOUGHT: tuple[tuple[str, str, str, str, str], ...] = (
    ("TROPICAL FRUIT", "BANANAS", "Bananas", "Fruit", "bananas"),
    ("BAKED BREAD/BUNS/ROLLS", "MAINSTREAM WHITE BREAD", "White bread", "Bakery", "loaf"),
    ("PNT BTR/JELLY/JAMS", "PEANUT BUTTER", "Peanut butter", "Pantry", "jar"),
    ("REFRGRATD JUICES/DRNKS", "DAIRY CASE 100% PURE JUICE - O", "Orange juice", "Drinks", "bottle"),
    ("BERRIES", "STRAWBERRIES", "Strawberries", "Fruit", "strawberries"),
    ("CHEESE", "NATURAL CHEESE EXACT WT CHUNKS", "A piece of cheese", "Dairy", "cheese"),
    ("DRY NOODLES/PASTA", "SPAGHETTI DRY", "Spaghetti", "Pantry", "spaghetti"),
    ("BREAD", "BREAD:ITALIAN/FRENCH", "French bread", "Bakery", "baguette"),
    ("EGGS", "EGGS - LARGE", "A dozen eggs", "Dairy", "eggs"),
    ("COFFEE", "GROUND COFFEE", "Ground coffee", "Drinks", "bag"),
    ("GRAPES", "GRAPES RED", "Red grapes", "Fruit", "grapes"),
    ("BREAKFAST SWEETS", "SW GDS:DONUTS", "Doughnuts", "Bakery", "doughnuts"),
    ("FLUID MILK PRODUCTS", "FLUID MILK WHITE ONLY", "Fresh milk", "Dairy", "carton"),
    ("SOUP", "CONDENSED SOUP", "Tinned soup", "Pantry", "tin"),
    ("CITRUS", "ORANGES NAVELS ALL", "Navel oranges", "Fruit", "oranges"),
    ("ICE CREAM/MILK/SHERBTS", "PREMIUM", "Ice cream", "Dairy", "tub"),
)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """Something to buy: `cents` in the shop's currency; `drawn` names its picture."""

    product_id: str
    name: str
    category: str
    cents: int
    drawn: str

    @property
    def price(self) -> str:
        """The price as events and people say it, such as `0.99`."""
        return f"{self.cents / 100:.2f}"


def read_catalogue() -> tuple[Product, ...]:
    """Return the products, in the order of the shelves."""
    return msgspec.json.decode(KEPT.read_bytes(), type=tuple[Product, ...])


def make_catalogue(tables: duckdb.DuckDBPyConnection) -> tuple[Product, ...]:
    """Return the products as the tables have them."""
    return tuple(
        Product(product_id=str(id), name=name, category=shelf, cents=cents, drawn=drawn)
        for (category, type_, name, shelf, drawn) in SOUGHT
        for id, cents in tables.execute(_BEST_SELLER, [category, type_]).fetchall()
    )


# Equal counts and prices are told apart by their numbers, so that every run finds the same.
_BEST_SELLER = """
WITH sold AS (
    SELECT product_id, CAST(round(100 * sales_value / quantity) AS BIGINT) AS cents
    FROM transactions JOIN products USING (product_id)
    WHERE product_category = ? AND product_type = ? AND quantity > 0 AND sales_value > 0
), best AS (SELECT product_id FROM sold GROUP BY product_id ORDER BY count(*) DESC, product_id LIMIT 1)
SELECT product_id, cents FROM sold WHERE product_id IN (FROM best)
GROUP BY product_id, cents ORDER BY count(*) DESC, cents LIMIT 1
"""
