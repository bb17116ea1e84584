"""A person's row as bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livepost.engine.picks import put_together
from livepost.engine.row import (
    NEVER,
    Row,
    blank,
    fixed_dtype,
    journal_of,
    naming_subject,
    pack,
    put,
    split,
    subjects_of,
    unpack,
)
from livepost.model.moment import NO_DUE
from tests.unit.engine.projects import HOUR, SECOND, compare, feature, program, segment, windowed

BYTES = st.binary(max_size=40)


ROWS = st.builds(
    Row,
    st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=300).map(tuple),
    BYTES,
    st.builds(put_together, BYTES, st.integers(1, 9), BYTES) | st.just(b""),
    BYTES,
)


@given(row=ROWS, fixed=BYTES)
def test_what_was_packed_is_unpacked_equal(row: Row, fixed: bytes) -> None:
    assert unpack(pack(row, fixed)) == (row, fixed)
    assert split(pack(row, fixed)) == (pack(row), fixed)


@given(row=ROWS, fixed=BYTES)
def test_a_part_is_read_without_the_others(row: Row, fixed: bytes) -> None:
    for raw in (pack(row, fixed), pack(row)):
        assert (naming_subject(raw), subjects_of(raw), journal_of(raw)) == (row.name, row.subjects, row.journal)


def test_parts_are_put_where_they_belong_and_the_others_stay() -> None:
    many, some = blank(program([]), 3), blank(program([]), 2)
    some["due"] = [7, 8]
    put(many, np.array([2, 0]), some)
    assert many["due"].tolist() == [8, NO_DUE, 7]


def test_the_first_subject_names_the_person() -> None:
    assert Row((b"b" * 16, b"a" * 16)).name == b"b" * 16


def test_a_blank_person_is_outside_of_everything_and_never_due() -> None:
    running = program(
        [windowed("views", HOUR, SECOND), feature("seen", "since")], [segment("s", compare("views", ">=", 1))]
    )
    (row,) = blank(running, 1)
    assert (row["due"], row["journey"]) == (NO_DUE, NO_DUE)
    assert not row["inside"].any() and not row["numbers"].any()
    assert list(row["lasts"]) == [NEVER]


def test_the_fixed_part_grows_with_segments_and_lifetime_slots_only() -> None:
    plain = fixed_dtype(program([feature("views")]).layout).itemsize
    assert fixed_dtype(program([feature("views"), windowed("lately", HOUR, SECOND)]).layout).itemsize == plain
    assert fixed_dtype(program([feature("views"), feature("more")]).layout).itemsize == plain + 8
