"""The people in memory: numbers, due times, and what a delta changes."""

from __future__ import annotations

import numpy as np
import pytest

from livepost.engine.program import Program
from livepost.engine.row import NEVER, Row, blank, pack, subjects_of
from livepost.model.compiled import Compiled
from livepost.model.moment import NO_DUE
from livepost.process.people import FIRST, GROWTH, ROW_BYTES, Delta, People
from tests.unit.engine.projects import compare, compiled, feature, segment

PROGRAM = Program(Compiled())


def row(*letters: str, due: int = NO_DUE, journey: int = NO_DUE) -> bytes:
    """Return the packed row of a person of these subjects, next due at these times (ms)."""
    fixed = blank(PROGRAM, 1)
    fixed["due"], fixed["journey"] = due, journey
    return pack(Row(tuple(letter.encode() * 16 for letter in letters)), fixed.tobytes())


def people(*rows: bytes | None) -> People:
    some = People(PROGRAM)
    some.load(enumerate(rows))
    return some


def test_everybody_is_found_by_each_of_their_subjects() -> None:
    some = people(row("a", "b"), row("c"))
    assert [some.number[letter * 16] for letter in (b"a", b"b", b"c")] == [0, 0, 1]
    assert len(some) == 2


def test_a_merged_persons_number_is_left_empty_and_nothing_of_it_is_due() -> None:
    some = people(row("a", due=5), row("b", due=7))
    some.load([(0, None), (1, row("b", "a"))])
    assert (len(some), some.rows[0], some.number[b"a" * 16], some.next_due()) == (1, None, 1, NO_DUE)


def test_nobody_is_there_under_the_number_of_a_merged_person() -> None:
    some = people(row("a"), row("b"))
    some.load([(0, None), (1, row("b", "a"))])
    assert some.row(1).subjects == (b"b" * 16, b"a" * 16)
    assert [subjects_of(found)[0] for found in some.rows_of([1])] == [b"b" * 16]
    with pytest.raises(KeyError, match="merged into another"):
        some.row(0)
    with pytest.raises(KeyError, match="there is no person 0: merged into another"):
        some.rows_of([1, 0])


def test_the_next_due_time_is_the_earliest_of_segments_and_journeys() -> None:
    assert people(row("a", due=9, journey=5), row("b", due=7)).next_due() == 5
    assert people().next_due() == NO_DUE


@pytest.mark.parametrize(("at", "limit", "due"), [(4, 9, set()), (5, 9, {0}), (8, 9, {0, 1, 2}), (8, 2, {0, 1})])
def test_of_the_people_due_the_longest_due_come_first_up_to_a_limit(at: int, limit: int, due: set[int]) -> None:
    some = people(row("a", journey=5), row("b", due=7), row("c", due=8), row("d"))
    assert set(some.due(at, limit).tolist()) == due


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_of_people_due_at_one_moment_the_smallest_numbers_come_first(limit: int) -> None:
    some = people(row("a", due=8), row("b", due=7), row("c", journey=7), row("d", due=9), row("e", due=7))
    longest_first = [1, 2, 4, 0, 3]
    assert some.due(9, limit).tolist() == sorted(longest_first[:limit])


def test_the_fixed_parts_grow_with_the_people() -> None:
    some = People(PROGRAM)
    some.load((n, pack(Row((n.to_bytes(16, "big"),)), blank(PROGRAM, 1).tobytes())) for n in range(5_000))
    assert (len(some), some.number[(4_999).to_bytes(16, "big")]) == (5_000, 4_999)
    assert (some.next_due(), some.fixed["due"].min(), some.fixed["lasts"].max()) == (NO_DUE, NO_DUE, NEVER)


def test_an_eighth_at_most_of_the_room_for_people_stands_empty_whatever_brings_them() -> None:
    some = People(PROGRAM)
    for count in range(1_000, 20_000, 7):
        some.make_room(count)
        assert count <= len(some.fixed) == len(some._earliest) <= max(FIRST, GROWTH * count)


def test_when_a_row_was_used_is_noted_only_where_rows_in_memory_are_bounded() -> None:
    some = people(row("a"))
    some.make_room(3_000)
    assert some.row_bytes == 0 == len(some._sizes) == len(some._used)
    some.keep_at_most(1_000_000, lambda numbers: {})
    assert some.row_bytes == ROW_BYTES + len(some.rows[0] or b"")
    some.make_room(5_000)
    assert len(some._sizes) == len(some._used) == len(some.fixed)
    some.keep_at_most(0, lambda numbers: {})
    assert some.row_bytes == 0 == len(some._sizes) == len(some._used)


def test_fixed_parts_are_copies_and_those_of_numbers_not_yet_given_are_blank() -> None:
    some = people(row("a", due=5))
    copied = some.fixed_of([0, 1])
    assert copied["due"].tolist() == [5, NO_DUE]
    copied["due"] = 1
    assert some.next_due() == 5


def test_people_are_packed_as_they_were_loaded() -> None:
    packed = {0: None, 1: row("b", "a", due=5)}
    some = people(row("a"), row("b"))
    some.load(packed.items())
    assert some.packed(np.arange(2)) == {1: packed[1]}
    assert Delta(0, 0, 0).rows == {}


def test_applying_a_delta_moves_the_position_and_adds_up_the_counts() -> None:
    some = people(row("a"))
    for position in (3, 4):
        some.apply(Delta(position, 100 + position, position - 1, counts={"processed": 2}))
    assert (some.position, some.as_of, some.complete_to) == (4, 104, 3)
    assert some.counts["processed"] == 4
    assert some.counts["duplicate"] == 0


def test_where_no_condition_can_be_unknown_none_is() -> None:
    plain = Program(compiled([feature("views")], [segment("keen", compare("views", ">", 1))]))
    assert People(plain).unknown() == [0]
