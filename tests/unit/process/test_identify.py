"""Identify: whose record it is, merges as facts in log order, and the levels that keep that order in a batch."""

from __future__ import annotations

from livepost.engine.program import Program
from livepost.model.block import Block
from livepost.model.compiled import Compiled
from livepost.model.decision import Merge
from livepost.model.record import KeyKind, Record
from livepost.process.batch import batch_of
from livepost.process.identify import Level, identify
from livepost.process.people import People
from livepost.process.working import Working
from tests.unit.process.records import NOW, Folded, block, event, subject

PROJECT = Compiled()


def seen(*letters: str) -> Folded:
    """Return people of one subject each, numbered in this order."""
    folded = Folded(PROJECT)
    folded.step(block(0, NOW, *[event(letter, f"first {letter}") for letter in letters]))
    return folded


def planned(people: People, *records: Record) -> tuple[list[Level], list[tuple[str, str, int]], Working]:
    """Return the levels, the merges as (old letter, new letter, seq), and who is worked on."""
    work = Working(people)
    some: Block = block(people.position + 1, NOW, *records)
    levels, merges = identify(batch_of([some]), people, work)
    return levels, [(chr(m.old[0]), chr(m.new[0]), m.position) for m in merges], work


def shape(levels: list[Level], work: Working) -> list[tuple[list[tuple[str, str]], list[tuple[int, str]]]]:
    """Return, per level, (winner, loser) of its joinings and (place, owner) of its records, owners by first subject."""
    return [
        (
            [(_letter(work, j.winner), _letter(work, j.loser)) for j in level.joinings],
            [(place, _letter(work, owner)) for owner, place in zip(level.owners, level.places, strict=True)],
        )
        for level in levels
    ]


def _letter(work: Working, local: int) -> str:
    return chr(work.name(local)[0])


def test_records_without_mentions_all_stand_on_the_first_level() -> None:
    levels, merges, work = planned(People(Program(PROJECT)), event("a", "1"), event("b", "2"), event("a", "3"))
    assert shape(levels, work) == [([], [(0, "a"), (1, "b"), (2, "a")])]
    assert (merges, len(work)) == ([], 2)


def test_a_mention_of_somebody_never_seen_needs_no_level() -> None:
    levels, merges, work = planned(seen("B").people, event("B", "1", mentions="a"))
    assert shape(levels, work) == [([], [(0, "B")])]
    assert merges == [("a", "B", 1)]
    assert work.subjects(0) == (subject("B"), subject("a"))


def test_a_merge_of_two_people_stands_a_level_above_what_came_before() -> None:
    levels, merges, work = planned(
        seen("a", "B", "c").people,
        event("a", "1"),
        event("B", "2", mentions="a"),
        event("a", "3"),
        event("c", "4"),
    )
    assert shape(levels, work) == [([], [(0, "a"), (3, "c")]), ([("B", "a")], [(1, "B"), (2, "B")])]
    assert merges == [("a", "B", 4)]


def test_a_chain_of_merges_in_one_batch_climbs_a_level_each() -> None:
    levels, merges, work = planned(
        seen("d", "c", "b", "a").people,
        event("d", "1", mentions="c"),
        event("d", "2"),
        event("b", "3", mentions="d"),
        event("c", "4", mentions="a"),
        event("d", "5"),
    )
    assert shape(levels, work) == [
        ([], []),
        ([("c", "d")], [(0, "c"), (1, "c")]),
        ([("b", "c")], [(2, "b")]),
        ([("a", "b")], [(3, "a"), (4, "a")]),
    ]
    assert merges == [("d", "c", 4), ("c", "b", 6), ("b", "a", 7)]


def test_two_chains_side_by_side_share_their_levels() -> None:
    levels, _, work = planned(
        seen("a", "b", "c", "d").people, event("a", "1", mentions="b"), event("c", "2", mentions="d")
    )
    assert shape(levels, work) == [([], []), ([("a", "b"), ("c", "d")], [(0, "a"), (1, "c")])]


def test_two_merged_people_merge_on_the_level_above_the_higher_of_both() -> None:
    levels, _, work = planned(
        seen("a", "b", "c", "d", "e").people,
        event("a", "1", mentions="b"),
        event("a", "2", mentions="c"),
        event("d", "3", mentions="e"),
        event("d", "4", mentions="a"),
    )
    assert [joinings for joinings, _ in shape(levels, work)] == [
        [],
        [("a", "b"), ("d", "e")],
        [("a", "c")],
        [("a", "d")],
    ]


def test_one_record_that_mentions_two_people_merges_them_in_its_order() -> None:
    levels, merges, work = planned(seen("a", "b", "c").people, event("c", "1", mentions="ba"))
    assert shape(levels, work) == [([], []), ([("b", "c")], []), ([("a", "b")], [(0, "a")])]
    assert merges == [("c", "b", 3), ("b", "a", 3)]


def test_two_known_people_stay_two_unless_a_secret_key_names_both() -> None:
    people = seen("A", "B").people
    for name, key, count in [
        ("Viewed", KeyKind.WRITE, 0),
        ("Viewed", KeyKind.SECRET, 1),  # what is mentioned is a declared key
        ("$alias", KeyKind.WRITE, 0),
        ("$alias", KeyKind.SECRET, 1),
    ]:
        _, merges, _ = planned(people, event("A", "1", name, mentions="B", key=key))
        assert len(merges) == count


def test_a_person_is_known_as_soon_as_one_of_its_subjects_is() -> None:
    _, merges, _ = planned(seen("a", "B", "C").people, event("a", "1", mentions="B"), event("a", "2", mentions="C"))
    assert merges == [("a", "B", 3)]


def test_the_known_name_stays_even_if_the_other_is_smaller() -> None:
    folded = seen("Z", "Y")
    folded.step(block(2, NOW, event("a", "1", mentions="Z")))
    _, merges, _ = planned(folded.people, event("a", "2", "$alias", mentions="Y", key=KeyKind.SECRET))
    assert merges == [("Z", "Y", 3)]


def test_people_merged_before_are_one_person_in_a_later_batch() -> None:
    folded = seen("a", "b")
    folded.step(block(2, NOW, event("b", "1", mentions="a")))
    levels, merges, work = planned(folded.people, event("b", "2", mentions="a"), event("a", "3"))
    assert (shape(levels, work), merges) == ([([], [(0, "a"), (1, "a")])], [])
    assert len(folded.people) == 1
    assert folded.people.row(folded.person("b")).subjects == (subject("a"), subject("b"))


def test_a_chain_in_one_batch_leaves_one_person_and_a_merge_for_each_name_that_went() -> None:
    folded = seen("c", "b", "a")
    folded.step(block(3, NOW, event("c", "1", mentions="b"), event("c", "2", mentions="a")))
    assert len(folded.people) == 1
    assert {folded.person(letter) for letter in "abc"} == {2}
    assert folded.outbox == [
        Merge(old=subject("c"), new=subject("b"), position=3),
        Merge(old=subject("b"), new=subject("a"), position=4),
    ]
