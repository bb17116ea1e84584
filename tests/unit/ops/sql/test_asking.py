"""The process of queries: it answers, it is stopped, it has nothing but its tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from livepost.errors import RejectedError
from livepost.ops.sql.asking import SqlProcess
from tests.unit.ops.sql.shop import snapshot


@pytest.fixture(scope="module")
def process() -> Iterator[SqlProcess]:
    with closing(SqlProcess(snapshot("analyst"), memory_mb=64)) as asked:
        yield asked


def test_it_answers_with_columns_types_and_tables(process: SqlProcess) -> None:
    result = process.ask("SELECT sum(bought) AS n, max(spent) FROM people")
    assert (result.columns, result.rows, result.tables) == (["n", "max(spent)"], [[4, 4200]], ("people",))
    assert process.ask("SELECT * FROM range(50)", rows=7).more


def test_a_query_is_stopped_and_the_process_with_it() -> None:
    with closing(SqlProcess(snapshot(), memory_mb=64)) as asked:
        with pytest.raises(RejectedError, match="longer than"):
            asked.ask(
                "SELECT count(*) FROM range(100000) a, range(10000000) b WHERE a.range * b.range = 7", seconds=0.2
            )
        assert not asked.lives


def test_memory_is_bounded_and_said(process: SqlProcess) -> None:
    with pytest.raises(RejectedError, match=r"[Mm]emory"):
        process.ask("SELECT length(string_agg(repeat('x', 100000), '')) FROM range(100000)")
    assert process.ask("SELECT 1").rows == [[1]]


@pytest.mark.parametrize(
    "query", ["SELECT", "SELECT nobody FROM people", "DROP TABLE people", "", "SELECT 1; SELECT 2"]
)
def test_what_is_no_query_is_refused_with_why(process: SqlProcess, query: str) -> None:
    with pytest.raises(RejectedError):
        process.ask(query)
    assert process.ask("SELECT count(*) FROM people").rows == [[2]]


def test_a_query_is_bounded_in_length(process: SqlProcess) -> None:
    with pytest.raises(RejectedError, match="characters"):
        process.ask("SELECT 1 -- " + "x" * 20_000)
