"""One screen a function. The numbers are ratchets: they may only get smaller."""

import ast
import statistics

from tests.house.source import functions, size

HARD_MARK = 60
MEDIAN = 6
NINETIETH = 16


def sizes() -> list[tuple[int, str]]:
    """Return the lines of every function, the longest first."""
    return sorted(((size(found.node), found.where) for found in functions()), reverse=True)


def test_no_function_is_longer_than_one_screen() -> None:
    assert [row for row in sizes() if row[0] > HARD_MARK] == []


def test_the_median_and_the_ninetieth_do_not_grow() -> None:
    lines = [row[0] for row in sizes()]
    assert statistics.median(lines) <= MEDIAN
    assert statistics.quantiles(lines, n=10)[-1] <= NINETIETH


def test_a_function_over_the_mark_would_be_found_and_its_docstring_does_not_count() -> None:
    text = "def long() -> None:\n    '''One.\n\n    Two.\n    '''\n" + "    pass\n" * HARD_MARK
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    assert size(node) == HARD_MARK + 1
