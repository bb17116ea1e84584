"""A person's row as bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livepost.engine.row import NEVER, Row, blank, fixed_dtype, pack, pack_all, put, unpack
from livepost.model.moment import NO_DUE
from tests.unit.engine.projects import HOUR, SECOND, compare, feature, program, segment, windowed

BYTES = st.binary(max_size=40)


@given(subjects=st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=300), parts=st.tuples(*[BYTES] * 4))
def test_what_was_packed_is_unpacked_equal(subjects: list[bytes], parts: tuple[bytes, bytes, bytes, bytes]) -> None:
    fixed, *others = parts
    row = Row(tuple(subjects), *others)
    assert unpack(pack(row, fixed)) == (row, fixed)
    assert len(pack(row, fixed)) == 16 + row.nbytes + len(fixed)


def test_many_are_packed_as_one_by_one_and_nobody_is_none() -> None:
    fixed = blank(program([]), 3)
    fixed["due"] = [1, 2, 3]
    rows = [Row((b"a" * 16,), b"tiles"), None, Row((b"b" * 16, b"c" * 16), b"", b"picks", b"journal")]
    each = [None if row is None else pack(row, fixed[place].tobytes()) for place, row in enumerate(rows)]
    assert pack_all(rows, fixed) == each
    assert each[0] != pack_all(rows, fixed[::-1].copy())[0]


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
