"""Rows of many people: what is opened and closed is as if each were packed alone."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livepost.engine.picks import appended
from livepost.engine.row import Row, blank, pack
from livepost.engine.rows import NO_ROWS, NOBODY, Opened
from tests.unit.engine.projects import program
from tests.unit.engine.test_row import BYTES, ROWS

PROGRAM = program([])


def fixed_parts(count: int) -> np.ndarray:
    fixed = blank(PROGRAM, count)
    fixed["due"] = range(count)
    return fixed


def opened(rows: list[Row]) -> Opened:
    return Opened([pack(row) for row in rows])


@given(rows=st.lists(ROWS, max_size=6), data=st.data())
def test_what_leaves_is_what_each_packed_alone_would_be(rows: list[Row], data: st.DataObject) -> None:
    count, fixed = len(rows), fixed_parts(len(rows))
    tiles, came = ([data.draw(BYTES) for _ in rows] for _ in range(2))
    counts = np.array([data.draw(st.integers(1, 9)) if one else 0 for one in came], np.int64)
    places = st.integers(0, count - 1) if rows else st.nothing()
    journals = data.draw(st.dictionaries(places, BYTES))
    others = data.draw(st.dictionaries(places, ROWS | st.none()))
    closed = opened(rows).closed(tiles, came, counts, fixed, journals, others)
    expected: list[bytes | None] = []
    for place, row in enumerate(rows):
        picks = appended(row.picks, came[place], int(counts[place])) if came[place] else row.picks
        journal = journals.get(place, row.journal)
        alone = others.get(place, msgspec.structs.replace(row, tiles=tiles[place], picks=picks, journal=journal))
        expected.append(None if alone is None else pack(alone, fixed[place].tobytes()))
    assert closed.kept() == expected
    assert closed.joined == b"".join(filter(None, expected))
    assert closed.in_memory() == [None if one is None else one[: -fixed.dtype.itemsize] for one in expected]


@given(rows=st.lists(ROWS, max_size=6))
def test_tiles_are_read_of_all_at_once(rows: list[Row]) -> None:
    assert opened(rows).tiles() == [row.tiles for row in rows]


def test_what_waits_is_counted() -> None:
    some = Row((b"a" * 16,), picks=appended(appended(b"", b"12", 1), b"345", 2))
    waiting, came, folded = opened([some, Row((b"b" * 16,))]).waiting()
    assert (waiting.tolist(), came.tolist(), folded.tolist()) == ([3, 0], [5, 0], [0, 0])


def test_places_at_which_nobody_is_can_be_left_out() -> None:
    rows = [Row((letter * 16,)) for letter in (b"a", b"b", b"c")]
    fixed, nothing = fixed_parts(3), [b""] * 3
    closed = opened(rows).closed(nothing, nothing, np.zeros(3, np.int64), fixed, {}, {1: None})
    assert closed.lengths.tolist()[1] == NOBODY
    left = closed.without({1})
    assert left.kept() == [pack(rows[place], fixed[place].tobytes()) for place in (0, 2)]
    assert (NO_ROWS.kept(), opened([]).tiles()) == ([], [])
