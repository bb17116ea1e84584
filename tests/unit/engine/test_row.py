"""A person's row as bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from livepost.engine.row import NEVER, Row, blank, fixed_dtype, pack, unpack
from livepost.model.moment import NO_DUE
from tests.unit.engine.projects import HOUR, SECOND, compare, feature, program, segment, windowed

BYTES = st.binary(max_size=40)


@given(subjects=st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=300), parts=st.tuples(*[BYTES] * 4))
def test_what_was_packed_is_unpacked_equal(subjects: list[bytes], parts: tuple[bytes, bytes, bytes, bytes]) -> None:
    fixed, *others = parts
    row = Row(tuple(subjects), *others)
    assert unpack(pack(row, fixed)) == (row, fixed)
    assert len(pack(row, fixed)) == 16 + row.nbytes + len(fixed)


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
