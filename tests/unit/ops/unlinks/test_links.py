"""Which records made one person of several, and who is on either side of each."""

from __future__ import annotations

from itertools import count

from livepost.model.record import KeyKind, Mention, Origin
from livepost.model.unlink import Apart
from livepost.ops.unlinks.links import Link, Links, Own

ADA, BOB, EMAIL, TABLET = (bytes([letter]) * 16 for letter in b"abet")
KNOWN = {ADA, BOB}


def own(seq: int, subject: bytes, *mentioned: bytes, name: str = "$identify", key: KeyKind = KeyKind.SECRET) -> Own:
    return Own(
        seq=seq,
        stamp=1_000 * seq,
        effective_ts=0,
        origin=Origin.LIVE,
        key=key,
        source="web",
        subject=subject,
        known=subject in KNOWN,
        mentions=tuple(Mention(one, one in KNOWN) for one in mentioned),
        message_id=str(seq),
        event=bytes(16),
        name=name,
        consent={},
    )


def found(*records: Own, apart: tuple[Apart, ...] = ()) -> list[tuple[int, bytes, bytes]]:
    return [(one.position, one.subject, one.mentioned) for one in Links(records, apart).links]


def test_the_first_mention_of_two_is_the_link_with_its_position_time_and_name() -> None:
    links = Links([own(3, ADA, TABLET), own(4, ADA, TABLET)]).links
    assert links == [Link(position=3, at=3_000, name="$identify", subject=ADA, mentioned=TABLET)]


def test_two_known_people_are_linked_by_what_a_secret_key_tells_only() -> None:
    assert found(own(1, ADA, BOB, key=KeyKind.WRITE)) == []
    assert found(own(1, ADA, BOB, name="$alias", key=KeyKind.WRITE)) == []
    assert found(own(1, ADA, BOB)) == [(1, ADA, BOB)]  # a declared key
    assert found(own(1, ADA, BOB, name="$alias")) == [(1, ADA, BOB)]


def test_who_took_the_tablet_first_has_the_link() -> None:
    assert found(own(1, ADA, TABLET), own(2, BOB, TABLET)) == [(1, ADA, TABLET)]


def test_a_link_undone_leaves_those_linked_by_others_together() -> None:
    links = Links([own(1, ADA, TABLET, EMAIL), own(2, BOB, ADA, name="$alias")])
    first, _, alias = links.links
    person = (ADA, BOB, EMAIL, TABLET)
    assert links.sides(first, person) == ((ADA, BOB, EMAIL), (TABLET,))
    assert links.sides(alias, person) == ((BOB,), (ADA, EMAIL, TABLET))


def test_who_is_linked_by_a_record_that_the_log_has_no_more_stays_with_the_name() -> None:
    links = Links([own(1, ADA, TABLET)])
    assert links.sides(links.links[0], (ADA, EMAIL, TABLET)) == ((ADA, EMAIL), (TABLET,))
    assert links.sides(links.links[0], (TABLET, ADA, EMAIL)) == ((ADA,), (EMAIL, TABLET))


def test_an_undone_link_is_none_and_a_mention_makes_no_other_one() -> None:
    undo = Apart(2, 1, TABLET, ((ADA,), (TABLET,)))
    assert found(own(1, ADA, TABLET), own(3, ADA, TABLET), apart=(undo,)) == []
    assert found(own(1, ADA, TABLET), own(3, ADA, TABLET, name="$alias"), apart=(undo,)) == [(3, ADA, TABLET)]
    assert found(own(1, ADA, TABLET), own(3, BOB, TABLET), apart=(undo,)) == [(3, BOB, TABLET)]


def test_many_links_of_one_record_are_told_apart_by_whom_they_mention() -> None:
    numbers = count(1)
    assert found(own(next(numbers), ADA, TABLET, EMAIL)) == [(1, ADA, TABLET), (1, ADA, EMAIL)]
