"""A person's row as bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from livepost.engine.row import NEVER, Row, blank, fixed_dtype, fixed_of, pack, subjects_of, unpack
from livepost.model.moment import NO_DUE
from tests.unit.engine.projects import HOUR, SECOND, compare, feature, program, segment, windowed

BYTES = st.binary(max_size=40)


@given(subjects=st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=4), parts=st.tuples(*[BYTES] * 4))
def test_what_was_packed_is_unpacked_equal(subjects: list[bytes], parts: tuple[bytes, bytes, bytes, bytes]) -> None:
    row = Row(tuple(subjects), *parts)
    assert unpack(pack(row)) == row


def test_the_first_subject_names_the_person() -> None:
    assert Row((b"b" * 16, b"a" * 16), b"").name == b"b" * 16


def test_a_blank_person_is_outside_of_everything_and_never_due() -> None:
    running = program(
        [windowed("views", HOUR, SECOND), feature("seen", "since")], [segment("s", compare("views", ">=", 1))]
    )
    (row,) = blank(running, 1)
    assert (row["due"], row["journey"]) == (NO_DUE, NO_DUE)
    assert not row["inside"].any() and not row["numbers"].any()
    assert list(row["lasts"]) == [NEVER]


def test_the_fixed_part_grows_with_segments_and_lifetime_slots_only() -> None:
    plain = fixed_dtype(program([feature("views")])).itemsize
    assert fixed_dtype(program([feature("views"), windowed("lately", HOUR, SECOND)])).itemsize == plain
    assert fixed_dtype(program([feature("views"), feature("more")])).itemsize == plain + 8


@given(subjects=st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=300), fixed=st.binary(max_size=400))
def test_subjects_and_fixed_part_are_read_from_a_packed_row_alone(subjects: list[bytes], fixed: bytes) -> None:
    raw = pack(Row(tuple(subjects), fixed, b"tiles"))
    assert (subjects_of(raw), fixed_of(raw)) == (tuple(subjects), fixed)
