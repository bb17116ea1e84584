"""Who is whom: mentions merge in log order, known people stay apart, the smallest known subject names them."""

from __future__ import annotations

from itertools import count

from livepost.model.block import block_of
from livepost.model.compiled import Compiled
from livepost.model.record import KeyKind, Kind, Mention, Record, Verdict
from livepost.ops.parity.counted import count_records
from livepost.ops.parity.persons import Person, Undo, persons_of
from livepost.ops.parity.tables import Loader, database

NOON = 1_767_225_600_000
NUMBERS = count()
A, B, C, D = (bytes([number]) * 16 for number in (10, 20, 30, 40))


def said(subject: bytes, *mentions: Mention, known: bool = False, **parts: object) -> Record:
    return Record(
        source="web",
        subject=subject,
        known=known,
        mentions=mentions,
        message_id=str(next(NUMBERS)),
        effective_ts=NOON,
        **parts,  # type: ignore[arg-type]
    )


def persons(*records: Record) -> list[tuple[bytes, ...]]:
    """Return the persons' subjects, each with the naming one first, sorted."""
    return sorted(person.subjects for person in found(*records).values())


def found(*records: Record) -> dict[bytes, Person]:
    with database(200) as db:
        loader = Loader(db, Compiled(), ())
        loader.load([block_of(records, 0, NOON)], len(records) - 1)
        count_records(db, len(records) - 1)
        return persons_of(db, list(loader.numbers))


def test_a_mention_joins_an_anonymous_subject_to_a_known_one_who_names_them() -> None:
    assert persons(said(A), said(B, Mention(A, False), known=True)) == [(B, A)]


def test_the_smallest_known_subject_names_a_person_else_the_smallest() -> None:
    assert persons(said(C, Mention(B, False)), said(B, Mention(A, False))) == [(A, B, C)]
    assert persons(said(C, Mention(B, True), Mention(A, False))) == [(B, A, C)]


def test_two_known_people_stay_two_on_a_shared_device() -> None:
    device = Mention(C, False)
    assert persons(said(A, device, known=True), said(B, device, known=True)) == [(A, C), (B,)]


def test_who_came_first_keeps_the_device() -> None:
    device = Mention(C, False)
    assert persons(said(B, device, known=True), said(A, device, known=True)) == [(A,), (B, C)]


def test_mentions_of_one_record_are_taken_in_their_order() -> None:
    assert persons(said(C, Mention(B, True), Mention(A, True))) == [(A,), (B, C)]
    assert persons(said(C, Mention(A, True), Mention(B, True))) == [(A, C), (B,)]


def test_an_alias_from_a_secret_key_joins_known_people_and_one_from_a_write_key_does_not() -> None:
    alias = {"known": True, "name": "$alias"}
    two = [said(A, known=True), said(B, known=True)]
    assert persons(*two, said(A, Mention(B, True), key=KeyKind.WRITE, **alias)) == [(A,), (B,)]
    assert persons(*two, said(A, Mention(B, True), key=KeyKind.SECRET, **alias)) == [(A, B)]


def test_a_declared_key_that_a_secret_key_names_joins_known_people_and_an_anonymous_id_of_theirs_does_not() -> None:
    two = [said(A, known=True), said(B, Mention(C, False), known=True)]
    assert persons(*two, said(A, Mention(B, True), known=True, key=KeyKind.SECRET)) == [(A, B, C)]
    assert persons(*two, said(A, Mention(C, False), known=True, key=KeyKind.SECRET)) == [(A,), (B, C)]
    assert persons(*two, said(A, Mention(B, True), known=True, key=KeyKind.WRITE)) == [(A,), (B, C)]


def test_an_alias_counts_though_the_same_mention_came_before_without_one() -> None:
    earlier = said(A, Mention(B, True), known=True)
    alias = said(A, Mention(B, True), known=True, name="$alias", key=KeyKind.SECRET)
    assert persons(earlier, alias) == [(A, B)]


def test_groups_join_whole() -> None:
    assert persons(said(A, Mention(B, False)), said(C, Mention(D, False)), said(D, Mention(A, False))) == [(A, B, C, D)]


def test_somebody_only_mentioned_is_a_person_without_records() -> None:
    assert persons(said(A, Mention(B, True), known=True)) == [(A,), (B,)]


def test_a_record_that_does_not_count_names_nobody() -> None:
    assert persons(said(A, Mention(B, False), verdict=Verdict.DEAD), said(C)) == [(C,)]


def test_a_person_is_known_if_one_subject_is() -> None:
    people = found(said(A), said(B, Mention(C, True)))
    assert (people[A].known, people[C].known) == (False, True)


Told = tuple[int, int, tuple[bytes, ...], tuple[bytes, ...]]
"""An undo: its seq, the seq of the link with the device C, and the subjects of either side."""


def parted(*records: Record, undos: tuple[Told, ...] = ()) -> list[tuple[bytes, ...]]:
    """Return the persons' subjects where merges were undone."""
    with database(200) as db:
        loader = Loader(db, Compiled(), ())
        loader.load([block_of(records, 0, NOON)], len(records) - 1)
        count_records(db, len(records) - 1)
        number = loader.numbers.__getitem__
        numbered = [
            Undo(seq, (link, number(C)), (frozenset(map(number, one)), frozenset(map(number, other))))
            for seq, link, one, other in undos
        ]
        return sorted(person.subjects for person in persons_of(db, list(loader.numbers), numbered).values())


TABLET = Mention(C, False)
TICK = Record(kind=Kind.TICK)
UNDO: Told = (1, 0, (A,), (C,))


def test_an_undone_merge_is_not_made_again_by_a_mention_but_by_an_alias_with_a_secret_key() -> None:
    first, again = said(A, TABLET, known=True), said(A, TABLET, known=True)
    alias = said(A, TABLET, known=True, name="$alias", key=KeyKind.SECRET)
    assert parted(first, TICK, again) == [(A, C)]
    assert parted(first, TICK, again, undos=(UNDO,)) == [(A,), (C,)]
    assert parted(first, TICK, again, alias, undos=(UNDO,)) == [(A, C)]


def test_who_takes_the_device_after_an_undo_has_it_though_they_were_refused_before() -> None:
    ada, bob, again = said(A, TABLET, known=True), said(B, TABLET, known=True), said(B, TABLET, known=True)
    assert parted(ada, bob, TICK, again) == [(A, C), (B,)]
    assert parted(ada, bob, TICK, again, undos=((2, 0, (A,), (C,)),)) == [(A,), (B, C)]


def test_an_undo_of_a_part_of_a_person_and_one_told_twice_change_nothing() -> None:
    both = said(A, TABLET, Mention(D, False), known=True)
    assert parted(both, TICK, undos=(UNDO,)) == [(A, C, D)]
    alias = said(A, TABLET, known=True, name="$alias", key=KeyKind.SECRET)
    again = (3, 0, (A,), (C,))
    assert parted(said(A, TABLET, known=True), TICK, alias, TICK, undos=(UNDO, again)) == [(A, C)]
