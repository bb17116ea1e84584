"""The worker's frames and values; that it is locked is held by the grammar in tests/properties."""

from __future__ import annotations

from io import BytesIO

import pytest

from livepost.ops.sql.rows import Filled
from livepost.ops.sql.worker import Given, Question, answer, opened, read, write

TABLES = [Filled("t", (("a", "TIMESTAMP"), ("b", "VARCHAR[]"), ("c", "JSON")), [["1000"], ['["x"]'], ['{"y":1}']])]


def test_frames_are_read_as_they_were_written() -> None:
    stream = BytesIO()
    write(stream, Question("SELECT 1", 3))
    stream.seek(0)
    assert read(stream, Question) == Question("SELECT 1", 3)
    assert read(stream, Question) is None


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("FROM t", ["1970-01-01T00:00:01", ["x"], '{"y":1}']),
        ("SELECT 'a'::BLOB, 1e400, 2::HUGEINT ** 70, NULL", ["61", "inf", 2.0**70, None]),
        (
            "SELECT {'a': [1, 2]}, 9007199254740993, INTERVAL 1 DAY",
            [{"a": [1, 2]}, "9007199254740993", "1 day, 0:00:00"],
        ),
    ],
)
def test_values_are_told_as_json_has_them(query: str, row: list[object]) -> None:
    assert answer(opened(Given(TABLES, 64)), Question(query, 9), ["t"]).rows == [row]


def test_rows_behind_the_bound_are_said() -> None:
    result = answer(opened(Given(TABLES, 64)), Question("FROM range(9)", 3), ["t"])
    assert (len(result.rows), result.more) == (3, True)
