"""Who is kept apart since a merge was undone."""

from __future__ import annotations

from livepost.identity import Separation, kept_apart

ADA, BOB, CARL, TABLET = b"a" * 16, b"b" * 16, b"c" * 16, b"t" * 16


def apart(separation: Separation, one: tuple[bytes, ...], other: tuple[bytes, ...]) -> bool:
    return kept_apart(separation.marks_of(one), separation.marks_of(other))


def test_without_an_undo_nobody_is_kept_apart() -> None:
    none = Separation()
    assert not none
    assert not apart(none, (ADA,), (BOB,))


def test_people_with_a_subject_on_either_side_are_kept_apart_whoever_comes_first() -> None:
    one = Separation([((ADA, BOB), (TABLET,))])
    assert one
    assert apart(one, (ADA, CARL), (TABLET,))
    assert apart(one, (TABLET,), (CARL, BOB))


def test_people_on_the_same_side_or_on_none_are_not() -> None:
    one = Separation([((ADA, BOB), (TABLET,))])
    assert not apart(one, (ADA,), (BOB,))
    assert not apart(one, (CARL,), (TABLET,))


def test_who_is_on_both_sides_by_now_is_kept_apart_from_either() -> None:
    one = Separation([((ADA, BOB), (TABLET, CARL))])
    assert apart(one, (ADA, TABLET), (BOB,))
    assert apart(one, (ADA, TABLET), (CARL,))


def test_sides_of_different_undos_do_not_meet() -> None:
    two = Separation([((ADA,), (TABLET,)), ((BOB,), (CARL,))])
    assert not apart(two, (ADA,), (CARL,))
    assert not apart(two, (TABLET,), (BOB,))
    assert apart(two, (BOB,), (CARL,))
