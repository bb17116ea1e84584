"""Baskets as they are read from the tables."""

from __future__ import annotations

from livepost.clock import DAY_MS
from livepost.demo.baskets import LINES_A_BASKET, Line, read_baskets
from livepost.demo.tables import open_tables
from tests.unit.demo.tables_of import tables_of

START = 1_800_000_000_000


def test_the_first_basket_happens_at_the_start_and_others_keep_their_distance() -> None:
    baskets = list(read_baskets(tables_of((7, 0.5, 20), (8, 3, 30)), START))
    assert [(each.household, each.at_ms - START) for each in baskets] == [(7, 0), (8, int(2.5 * DAY_MS))]


def test_lines_come_dearest_first_with_quiet_names_and_cents() -> None:
    (basket,) = read_baskets(tables_of((7, 0, 20.10)), START)
    assert basket.lines == [Line("1", "Soft cheese", "Cheese", 1910, 2), Line("2", "Something else", "Other", 100, 2)]
    assert basket.total_cents == 2010


def test_a_basket_later_than_the_last_moment_is_left_out() -> None:
    tables = tables_of((7, 0, 20), (7, 1, 20), (7, 2, 20))
    assert len(list(read_baskets(tables, START, START + DAY_MS))) == 2
    assert len(list(read_baskets(tables, START, START + DAY_MS - 1))) == 1


def test_reading_ahead_in_pieces_loses_nothing() -> None:
    tables = tables_of(*[(1, days, 5) for days in range(0, 60, 3)])
    assert [each.basket for each in read_baskets(tables, START)] == list(range(1, 21))


def test_empty_tables_give_no_baskets() -> None:
    assert list(read_baskets(tables_of(), START)) == []


def test_no_basket_of_the_data_has_more_lines_than_are_kept() -> None:
    longest = open_tables().execute("SELECT max(n) FROM (SELECT count(*) n FROM transactions GROUP BY basket_id)")
    assert longest.fetchall()[0][0] <= LINES_A_BASKET
