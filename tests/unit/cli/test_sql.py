from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import THREE_LOOKS, StillHouse, ada


@pytest.fixture
def house(promising: Path) -> StillHouse:
    """The house of `conftest`, of a project with a policy."""
    still = StillHouse(promising)
    still.take(ada(), *THREE_LOOKS)
    still.work()
    return still


def test_a_query_is_answered_of_masked_tables_and_is_in_the_audit(livepost: Command, house: StillHouse) -> None:
    told = livepost("sql", "SELECT * FROM people", "--purpose", "shop", "--json")
    assert told.code == 0, told.err
    answer = told.json()
    assert "ada@example.com" not in told.out
    assert dict(zip(answer["columns"], answer["rows"][0], strict=True))["views_7d"] == 3
    livepost("sql", "SELECT count(*) FROM people WHERE address = 'ada@example.com'", "--purpose", "shop")
    noted = livepost("audit", "list", "--json").out
    assert "sql.asked" in noted and "sql.answered" in noted and "ada@example.com" not in noted


def test_csv_begins_with_the_columns_and_has_no_formula(livepost: Command, house: StillHouse) -> None:
    told = livepost("sql", "SELECT '=1+1' AS a, -1 AS b", "--purpose", "shop", "--csv")
    assert told.out.splitlines() == ["a,b", "'=1+1,-1"]


def test_tables_are_listed_with_their_masks(livepost: Command, house: StillHouse) -> None:
    told = livepost("sql", "--tables", "--purpose", "shop").out
    assert "people" in told and "first_name" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["SELECT 1", "--purpose", "fun"], "--purpose"),
        (["SELECT 1", "--purpose", "shop", "--role", "king"], "--role"),
        (["SELECT 1", "--purpose", "shop", "--role", "marketer"], "may not"),
        (["SELECT * FROM read_text('/etc/hostname')", "--purpose", "shop"], "table function"),
        (["--purpose", "shop"], "--tables"),
    ],
)
def test_what_cannot_be_asked_is_said(livepost: Command, house: StillHouse, words: list[str], said: str) -> None:
    told = livepost("sql", *words)
    assert told.code == 1 and said in told.err
